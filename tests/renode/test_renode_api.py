"""The plug-in's C API: its declarations against esp32.h, and its calls made in its order."""

import re
from pathlib import Path

import pytest

from hw.esp32.chip import HEADER

ROOT = Path(__file__).resolve().parents[2]
LIBRARY_CS = (ROOT / "hw/renode/Library.cs").read_text()
HEADER_TEXT = re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.S)

# of esp32.h, and what may stand for it in C#
SAME = {
    "esp32_t *": {"IntPtr"},
    "const esp32_t *": {"IntPtr"},
    "const esp32_config_t *": {"byte[]"},
    "const void *": {"byte[]"},
    "void *": {"byte[]"},
    "char *": {"byte[]"},
    "const char *": {"IntPtr", "[MarshalAs(UnmanagedType.LPStr)] string"},
    "uint32_t *": {"out uint"},
    "enum esp32_reset_cause": {"int"},
    "int": {"int"},
    "uint32_t": {"uint"},
    "uint64_t": {"ulong"},
    "size_t": {"UIntPtr"},
    "void": {"void"},
}


def c_functions():
    """Of the header: name -> (type of the result, types of the arguments)."""
    found = {}
    pattern = r"ESP32_API\s+([\w ]+?[ *]+)(esp32_\w+)\(([^)]*)\);"
    for result, name, arguments in re.findall(pattern, HEADER_TEXT):
        types = [re.sub(r"\w+$", "", a.strip()).strip() for a in arguments.split(",")]
        found[name] = (result.strip(), [] if arguments.strip() == "void" else types)
    return found


def cs_functions():
    """Of the plug-in, by the name of the symbol that it looks up."""
    found = {}
    pattern = r"Cdecl\)\]\s+public delegate ([\w]+) (\w+)_\(([^;]*)\);"
    for result, name, arguments in re.findall(pattern, LIBRARY_CS):
        symbol = "esp32" + re.sub(r"[A-Z]", lambda m: "_" + m[0].lower(), name)
        text = arguments.strip()
        types = [re.sub(r"\s+\w+$", "", a.strip()) for a in text.split(",")] if text else []
        found[symbol] = (result, types)
    return found


def define(name):
    return int(re.search(rf"#define {name}\s+(0x[0-9a-f]+|\d+)", HEADER_TEXT)[1], 0)


def constant(name):
    value = re.search(rf"const \w+ {name} = ([^;]+);", LIBRARY_CS)[1]
    return eval(value)  # of our own source: a number or a shift


@pytest.mark.parametrize("symbol", sorted(cs_functions()))
def test_declared_as_in_the_header(symbol):
    result, arguments = cs_functions()[symbol]
    c_result, c_arguments = c_functions()[symbol]
    assert result in SAME[c_result]
    assert len(arguments) == len(c_arguments)
    for ours, theirs in zip(arguments, c_arguments, strict=True):
        assert ours in SAME[theirs], (ours, theirs)


def test_every_delegate_has_its_field():
    """A function that is declared but has no field would not be looked up."""
    fields = set(re.findall(r"public readonly (\w+)_ \w+;", LIBRARY_CS))
    assert fields == set(re.findall(r"public delegate \w+ (\w+)_\(", LIBRARY_CS))
    assert len(fields) > 30


@pytest.mark.parametrize(
    "ours, theirs",
    [
        ("ApiVersion", "ESP32_API_VERSION"),
        ("TicksPerMicrosecond", "ESP32_TICKS_PER_US"),
        ("Uarts", "ESP32_UARTS"),
        ("Gpios", "ESP32_GPIOS"),
        ("FlashSize", "ESP32_FLASH_SIZE"),
        ("FrameMax", "ESP32_ETH_FRAME_MAX"),
    ],
)
def test_constants_are_the_headers(ours, theirs):
    assert constant(ours) == define(theirs)


def test_stop_reasons_are_the_headers():
    theirs = dict(re.findall(r"ESP32_STOP_(\w+) = ([^,]+),", HEADER_TEXT))
    ours = dict(re.findall(r"const int Stop(\w+) = ([^;]+);", LIBRARY_CS))
    assert len(ours) >= 10
    for name, value in ours.items():
        assert value == theirs[name.upper()]


def test_reset_causes_are_the_headers():
    theirs = dict(re.findall(r"ESP32_RESET_(\w+) = (\d+),", HEADER_TEXT))
    for name, value in re.findall(r"const int Reset(\w+) = (\d+);", LIBRARY_CS):
        assert value == theirs[name.upper()]


def test_config_is_laid_out_as_the_plug_in_writes_it():
    """12 bytes: the MAC at 0, the seed at 8."""
    from hw.esp32 import chip

    chip.library()
    offsets = {name: f.offset for name, f in chip._ffi.typeof("esp32_config_t").fields}
    assert offsets == {"mac": 0, "phy_addr": 6, "phy_absent": 7, "seed": 8}
    assert chip._ffi.sizeof("esp32_config_t") == 12

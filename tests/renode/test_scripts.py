"""The scripts and platform of hw/renode: what they name is there, whatever the path."""

import inspect
import re
from pathlib import Path

import pytest

from hw.camera.wiring import CAMERA_UART, LED_GPIO
from lab import renode
from lab.cli import main
from lab.firmware import resolve
from lab.targets.renode import RenodeBoard
from lab.targets.renode_link import UARTS, script

FOLDER = renode.FOLDER
SOURCES = "\n".join(path.read_text() for path in sorted(FOLDER.glob("*.cs")))
PLATFORM = (FOLDER / "camera.repl").read_text()


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.resc")), ids=lambda p: p.name)
def test_scripts_name_files_that_are_beside_them(path):
    names = re.findall(r"\$ORIGIN/(\S+)", path.read_text())
    assert names
    for name in names:
        assert (FOLDER / name).exists(), name


def test_all_sources_are_included_at_once():
    """They refer to each other, so Renode must compile them together."""
    line = next(n for n in renode.BOARD.read_text().splitlines() if n.startswith("include"))
    assert sorted(re.findall(r"/(\w+\.cs)", line)) == sorted(p.name for p in FOLDER.glob("*.cs"))


def test_scripts_hold_no_path_of_this_machine():
    for path in FOLDER.iterdir():
        text = path.read_text()
        assert "/home/" not in text
        assert str(renode.ROOT) not in text


def test_platform_uses_classes_that_the_sources_define():
    ours = re.findall(r": (\w+)\.(Esp32\w+) @", PLATFORM)
    assert len(ours) >= 5
    for space, name in ours:
        pattern = rf"namespace Antmicro\.Renode\.Peripherals\.{space}\n(?:.(?!\nnamespace))*?"
        assert re.search(pattern + rf"class {name}\b", SOURCES, re.S), name


def test_platform_is_wired_as_the_board_is():
    assert f"{LED_GPIO} -> led@0" in PLATFORM
    assert f"uart{CAMERA_UART}: UART.Esp32Uart" in PLATFORM
    numbers = re.findall(r"uart(\d): UART.Esp32Uart @ sysbus.*?number: (\d)", PLATFORM, re.S)
    assert numbers == [(str(n), str(n)) for n in range(UARTS)]


def test_the_chip_is_made_with_what_the_lab_takes_for_granted():
    wanted = inspect.signature(RenodeBoard).parameters
    mac, seed = wanted["mac"].default.hex().upper(), wanted["seed"].default
    assert f"ulong mac = 0x{mac}" in SOURCES
    assert f"uint seed = {seed})" in SOURCES
    board = (FOLDER / "machine.resc").read_text()
    assert f"$mac?=0x{mac}\n$seed?={seed}\n" in board


def test_the_window_covers_the_address_space():
    base, size, offset = (
        int(re.search(rf"{name}: (0x[0-9A-F]+)", PLATFORM)[1], 0)
        for name in ("address", "size", "offset")
    )
    assert base == offset == 0x3F400000  # DROM, TRM table "Address Mapping"
    assert base + size == 0x50002000  # the end of RTC slow memory


def test_the_labs_script_connects_both_cables_before_it_begins():
    lines = script(Path("/tmp/flash.bin"), 1111, 2222).splitlines()
    assert lines[:2] == ["$flash=@/tmp/flash.bin", f"include @{renode.BOARD}"]
    assert 'emulation CreateLabBridge "lab_bridge" 2222' in lines
    assert 'emulation CreateLabLink "lab" 1111 sysbus.cpu "lab_bridge"' in lines
    assert lines[-1] == "lab Begin"
    assert not any(line.split()[0] == "start" for line in lines)


def test_the_labs_script_calls_what_the_sources_have():
    for method in re.findall(r"^(?:emulation|lab) (\w+)", script(Path("flash.bin"), 1, 2), re.M):
        known = {"SetAdvanceImmediately"}  # Renode's own
        assert method in known or re.search(rf"public (?:static )?void {method}\(", SOURCES)


def test_status_is_as_long_as_the_lab_expects():
    from dataclasses import fields

    from lab.targets.renode import Status

    text = re.search(r'string\.Join\(" ", (.*?)\);', SOURCES, re.S)[1]
    parts = re.sub(r"\([^()]*\)", "", text).split(",")
    assert len(parts) == len(fields(Status))


@pytest.fixture
def new_cache(monkeypatch, tmp_path):
    """An empty cache; returns it, and the default firmware's file, which is not in there."""
    firmware = resolve().path
    monkeypatch.setenv("LAB_CACHE", str(tmp_path / "new"))
    return tmp_path / "new", str(firmware)


def test_the_image_goes_where_the_plug_in_looks(new_cache):
    cache, firmware = new_cache
    assert renode.image_path() == cache / "renode" / "flash.bin"
    assert 'Path.Combine(cache, "renode", "flash.bin")' in SOURCES
    made = renode.make_image(firmware)
    assert made.stat().st_size == 0x400000
    assert b"microdot" in made.read_bytes()


def test_lab_renode_image_says_how_to_go_on(new_cache, capsys):
    cache, firmware = new_cache
    assert main(["renode", "image", "--firmware", firmware]) == 0
    said = capsys.readouterr().out
    assert str(cache / "renode" / "flash.bin") in said
    assert f"renode {renode.SCRIPT}" in said

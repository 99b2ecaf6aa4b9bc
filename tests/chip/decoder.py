"""The chip's own decoder, compiled alone: opcode names for coverage, fields for the model."""

import ctypes
import functools
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

CPU = Path(__file__).resolve().parents[2] / "hw/esp32/src/cpu"
COMPILER = shutil.which("cc")


class Insn(ctypes.Structure):
    """insn_t of decode.h"""

    _fields_ = [
        ("op", ctypes.c_uint8), ("r", ctypes.c_uint8), ("s", ctypes.c_uint8),
        ("t", ctypes.c_uint8), ("length", ctypes.c_uint8), ("window", ctypes.c_uint8),
        ("ends", ctypes.c_bool), ("imm", ctypes.c_uint32),
    ]  # fmt: skip


def opcodes():
    """Names in opcodes.def, in order."""
    return re.findall(r"^OP\((\w+),", (CPU / "opcodes.def").read_text(), re.M)


@functools.cache
def _library():
    if COMPILER is None:
        pytest.skip("no C compiler")
    with tempfile.TemporaryDirectory() as directory:
        made = Path(directory, "decode.so")
        subprocess.run(
            [COMPILER, "-shared", "-fPIC", "-O1", "-o", made, CPU / "decode.c"], check=True
        )
        return ctypes.CDLL(str(made))


@functools.cache
def _names():
    return opcodes()


@functools.cache
def decode(pc, code):
    """(name, fields) of the instruction at the start of `code` (3 bytes)."""
    insn = Insn()
    _library().lx6_decode(ctypes.c_uint32(pc), code.ljust(3, b"\0"), ctypes.byref(insn))
    return _names()[insn.op], insn

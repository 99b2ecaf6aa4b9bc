"""QEMU's Xtensa cores as oracle: run an image, get its memory, or its state before every step.

`-m 1100M` gives the `sim` machine RAM under the ESP32's addresses too, so the same image runs at
the same addresses on both, and return addresses and stacks can be compared as they are.
"""

import re
import resource
import shutil
import struct
import subprocess

import pytest
from xtensa_asm import load_literal

QEMU = shutil.which("qemu-system-xtensa")
needs_qemu = pytest.mark.skipif(
    QEMU is None, reason="no qemu-system-xtensa (Debian: apt-get install qemu-system-misc)"
)
RESET_VECTOR = {"de233_fpu": 0xFE000000}
SECONDS_MOST = 60
LOG_MOST = 200_000_000  # bytes
SIMCALL = bytes.fromhex("005100")
REGISTER = re.compile(r"\b([A-Z]+[0-9]*) ?= ?([0-9a-f]{8})\b")


def elf(sections):
    """A bare ELF for -kernel: (address, bytes), entry at the first (System V ABI, chapter 4)."""
    offset = 52 + 32 * len(sections)
    heads, body = b"", b""
    for address, data in sections:
        heads += struct.pack("<8I", 1, offset + len(body), address, address, len(data), len(data),
                             7, 4)  # fmt: skip
        body += data
    ident = b"\x7fELF\x01\x01\x01" + bytes(9)
    head = struct.pack("<HHIIIIIHHHHHH", 2, 94, 1, sections[0][0], 52, 0, 0, 52, 32,
                       len(sections), 0, 0, 0)  # fmt: skip
    return ident + head + heads + body


def start_at(entry, cpu="de233_fpu"):
    """The section for the reset vector: a jump to `entry`."""
    code = bytearray()
    load_literal(code, 0, entry)
    return (RESET_VECTOR[cpu], bytes(code) + bytes.fromhex("a00000"))  # jx a0


def _bounded():
    """A program that never ends must not fill the disk with its log."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (LOG_MOST, LOG_MOST))


def run(sections, cpu, directory, trace=False):
    """Output of the image's simcalls and, with `trace`, the log: its state before each step."""
    image, log = directory / "image.elf", directory / "qemu.log"
    image.write_bytes(elf(sections))
    command = [QEMU, "-M", "sim", "-m", "1100M", "-cpu", cpu, "-nographic", "-semihosting",
               "-monitor", "none", "-serial", "none", "-kernel", str(image)]  # fmt: skip
    if trace:
        command += ["-singlestep", "-d", "cpu,fpu,nochain", "-D", str(log)]
    done = subprocess.run(command, capture_output=True, timeout=SECONDS_MOST, preexec_fn=_bounded)
    assert done.returncode == 0, (done.returncode, done.stderr.decode())
    return done.stdout, log.read_text() if trace else ""


def steps(log, first, end):
    """The states in a trace from pc `first` on up to pc `end`: dictionaries by QEMU's names."""
    started = False
    for block in ("\n" + log).split("\nPC=")[1:]:
        pc = int(block[:8], 16)
        started = started or pc == first
        if pc == end:
            return
        if started:
            state = {name: int(value, 16) for name, value in REGISTER.findall(block)}
            yield state | {"PC": pc}
    raise AssertionError(f"QEMU never came to {end:#x}")

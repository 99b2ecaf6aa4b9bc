"""Register windows: recursion far deeper than 64 registers, through overflow and underflow
vectors (Xtensa ISA RM, "Windowed Register Option"). The vectors are the ROM's, see guest.c."""

import pytest
from xtensa_asm import movi, rri8, rrr

from hw.esp32.chip import Chip, Stop

CODE, STACK = 0x40080000, 0x3FFC0000
FRAME = 48
RETW = bytes.fromhex("900000")


def call(size, at, to):
    """CALL4, CALL8, CALL12 (size 1..3) at address `at`."""
    offset = (to - ((at & ~3) + 4)) // 4
    return ((offset & 0x3FFFF) << 6 | size << 4 | 5).to_bytes(3, "little")


def entry(frame):
    return (frame // 8 << 12 | 1 << 8 | 0x36).to_bytes(3, "little")


def program(sizes):
    """A call of the first function; function i adds its a2 to what the next returns for a2 - 1."""
    length = 32
    code = bytearray(call(sizes[-1], CODE, CODE + length).ljust(length, b"\0"))
    for n, size in enumerate(sizes):
        at = CODE + len(code)
        following = CODE + length * (1 + (n + 1) % len(sizes))
        argument = 4 * size + 2
        body = entry(FRAME)
        body += (14 << 12 | 2 << 8 | 0x16).to_bytes(3, "little")  # beqz a2, the last two
        body += rri8(0xC, argument, 2, -1)  # addi
        body += call(size, at + len(body), following)
        body += rrr(8, 0, 2, 2, argument) + RETW  # add a2, a2, result
        assert len(body) == 18
        body += bytes.fromhex("f02000")  # nop
        body += movi(2, 0) + RETW
        code += body.ljust(length, b"\0")
    return bytes(code)


@pytest.mark.parametrize("depth", [0, 1, 5, 14, 15, 16, 17, 100])
@pytest.mark.parametrize(
    "sizes", [(1,), (2,), (3,), (1, 2), (2, 3), (3, 1), (1, 2, 3), (3, 3, 1, 2)], ids=str
)
def test_recursion_spills_and_fills(sizes, depth):
    with Chip() as chip:
        chip.write_memory(CODE, program(sizes))
        chip.set_register("ps", 0x40020 | sizes[-1] << 16)  # WOE, UM
        chip.set_register("a1", STACK)
        chip.write_memory(STACK - 12, (STACK + 256).to_bytes(4, "little"))
        argument = f"a{4 * sizes[-1] + 2}"
        chip.set_register(argument, depth)
        chip.set_register("pc", CODE)
        chip.breakpoint(CODE + 3)
        assert chip.run(chip.now + 10**7) & Stop.BREAK, hex(chip.register("pc"))
        assert chip.register(argument) == depth * (depth + 1) // 2
        assert chip.register("a1") == STACK
        assert chip.register("windowbase") == 0

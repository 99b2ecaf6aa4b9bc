"""The ROM's side of newlib's FILEs: __swrite and its kin call the firmware's functions by way of
its table of stubs, with the descriptor in the FILE's place."""

import pytest

from hw.esp32.chip import Chip, Stop

CODE, TABLE, STACK, FILE, CALLS = 0x40080000, 0x3FFC0000, 0x3FFC4000, 0x3FFC5000, 0x3FFC6000
TABLE_PTR = 0x3FFAE024  # syscall_table_ptr_pro
# number in the table, as in ESP-IDF's rom/libc_stubs.h
CLOSE, WRITE, LSEEK, READ = 19, 21, 22, 23
SREAD, SWRITE, SSEEK, SCLOSE = 0x40001118, 0x40001150, 0x40001184, 0x400011B8
APPENDING, OFFSET_KNOWN, IN_USE = 0x0100, 0x1000, 0x0008


def s32i(t, s, offset):
    return ((offset // 4) << 16 | 6 << 12 | s << 8 | t << 4 | 2).to_bytes(3, "little")


def l32i(t, s, offset):
    return ((offset // 4) << 16 | 2 << 12 | s << 8 | t << 4 | 2).to_bytes(3, "little")


def addi(t, s, value):
    return ((value & 0xFF) << 16 | 0xC << 12 | s << 8 | t << 4 | 2).to_bytes(3, "little")


def movi(t, value):
    return (value << 16 | 0xA << 12 | t << 4 | 2).to_bytes(3, "little")


def stub(number):
    """A function (reent, a3, a4, a5) that writes number, a3, a4, a5 where *reent points, moves
    that pointer on, and returns a5."""
    return (
        bytes.fromhex("364100")  # entry a1, 32
        + l32i(8, 2, 0)
        + movi(9, number)
        + s32i(9, 8, 0) + s32i(3, 8, 4) + s32i(4, 8, 8) + s32i(5, 8, 12)
        + addi(8, 8, 16)
        + s32i(8, 2, 0)
        + bytes.fromhex("502520")  # mov a2, a5
        + bytes.fromhex("900000")  # retw
    )  # fmt: skip


def word(value):
    return (value & 0xFFFFFFFF).to_bytes(4, "little")


@pytest.fixture
def chip():
    with Chip() as chip:
        chip.write_memory(TABLE_PTR, word(TABLE))
        for number in (CLOSE, WRITE, LSEEK, READ):
            chip.write_memory(CODE + 64 * number, stub(number))
            chip.write_memory(TABLE + 4 * number, word(CODE + 64 * number))
        chip.write_memory(FILE + 256, word(CALLS))  # the reent
        chip.write_memory(STACK - 12, word(STACK + 256))
        yield chip


def call(chip, function, *arguments):
    """CALL8 of a ROM function with the reent before its arguments; returns (result, the calls
    of stubs it made)."""
    back = CODE + 0x1000
    chip.set_register("ps", 0x40020 | 2 << 16)
    chip.set_register("a1", STACK)
    chip.set_register("a8", 2 << 30 | back & 0x3FFFFFFF)
    for n, value in enumerate((FILE + 256, *arguments)):
        chip.set_register(f"a{10 + n}", value & 0xFFFFFFFF)
    chip.set_register("pc", function)
    chip.breakpoint(back)
    assert chip.run(chip.now + 10**6) & Stop.BREAK, hex(chip.register("pc"))
    end = int.from_bytes(chip.read_memory(FILE + 256, 4), "little")
    diary = chip.read_memory(CALLS, end - CALLS)
    calls = [tuple(memoryview(diary[i : i + 16]).cast("I")) for i in range(0, len(diary), 16)]
    return chip.register("a10"), calls


def open_file(chip, flags, descriptor):
    chip.write_memory(FILE + 12, word(flags | descriptor << 16))


def flags_of(chip):
    return int.from_bytes(chip.read_memory(FILE + 12, 2), "little")


@pytest.mark.parametrize(
    "function, number", [(SREAD, READ), (SWRITE, WRITE), (SSEEK, LSEEK)], ids=["r", "w", "seek"]
)
def test_call_goes_to_the_descriptor(chip, function, number):
    open_file(chip, IN_USE | OFFSET_KNOWN, 7)
    assert call(chip, function, FILE, 0x1234, 32) == (32, [(number, 7, 0x1234, 32)])
    assert flags_of(chip) == IN_USE


def test_close(chip):
    open_file(chip, IN_USE, 7)
    _, calls = call(chip, SCLOSE, FILE, 0, 0)
    assert calls == [(CLOSE, 7, 0, 0)]


def test_closed_file_has_descriptor_minus_1(chip):
    open_file(chip, IN_USE, 0xFFFF)
    assert call(chip, SWRITE, FILE, 0, 5)[1] == [(WRITE, 0xFFFFFFFF, 0, 5)]


def test_appending_seeks_to_the_end_first(chip):
    open_file(chip, IN_USE | APPENDING, 7)
    assert call(chip, SWRITE, FILE, 0x1234, 32) == (32, [(LSEEK, 7, 0, 2), (WRITE, 7, 0x1234, 32)])


def test_bad_file_faults_in_the_guest(chip):
    chip.set_register("vecbase", 0x40090000)
    chip.write_memory(0x40090340, bytes.fromhex("06ffff"))  # j .
    chip.set_register("ps", 0x40020 | 2 << 16)
    chip.set_register("a1", STACK)
    chip.set_register("a11", 0x10)
    chip.set_register("pc", SWRITE)
    chip.run(chip.now + 10**5)
    assert chip.register("pc") == 0x40090340
    assert chip.register("exccause") == 28  # LoadProhibited
    assert chip.register("excvaddr") == 0x10 + 12

"""The serial loader of the ROM, by its own protocol (esptool documentation, "Serial Protocol")."""

import hashlib
import random
import zlib

import pytest
from slip import (
    BAUD,
    BLOCK,
    DEFL_BEGIN,
    DEFL_DATA,
    DEFL_END,
    FLASH_BEGIN,
    FLASH_DATA,
    FLASH_END,
    MD5,
    MEM_BEGIN,
    MEM_DATA,
    MEM_END,
    READ_REG,
    READ_SLOW,
    SYNC,
    SYNC_DATA,
    WRITE_REG,
    Loader,
    checksum,
    words,
)
from xtensa_asm import movi
from xtensa_code import RETW, Code, addi, entry, movsp

from hw.esp32.chip import Chip, ResetCause

MAC = bytes.fromhex("240ac4000042")
RAM, FLASH = 0x3FFB0000, 0x10000
NEVER, DEFLATE, WRITE, READ, LENGTH, SUM, UNKNOWN = None, 0x0B, 0x08, 0x09, 0x0A, 0x07, 0x05


@pytest.fixture
def chip():
    with Chip(mac=MAC) as chip:
        yield chip


@pytest.fixture
def loader(chip):
    chip.gpio_drive(0, False)
    chip.reset()
    loader = Loader(chip)
    said = loader.run(0.1)
    assert b"rst:0x1 (POWERON_RESET),boot:0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))" in said
    assert said.endswith(b"waiting for download\r\n")
    return loader


def noise(size, seed=1):
    return random.Random(seed).randbytes(size)


# --- which way it boots ---------------------------------------------------------------------------


def test_blank_flash_boots_again_and_again(chip):
    chip.reset()
    said = Loader(chip).run(2.5)
    assert b"boot:0x13 (SPI_FAST_FLASH_BOOT)\r\ninvalid header: 0xffffffff\r\n" in said
    assert said.count(b"rst:0x10 (RTCWDT_RTC_RESET)") == 2
    assert any("no bootloader in flash: at 0x1000 there is 0xff" in line for line in chip.log())


def test_pins_are_looked_at_by_a_reset_of_the_whole_chip_alone(chip, loader):
    chip.gpio_drive(0, None)
    chip.reset(ResetCause.SW_SYS)
    assert b"rst:0x3 (SW_RESET),boot:0x3 (DOWNLOAD_BOOT" in loader.run(0.1)
    chip.reset(ResetCause.POWERON)
    assert b"boot:0x13 (SPI_FAST_FLASH_BOOT)" in loader.run(0.1)


def test_the_loader_sleeps_until_it_is_spoken_to(chip, loader):
    before = chip.instructions()
    loader.run(3600)
    assert chip.instructions() == before


# --- registers and RAM ----------------------------------------------------------------------------


def test_sync_is_answered_eight_times(loader):
    loader.send(SYNC, SYNC_DATA)
    replies = loader.replies(8)
    assert {r[0] for r in replies} == {SYNC} and all(r[1] and not r[3] for r in replies)


def test_noise_before_a_packet_is_no_packet(chip, loader):
    chip.uart_send(b"\x55\x00\xdb" + noise(40).replace(b"\xc0", b""))
    chip.uart_send(b"\xc0\xc0")
    assert loader.ask(READ_REG, words(0x40001000))[0] == 0x00F01D83


def test_registers(loader):
    low = loader.ask(READ_REG, words(0x3FF5A004))[0]
    high = loader.ask(READ_REG, words(0x3FF5A008))[0]
    assert high.to_bytes(4, "big")[2:] + low.to_bytes(4, "big") == MAC
    loader.ask(WRITE_REG, words(0x3FF48050, 0x12345678, 0xFFFFFFFF, 0))
    loader.ask(WRITE_REG, words(0x3FF48050, 0xFFFF0000, 0x00FF0000, 0))
    assert loader.ask(READ_REG, words(0x3FF48050))[0] == 0x12FF5678


def test_ram_and_a_program_in_it(chip, loader):
    program = bytes.fromhex("364100 06ffff") + bytes(2)  # entry a1, 32; j .
    data = noise(BLOCK + 100)
    loader.ask(MEM_BEGIN, words(len(data), 2, BLOCK, RAM))
    loader.block(MEM_DATA, 0, data[:BLOCK])
    loader.block(MEM_DATA, 1, data[BLOCK:])
    assert chip.read_memory(RAM, len(data)) == data
    loader.ask(MEM_BEGIN, words(len(program), 1, BLOCK, 0x40080000))
    loader.block(MEM_DATA, 0, program)
    loader.ask(MEM_END, words(0, 0x40080000))
    loader.run(0.001)
    assert chip.register("pc") == 0x40080003


def test_what_is_wrong_is_named_by_its_code(loader):
    assert loader.error(0x77) == UNKNOWN
    assert loader.error(READ_REG) == UNKNOWN  # without an address
    loader.ask(MEM_BEGIN, words(4, 1, 4, 0x60100000))
    assert loader.error(MEM_DATA, words(4, 0, 0, 0) + b"data", checksum(b"data")) == 0x06
    assert loader.error(MEM_DATA, words(4, 0, 0, 0) + b"data", checksum(b"date")) == SUM
    assert loader.error(MEM_DATA, words(5, 0, 0, 0) + b"data", checksum(b"data")) == LENGTH


@pytest.mark.parametrize("size", [1, 2, 3])
def test_alloca_where_the_caller_is_on_the_stack(chip, loader, size):
    """With the ROM's vectors: esptool's stub does so for a command that it has not (MOVSP, Xtensa
    ISA RM, 4.7.1)."""
    result = 4 * size + 2
    code = Code(0x40080000)
    code.emit(entry(1, 64), movi(result, 20))
    code.call(size, "nested")
    code.label("end")
    code.j("end")
    code.align()
    code.label("nested")  # so deep that the callers' registers go to the stack
    code.emit(entry(1, 64))
    code.beqz(2, "last")
    code.emit(addi(result, 2, -1))
    code.call(size, "nested")
    code.emit(addi(2, 1, -16), movsp(1, 2), addi(2, result, 1), RETW)
    code.label("last")
    code.emit(movi(2, 100), RETW)
    program = code.finish()
    loader.ask(MEM_BEGIN, words(len(program), 1, BLOCK, code.base))
    loader.block(MEM_DATA, 0, program)
    loader.ask(MEM_END, words(0, code.base))
    assert loader.run(0.001) == b""
    assert chip.register("pc") == code.labels["end"]
    assert chip.register(f"a{result}") == 120


# --- flash ----------------------------------------------------------------------------------------


def test_flash_is_erased_written_and_read(chip, loader):
    data = noise(3 * BLOCK - 5)
    chip.flash_write(FLASH - 4, bytes(0x2000))
    loader.ask(FLASH_BEGIN, words(len(data), 3, BLOCK, FLASH))
    for n in range(3):
        loader.block(FLASH_DATA, n, data[n * BLOCK : (n + 1) * BLOCK])
    assert chip.flash_read(FLASH - 4, 4) == bytes(4)
    assert chip.flash_read(FLASH, 0x1000) == data.ljust(0x1000, b"\xff")
    assert loader.ask(READ_SLOW, words(FLASH + 64, 60))[1][:60] == data[64:124]
    digest = hashlib.md5(data).hexdigest().encode()
    assert loader.ask(MD5, words(FLASH, len(data), 0, 0))[1] == digest


COMPRESSIBLE = b"".join(b"%d bottles of beer on the wall\n" % n for n in range(3000))


@pytest.mark.parametrize(
    "data, level, strategy",
    [
        pytest.param(COMPRESSIBLE, 9, zlib.Z_DEFAULT_STRATEGY, id="dynamic codes"),
        pytest.param(COMPRESSIBLE, 9, zlib.Z_FIXED, id="fixed codes"),
        pytest.param(COMPRESSIBLE, 9, zlib.Z_HUFFMAN_ONLY, id="no matches"),
        pytest.param(noise(70000), 0, zlib.Z_DEFAULT_STRATEGY, id="stored"),
        pytest.param(bytes(100000), 9, zlib.Z_DEFAULT_STRATEGY, id="matches of 258"),
        pytest.param(noise(40000) * 2, 9, zlib.Z_DEFAULT_STRATEGY, id="beyond the window"),
        pytest.param(noise(32000) * 3, 9, zlib.Z_DEFAULT_STRATEGY, id="matches far back"),
        pytest.param(b"", 9, zlib.Z_DEFAULT_STRATEGY, id="empty"),
    ],
)
def test_deflated(chip, loader, data, level, strategy):
    packer = zlib.compressobj(level, strategy=strategy)
    packed = packer.compress(data) + packer.flush()
    loader.ask(BAUD, words(921600, 0))
    erase = -(-len(data) // BLOCK) * BLOCK
    loader.ask(DEFL_BEGIN, words(erase, -(-len(packed) // BLOCK), BLOCK, FLASH))
    for n in range(0, len(packed), BLOCK):
        loader.block(DEFL_DATA, n // BLOCK, packed[n : n + BLOCK])
    assert chip.flash_read(FLASH, len(data)) == data
    assert chip.flash_read(FLASH + len(data), 64) == b"\xff" * 64


def test_a_snapshot_in_mid_stream_goes_on(chip, loader):
    packed = zlib.compress(COMPRESSIBLE)
    blocks = [packed[n : n + 700] for n in range(0, len(packed), 700)]
    loader.ask(DEFL_BEGIN, words(len(COMPRESSIBLE), len(blocks), 700, FLASH))
    half = len(blocks) // 2
    for n, block in enumerate(blocks[:half]):
        loader.block(DEFL_DATA, n, block)
    chip.uart_send(b"\xc0\x00\x11")  # a packet has begun as well
    loader.run(0.01)
    snapshot = chip.snapshot()
    chip.reset()
    chip.restore(snapshot)
    chip.uart_send(b"\xc0")
    for n, block in enumerate(blocks[half:], half):
        loader.block(DEFL_DATA, n, block)
    assert chip.flash_read(FLASH, len(COMPRESSIBLE)) == COMPRESSIBLE


def test_bad_transfers_are_refused(loader):
    size = 0x400000
    assert loader.error(FLASH_BEGIN, words(0x1000, 4, BLOCK, size)) == WRITE
    assert loader.error(READ_SLOW, words(size, 4)) == READ
    assert loader.error(READ_SLOW, words(0, 65)) == LENGTH
    assert loader.error(MD5, words(4, size, 0, 0)) == READ
    loader.ask(FLASH_BEGIN, words(0, 0, BLOCK, size - 4))
    assert loader.error(FLASH_DATA, words(5, 0, 0, 0) + b"12345", checksum(b"12345")) == WRITE
    for bad, code in (
        (b"\x78\x9d no zlib header", DEFLATE),
        (b"\x78\x9c\x07", DEFLATE),  # a block of type 3
        (zlib.compress(b"x" * 5000)[:-4] + b"\0\0\0\0", DEFLATE),  # another Adler-32
        (zlib.compress(noise(5000)), WRITE),  # more than was said
    ):
        loader.ask(DEFL_BEGIN, words(BLOCK * 5 if code == DEFLATE else BLOCK, 1, BLOCK, FLASH))
        data = words(len(bad), 0, 0, 0) + bad
        assert loader.error(DEFL_DATA, data, checksum(bad)) == code


# --- leaving --------------------------------------------------------------------------------------


@pytest.mark.parametrize("opcode", [FLASH_END, DEFL_END])
def test_the_end_is_a_reset_or_the_flash(repl_image, chip, loader, opcode):
    chip.flash_write(0, repl_image)
    loader.ask(opcode, words(0))
    assert b"rst:0x3 (SW_RESET),boot:0x3 (DOWNLOAD_BOOT" in loader.run(0.1)
    loader.ask(opcode, words(1))
    assert b"MicroPython v1.23.0" in loader.run(5)

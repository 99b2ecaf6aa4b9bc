"""The chip boots real firmware; resets, panics and what it does not know can be seen."""

import re

import pytest

from hw.esp32.chip import Chip, ChipError, ResetCause, Stop
from lab.board import BoardError, Event
from lab.console import BoardException
from lab.targets.embedded import EmbeddedBoard


def test_boots_through_its_own_bootloader(repl_image):
    with EmbeddedBoard(repl_image) as board:
        text = board.console.wait_for_prompt(60)
    assert "rst:0x1 (POWERON_RESET)" in text
    assert re.search(r"load:0x40080400,len:\d+\r\nentry 0x400805cc", text)
    assert text.endswith('Type "help()" for more information.\r\n>>> ')


def test_reports_nothing_unknown_on_the_way(repl_image):
    with EmbeddedBoard(repl_image) as board:
        board.console.wait_for_prompt(60)
        assert list(board.log) == []


def test_formats_an_erased_filesystem(repl_image):
    erased = repl_image[:0x200000] + b"\xff" * 0x200000
    with EmbeddedBoard(erased) as board:
        assert "Performing initial setup" in board.console.wait_for_prompt(60)
        assert board.console.eval("__import__('os').listdir()") == "['boot.py']"


def test_soft_reset_from_the_program(repl_board):
    repl_board.console.write(b"import machine; machine.reset()\r")
    repl_board.console.wait_for("rst:0xc (SW_CPU_RESET)")
    repl_board.console.wait_for_prompt()
    assert repl_board.events == [Event("reset", "software, CPU (cause 12)")]
    assert repl_board.console.run(
        "import machine\nprint(machine.reset_cause() == machine.HARD_RESET)"
    ) == "True\n"  # fmt: skip


def test_watchdog_resets_a_hung_program(repl_board):
    repl_board.console.write(b"import machine; machine.WDT(timeout=1000)\rwhile True: pass\r\r")
    repl_board.console.wait_for("Task watchdog got triggered", 30)
    repl_board.console.wait_for_prompt(30)
    assert [event.kind for event in repl_board.events] == ["reset"]


def test_bad_pointer_panics_with_a_backtrace_and_reboots(repl_board):
    repl_board.console.write(b"import machine; machine.mem32[0]\r")
    text = repl_board.console.wait_for("Rebooting")
    assert "EXCVADDR: 0x00000000" in text
    assert len(re.search(r"Backtrace: (.*)", text)[1].split()) >= 4
    repl_board.console.wait_for_prompt()
    kinds = [event.kind for event in repl_board.events]
    assert kinds == ["panic", "reset"]
    assert "LoadProhibited" in repl_board.events[0].text


def test_rom_service_faults_in_the_guest_not_in_the_host(repl_board):
    """memset() far beyond memory, as v1.23's own to_bytes() bug calls it (esp32-facts.md)."""
    repl_board.console.write(b"(1).to_bytes(-8, 'big')\r")
    text = repl_board.console.wait_for(re.compile(rb"Rebooting|Error|>>> "))
    if "Rebooting" in text:
        assert "StoreProhibited" in text
        assert "PC      : 0x4000c44c" in text  # memset
    repl_board.console.wait_for_prompt()
    assert repl_board.console.eval("1+1") == "2"


def test_exception_of_a_program_is_the_host_s_exception(repl_board):
    with pytest.raises(BoardException) as raised:
        repl_board.console.run("print('before')\n1/0")
    assert raised.value.output == "before\n"
    assert "ZeroDivisionError: divide by zero" in raised.value.traceback
    assert repl_board.console.eval("2*21") == "42"


def test_damaged_bootloader_is_named(repl_image):
    flash = bytearray(repl_image)
    flash[0x1100] ^= 1
    with (
        EmbeddedBoard(bytes(flash)) as board,
        pytest.raises(BoardError, match=r"bootloader checksum is 0x.., its image says 0x.."),
    ):
        board.console.wait_for_prompt()


def test_unknown_rom_function_is_named_once_and_faults():
    with Chip() as chip:
        # a blank chip's core, sent straight to a function nobody serves
        chip.set_register("ps", 0x60000)
        chip.set_register("vecbase", 0x40080000)
        chip.write_memory(0x40080300, bytes.fromhex("06ffff") * 40)  # j . in every handler
        for _ in range(2):
            chip.set_register("pc", 0x40056FA4)
            chip.run(chip.now + 1000)
        lines = [line for line in chip.log() if "ROM function" in line]
    assert len(lines) == 1
    assert "0x40056fa4 is unknown; called with (" in lines[0]


def test_unknown_instruction_is_named():
    with Chip() as chip:
        chip.write_memory(0x40080000, bytes.fromhex("ffffff"))
        chip.set_register("vecbase", 0x40080400)
        chip.write_memory(0x40080700, bytes.fromhex("06ffff") * 40)
        chip.set_register("ps", 0x60000)
        chip.set_register("pc", 0x40080000)
        chip.run(chip.now + 1000)
        assert any("ff ff ff at 0x40080000 is not one of LX6's" in line for line in chip.log())
        assert chip.register("exccause") == 0
        assert chip.register("epc1") == 0x40080000


def test_power_cycle_forgets_ram_and_keeps_flash(repl_board):
    repl_board.console.run("with open('kept', 'w') as f: f.write('yes')\nx = 1")
    repl_board.power_cycle()
    repl_board.console.mark()
    assert "POWERON_RESET" in repl_board.console.wait_for_prompt()
    assert repl_board.console.eval("open('kept').read()") == "'yes'"
    with pytest.raises(BoardException, match="NameError"):
        repl_board.console.run("x")


def test_breakpoint_and_step(repl_board):
    chip = repl_board.chip
    chip.breakpoint(0x4009C632)  # in FreeRTOS' idle path, somewhere it comes by all the time
    repl_board.console.mark()
    chip.uart_send(b"1\r")
    why = chip.run(chip.now + 480 * 1_000_000)
    if why & Stop.BREAK:
        core = next(c for c in (0, 1) if chip.register("pc", c) == 0x4009C632)
        before = chip.instructions(core)
        chip.step(core)
        assert chip.instructions(core) == before + 1
    chip.breakpoint(0x4009C632, False)
    with pytest.raises(ChipError, match="no breakpoint at 0x4009c632"):
        chip.breakpoint(0x4009C632, False)
    assert repl_board.console.wait_for_prompt()


def test_gpio_is_seen_and_driven(repl_board):
    board = repl_board
    board.console.run("import machine\nled = machine.Pin(4, machine.Pin.OUT, value=1)")
    assert board.chip.gpio_out >> 4 & 1
    board.console.run("led(0)")
    assert not board.chip.gpio_out >> 4 & 1
    board.console.run("button = machine.Pin(5, machine.Pin.IN)")
    board.chip.gpio_drive(5, True)
    assert board.console.eval("button()") == "1"
    board.chip.gpio_drive(5, False)
    assert board.console.eval("button()") == "0"


def test_pin_interrupt_runs_its_handler(repl_board):
    board = repl_board
    board.console.run(
        "import machine\nhits = []\npin = machine.Pin(5, machine.Pin.IN)\n"
        "pin.irq(lambda p: hits.append(p()), machine.Pin.IRQ_RISING)"
    )
    for level in (True, False, True):
        board.chip.gpio_drive(5, level)
        board.run_for(0.01)
    assert board.console.eval("hits") == "[1, 1]"


@pytest.mark.parametrize("cause", [ResetCause.POWERON, ResetCause.RTCWDT_RTC])
def test_reset_cause_reaches_the_firmware(repl_image, cause):
    with EmbeddedBoard(repl_image) as board:
        board.chip.reset(cause)
        text = board.console.wait_for_prompt(60)
        assert f"rst:0x{cause:x} (" in text


def test_hashes_and_ciphers_match_cpython(repl_board):
    import hashlib

    data = bytes(range(256)) * 5
    code = "import hashlib, binascii\nd=bytes(range(256))*5\n"
    for name in ("sha256", "sha1", "md5"):
        printed = repl_board.console.run(
            code + f"print(binascii.hexlify(hashlib.{name}(d).digest()).decode())"
        )
        assert printed.strip() == hashlib.new(name, data).hexdigest()
    # FIPS 197, appendix C.1
    printed = repl_board.console.run(
        "import cryptolib, binascii\n"
        "a = cryptolib.aes(bytes(range(16)), 1)\n"
        "c = a.encrypt(binascii.unhexlify('00112233445566778899aabbccddeeff'))\n"
        "print(binascii.hexlify(c).decode())\n"
        "print(binascii.hexlify(cryptolib.aes(bytes(range(16)), 1).decrypt(c)).decode())"
    )
    assert printed.split() == [
        "69c4e0d86a7b0430d8cdb78070b4c55a",
        "00112233445566778899aabbccddeeff",
    ]

"""The emulated board as esptool sees it: RFC 2217 with modem lines, and a PTY without."""

import contextlib
import subprocess
import sys

import pytest
import serial

from lab import LabError
from lab.firmware import resolve
from lab.serialport import SerialPortServer
from lab.targets.embedded import EmbeddedBoard

MAC = bytes.fromhex("240ac4000042")
BLANK = b"\xff" * 0x1000
FIRMWARE_AT = 0x1000
SECONDS = 100


@contextlib.contextmanager
def on_a_port(flash, **more):
    """(board, its serial port)"""
    with EmbeddedBoard(flash, None, "eager", MAC, **more) as board:
        server = SerialPortServer(board.console.write, board.set_lines)
        board.listeners.append(server.feed)
        try:
            yield board, server
        finally:
            server.close()


def esptool(port, *arguments):
    """What it prints. Fails the test when it fails."""
    command = [sys.executable, "-m", "esptool", "--port", port, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_blank_board_is_flashed_by_esptool_and_boots():
    image = resolve().path
    with on_a_port(BLANK) as (board, server):
        board.console.wait_for(b"invalid header: 0xffffffff", SECONDS)
        board.set_lines(False, True)
        board.set_lines(True, False)
        board.console.wait_for(b"waiting for download", SECONDS)
        output = esptool(
            server.pty, "--before", "no-reset", "--after", "no-reset", "--baud", "3000000",
            "write-flash", hex(FIRMWARE_AT), str(image),
        )  # fmt: skip
        assert "Stub flasher running" in output and "Hash of data verified" in output
        written = []
        data = image.read_bytes()
        board.call(lambda: written.append(board.chip.flash_read(FIRMWARE_AT, len(data))))
        assert written == [data]
        board.set_lines(False, True)
        board.set_lines(False, False)
        board.console.wait_for_prompt(SECONDS)
        assert board.console.eval("21*2") == "42"


def test_esptool_resets_the_board_by_its_lines(booted_repl):
    with on_a_port(booted_repl.image, snapshot=booted_repl.snapshot) as (board, server):
        output = esptool(server.url, "--no-stub", "read-mac")
        assert "24:0a:c4:00:00:42" in output
        board.console.wait_for_prompt(SECONDS)
        assert board.events == []


def test_lines_reset_as_on_a_board(booted_repl):
    with (
        on_a_port(booted_repl.image, snapshot=booted_repl.snapshot) as (board, server),
        contextlib.closing(serial.serial_for_url(server.url, do_not_open=True)) as port,
    ):
        port.dtr = port.rts = False
        port.open()
        port.write(b"print(6*7)\r")
        board.console.wait_for(b"42", SECONDS)
        port.rts = True
        assert not board.powered
        port.rts = False
        board.console.wait_for(b"boot:0x13 (SPI_FAST_FLASH_BOOT)", SECONDS)
        port.rts = True
        port.dtr = True
        assert not board.powered  # EN's capacitor
        port.rts = False
        board.console.wait_for(b"boot:0x3 (DOWNLOAD_BOOT", SECONDS)
        port.dtr = False
        board.power_off()
        port.rts = True
        port.rts = False
        assert not board.powered  # a button does not bring the supply back


def test_a_taken_port_is_named():
    with on_a_port(BLANK) as (_, server), pytest.raises(LabError, match="console port"):
        SerialPortServer(print, print, server.tcp[1])

"""`lab repl`: this terminal on a board's console. Ctrl-] leaves."""

from __future__ import annotations

import os
import socket
import sys
import termios
import tty
from typing import Any
from urllib.parse import urlsplit

from lab import LabError
from lab.board import BoardError, wait_for_boot
from lab.console import PROMPT
from lab.consoles import ConsoleServer
from lab.firmware import resolve
from lab.flash import build_image
from lab.interrupt import Interrupted, signals
from lab.targets.embedded import EmbeddedBoard

BOOT_SECONDS = 30
LEAVE = b"\x1d"  # Ctrl-]


def attach(url: str) -> int:
    """Join a console at ``socket://host:port`` until Ctrl-] or end of input."""
    place = urlsplit(url)
    try:
        connection = socket.create_connection((place.hostname, place.port))
    except OSError as error:
        raise LabError(f"no console at {url}: {error.strerror}") from None
    terminal = sys.stdin.fileno()
    interactive = os.isatty(terminal)
    before = termios.tcgetattr(terminal) if interactive else None
    print("Ctrl-] leaves\r", file=sys.stderr)
    try:
        if interactive:
            tty.setraw(terminal)
        connection.sendall(b"\r")
        _relay(connection, terminal)
    finally:
        if before:
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)
        connection.close()
        print(file=sys.stderr)
    return 0


def _relay(connection: socket.socket, terminal: int) -> None:
    while True:
        sources: list[Any] = [connection, terminal]
        ready = signals.select(sources)
        if connection in ready:
            data = connection.recv(4096)
            if not data:
                return
            os.write(sys.stdout.fileno(), data)
        if terminal in ready:
            data = os.read(terminal, 4096)
            typed, leave, _ = data.partition(LEAVE)
            connection.sendall(typed)
            if leave or not data:
                return


def fresh_board(firmware: str | None) -> int:
    """A board of one's own, without a network, for as long as the terminal is on it."""
    image = build_image(signals.aside(lambda: resolve(firmware)), {})
    signals.check()
    with EmbeddedBoard(image, pace="real") as board:
        consoles = ConsoleServer(board.console.write)
        board.listeners.append(consoles.feed)
        try:
            with signals.calling(lambda number: board.console.fail(Interrupted(number))):
                wait_for_boot(board.console, PROMPT, BOOT_SECONDS)
            signals.check()
            return attach("socket://%s:%d" % consoles.tcp)
        except BoardError as error:
            raise LabError(f"this firmware shows no MicroPython prompt: {error}") from None
        finally:
            consoles.close()

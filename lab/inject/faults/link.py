"""Clients in the board's own time: lines on port 7070 and a WebSocket on /echo."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lab import LabError
from lab.inject.websocket import xor_mask

if TYPE_CHECKING:
    from lab.inject.faults.rig import Rig

BOARD = "10.0.2.15"
HTTP, LINES = 80, 7070
TRIES = 50
RETRY_SECONDS = 0.01
KEY = b"\x11\x22\x33\x44"
UPGRADE = (
    b"GET %s HTTP/1.1\r\nHost: board\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # to that key (RFC 6455, 1.3)
TEXT, BINARY, PING, PONG = 1, 2, 9, 10


class NoAnswer(LabError):
    """The board does not answer, or ends the connection."""


class WrongAnswer(LabError):
    """It answers, with other data than it must."""


class Link:
    """A TCP connection to `port` of the board. Raises NoAnswer."""

    def __init__(self, rig: Rig, port: int, seconds: float = 8) -> None:
        self._rig = rig
        self.seconds = seconds  # virtual, for each answer
        for _ in range(TRIES):
            self.connection = rig.host.connect(BOARD, port)
            self._wait(lambda: self.connection.established, "a connection", refusable=True)
            if self.connection.established:
                return
            rig.wait(lambda: False, RETRY_SECONDS)
        raise NoAnswer(f"port {port} refuses")

    def _wait(self, predicate: Callable[[], object], what: str, refusable: bool = False) -> None:
        c = self.connection
        done = self._rig.wait(lambda: bool(predicate() or c.failure or c.ended), self.seconds)
        if predicate() or (refusable and c.failure == "refused"):
            return
        if done and (c.failure or c.ended):
            raise NoAnswer(f"{c.failure or 'end'} instead of {what}")
        raise NoAnswer(f"no {what}: {self._rig.disturbance or 'silence'}")

    def take(self, size: int, what: str) -> bytes:
        """Exactly `size` bytes."""
        self._wait(lambda: len(self.connection.received) >= size, what)
        return self.connection.take(size)

    def until(self, end: bytes, what: str) -> bytes:
        """Everything up to `end`."""
        received = self.connection.received
        self._wait(lambda: end in received, what)
        return self.connection.take(received.index(end) + len(end))


class Lines(Link):
    """Port 7070: what `board/bench.py` serves."""

    def __init__(self, rig: Rig, seconds: float = 8) -> None:
        super().__init__(rig, LINES, seconds)

    def ask(self, line: bytes) -> bytes:
        """Send a line, wait for one."""
        self.connection.send(line)
        return self.until(b"\n", f"answer to {line[:20]!r}")

    def echo(self, text: bytes) -> None:
        """Raises NoAnswer, WrongAnswer."""
        answer = self.ask(text + b"\n")
        if answer != text + b"\n":
            raise WrongAnswer(f"{answer[:40]!r} is the echo of {text[:40]!r}")


class WebSocket(Link):
    """A WebSocket on `path` of the camera board's app."""

    def __init__(self, rig: Rig, path: bytes = b"/echo", seconds: float = 8) -> None:
        super().__init__(rig, HTTP, seconds)
        self.connection.send(UPGRADE % path)
        head = self.until(b"\r\n\r\n", "handshake")
        if not head.startswith(b"HTTP/1.1 101 ") or ACCEPT not in head:
            raise WrongAnswer(f"the handshake is answered with {head[:60]!r}")

    def send(self, opcode: int, data: bytes) -> None:
        """A whole message, of up to 64 KiB."""
        size = len(data)
        head = bytes((0x80 | opcode,))
        head += bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
        self.connection.send(head + KEY + xor_mask(data, KEY))

    def receive(self) -> tuple[int, bytes]:
        """The next frame. Raises NoAnswer, WrongAnswer."""
        head = self.take(2, "frame")
        size = head[1]
        if size == 126:
            size = int.from_bytes(self.take(2, "length"), "big")
        elif size > 126:
            raise WrongAnswer(f"the frame begins with {head.hex()}")
        return head[0], self.take(size, "frame")

    def echo(self, data: bytes, opcode: int = BINARY) -> None:
        """Raises NoAnswer, WrongAnswer."""
        self.send(opcode, data)
        answer = self.receive()
        if answer != (0x80 | opcode, data):
            raise WrongAnswer(f"{answer[0]:02x} {answer[1][:40]!r} is the echo of {data[:40]!r}")

    def ping(self, data: bytes) -> None:
        """A ping and its pong. Raises NoAnswer, WrongAnswer."""
        self.send(PING, data)
        if self.receive() != (0x80 | PONG, data):
            raise WrongAnswer("another frame than the pong")

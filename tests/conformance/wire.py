"""The client's end of the wire over a socket; frames are built and read by `lab.inject.wire`."""

from __future__ import annotations

import socket
import struct
import time
from dataclasses import dataclass, field

from lab.inject.wire import (
    BINARY,
    CLOSE,
    CONT,
    KEY,
    NONCE,
    PING,
    PONG,
    TEXT,
    WireError,
    accept_of,
    binary,
    close,
    frame,
    ping,
    request,
    take_frame,
    take_head,
    text,
    xor,
)

__all__ = [
    "BINARY",
    "CLOSE",
    "CONT",
    "KEY",
    "NONCE",
    "PING",
    "PONG",
    "TEXT",
    "Client",
    "WireError",
    "accept_of",
    "binary",
    "close",
    "frame",
    "ping",
    "request",
    "text",
    "xor",
]


@dataclass
class Client:
    """A TCP connection to the server, read frame by frame; every wait has the deadline."""

    address: tuple[str, int]
    seconds: float
    receive_buffer: int | None = None
    partial: bool = False  # the connection may end in a frame
    frames: list[tuple[int, bytes]] = field(default_factory=list)
    end: str = ""  # "fin" or "rst" once it has come

    def __post_init__(self) -> None:
        self.deadline = time.monotonic() + self.seconds
        self._data = bytearray()
        self._finished = False
        self._reset = False  # found when something was sent; the socket tells it only once
        self.socket = socket.socket()
        if self.receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        self.socket.settimeout(self.seconds)
        self.socket.connect(self.address)
        self.port = int(self.socket.getsockname()[1])
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> None:
        """Send; a connection that is gone is found when it is read. Nothing after `fin`."""
        if self._finished:
            return
        self.socket.settimeout(max(0.01, self.deadline - time.monotonic()))
        try:
            self.socket.sendall(data)
        except ConnectionError:
            self._reset = True
        except TimeoutError:
            pass

    def fin(self) -> None:
        self._finished = True
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def rst(self) -> None:
        """End the connection the hard way."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self) -> None:
        self.socket.close()

    def _more(self) -> bool:
        """Read once; False at the end of the connection. Raises TimeoutError."""
        if self.end:
            return False
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.socket.settimeout(left)
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            self.end = "rst"
            return False
        if not data:
            self.end = "rst" if self._reset else "fin"
            return False
        self._data += data
        return True

    def head(self) -> tuple[int, dict[str, str], str]:
        """Status, headers (lower case), and body so far, of the answer to the handshake."""
        while (found := take_head(self._data)) is None:
            if not self._more():
                raise WireError(f"no answer to the handshake but {bytes(self._data)!r}")
        return found

    def rest(self) -> bytes:
        """What comes up to the end of the connection."""
        while self._more():
            pass
        data, self._data = bytes(self._data), bytearray()
        return data

    def next_frame(self) -> tuple[int, bytes] | None:
        """The next frame, None at the end of the connection. Raises TimeoutError, WireError."""
        while True:
            found = take_frame(self._data)
            if found:
                self.frames.append(found)
                return found
            if not self._more():
                if self._data and not self.partial:
                    raise WireError(f"the connection ends in a frame: {bytes(self._data[:40])!r}")
                return None

"""The client's end of the wire: frames built as wrong as wanted, and read strictly."""

from __future__ import annotations

import base64
import hashlib
import socket
import struct
import time
from dataclasses import dataclass, field

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
KEY = b"\x12\x34\x56\x78"
NONCE = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455, 1.3
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def xor(data: bytes, key: bytes) -> bytes:
    """Mask (RFC 6455, 5.3)."""
    size = len(data)
    whole = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(whole, "big")).to_bytes(size, "big")


def frame(
    opcode: int,
    payload: bytes | str = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    key: bytes | None = KEY,
    length: bytes | None = None,
) -> bytes:
    """A client's frame. key None: unmasked. length: the 7 bits and what follows, as they are."""
    data = payload.encode() if isinstance(payload, str) else payload
    size = len(data)
    if length is None:
        if size < 126:
            length = bytes([size])
        elif size < 65536:
            length = b"\x7e" + size.to_bytes(2, "big")
        else:
            length = b"\x7f" + size.to_bytes(8, "big")
    masked = 0x80 if key is not None else 0
    head = bytes([fin << 7 | rsv << 4 | opcode, masked | length[0]]) + length[1:]
    return head + (key + xor(data, key) if key is not None else data)


def text(payload: bytes | str = "") -> bytes:
    return frame(TEXT, payload)


def binary(payload: bytes = b"") -> bytes:
    return frame(BINARY, payload)


def ping(payload: bytes = b"") -> bytes:
    return frame(PING, payload)


def close(code: int | None = 1000, reason: bytes | str = b"") -> bytes:
    """A client's close frame; code None: empty."""
    data = reason.encode() if isinstance(reason, str) else reason
    return frame(CLOSE, b"" if code is None else code.to_bytes(2, "big") + data)


def request(
    path: str, headers: dict[str, str | None] | None = None, line: str | None = None
) -> bytes:
    """An upgrade request (RFC 6455, 4.1); `headers` replace or, None, leave out."""
    fields: dict[str, str | None] = {
        "Host": "conformance",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": NONCE,
        "Sec-WebSocket-Version": "13",
    }
    fields.update(headers or {})
    lines = [line or f"GET {path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def accept_of(nonce: str) -> str:
    """Sec-WebSocket-Accept (RFC 6455, 4.2.2)."""
    return base64.b64encode(hashlib.sha1((nonce + GUID).encode()).digest()).decode()


class WireError(Exception):
    """The server has sent what no server may send."""


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
        while b"\r\n\r\n" not in self._data:
            if not self._more():
                raise WireError(f"no answer to the handshake but {bytes(self._data)!r}")
        head, _, rest = bytes(self._data).partition(b"\r\n\r\n")
        self._data = bytearray(rest)
        first, *lines = head.decode().split("\r\n")
        fields = dict(line.lower().split(":", 1) for line in lines)
        return int(first.split()[1]), {n: v.strip() for n, v in fields.items()}, first

    def rest(self) -> bytes:
        """What comes up to the end of the connection."""
        while self._more():
            pass
        data, self._data = bytes(self._data), bytearray()
        return data

    def _parse(self) -> tuple[int, bytes] | None:
        data = self._data
        if len(data) < 2:
            return None
        if data[0] & 0x70 or not data[0] & 0x80 or data[1] & 0x80:
            raise WireError(f"no frame of a server (RFC 6455, 5.2): {bytes(data[:40])!r}")
        size, at = data[1], 2
        if size > 125:
            at = 4 if size == 126 else 10
            if len(data) < at:
                return None
            size = int.from_bytes(data[2:at], "big")
            if size < (126 if at == 4 else 65536):
                raise WireError("length not in its shortest form (RFC 6455, 5.2)")
        if len(data) < at + size:
            return None
        if data[0] & 8 and size > 125:
            raise WireError("control frame over 125 bytes (RFC 6455, 5.5)")
        found = data[0] & 15, bytes(data[at : at + size])
        del data[: at + size]
        return found

    def next_frame(self) -> tuple[int, bytes] | None:
        """The next frame, None at the end of the connection. Raises TimeoutError, WireError."""
        while True:
            found = self._parse()
            if found:
                self.frames.append(found)
                return found
            if not self._more():
                if self._data and not self.partial:
                    raise WireError(f"the connection ends in a frame: {bytes(self._data[:40])!r}")
                return None

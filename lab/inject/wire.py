"""A client's end of the wire without a socket: frames built as wrong as wanted, answers read
strictly. Both the conformance table and the injection tables speak with it."""

from __future__ import annotations

import base64
import hashlib

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
KEY = b"\x12\x34\x56\x78"
NONCE = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455, 1.3
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
HEAD_END = b"\r\n\r\n"
EMPTY = 1005  # as a close code: a close frame without one


class WireError(Exception):
    """The server has sent what no server may send."""


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
    """A text frame."""
    return frame(TEXT, payload)


def binary(payload: bytes = b"") -> bytes:
    """A binary frame."""
    return frame(BINARY, payload)


def ping(payload: bytes = b"") -> bytes:
    """A PING."""
    return frame(PING, payload)


def close(code: int | None = 1000, reason: bytes | str = b"") -> bytes:
    """A client's close frame; code None: empty."""
    data = reason.encode() if isinstance(reason, str) else reason
    return frame(CLOSE, b"" if code is None else code.to_bytes(2, "big") + data)


def request(
    path: str,
    headers: dict[str, str | None] | None = None,
    line: str | None = None,
    host: str = "conformance",
) -> bytes:
    """An upgrade request (RFC 6455, 4.1); `headers` replace or, None, leave out."""
    fields: dict[str, str | None] = {
        "Host": host,
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


def take_head(data: bytearray) -> tuple[int, dict[str, str], str] | None:
    """Status, headers (lower case) and status line of an HTTP answer, taken from the start of
    `data`; None when it is not whole. Raises WireError."""
    head, found, rest = bytes(data).partition(HEAD_END)
    if not found:
        return None
    data[:] = rest
    try:
        first, *lines = head.decode().split("\r\n")
        fields = dict(line.lower().split(":", 1) for line in lines)
        return int(first.split()[1]), {n: v.strip() for n, v in fields.items()}, first
    except (ValueError, IndexError):
        raise WireError(f"no HTTP answer: {head[:200]!r}") from None


def take_frame(data: bytearray) -> tuple[int, bytes] | None:
    """A server's frame as (opcode, payload), taken from the start of `data`; None when it is not
    whole. Raises WireError."""
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

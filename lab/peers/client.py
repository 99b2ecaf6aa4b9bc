"""The client side of the comparison: frames that cost the client as little as may be."""

from __future__ import annotations

from lab.inject.websocket import handshake_request

KEY = bytes((0x12, 0x34, 0x56, 0x78))
HEAD_END = b"\r\n\r\n"
TEXT, BINARY = 1, 2


def handshake(path: str) -> bytes:
    """An upgrade request that is the same each time."""
    return handshake_request(path, Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==")


def frame(payload: bytes, opcode: int = BINARY) -> bytes:
    """A masked frame (RFC 6455, 5.2)."""
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 65536:
        head = bytes((0x80 | opcode, 0xFE)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 0xFF)) + size.to_bytes(8, "big")
    mask = int.from_bytes((KEY * (size // 4 + 1))[:size], "big")
    return head + KEY + (int.from_bytes(payload, "big") ^ mask).to_bytes(size, "big")


def framed(size: int) -> int:
    """Length of a server's frame with `size` bytes of payload."""
    return size + (2 if size < 126 else 4 if size < 65536 else 10)


def payload(size: int) -> bytes:
    """Bytes to send: every value, no period of four."""
    return bytes(n * 7 & 0xFF for n in range(size))

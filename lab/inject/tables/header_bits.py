"""Every illegal first byte of a frame (RFC 6455, 5.2): FIN, RSV1-3 and the opcode."""

from __future__ import annotations

from lab.inject.tables.lines import refused
from lab.inject.wire import KEY, xor

UNSUPPORTED, PROTOCOL = 1003, 1002
PAYLOAD = b"x!"


def code_of(first: int) -> int | None:
    """The close code that byte must get, None when it may begin a frame of ours."""
    fin, rsv, opcode = first >> 7, first >> 4 & 7, first & 15
    if rsv or opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        return PROTOCOL
    if opcode & 8:
        return None if fin else PROTOCOL
    return None if fin and opcode else UNSUPPORTED


def name_of(first: int) -> str:
    """As a table of the RFC would say it."""
    return f"FIN={first >> 7} RSV={first >> 4 & 7:03b} opcode={first & 15}"


def byte(first: int) -> bytes:
    return bytes((first, 0x80 | len(PAYLOAD))) + KEY + xor(PAYLOAD, KEY)


CASES = [
    refused("header", name_of(first), "5.2", code, byte(first), before=b"", frames=())
    for first in range(256)
    if (code := code_of(first))
]

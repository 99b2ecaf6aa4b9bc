"""What a server must answer to a stream of frames: RFC 6455, sections 5 to 7, as one function.

Written from the RFC and from what microdot promises (limit, no fragments), not from its code, so
that the two can be held against each other. The answer depends on the bytes alone: however they
are cut into segments, it is the same.
"""

from __future__ import annotations

from typing import NamedTuple

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
DATA = (TEXT, BINARY)
CONTROL = (CLOSE, PING, PONG)
LIMIT = 2048  # bytes of a message, as lab/inject/fuzz/app/main.py sets it

NORMAL, PROTOCOL, UNSUPPORTED, NOT_TEXT, TOO_BIG = 1000, 1002, 1003, 1007, 1009


class Answer(NamedTuple):
    """frames: (opcode, payload) that came and were right, in order, pongs too.
    codes: of the close frame that must follow, any of these; empty: none does, more bytes may
    come. echo: the payload of the client's close frame where it is to be sent back. end: how many
    bytes decided it; start: where the frame in them begins that was the last to be looked at."""

    frames: list[tuple[int, bytes]]
    codes: frozenset[int]
    echo: bytes | None
    end: int
    start: int = 0


def answer(data: bytes, limit: int | None) -> Answer:
    """To a client's frames `data`; limit: bytes of a message, None: any."""
    frames: list[tuple[int, bytes]] = []
    at, size = 0, len(data)
    while size - at >= 2:
        first, second = data[at], data[at + 1]
        opcode, length, begin = first & 15, second & 127, at + 2
        faults = header_faults(first, second)
        if length >= 126 and not faults:
            width = 2 if length == 126 else 8
            if size < begin + width:
                break
            length, least = int.from_bytes(data[begin : begin + width], "big"), width == 8
            begin += width
            if length < (65536 if least else 126) or length >= 1 << 63:
                faults.add(PROTOCOL)
        if limit is not None and opcode in DATA and length > limit:
            faults.add(TOO_BIG)
        if faults:
            return Answer(frames, frozenset(faults), None, begin, at)
        if size < begin + 4 + length:
            break
        end = begin + 4 + length
        payload = masked(data[begin + 4 : end], data[begin : begin + 4])
        if opcode == CLOSE:
            code = close_fault(payload)
            if code:
                return Answer(frames, frozenset((code,)), None, end, at)
            return Answer(frames, frozenset(), payload[:2], end, at)
        if opcode == TEXT and not is_utf8(payload):
            return Answer(frames, frozenset((NOT_TEXT,)), None, end, at)
        frames.append((opcode, payload))
        at = end
    return Answer(frames, frozenset(), None, at, at)


def has_close(data: bytes) -> bool:
    """Is there a whole close frame in this sequence of frames, valid or not?"""
    return close_end(data) is not None


def close_end(data: bytes) -> int | None:
    """Where the first whole close frame ends, valid or not; None: there is none."""
    at = 0
    while len(data) - at >= 2:
        first, second = data[at], data[at + 1]
        at += 2
        length = second & 127
        if length >= 126:
            width = 2 if length == 126 else 8
            if len(data) - at < width:
                return None
            length = int.from_bytes(data[at : at + width], "big")
            at += width
        at += (4 if second & 128 else 0) + length
        if at <= len(data) and first & 15 == CLOSE:
            return at
    return None


def talks_on(data: bytes, expected: Answer) -> bool:
    """Does the client send anything behind a close frame, so that a server which has answered that
    and closed may reset the connection (RFC 6455, 5.5.1; RFC 9293, 3.6.1)?"""
    end = close_end(data[expected.start :])
    return end is not None and expected.start + end < len(data)


def header_faults(first: int, second: int) -> set[int]:
    """Close codes that the first two bytes call for (RFC 6455, 5.2, 5.5), empty when none."""
    faults = set()
    opcode, final, masked_, length = first & 15, first & 128, second & 128, second & 127
    if first & 0x70 or not masked_ or opcode not in (0, *DATA, *CONTROL):
        faults.add(PROTOCOL)
    if opcode in CONTROL and (not final or length > 125):
        faults.add(PROTOCOL)
    if opcode == 0 or (opcode in DATA and not final):
        faults.add(UNSUPPORTED)
    return faults


def close_fault(payload: bytes) -> int:
    """The code that a wrong close frame is answered with, 0 for a right one (5.5.1, 7.4)."""
    if not payload:
        return 0
    code = int.from_bytes(payload[:2], "big")
    free = 3000 <= code < 5000
    assigned = 1000 <= code < 1015 and code not in (1004, 1005, 1006)
    if len(payload) == 1 or not (free or assigned):
        return PROTOCOL
    return 0 if is_utf8(payload[2:]) else NOT_TEXT


def is_utf8(data: bytes) -> bool:
    """RFC 3629; CPython's decoder is strict."""
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def masked(data: bytes, key: bytes) -> bytes:
    """XOR with the key, over and over (5.3)."""
    size = len(data)
    mask = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(mask, "big")).to_bytes(size, "big")


def server_frame(opcode: int, payload: bytes) -> bytes:
    """As a server sends it: whole, without a mask."""
    size = len(payload)
    if size < 126:
        return bytes((128 | opcode, size)) + payload
    if size < 65536:
        return bytes((128 | opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((128 | opcode, 127)) + size.to_bytes(8, "big") + payload


def echoed(frames: list[tuple[int, bytes]]) -> bytes:
    """What an echo server sends for `frames`: messages back, a pong for each ping."""
    return b"".join(
        server_frame(PONG if opcode == PING else opcode, payload)
        for opcode, payload in frames
        if opcode != PONG
    )


def wrong(received: bytes, expected: Answer, cut: bool = False) -> str | None:
    """How what an echo server sent differs from what it must, None when it does not.

    cut: the client has reset the connection, so the answer may end anywhere.
    """
    start = echoed(expected.frames)
    if cut and len(received) < len(start):
        return None if start.startswith(received) else "another echo"
    if not received.startswith(start):
        return "part of the echo is missing" if start.startswith(received) else "another echo"
    rest = received[len(start) :]
    if not rest:
        missing = (expected.codes or expected.echo is not None) and not cut
        return "no close frame" if missing else None
    if not expected.codes and expected.echo is None:
        return "bytes that nothing asked for"
    return wrong_close(rest, expected, cut)


def wrong_close(rest: bytes, expected: Answer, cut: bool) -> str | None:
    """The same for the part behind the echoes."""
    if expected.echo is not None:
        whole = server_frame(CLOSE, expected.echo)
        same = whole.startswith(rest) if cut else whole == rest
        return None if same else "another close frame than the client's"
    if cut and len(rest) < 2 + (rest[1] if len(rest) > 1 else 2):
        return None if rest[0] == 128 | CLOSE else "no close frame"
    if rest[0] != 128 | CLOSE or len(rest) < 4 or len(rest) != 2 + rest[1] or rest[1] > 125:
        return "a close frame of the wrong form"
    if int.from_bytes(rest[2:4], "big") not in expected.codes:
        return f"close code {int.from_bytes(rest[2:4], 'big')}"
    return None if is_utf8(rest[4:]) else "a reason that is not UTF-8"

"""Lengths that lie (RFC 6455, 5.2): too short, too long, not in the shortest form, the top bit set,
and more than the app takes, which must be refused from the header."""

from __future__ import annotations

from lab.inject.stream import Fin, Pause, StreamCase, Until
from lab.inject.tables.lines import LIMIT, OK, OKAY, ended, good, refused
from lab.inject.wire import BINARY, CLOSE, KEY, PING, PONG, TEXT, binary, frame, text

PROTOCOL, TOO_BIG = 1002, 1009
KINDS = (("text", TEXT), ("binary", BINARY))
CONTROLS = (("ping", PING), ("pong", PONG), ("close", CLOSE))


def long_form(code: int, length: int) -> bytes:
    """The 7 bits and what follows: code 126 or 127."""
    return bytes([code]) + length.to_bytes(2 if code == 126 else 8, "big")


def head(opcode: int, length: bytes) -> bytes:
    """A masked header with `length` as it is, up to the key but without it."""
    return frame(opcode, b"", key=None, length=bytes([length[0] | 0x80]) + length[1:])


def header_alone(name: str, source: str, code: int, *steps: bytes, fin: bool = True) -> StreamCase:
    """Refused from what has come of the header. fin: the client then ends the connection, as what
    it promised never comes; else the server has to, in which it takes its time."""
    end = (Until(2), Fin()) if fin else ()
    return refused("length", name, source, code, *steps, *end)


def not_shortest(code: int, size: int) -> StreamCase:
    bits = 16 if code == 126 else 64
    bad = frame(BINARY, b"x" * min(size, 200), length=long_form(code, size))
    return header_alone(f"{size} written in {bits} bits", "5.2", PROTOCOL, bad, fin=size > 200)


def top_bit(name: str, opcode: int, value: int) -> StreamCase:
    bad = head(opcode, long_form(127, value)) + KEY
    return header_alone(f"{value:#x} in a {name}", "5.2", PROTOCOL, bad, fin=value != 1 << 63)


def too_big(name: str, opcode: int, value: int) -> StreamCase:
    length = long_form(126 if value < 65536 else 127, value)
    text = f"{value} promised in a {name}, no key sent"
    return header_alone(text, "5.2", TOO_BIG, head(opcode, length), fin=value != LIMIT + 1)


def promised(size: int, sent: int) -> StreamCase:
    whole = binary(b"p" * size)
    part = whole[: len(whole) - size + sent]
    return ended("length", f"{size} promised, {sent} sent, FIN", "7.1.7", part, Pause(0.01), Fin())


# fmt: off
CASES = [
    *[not_shortest(126, n) for n in (1, 2, 63, 64, 100, 124)],
    *[not_shortest(127, n) for n in (1, 2, 125, 127, 255, 256, LIMIT, 32767, 65534)],
    *[
        top_bit(name, opcode, value)
        for name, opcode in KINDS
        for value in (1 << 63, (1 << 63) + 1, 1 << 63 | LIMIT, (1 << 64) - 1, (1 << 64) - 126)
    ],
    *[
        too_big(name, opcode, value)
        for name, opcode in KINDS
        for value in (
            LIMIT + 1, 2 * LIMIT, 32768, 65535, 65536, 1 << 20, (1 << 31) - 1, 1 << 31,
            (1 << 32) - 1, 1 << 32, (1 << 32) + 1, 1 << 40, 1 << 62, (1 << 63) - 1,
        )
    ],
    refused(
        "length", "too big, and the payload comes all the same", "5.2", TOO_BIG,
        binary(bytes(LIMIT + 1)),
    ),
    refused(
        "length", "too big, and valid frames follow", "7.1.7", TOO_BIG,
        head(BINARY, long_form(127, 1 << 40)) + KEY + text("no") * 20,
    ),
    *[
        good("length", f"exactly {size}", "5.2", binary(bytes(size)), Until(1),
             frames=((BINARY, bytes(size)),))
        for size in (LIMIT - 1, LIMIT)
    ],
    *[promised(size, sent)
      for size, sent in ((1, 0), (5, 4), (125, 0), (126, 125), (200, 1), (LIMIT, 0), (LIMIT, LIMIT - 1))],
    # shorter than what was sent: the rest is the next header
    refused(
        "length", "1 promised, 2 sent: the second is a reserved opcode", "5.2", PROTOCOL,
        frame(TEXT, "a", length=b"\1") + b"\x83\x80", frames=(OKAY, (TEXT, b"a")),
    ),
    refused(
        "length", "0 promised, a whole unmasked frame sent", "5.2", PROTOCOL,
        frame(TEXT, "", length=b"\0") + b"\x81\x01x", frames=(OKAY, (TEXT, b"")),
    ),
    good(
        "length", "0 promised, a masked frame in the payload", "5.2",
        frame(TEXT, "", length=b"\0") + text("inner"), frames=((TEXT, b""), (TEXT, b"inner")),
    ),
    # control frames (5.5)
    *[
        header_alone(f"{name} with {size} promised in {bits} bits", "5.5", PROTOCOL,
                     head(opcode, long_form(code, size)))
        for name, opcode in CONTROLS
        for code, bits in ((126, 16), (127, 64))
        for size in (0, 5, 125, 126, 65535)
    ],
    *[
        header_alone(f"{name} of 2^63", "5.5", PROTOCOL, head(opcode, long_form(127, 1 << 63)),
                     fin=False)
        for name, opcode in CONTROLS
    ],
    good("length", "ping of 125", "5.5", frame(PING, b"p" * 125), frames=((PONG, b"p" * 125),)),
    refused("length", "text within a ping's limit, then a ping beyond it", "5.5", PROTOCOL,
            OK + frame(PING, b"p" * 126), frames=(OKAY, OKAY)),
]
# fmt: on

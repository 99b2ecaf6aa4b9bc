"""Masks (RFC 6455, 5.1 and 5.3): missing, weak, and such that the wire looks like something else."""

from __future__ import annotations

from lab.inject.stream import Fin, Pause, Step, StreamCase, Until
from lab.inject.tables.lines import OKAY, ended, good, refused
from lab.inject.wire import (
    BINARY,
    CLOSE,
    CONT,
    KEY,
    PING,
    PONG,
    TEXT,
    close,
    frame,
    text,
    xor,
)  # fmt: skip

PROTOCOL, NOT_UTF8, UNSUPPORTED = 1002, 1007, 1003
ALL = bytes(range(256))
KEYS = (
    b"\0\0\0\0", b"\0\0\0\1", b"\1\0\0\0", b"\xff\xff\xff\xff", b"\x80\x80\x80\x80", b"\x81\x85\0\0",
    b"\x88\x80\0\0", b"\r\n\r\n", b"GET ", b"\x7f\xff\xff\xff", b"\xaa\x55\xaa\x55", b"\0\xff\0\xff",
)  # fmt: skip


def unmasked(name: str, opcode: int, payload: bytes, fin: bool = True) -> StreamCase:
    bad = frame(opcode, payload, fin=fin, key=None)
    code = UNSUPPORTED if opcode == CONT or (not fin and opcode < CLOSE) else PROTOCOL
    return refused("mask", f"none: {name}", "5.1", code, bad)


def looks_like(name: str, wire: bytes, size: int = 0) -> StreamCase:
    """A binary frame whose masked payload is `wire`; taken as frames, it would do harm."""
    payload = xor(wire, KEY)
    return good(
        "mask", f"payload on the wire is {name}", "5.3", frame(BINARY, payload), Until(1),
        frames=((BINARY, payload),),
    )  # fmt: skip


def changing(sizes: tuple[int, ...]) -> list[Step]:
    return [frame(BINARY, ALL[:n], key=bytes((n, n * 7 & 255, 255 - n, n ^ 85))) for n in sizes]


# fmt: off
CASES = [
    unmasked("binary of every byte", BINARY, ALL),
    unmasked("pong", PONG, b""),
    unmasked("ping of 125", PING, b"p" * 125),
    unmasked("close with a reason", CLOSE, b"\x03\xe8bye"),
    unmasked("empty close", CLOSE, b""),
    unmasked("empty binary", BINARY, b""),
    unmasked("text that is not UTF-8", TEXT, b"\xff"),
    unmasked("continuation", CONT, b"x"),
    unmasked("fragment", BINARY, b"x", fin=False),
    unmasked("ping in pieces", PING, b"x", fin=False),
    unmasked("message too big", BINARY, bytes(70000)[:300]),
    refused("mask", "none, with the length of a masked one", "5.1", PROTOCOL,
            frame(TEXT, KEY + b"x", key=None)),
    refused("mask", "none in the second frame of a segment", "5.1", PROTOCOL,
            text("a") + frame(TEXT, "b", key=None), frames=(OKAY, (TEXT, b"a"))),
    refused("mask", "none in the 50th frame of a segment", "5.1", PROTOCOL,
            text("a") * 49 + frame(TEXT, "b", key=None), frames=(OKAY, *[(TEXT, b"a")] * 49)),
    *[
        good("mask", f"key {key.hex()}", "5.3", frame(BINARY, ALL + ALL[:size], key=key), Until(1),
             frames=((BINARY, ALL + ALL[:size]),))
        for size, key in enumerate(KEYS)
    ],
    *[
        good("mask", f"key equal to the payload of {n}", "5.3",
             frame(BINARY, (KEY * 3)[:n]), frames=((BINARY, (KEY * 3)[:n]),))
        for n in (1, 3, 4, 5, 12)
    ],
    good("mask", "another key for each frame and size", "5.3", b"".join(
        step for step in changing(tuple(range(1, 30))) if isinstance(step, bytes)),
        frames=tuple((BINARY, ALL[:n]) for n in range(1, 30))),
    looks_like("a close frame", close()),
    looks_like("an unmasked text", b"\x81\x02no"),
    looks_like("a reserved opcode", b"\x83\x80" * 20),
    looks_like("an HTTP request", b"GET /plain HTTP/1.1\r\nHost: x\r\n\r\n"),
    looks_like("zeros", bytes(64)),
    looks_like("a ping", b"\x89\x80\0\0\0\0" * 10),
    good("mask", "valid UTF-8 only when unmasked", "8.1", frame(TEXT, "grüße", key=b"\xff\xfe\xc0\x80"),
         frames=((TEXT, "grüße".encode()),)),
    refused("mask", "valid UTF-8 only when not unmasked", "8.1", NOT_UTF8,
            frame(TEXT, xor(b"plain", b"\x80\x80\x80\x80"), key=b"\x80\x80\x80\x80"[:4])),
    *[
        ended("mask", f"key cut after {n} bytes, FIN", "5.3", frame(TEXT, "")[: 2 + n], Pause(0.01), Fin())
        for n in range(4)
    ],
]
# fmt: on

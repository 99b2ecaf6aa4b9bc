"""Inputs for a WebSocket server, made of the grammar of RFC 6455 and lies about it.

`Grammar(seed).make(index)` gives the same input each time, whatever was made before. The shape is
that of `lab.inject.websocket`, but made of bytes: a scapy packet costs a hundred times as much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from lab.inject.fuzz.handshake import handshake
from lab.inject.fuzz.model import BINARY, CLOSE, LIMIT, PING, PONG, TEXT, masked

FIN, RSV, MASK = 0x80, 0x70, 0x80
MOST = 3 * LIMIT  # bytes of an input, about

# most of what is sent is right, so that what follows a lie is reached at all
OPCODES = (TEXT,) * 8 + (BINARY,) * 6 + (PING,) * 4 + (PONG,) * 2
RESERVED = (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
SIZES = (0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 31, 64, 100, 124, 125, 126, 127, 128)
# around what microdot reads ahead, what leaves in one segment, and the limit
EDGES = (133, 134, 135, 139, 140, 141, 255, 256, 512, 1430, 1436, 1440, LIMIT - 1, LIMIT, LIMIT + 1)
LENGTHS = (0, 1, 125, 126, 127, LIMIT + 1, 65535, 65536, 1 << 24, 1 << 31, 1 << 32, (1 << 63) - 1,
           1 << 63, (1 << 64) - 1)  # fmt: skip
CODES = (0, 999, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013,
         1014, 1015, 1016, 1100, 2000, 2999, 3000, 3999, 4000, 4999, 5000, 65535)  # fmt: skip
CHARACTERS = ("a", "Hello", " ", "\0", "\x7f", "\x80", "ä", "\u07ff", "\u0800", "€", "\ud7ff",
              "\ue000", "\uffff", "\U00010000", "😀", "\U0010ffff")  # fmt: skip
NOT_UTF8 = (b"\x80", b"\xbf", b"\xc0\x80", b"\xc1\xbf", b"\xc2", b"\xe0\x80\x80", b"\xe0\x9f\xbf",
            b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf0\x80\x80\x80", b"\xf0\x8f\xbf\xbf",
            b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xf7\xbf\xbf\xbf", b"\xf8\x88\x80\x80\x80",
            b"\xfc", b"\xfe", b"\xff", b"\xe2\x82", b"\xf0\x9f\x98", b"\xe2\x28\xa1",
            b"\xe2\x82\x28")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Input:
    """data: all that the client sends; after: how many of its bytes lie in each segment.
    paced: the server has time to read one before the next comes. end: "fin" behind the last byte,
    "rst", or "wait" for the answer first. base: on an "open" WebSocket, or on a "fresh" TCP
    connection, where the handshake is part of it."""

    data: bytes
    cuts: tuple[int, ...]
    paced: bool = False
    end: str = "fin"
    base: str = "open"

    def pieces(self) -> list[bytes]:
        """The segments."""
        pieces, at = [], 0
        for size in self.cuts:
            pieces.append(self.data[at : at + size])
            at += size
        return pieces

    def to_json(self) -> dict[str, Any]:
        """For a finding's file."""
        return {"data": self.data.hex(), "cuts": list(self.cuts), "paced": self.paced,
                "end": self.end, "base": self.base}  # fmt: skip

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Input:
        """Raises KeyError, TypeError or ValueError when that is none."""
        return cls(bytes.fromhex(fields["data"]), tuple(fields["cuts"]), bool(fields["paced"]),
                   str(fields["end"]), str(fields["base"]))  # fmt: skip


@dataclass(frozen=True)
class Weights:
    """Shares of what is done. fresh: inputs that bring their own handshake. mutated: inputs made of
    the corpus. lies: frames that are wrong. cut: inputs that stop somewhere. frames: how many to
    an input at most."""

    fresh: float = 0.0
    mutated: float = 0.5
    lies: float = 0.15
    cut: float = 0.15
    frames: int = 8


class Grammar:
    """See `Weights`."""

    def __init__(self, seed: int, weights: Weights | None = None) -> None:
        self.seed, self.weights = seed, weights or Weights()

    def random(self, index: int) -> Random:
        """Of input `index` alone."""
        return Random(self.seed << 40 | index)

    def make(self, index: int, corpus: Sequence[Input] = ()) -> Input:
        """Input `index`: a new one, or one of `corpus` changed."""
        rng, weights = self.random(index), self.weights
        if corpus and rng.random() < weights.mutated:
            return mutate(rng, corpus, weights)
        data, base = frames(rng, weights), "open"
        if rng.random() < weights.fresh:
            data, base = handshake(rng) + data, "fresh"
        return finish(rng, data, base, weights)


def finish(rng: Random, data: bytes, base: str, weights: Weights) -> Input:
    """Cut it and choose its end."""
    luck = rng.random()
    end = "fin" if luck < 0.7 else "wait" if luck < 0.9 else "rst"
    if data and rng.random() < weights.cut:  # truncated anywhere
        data = data[: int(rng.random() * len(data))]
    return Input(data, cut(rng, len(data)), rng.random() < 0.1, end, base)


def cut(rng: Random, size: int) -> tuple[int, ...]:
    """Sizes of segments: mostly one, else two or three, rarely byte by byte; none is too large for
    Ethernet."""
    luck = rng.random()
    if size < 2 or luck < 0.6:
        sizes = [size] if size else []
    elif luck < 0.66 and size <= 24:
        sizes = [1] * size
    else:
        near = min(size, 20) if luck < 0.8 else size  # headers lie at the start
        at = sorted({1 + int(rng.random() * (near - 1)) for _ in range(1 + (luck > 0.9))})
        ends = [*at, size]
        sizes = [end - begin for begin, end in zip([0, *at], ends, strict=True) if end > begin]
    most = 1400
    return tuple(part for s in sizes for part in [most] * (s // most) + [s % most] if part)


# --- frames ---------------------------------------------------------------------------------------


def frames(rng: Random, weights: Weights) -> bytes:
    """A few of them, most of them right."""
    data = b""
    count = 1 + int(rng.random() ** 3 * weights.frames)
    for _ in range(count):
        data += frame(rng, weights.lies)
        if len(data) > MOST:
            break
    if rng.random() < weights.lies / 5:
        data += rng.randbytes(1 + int(rng.random() * 20))
    return data


def frame(rng: Random, lies: float) -> bytes:
    """One, with a lie in it now and then."""
    opcode = OPCODES[int(rng.random() * len(OPCODES))]
    if rng.random() < lies / 2:
        opcode = CLOSE
    body = close_body(rng) if opcode == CLOSE else payload(rng, opcode, lies)
    key = rng.randbytes(4) if rng.random() < 0.9 else b"\0\0\0\0"
    if rng.random() >= lies:
        return head(FIN | opcode, MASK, len(body)) + key + masked(body, key)
    return lie(rng, opcode, body, key)


def head(first: int, mask: int, length: int, form: int = 0) -> bytes:
    """The first 2, 4 or 10 bytes; form: of the length, 126 or 127 for a longer one than needed."""
    if not form:
        form = length if length < 126 else 126 if length < 65536 else 127
    if form < 126:
        return bytes((first, mask | form))
    size = 2 if form == 126 else 8
    return bytes((first, mask | form)) + (length & (1 << 8 * size) - 1).to_bytes(size, "big")


def lie(rng: Random, opcode: int, body: bytes, key: bytes) -> bytes:
    """A frame that is wrong in one way."""
    kind = int(rng.random() * 8)
    first, mask, length, form = FIN | opcode, MASK, len(body), 0
    if kind == 0:
        first |= 16 << int(rng.random() * 3)
    elif kind == 1:
        first = FIN | RESERVED[int(rng.random() * len(RESERVED))]
    elif kind == 2:
        first = opcode  # no FIN
    elif kind == 3:
        first = (FIN if rng.random() < 0.5 else 0) | 0  # a continuation of nothing
    elif kind == 4:
        return head(first, 0, length) + body  # no mask
    elif kind == 5:
        form = 126 + int(rng.random() * 2)
    elif kind == 6:
        length = LENGTHS[int(rng.random() * len(LENGTHS))]
    else:
        length = max(0, length + int(rng.random() * 9) - 4)
    return head(first, mask, length, form) + key + masked(body, key)


def payload(rng: Random, opcode: int, lies: float) -> bytes:
    """Mostly short; for text mostly UTF-8."""
    luck = rng.random()
    if opcode in (PING, PONG):
        size = SIZES[int(luck * (len(SIZES) - 3))]
    elif luck < 0.93:
        size = SIZES[int(rng.random() * len(SIZES))]
    else:
        size = EDGES[int(rng.random() * len(EDGES))]
    if opcode != TEXT:
        return rng.randbytes(size)
    return text(rng, size, 1.5 * lies)


def text(rng: Random, size: int, lies: float) -> bytes:
    """About `size` bytes; some have something in them that is not UTF-8."""
    if rng.random() < 0.5:
        data = b"x" * size
    else:
        few = [CHARACTERS[int(rng.random() * len(CHARACTERS))].encode() for _ in range(6)]
        data = (b"".join(few) * (size // 6 + 1))[:size] if size > 40 else b"".join(few)
        while data and data[-1] >= 128:
            data = data[:-1]
    if rng.random() < lies:
        at = int(rng.random() * (len(data) + 1))
        data = data[:at] + NOT_UTF8[int(rng.random() * len(NOT_UTF8))] + data[at:]
    return data


def close_body(rng: Random) -> bytes:
    """A code, perhaps a reason."""
    luck = rng.random()
    if luck < 0.15:
        return b""
    if luck < 0.2:
        return rng.randbytes(1)
    code = CODES[int(rng.random() * len(CODES))] if luck < 0.9 else int(rng.random() * 65536)
    return code.to_bytes(2, "big") + (text(rng, 12, 0.25) if rng.random() < 0.5 else b"")


# --- mutation -------------------------------------------------------------------------------------


def mutate(rng: Random, corpus: Sequence[Input], weights: Weights) -> Input:
    """One of `corpus` with a few changes, or two of them joined."""
    parent = corpus[int(rng.random() * len(corpus))]
    data = bytearray(parent.data)
    if rng.random() < 0.3:  # splice
        other = corpus[int(rng.random() * len(corpus))].data
        data = data[: int(rng.random() * (len(data) + 1))]
        data += other[int(rng.random() * (len(other) + 1)) :]
    for _ in range(1 + int(rng.random() ** 2 * 4)):
        change(rng, data)
    return finish(rng, bytes(data[: 2 * MOST]), parent.base, weights)


def change(rng: Random, data: bytearray) -> None:
    """One of: a bit, a byte, a piece taken out, doubled or put in."""
    at = int(rng.random() * (len(data) + 1))
    kind = int(rng.random() * 6)
    if kind == 0 and at < len(data):
        data[at] ^= 1 << int(rng.random() * 8)
    elif kind == 1 and at < len(data):
        data[at] = int(rng.random() * 256)
    elif kind == 2:
        del data[at : at + 1 + int(rng.random() * 8)]
    elif kind == 3:
        data[at:at] = data[at : at + 1 + int(rng.random() * 16)]
    elif kind == 4:
        data[at:at] = frame(rng, 0.15)
    else:
        data[at:at] = rng.randbytes(1 + int(rng.random() * 4))

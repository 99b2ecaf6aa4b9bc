"""Text that is not UTF-8 (RFC 6455, 8.1; RFC 3629, 4): every bad first byte, every way to break a
sequence, and what looks wrong and is right."""

from __future__ import annotations

from lab.inject.stream import Expect, StreamCase, Until
from lab.inject.tables.lines import LIMIT, RFC, good, refused
from lab.inject.wire import TEXT, close, frame, text

NOT_UTF8 = 1007


def bad(name: str, data: bytes) -> StreamCase:
    return refused("utf8", name, "8.1", NOT_UTF8, frame(TEXT, data))


def right(name: str, data: bytes) -> StreamCase:
    return good("utf8", name, "5.6", frame(TEXT, data), frames=((TEXT, data),))


def bad_reason(name: str, data: bytes) -> StreamCase:
    return StreamCase(
        "utf8", f"close reason: {name}", RFC + "5.5.1", (close(1000, data),), Expect(close=NOT_UTF8)
    )


FIRST_ALONE = [*range(0x80, 0x100)]  # each wants more bytes, or may not be there at all
BROKEN = {
    "two bytes, second ASCII": b"\xc3A",
    "two bytes, second a first": b"\xc3\xc3",
    "three bytes, two of them": b"\xe2\x82",
    "three bytes, second ASCII": b"\xe2A\xac",
    "three bytes, third ASCII": b"\xe2\x82A",
    "three bytes, third a first": b"\xe2\x82\xc3",
    "four bytes, two of them": b"\xf0\x9f",
    "four bytes, three of them": b"\xf0\x9f\x98",
    "four bytes, second ASCII": b"\xf0A\x98\x80",
    "four bytes, third ASCII": b"\xf0\x9fA\x80",
    "four bytes, fourth ASCII": b"\xf0\x9f\x98A",
    "four bytes, fourth a first": b"\xf0\x9f\x98\xf0",
    "a continuation too much": "é".encode() + b"\xa9",
    "five bytes": b"\xf8\x88\x80\x80\x80",
    "six bytes": b"\xfc\x84\x80\x80\x80\x80",
    "FE FF, the mark of UTF-16": b"\xfe\xff\0a",
    "FF FE, the mark of UTF-16": b"\xff\xfea\0",
    "Latin-1": "grüße".encode("latin-1"),
}
OVERLONG = {
    "NUL in two": b"\xc0\x80",
    "slash in two": b"\xc0\xaf",
    "7F in two": b"\xc1\xbf",
    "NUL in three": b"\xe0\x80\x80",
    "slash in three": b"\xe0\x80\xaf",
    "7FF in three": b"\xe0\x9f\xbf",
    "NUL in four": b"\xf0\x80\x80\x80",
    "slash in four": b"\xf0\x80\x80\xaf",
    "FFFF in four": b"\xf0\x8f\xbf\xbf",
}
SURROGATES = {
    f"{n:04X}": chr(n).encode("utf-8", "surrogatepass")
    for n in (0xD800, 0xD801, 0xDB7F, 0xDBFF, 0xDC00, 0xDF80, 0xDFFF)
}
TOO_HIGH = {
    "110000": b"\xf4\x90\x80\x80",
    "13FFFF": b"\xf4\xbf\xbf\xbf",
    "140000": b"\xf5\x80\x80\x80",
    "1FFFFF": b"\xf7\xbf\xbf\xbf",
}
EDGES = (
    0x00,
    0x7F,
    0x80,
    0x7FF,
    0x800,
    0xD7FF,
    0xE000,
    0xFFFD,
    0xFFFE,
    0xFFFF,
    0x10000,
    0x1FFFE,
    0xFFFFF,
    0x10FFFF,
)

# fmt: off
CASES = [
    *[bad(f"{byte:02X} alone", bytes([byte])) for byte in FIRST_ALONE],
    *[bad(name, data) for name, data in BROKEN.items()],
    *[bad(f"overlong: {name}", data) for name, data in OVERLONG.items()],
    *[bad(f"surrogate {name}", data) for name, data in SURROGATES.items()],
    bad("surrogates in a pair (CESU-8)", b"\xed\xa0\xbd\xed\xb8\x80"),
    *[bad(f"above 10FFFF: {name}", data) for name, data in TOO_HIGH.items()],
    *[bad(f"bad byte {where} of {size}", b"a" * at + b"\xff" + b"a" * (size - at - 1))
      for size in (125, 126, 1000, LIMIT) for where, at in (("first", 0), ("in the middle", size // 2), ("last", size - 1))],
    *[bad(f"sequence cut by the end of a message of {size}", b"a" * (size - 2) + b"\xe2\x82") for size in (125, 126, 512, 513, LIMIT)],
    *[bad(f"overlong across byte {at}", b"a" * (at - 1) + b"\xe0\x80\xaf") for at in (4, 32, 512, 1436)],
    bad("after good sequences of each length", "aé€😀".encode() + b"\xed\xa0\x80"),
    bad("100 bad bytes", b"\x80" * 100),
    *[right(f"U+{n:04X}", chr(n).encode()) for n in EDGES],
    right("byte order mark alone", b"\xef\xbb\xbf"),
    right("sequences across every place of a word", "".join("a" * n + "€" for n in range(9)).encode()),
    right("a message of four-byte sequences", ("😀" * 50).encode()),
    good("utf8", "the same bytes are right as binary", "5.6", frame(2, b"\xff\xc0\x80"), frames=((2, b"\xff\xc0\x80"),)),
    refused("utf8", "good texts before the bad one", "8.1", NOT_UTF8, text("a") + text("b") + frame(TEXT, b"\xc0"),
            frames=((TEXT, b"ok"), (TEXT, b"a"), (TEXT, b"b"))),
    *[bad_reason(name, data) for name, data in (
        ("a continuation", b"\x80"), ("overlong", b"\xc0\xaf"), ("surrogate", b"\xed\xa0\x80"), ("cut short", b"bye \xe2\x82"),
        ("too high", b"\xf4\x90\x80\x80"), ("FF", b"\xff"), ("123 bytes, the last bad", b"r" * 122 + b"\x80"))],
    StreamCase("utf8", "close reason: right, of 123 bytes", RFC + "5.5.1", (close(1000, ("é" * 61 + "!").encode()),), Expect(close=1000)),
    good("utf8", "right and slow, a byte at a time", "8.1", *[text("€😀")[n : n + 1] for n in range(len(text("€😀")))], Until(1),
         frames=((TEXT, "€😀".encode()),)),
]
# fmt: on

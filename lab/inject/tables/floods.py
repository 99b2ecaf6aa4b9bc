"""Too much at once, and too slowly: floods and drips on the handshake and on frames. All end by
themselves: counts are bounded, and a server must not wait for a request for ever."""

from __future__ import annotations

from typing import Any

from lab.inject.stream import Expect, Fin, Pause, Rst, Step, StreamCase, Trickle, Until
from lab.inject.tables.lines import (
    HTTP,
    LIMIT,
    OK,
    OKAY,
    READ_SECONDS,
    RFC,
    answered,
    good,
    refused,
)
from lab.inject.wire import BINARY, PONG, TEXT, binary, close, frame, ping, request, text

REQUEST = request("/echo", host="b")
TIMEOUT = (READ_SECONDS - 0.1, READ_SECONDS + 0.6)
BIG = bytes(n * 7 & 255 for n in range(LIMIT))


def slow(
    name: str, *steps: Step, status: int | None = 408, after: Any = TIMEOUT, **more: Any
) -> StreamCase:
    """A request that is never whole: 408 (RFC 9110, 15.5.9)."""
    return answered("drip", name, "RFC 9110, 15.5.9", status, *steps, after=after, **more)


def dripped(
    name: str, data: bytes, gap: float, *frames: tuple[int, bytes], size: int = 1
) -> StreamCase:
    return good("drip", name, "5.2", Trickle(data, size, gap), Until(len(frames)), frames=frames)


# fmt: off
CASES = [
    # slowloris on the handshake
    slow("nothing at all"),
    slow("one byte", b"G"),
    slow("a request line without its end", b"GET /echo HTTP/1.1"),
    slow("all but the last byte", REQUEST[:-1]),
    slow("all but the empty line", REQUEST[:-2]),
    slow("an empty line", b"\r\n"),
    slow("a byte each 50 ms", Trickle(REQUEST[:100], 1, 0.05)),
    slow("a byte each 300 ms", Trickle(REQUEST, 1, 0.3)),
    slow("a field each 150 ms, for ever", b"GET /echo HTTP/1.1\r\n", Trickle(b"X-a: b\r\n" * 40, 8, 0.15)),
    slow("a line of one byte each 100 ms", b"GET /echo HTTP/1.1\r\nX: ", Trickle(b"a" * 60, 1, 0.1)),
    slow("a body, a byte each 100 ms", b"POST /body HTTP/1.1\r\nHost: b\r\nContent-Length: 100\r\n\r\n", Trickle(b"b" * 60, 1, 0.1),
         after=(READ_SECONDS - 0.1, READ_SECONDS + 1.6)),
    answered("drip", "a handshake, a byte a millisecond", RFC + "4.1", 101, Trickle(REQUEST, 1, 0.001), close(), close=1000),
    answered("drip", "a handshake, 7 bytes each 20 ms", RFC + "4.1", 101, Trickle(REQUEST, 7, 0.02), close(), close=1000),
    answered("drip", "a handshake just in time", RFC + "4.1", 101, Trickle(REQUEST, 20, 0.15), close(), close=1000),
    answered("drip", "a request, then nothing is said", HTTP + "9.6", 200, b"GET /plain HTTP/1.1\r\nHost: b\r\n\r\n", answer=False,
             body=b"plain", after=(0.4, 1.2)),
    # slowloris on frames: a WebSocket may be slow for as long as it likes
    dripped("a text, a byte each 20 ms", text("slow"), 0.02, (TEXT, b"slow")),
    dripped("a text, a byte each 400 ms", text("s"), 0.4, (TEXT, b"s")),
    dripped("100 texts, a byte at a time", text("d") * 30, 0.001, *[(TEXT, b"d")] * 30),
    refused("drip", "a wrong length, a byte each 10 ms", "5.2", 1002, b"", Trickle(b"\x82\xff" + (100).to_bytes(8, "big"), 1, 0.01)),
    refused("drip", "a reserved opcode, its second byte late", "5.2", 1002, b"", b"\x83", Pause(0.2), b"\x80"),
    dripped("a message of 300, 3 bytes each 2 ms", binary(BIG[:300]), 0.002, (BINARY, BIG[:300]), size=3),
    dripped("pings, a byte each 5 ms", ping(b"p") * 6, 0.005, *[(PONG, b"p")] * 6),
    StreamCase("drip", "half a header, and silence", RFC + "5.2", (OK, b"\x81"), Expect(frames=(OKAY,), end="open")),
    StreamCase("drip", "half a payload, and silence", RFC + "5.2", (OK, text("silence")[:8]), Expect(frames=(OKAY,), end="open")),
    StreamCase("drip", "no byte for 5 s, then an echo", RFC + "5.5.2", (Pause(5.0), OK, Until(1), close()), Expect(frames=(OKAY,), close=1000)),
    StreamCase("drip", "half a frame for 5 s, then the rest", RFC + "5.2", (OK[:5], Pause(5.0), OK[5:], Until(1), close()), Expect(frames=(OKAY,), close=1000)),
    # floods of frames, bounded
    *[good("flood", f"{n} empty texts", "5.6", text() * n, frames=((TEXT, b""),) * n) for n in (10, 100, 300)],
    *[good("flood", f"{n} texts of one byte", "5.6", text("x") * n, frames=((TEXT, b"x"),) * n) for n in (100, 300)],
    good("flood", "300 pings and texts mixed", "5.5.2", (ping(b"p") + text("t")) * 150, frames=((PONG, b"p"), (TEXT, b"t")) * 150),
    good("flood", "20 messages of 1000", "5.6", binary(BIG[:1000]) * 20, Until(20), frames=((BINARY, BIG[:1000]),) * 20),
    good("flood", "six messages as long as may be", "5.6", binary(BIG) * 6, Until(6), frames=((BINARY, BIG),) * 6),
    good("flood", "sizes from 0 to 60", "5.6", b"".join(binary(BIG[:n]) for n in range(61)), frames=tuple((BINARY, BIG[:n]) for n in range(61))),
    refused("flood", "100 frames with RSV", "7.1.7", 1002, frame(TEXT, "x", rsv=4) * 100),
    refused("flood", "100 unmasked frames", "7.1.7", 1002, frame(TEXT, "x", key=None) * 100),
    refused("flood", "100 fragments", "5.4", 1003, frame(TEXT, "x", fin=False) * 100),
    refused("flood", "50 messages, then a bad one", "7.1.7", 1002, text("m") * 50 + frame(5, b""), frames=(OKAY, *[(TEXT, b"m")] * 50)),
    refused("flood", "30 KB behind a bad frame", "7.1.7", 1002, frame(3, b"x") + binary(BIG) * 7),
    StreamCase("flood", "300 texts, then RST", RFC + "7.1.7", (text("r") * 300, Pause(0.01), Rst()), Expect(frames=((TEXT, b"r"),) * 300, end="gone")),
    StreamCase("flood", "300 texts, then FIN", RFC + "7.1.7", (text("f") * 300, Fin()), Expect(frames=((TEXT, b"f"),) * 300)),
    # floods on the handshake
    answered("flood", "64 KB of one byte for a request", HTTP + "3", 431, b"A" * 65536, end="ended"),
    answered("flood", "64 KB of empty fields", HTTP + "5", 431, b"GET /echo HTTP/1.1\r\n" + b"A:\r\n" * 16000, end="ended"),
    answered("flood", "64 KB of empty lines", HTTP + "2.2", 400, b"\r\n" * 32000, end="ended"),
    answered("flood", "100 fields", HTTP + "5", 101, request("/echo", {f"X{n}": "" for n in range(100)}), close(), close=1000),
    answered("flood", "200 fields", HTTP + "5", 101, request("/echo", {f"X{n}": "" for n in range(200)}), close(), close=1000),
    answered("flood", "500 fields", HTTP + "5", 431, request("/echo", {f"X{n}": "" for n in range(500)})),
    answered("flood", "the same field 200 times", HTTP + "5.3", 101, request("/echo", {"X": "\r\nX:".join(["1"] * 200)}), close(), close=1000),
    answered("flood", "the same field 500 times", HTTP + "5.3", 431, request("/echo", {"X": "\r\nX:".join(["1"] * 500)})),
    answered("flood", "a body of 64 KB that is too big", "RFC 9110, 15.5.14", 413, b"POST /body HTTP/1.1\r\nHost: b\r\nContent-Length: 65536\r\n\r\n" + bytes(65536), end="ended"),
]
# fmt: on

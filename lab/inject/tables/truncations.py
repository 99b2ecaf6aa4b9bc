"""Cut after every byte: a handshake, and frames with all three forms of length. The client then
closes, resets, or goes on after a while, which must be as if nothing had been."""

from __future__ import annotations

from lab.inject.stream import Expect, Fin, Pause, Rst, Step, StreamCase, Until
from lab.inject.tables.lines import HTTP, LIMIT, RFC, answered, ended, good
from lab.inject.wire import BINARY, PONG, TEXT, binary, close, frame, ping, request, text

SOON = Pause(0.003)
REQUEST = request("/echo", host="b")
FRAMES = (
    ("text", text("hello"), (TEXT, b"hello")),
    ("ping", ping(b"there?"), (PONG, b"there?")),
    ("long binary", binary(b"b" * 126), (BINARY, b"b" * 126)),
)
HEADS = (  # with the longest form of length, which is right for none of ours
    ("64-bit length", frame(BINARY, b"", length=b"\x7f" + (65536).to_bytes(8, "big"))),
)


def handshake_cut(at: int) -> StreamCase:
    name = f"handshake after {at} of {len(REQUEST)} bytes, FIN"
    return answered("truncation", name, HTTP + "8", 400, REQUEST[:at], SOON, Fin())


def cut(name: str, whole: bytes, at: int, *then: Step, end: str = "fin") -> StreamCase:
    how = "FIN" if isinstance(then[-1], Fin) else "RST"
    title = f"{name} after {at} of {len(whole)} bytes, {how}"
    return ended("truncation", title, "7.1.7", whole[:at], *then, end=end)


def resumed(name: str, whole: bytes, at: int, echo: tuple[int, bytes]) -> StreamCase:
    title = f"{name} after {at} of {len(whole)} bytes, then the rest"
    return good("truncation", title, "5.2", whole[:at], SOON, whole[at:], Until(1), frames=(echo,))


def places(whole: bytes, payload: int) -> list[int]:
    """Every byte of the header, and the payload's first, second, middle and last."""
    start = len(whole) - payload
    some = {start, start + 1, start + payload // 2, len(whole) - 1}
    return sorted({*range(1, start), *(n for n in some if n < len(whole))})


# fmt: off
CASES = [
    StreamCase("truncation", "handshake before its first byte, FIN", HTTP + "8", (Fin(),),
               Expect(status=None), upgraded=False),
    *[handshake_cut(at) for at in range(1, len(REQUEST))],
    *[
        StreamCase("truncation", f"handshake after {at} bytes, RST", HTTP + "8",
                   (REQUEST[:at], SOON, Rst()), Expect(status=None, end="gone"), upgraded=False)
        for at in range(1, len(REQUEST), 12)
    ],
    *[
        cut(name, whole, at, SOON, Fin())
        for name, whole, echo in FRAMES for at in places(whole, len(echo[1]))
    ],
    *[
        cut(name, whole, at, SOON, Rst(), end="gone")
        for name, whole, echo in FRAMES for at in places(whole, len(echo[1]))
    ],
    *[
        resumed(name, whole, at, echo)
        for name, whole, echo in FRAMES for at in places(whole, len(echo[1]))
    ],
    *[cut(name, whole, at, SOON, Fin()) for name, whole in HEADS for at in range(1, 10)],
    *[
        ended("truncation", f"close frame after {at} of {len(close())} bytes, FIN", "7.1.7",
              close()[:at], SOON, Fin())
        for at in range(1, len(close()))
    ],
    *[
        cut(f"message of {LIMIT}", binary(bytes(LIMIT)), at, SOON, Fin())
        for at in (9, 500, 1460, 1461, 2048, 4000)
    ],
    StreamCase("truncation", "close frame in two pieces", RFC + "5.5.1",
               (close(3000)[:3], SOON, close(3000)[3:]), Expect(close=3000), answer=False),
    StreamCase("truncation", "close frame byte by byte", RFC + "5.5.1",
               tuple(s for n in range(len(close(3001))) for s in (close(3001)[n : n + 1], SOON)),
               Expect(close=3001), answer=False),
]
# fmt: on

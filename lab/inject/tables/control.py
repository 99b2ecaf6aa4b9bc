"""Control frames abused (RFC 6455, 5.5): in crowds, between data, and after the end."""

from __future__ import annotations

from lab.inject.stream import Expect, Fin, Pause, Rst, StreamCase, Trickle, Until
from lab.inject.tables.lines import OK, OKAY, RFC, good, refused
from lab.inject.wire import (
    BINARY,
    CLOSE,
    CONT,
    PING,
    PONG,
    TEXT,
    binary,
    close,
    frame,
    ping,
    text,
)  # fmt: skip

PROTOCOL, UNSUPPORTED, NOT_UTF8 = 1002, 1003, 1007
PONGED = (PONG, b"")


def pong(payload: bytes = b"") -> bytes:
    return frame(PONG, payload)


def numbered(count: int) -> list[bytes]:
    return [b"%03d" % n for n in range(count)]


def after_close(name: str, *after: bytes) -> StreamCase:
    """What comes behind a close frame is not looked at (5.5.1)."""
    steps = (OK + close(3002) + b"".join(after),)
    return StreamCase("control", f"after a close frame: {name}", RFC + "5.5.1", steps,
                      Expect(frames=(OKAY,), close=3002))  # fmt: skip


# fmt: off
CASES = [
    # pings in crowds: each gets its pong, in order
    *[good("control", f"{n} pings in one segment", "5.5.2", b"".join(map(ping, numbered(n))),
           frames=tuple((PONG, p) for p in numbered(n))) for n in (2, 10, 100)],
    good("control", "100 pings, a segment each", "5.5.2", Trickle(b"".join(map(ping, numbered(100))), 9, 0.0),
         frames=tuple((PONG, p) for p in numbered(100))),
    good("control", "20 pings of 125", "5.5.2", ping(b"p" * 125) * 20, Until(20), frames=((PONG, b"p" * 125),) * 20),
    *[good("control", f"ping of {n}", "5.5", ping(bytes(range(n))), frames=((PONG, bytes(range(n))),))
      for n in (0, 1, 2, 124, 125)],
    good("control", "ping of bytes that are not UTF-8", "5.5.2", ping(b"\xff\xfe\xc0"), frames=((PONG, b"\xff\xfe\xc0"),)),
    good("control", "ping that holds a close frame", "5.5.2", ping(close()), frames=((PONG, close()),)),
    good("control", "ping byte by byte", "5.5.2", Trickle(ping(b"slow"), 1, 0.003), frames=((PONG, b"slow"),)),
    good("control", "pings between texts", "5.5.2", (text("a") + ping(b"1")) * 10,
         frames=((TEXT, b"a"), (PONG, b"1")) * 10),
    good("control", "ping after each text of 300", "5.5.2", (binary(b"b" * 300) + ping(b"p")) * 4, Until(8),
         frames=((BINARY, b"b" * 300), (PONG, b"p")) * 4),
    # pongs nobody asked for are dropped (5.5.3)
    *[good("control", f"{n} pongs that nobody asked for", "5.5.3", pong(b"?") * n, OK, frames=(OKAY,))
      for n in (1, 10, 200)],
    good("control", "pong of 125", "5.5.3", pong(b"q" * 125) + OK, frames=(OKAY,)),
    good("control", "pong that is not UTF-8", "5.5.3", pong(b"\x80\xff") + OK, frames=(OKAY,)),
    good("control", "pongs and pings mixed", "5.5.3", (pong() + ping() + pong(b"x")) * 20, OK,
         frames=(*[PONGED] * 20, OKAY)),
    good("control", "pongs in a trickle", "5.5.3", Trickle(pong(b"x") * 8, 1, 0.001), OK, frames=(OKAY,)),
    # illegal control frames
    *[refused("control", f"{name} in fragments, first of {n} bytes", "5.5", PROTOCOL, frame(opcode, b"x" * n, fin=False))
      for name, opcode in (("ping", PING), ("pong", PONG), ("close", CLOSE)) for n in (0, 1, 125)],
    *[refused("control", f"{name} of {n} bytes", "5.5", PROTOCOL, frame(opcode, b"y" * n))
      for name, opcode in (("ping", PING), ("pong", PONG), ("close", CLOSE)) for n in (126, 127, 1000)],
    *[refused("control", f"opcode {n} of 125 bytes", "5.2", PROTOCOL, frame(n, bytes(125))) for n in range(11, 16)],
    refused("control", "good pings, then one of 126", "5.5", PROTOCOL, ping(b"1") * 5 + ping(bytes(126)),
            frames=(OKAY, *[(PONG, b"1")] * 5)),
    refused("control", "ping in the middle of a fragmented text", "5.4", UNSUPPORTED,
            frame(TEXT, "a", fin=False) + ping(b"p") + frame(CONT, "b")),
    refused("control", "ping before a fragmented text", "5.4", UNSUPPORTED,
            ping(b"p") + frame(TEXT, "a", fin=False), frames=(OKAY, (PONG, b"p"))),
    # a reply must not wait for more
    good("control", "ping and half a text", "5.5.2", ping(b"now") + text("later")[:4], Until(1), text("later")[4:],
         frames=((PONG, b"now"), (TEXT, b"later"))),
    # behind the close frame
    after_close("a text", text("no")),
    after_close("a ping", ping(b"no")),
    after_close("another close frame", close(3003)),
    after_close("a reserved opcode", frame(3, b"no")),
    after_close("an unmasked text", frame(TEXT, b"no", key=None)),
    after_close("half a frame", text("no")[:3]),
    after_close("100 pings", ping() * 100),
    after_close("a frame that is too big", binary(bytes(8192))),
    after_close("an HTTP request", b"GET /plain HTTP/1.1\r\nHost: b\r\n\r\n"),
    # pings, and nobody there for the pongs
    StreamCase("control", "50 pings, then FIN", RFC + "5.5.2", (ping(b"f") * 50, Fin()), Expect(frames=((PONG, b"f"),) * 50)),
    StreamCase("control", "50 pings, then RST", RFC + "5.5.2", (ping(b"r") * 50, Pause(0.002), Rst()),
               Expect(frames=((PONG, b"r"),) * 50, end="gone")),
    StreamCase("control", "ping, FIN before its pong", RFC + "5.5.2", (ping(b"1"), Fin()), Expect(frames=((PONG, b"1"),))),
]
# fmt: on

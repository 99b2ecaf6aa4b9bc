"""The end abused (RFC 6455, 5.5.1 and 7): codes nobody may send, half codes, ends that come twice,
too early or never."""

from __future__ import annotations

from lab.inject.stream import Expect, Fin, Pause, Rst, Step, StreamCase, Trickle, Until
from lab.inject.tables.lines import OK, OKAY, RFC
from lab.inject.wire import CLOSE, EMPTY, TEXT, binary, close, frame, text

PROTOCOL = 1002
BAD_CODES = (
    0,
    1,
    2,
    255,
    256,
    500,
    998,
    999,
    1004,
    1005,
    1006,
    1015,
    1016,
    1017,
    1099,
    1100,
    1500,
    1999,
    2000,
    2001,
    2500,
    2998,
    2999,
    5000,
    5001,
    9999,
    32767,
    32768,
    65534,
    65535,
)  # 7.4.1, 7.4.2 and the registry of close codes
GOOD_CODES = (
    1000,
    1001,
    1002,
    1003,
    1007,
    1008,
    1009,
    1010,
    1011,
    1012,
    1013,
    1014,
    3000,
    3999,
    4000,
    4999,
)
DRAINED = (0, 2.6)  # seconds: a server gives up to wait for a close frame; FIN may come at once


def end(
    name: str,
    source: str,
    *steps: Step,
    code: int | None,
    tcp: str = "fin",
    frames: tuple[tuple[int, bytes], ...] = (),
    answer: bool = True,
    after: tuple[float, float] | None = None,
) -> StreamCase:
    return StreamCase(
        "close",
        name,
        RFC + source,
        steps,
        Expect(frames=frames, close=code, end=tcp, after=after),
        answer=answer,
    )


# fmt: off
CASES = [
    *[end(f"code {code}", "7.4", close(code), code=PROTOCOL) for code in BAD_CODES],
    *[end(f"code {code} with a reason", "7.4", close(code, "because"), code=PROTOCOL) for code in (0, 999, 1005, 1006, 1015, 2999, 5000)],
    *[end(f"code {code} is echoed", "5.5.1", close(code, "why not"), code=code) for code in GOOD_CODES],
    *[end(f"half a code: {byte:02x}", "5.5.1", frame(CLOSE, bytes([byte])), code=PROTOCOL) for byte in (0, 3, 0xE8, 0xFF)],
    end("no code is answered with none", "5.5.1", frame(CLOSE), code=EMPTY),
    *[end(f"reason of {n} bytes", "5.5.1", close(1000, b"r" * n), code=1000) for n in (1, 122, 123)],
    end("reason of 124 bytes", "5.5", close(1000, b"r" * 124), code=PROTOCOL),
    end("code and NULs for a reason", "5.5.1", close(1000, bytes(20)), code=1000),
    # twice, and with company
    end("two at once", "5.5.1", close(3000) + close(3001), code=3000),
    end("two, the second later", "5.5.1", close(3000), Until(1), close(3001), code=3000),
    end("a bad one behind a good one", "5.5.1", close(3000) + close(999), code=3000),
    end("a good one behind a bad one", "7.1.7", close(999) + close(3000), code=PROTOCOL),
    end("behind a message in one segment", "5.5.1", OK + close(3004), code=3004, frames=(OKAY,)),
    end("behind ten messages in one segment", "5.5.1", OK * 10 + close(3004), code=3004, frames=(OKAY,) * 10),
    end("and FIN at once", "7.1.1", close(3005), Fin(), code=3005),
    end("message, close frame and FIN at once", "7.1.1", OK + close(3006), Fin(), code=3006, frames=(OKAY,)),
    end("and RST at once", "7.1.1", close(3007), Rst(), code=None, tcp="gone"),
    end("RST when the answer has come", "7.1.1", close(3007), Until(1), Rst(), code=3007, tcp="gone"),
    end("byte by byte", "5.5.1", Trickle(close(3008, "slowly"), 1, 0.002), code=3008),
    # without a close frame (7.1.5: 1006 for the app, nothing on the wire)
    end("FIN alone", "7.1.5", Fin(), code=None),
    end("RST alone", "7.1.5", Rst(), code=None, tcp="gone"),
    end("FIN behind a message", "7.1.5", OK, Fin(), code=None, frames=(OKAY,)),
    end("FIN when the echo has come", "7.1.5", OK, Until(1), Fin(), code=None, frames=(OKAY,)),
    end("RST behind a message", "7.1.5", OK, Pause(0.001), Rst(), code=None, tcp="gone", frames=(OKAY,)),
    # the server closes, the client does as it likes (7.1.1)
    end("of the server, and no answer", "7.1.1", frame(3, b"x"), code=PROTOCOL, answer=False, after=DRAINED),
    end("of the server, answered by a FIN alone", "7.1.1", frame(3, b"x"), Until(1), Fin(), code=PROTOCOL, answer=False, after=(0, 0.5)),
    end("of the server, answered by RST", "7.1.1", frame(3, b"x"), Until(1), Rst(), code=PROTOCOL, tcp="gone", answer=False),
    end("of the server, answered with another code", "7.1.1", frame(3, b"x"), Until(1), close(4000), code=PROTOCOL, after=(0, 0.5)),
    end("of the server, answered by texts, then a close frame", "7.1.1", frame(3, b"x"), Until(1), text("no") * 20, close(),
        code=PROTOCOL, answer=False, after=(0, 0.5)),
    end("of the server, answered by half a close frame", "7.1.1", frame(3, b"x"), Until(1), close()[:4], code=PROTOCOL,
        answer=False, after=DRAINED),
    end("of the server, answered by half a close frame, later the rest", "7.1.1", frame(3, b"x"), Until(1), close()[:4], Pause(0.2),
        close()[4:], code=PROTOCOL, answer=False, after=(0, 0.7)),
    end("of the server, answered by 20 KB without an end", "7.1.1", frame(3, b"x"), Until(1), binary(bytes(4000)) * 5,
        code=PROTOCOL, answer=False, after=DRAINED),
    end("of the server, while 8 KB are on their way", "7.1.1", frame(3, b"x") + binary(bytes(4000)) * 2, code=PROTOCOL),
    end("of the server, and the client trickles on", "7.1.1", frame(3, b"x"), Until(1), Trickle(text("drip") * 40, 1, 0.01),
        code=PROTOCOL, answer=False, tcp="ended", after=DRAINED),
    end("echo refused: too big, no answer", "7.1.1", frame(2, b"", length=b"\x7f" + (1 << 33).to_bytes(8, "big")), code=1009,
        answer=False, after=DRAINED),
    StreamCase("close", "frames for 0.2 s after a close frame that was answered", RFC + "5.5.1",
               (close(3009), Until(1), Trickle(frame(TEXT, "late"), 1, 0.02)), Expect(close=3009)),
]
# fmt: on

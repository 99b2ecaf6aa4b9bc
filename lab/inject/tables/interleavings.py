"""Several connections at once: one must not feel what another does, or fails to do."""

from __future__ import annotations

from typing import Any

from lab.inject.stream import Expect, Fin, On, Pause, Rst, Step, StreamCase, Until
from lab.inject.tables.lines import OK, OKAY, READ_SECONDS, RFC
from lab.inject.wire import BINARY, TEXT, binary, close, frame, request, text

ECHOED = Expect(frames=(OKAY,), close=1000)
GONE = Expect(frames=(OKAY,), end="gone")


def together(
    name: str,
    *steps: Step,
    expect: Expect = ECHOED,
    others: tuple[Expect, ...] = (ECHOED,),
    **more: Any,
) -> StreamCase:
    return StreamCase("interleaving", name, RFC + "5.2", steps, expect, others=others, **more)


def meanwhile(
    name: str,
    code: int | None,
    bad: bytes,
    *then: Step,
    frames: tuple[tuple[int, bytes], ...] = (),
    end: str = "fin",
) -> StreamCase:
    """One misbehaves, and another, in the middle of a frame meanwhile, is served."""
    steps: tuple[Step, ...] = (
        OK[:4],
        On(1, bad),
        *[On(1, step) for step in then if not isinstance(step, On)],
        On(1, Pause(0.003)),
        OK[4:],
        Until(1),
        close(),
    )
    return together(
        f"meanwhile another {name}", *steps, others=(Expect(frames=frames, close=code, end=end),)
    )


def zip_up(count: int, data: bytes) -> tuple[Step, ...]:
    """`data` byte by byte, on `count` connections in turn."""
    steps: list[Step] = []
    for at in range(len(data)):
        piece = data[at : at + 1]
        steps += [piece, *[On(n, piece) for n in range(1, count)]]
    return tuple(steps)


def many(count: int, *steps: Step) -> tuple[Step, ...]:
    """Each step on `count` connections."""
    return tuple(s for step in steps for s in (step, *[On(n, step) for n in range(1, count)]))  # type: ignore[arg-type]


# fmt: off
CASES = [
    *[together(f"{n} connections, byte by byte", *zip_up(n, OK + close()), others=(ECHOED,) * (n - 1)) for n in (2, 3, 5)],
    *[together(f"{n} connections, an echo each", *many(n, OK, Until(1), close()), others=(ECHOED,) * (n - 1)) for n in (2, 4, 7)],
    *[together(f"{n} connections, all at once", *many(n, OK + close()), others=(ECHOED,) * (n - 1)) for n in (4, 7)],
    together("7 connections, all reset", *many(7, OK, Until(1), Rst()), expect=GONE, others=(GONE,) * 6),
    together("7 connections, all closed by FIN", *many(7, OK, Until(1), Fin()), expect=Expect(frames=(OKAY,)), others=(Expect(frames=(OKAY,)),) * 6),
    together("7 connections, half a frame each, then FIN", *many(7, text("half")[:5], Fin()), expect=Expect(), others=(Expect(),) * 6),
    together("7 connections, a bad frame each", *many(7, frame(3, b"x")), expect=Expect(close=1002), others=(Expect(close=1002),) * 6),
    together("messages of 1000 on 3 connections", *many(3, binary(b"k" * 1000), Until(1), close()),
             expect=Expect(frames=((BINARY, b"k" * 1000),), close=1000), others=(Expect(frames=((BINARY, b"k" * 1000),), close=1000),) * 2),
    # one sends rubbish, the other is in the middle of a frame
    meanwhile("sends a reserved opcode", 1002, frame(3, b"x")),
    meanwhile("sends an unmasked frame", 1002, frame(TEXT, "x", key=None)),
    meanwhile("sends a fragment", 1003, frame(TEXT, "x", fin=False)),
    meanwhile("sends what is not UTF-8", 1007, frame(TEXT, b"\xff")),
    meanwhile("promises too much", 1009, frame(2, b"", length=b"\x7f" + (1 << 40).to_bytes(8, "big"))),
    meanwhile("sends 50 texts", None, text("x") * 50, Until(50), Fin(), frames=((TEXT, b"x"),) * 50),
    meanwhile("closes", 3000, close(3000)),
    meanwhile("closes by FIN", None, OK, Until(1), Fin(), frames=(OKAY,)),
    meanwhile("is reset", None, OK, Until(1), Rst(), frames=(OKAY,), end="gone"),
    meanwhile("is reset in the middle of a frame", None, binary(bytes(200))[:100], Rst(), end="gone"),
    meanwhile("stops in the middle of a header", None, b"\x81", end="open"),
    meanwhile("stops in the middle of a payload", None, text("stop")[:7], end="open"),
    # a key or a payload of one must not end up with another
    together("other keys, the same moment", frame(TEXT, "one", key=b"\1\2\3\4")[:8], On(1, frame(TEXT, "two", key=b"\xf1\xf2\xf3\xf4")[:8]),
             frame(TEXT, "one", key=b"\1\2\3\4")[8:], On(1, frame(TEXT, "two", key=b"\xf1\xf2\xf3\xf4")[8:]), *many(2, Until(1), close()),
             expect=Expect(frames=((TEXT, b"one"),), close=1000), others=(Expect(frames=((TEXT, b"two"),), close=1000),)),
    # handshakes that stand still, and an echo beside them
    StreamCase("interleaving", "six half handshakes, and an echo", RFC + "4.1",
               (*[On(n, request("/echo")[: 20 * n]) for n in range(1, 7)], request("/echo") + OK, Until(1), close()), ECHOED, upgraded=False,
               others=(Expect(status=408, after=(READ_SECONDS - 0.1, READ_SECONDS + 0.8)),) * 6),
    StreamCase("interleaving", "six silent connections, reset, and an echo", RFC + "4.1",
               (*[On(n, b"G") for n in range(1, 7)], Pause(0.01), *[On(n, Rst()) for n in range(1, 7)], request("/echo") + OK, Until(1), close()), ECHOED,
               upgraded=False, others=(Expect(status=None, end="gone"),) * 6),
    StreamCase("interleaving", "more connections than are served: the last waits its turn", RFC + "4.1",
               (*[On(n, request("/echo") + OK) for n in range(1, 8)], *[On(n, Until(1)) for n in range(1, 8)], request("/echo") + OK, Until(1),
                *[On(n, close()) for n in range(1, 8)], close()), ECHOED, upgraded=False, others=(ECHOED,) * 7),
    StreamCase("interleaving", "ten connections, of which two wait in the backlog", RFC + "4.1",
               (*tuple(On(n, s) for n in range(1, 10) for s in (request("/echo") + OK, Until(1), close(), Until(2))), request("/echo") + OK + close()),
               ECHOED, upgraded=False, others=(ECHOED,) * 9),
]
# fmt: on

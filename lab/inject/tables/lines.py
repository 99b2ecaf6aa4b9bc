"""Shorthands of the tables for what many cases have in common."""

from __future__ import annotations

from typing import Any

from lab.inject.stream import Expect, Step, StreamCase
from lab.inject.wire import TEXT, close, text

LIMIT = 4096  # bytes of a message and of a body, as in board/app.py ..
READ_SECONDS = 2  # .. and how long it waits for a request
RFC = "RFC 6455, "
HTTP = "RFC 9112, "
OK = text("ok")  # a message that shows that the connection works ..
OKAY = (TEXT, b"ok")  # .. and its echo


def good(
    group: str,
    name: str,
    source: str,
    *steps: Step,
    frames: tuple[tuple[int, bytes], ...],
    **more: Any,
) -> StreamCase:
    """`steps`, which are echoed as `frames`, then an honest close."""
    return StreamCase(
        group, name, RFC + source, (*steps, close()), Expect(frames=frames, close=1000), **more
    )


def refused(
    group: str, name: str, source: str, code: int, *steps: Step,
    frames: tuple[tuple[int, bytes], ...] = (OKAY,), before: bytes = OK, **more: Any
) -> StreamCase:  # fmt: skip
    """A message that is echoed, then what must be refused with close code `code`."""
    head, *rest = steps
    first: tuple[Step, ...] = (
        (before + head, *rest) if isinstance(head, bytes) else (before, *steps)
    )
    return StreamCase(group, name, RFC + source, first, Expect(frames=frames, close=code), **more)


def ended(
    group: str, name: str, source: str, *steps: Step, end: str = "fin", **more: Any
) -> StreamCase:
    """After `steps` the connection ends by `end`, and the server has said nothing."""
    return StreamCase(group, name, RFC + source, steps, Expect(end=end), **more)


def answered(
    group: str,
    name: str,
    source: str,
    status: int | tuple[int, ...] | None,
    *steps: Step,
    **more: Any,
) -> StreamCase:
    """An HTTP exchange: `steps` from the first byte on, and the answer's status."""
    expect = {
        key: more.pop(key)
        for key in ("header", "body", "after", "end", "close", "frames")
        if key in more
    }
    wanted = Expect(status=status, **expect)
    return StreamCase(group, name, source, steps, wanted, upgraded=False, **more)

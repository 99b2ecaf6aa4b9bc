"""The frame layer of microdot on CPython, held against `lab.inject.fuzz.model`.

Each input is read in the pieces it is cut into. What must hold: the frames and close codes of the
model, whatever the cut; `CloseFinder` finds the close frame in what is left; what the layer makes
itself (`make_close`, `frame_header`) reads as what it was made of; `not_strict`, which stands in
for MicroPython's decoder, agrees with a strict one.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple

from lab.inject.fuzz.grammar import Input
from lab.inject.fuzz.model import (
    BINARY,
    CLOSE,
    LIMIT,
    NOT_TEXT,
    TEXT,
    Answer,
    answer,
    has_close,
    is_utf8,
    masked,
    server_frame,
)  # fmt: skip

LIMITS = (LIMIT, None, 0, 125, 126, 1)


class Seen(NamedTuple):
    """What the frame layer has made of an input; see `Answer`."""

    frames: list[tuple[int, bytes]]
    code: int  # 0: none, more may come
    echo: bytes | None
    left: int  # bytes of the input that were not put in


class FrameLayer:
    """frames: the module under test, `microdot.frames` or one with a planted bug."""

    def __init__(self, frames: Any = None) -> None:
        self.frames = frames or import_module("microdot.frames")
        self.not_strict = import_module("microdot._plain").not_strict

    def read(self, data: bytes, cuts: Sequence[int], limit: int | None) -> tuple[Seen, Any]:
        """As `WebSocket.receive` reads: into `space()`, then `advance()`. Also the reader."""
        frames = self.frames
        reader = frames.FrameReader()
        reader.limit = limit
        view = memoryview(data)
        seen: list[tuple[int, bytes]] = []
        at = 0
        try:
            for size in cuts:
                end = at + size
                while at < end:
                    space = reader.space()
                    count = min(len(space), end - at)
                    space[:count] = view[at : at + count]
                    at += count
                    frame = reader.advance(count)
                    while frame:
                        opcode, payload = frame
                        if opcode == TEXT:
                            frames.decode_text(payload)
                        elif opcode == CLOSE:
                            frames.parse_close(payload)
                            return Seen(seen, 0, bytes(payload[:2]), len(data) - at), reader
                        seen.append((opcode, bytes(payload)))
                        frame = reader.next()
        except frames.FrameError as error:
            return Seen(seen, error.code, None, len(data) - at), reader
        return Seen(seen, 0, None, len(data) - at), reader

    def check(self, case: Input, limit: int | None) -> tuple[str | None, Answer]:
        """What is wrong, with a name that findings of one cause share; None when nothing is."""
        expected = answer(case.data, limit)
        try:
            return self._check(case, limit, expected), expected
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            return f"{type(error).__name__} in {last.name}: {last.line}", expected

    def _check(self, case: Input, limit: int | None, expected: Answer) -> str | None:
        seen, reader = self.read(case.data, case.cuts, limit)
        if seen.frames != expected.frames:
            return "other frames than sent"
        if seen.echo != expected.echo:
            return "a close frame is taken for another"
        if (seen.code or bool(expected.codes)) and seen.code not in expected.codes:
            return f"close code {seen.code}"
        if seen.code or seen.echo is not None:
            return self._check_rest(case.data, seen, reader)
        for opcode, payload in seen.frames:
            if fault := self._check_made(opcode, payload):
                return fault
        return None

    def _check_rest(self, data: bytes, seen: Seen, reader: Any) -> str | None:
        """`CloseFinder` in what follows: the same in one piece and byte by byte."""
        rest = data[len(data) - seen.left :]
        unread, _ = reader.unread()
        finder = self.frames.CloseFinder(reader)
        found = finder.found or finder.feed(rest)
        if len(rest) <= 32 and not finder.found:
            again = self.frames.CloseFinder(reader)
            if any(again.feed(rest[n : n + 1]) for n in range(len(rest))) != found:
                return "CloseFinder depends on the cut"
        # behind a whole frame, a plain walk over what is left must come to the same
        whole = seen.echo is not None or seen.code == NOT_TEXT
        if whole and found != has_close(bytes(unread) + rest):
            return "CloseFinder misses the close frame"
        return None

    def _check_made(self, opcode: int, payload: bytes) -> str | None:
        """Round trip of what the layer writes, and the decoder for MicroPython."""
        frames = self.frames
        if frames.frame_header(opcode, len(payload)) + payload != server_frame(opcode, payload):
            return "frame_header is wrong"
        if opcode == BINARY and len(payload) >= 2:
            if structured(payload) and self.not_strict(payload) == is_utf8(payload):
                return "not_strict is wrong"
            reason = payload.decode("utf-8", "ignore")
            made = frames.make_close(1000, reason)
            if len(made) > 125 or not is_utf8(made[2:]) or frames.parse_close(made)[0] != 1000:
                return "make_close is wrong"
            if not reason.startswith(made[2:].decode()):
                return "make_close changes the reason"
            key = payload[:2] * 2
            copy = bytearray(payload)
            frames.unmask(copy, key)
            if copy != masked(payload, key):
                return "unmask is wrong"
        return None


def structured(data: bytes) -> bool:
    """What MicroPython's decoder looks at: lead bytes and how many follow (py/unicode.c)."""
    more = 0
    for byte in data:
        if more:
            if byte & 0xC0 != 0x80:
                return False
            more -= 1
        elif byte >= 0x80:
            more = 1 if 0xC0 <= byte < 0xE0 else 2 if byte < 0xF0 else 3 if byte < 0xF8 else -1
            if byte < 0xC0 or more < 0:
                return False
    return not more

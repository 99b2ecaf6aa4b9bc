"""A case over a plain TCP stream as data: steps of a client, and the end that must follow.

One line in `lab/inject/tables` makes a case; `play` has the conversation over any `StreamRig`,
so the same line runs on the emulated board, on a process of this machine and on a real board.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from lab.inject.case import ANYWHERE, Case, CaseFailed
from lab.inject.wire import CLOSE, EMPTY, HEAD_END, WireError, close, take_frame, take_head

WAIT_SECONDS = 6.0  # for what must come; the server's own patience ends sooner
QUIET_SECONDS = 0.02  # in which nothing may come where nothing must
CLOSE_FRAME = re.compile(rb"\x88[\x80-\xfd]", re.DOTALL)  # masked: who sends this has closed


# --- steps ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pause:
    """Send nothing for `seconds`."""

    seconds: float


@dataclass(frozen=True)
class Trickle:
    """`data`, `size` bytes each `gap` seconds."""

    data: bytes
    size: int = 1
    gap: float = 0.002


@dataclass(frozen=True)
class Until:
    """Wait until the server has sent so many frames in all (close frames count)."""

    frames: int


@dataclass(frozen=True)
class Fin:
    """Close the client's side."""


@dataclass(frozen=True)
class Rst:
    """Reset the connection; nothing more is seen of it."""


@dataclass(frozen=True)
class On:
    """`step` on another connection: 1, 2 .. All are open, at the same stage, from the start."""

    connection: int
    step: bytes | Pause | Trickle | Until | Fin | Rst


Step = bytes | Pause | Trickle | Until | Fin | Rst | On


@dataclass(frozen=True)
class Expect:
    """What the server must do on one connection.

    status: of HTTP, None where there must be no answer; one of several where each is right.
    header: a field of the answer (lower case) and its value. body: of an answer that is no
    upgrade, when it matters. frames: what comes before its close frame. close: the code in that,
    EMPTY for none, None for no close frame. end: "fin", "rst", "ended" (either: what we still sent
    may have met a closed socket), "open" (nothing comes, the server waits for more), or "gone": we
    have reset it, and saw a part of `frames` before, or all. after: seconds between which the end
    comes, counted from when the connection was opened.
    """

    status: int | tuple[int | None, ...] | None = 101
    frames: tuple[tuple[int, bytes], ...] = ()
    close: int | None = None
    end: str = "fin"
    header: tuple[str, str] | None = None
    body: bytes | None = None
    after: tuple[float, float] | None = None


@dataclass(frozen=True)
class StreamCase:
    """`steps` on a connection, and what must come of it.

    upgraded: it begins behind the handshake, else with the first byte. answer: a close frame of
    the server is answered as it must be, and after an answer in HTTP the client closes. others: of
    the connections opened by `On`, from 1 on.
    """

    group: str
    name: str
    source: str
    steps: tuple[Step, ...]
    expect: Expect
    upgraded: bool = True
    answer: bool = True
    others: tuple[Expect, ...] = ()
    targets: tuple[str, ...] = ANYWHERE

    def case(self) -> Case:
        """For the runner."""
        where = {"upgraded": self.upgraded, "stream": self}
        return Case(
            self.group, self.name, self.source, partial(play, self), self.targets, where
        )  # fmt: skip


# --- rigs ----------------------------------------------------------------------------------------


class Stream(Protocol):
    """A TCP connection to the server, as a client sees it."""

    received: bytearray
    finished: bool
    reset: bool

    def send(self, data: bytes) -> None:
        """Queue `data`."""

    def fin(self) -> None:
        """Close our side."""

    def rst(self) -> None:
        """Reset it."""


class StreamRig(Protocol):
    """What opens streams to a target and lets its time pass."""

    def open(self, upgraded: bool) -> Stream:
        """A connection, behind the handshake or fresh. Raises CaseFailed."""

    def wait(self, predicate: Callable[[], bool], seconds: float) -> bool:
        """Until `predicate` holds; False when it does not in time."""

    def pause(self, seconds: float) -> None:
        """Let time pass."""

    @property
    def now(self) -> float:
        """Seconds on the target's clock."""

    @property
    def tardiness(self) -> float:
        """Seconds by which things may happen later than in virtual time."""

    def note(self, text: str) -> None:
        """Keep what was done, with its time."""


# --- playing -------------------------------------------------------------------------------------


class Talk:
    """One connection while a case is played: what has come on it, taken apart."""

    def __init__(self, rig: StreamRig, upgraded: bool, expect: Expect, answer: bool) -> None:
        self._rig, self._expect, self._answer = rig, expect, answer
        self.began = rig.now
        self.stream = rig.open(upgraded)
        self._data = bytearray()
        self._taken = 0  # of stream.received
        self.status: int | None = 101 if upgraded else None
        self.fields: dict[str, str] = {}
        self.frames: list[tuple[int, bytes]] = []
        self.close: int | None = None
        self.ended: float | None = None
        self.gone = False
        self._upgraded = upgraded
        self._sent = bytearray()
        self._closing = False
        self._late = False  # did it send anything to a server that may have closed?

    def do(self, step: Step) -> None:
        """One step of the client's."""
        if self.gone:
            return
        self._rig.note(_short(step))
        if isinstance(step, bytes):
            self._sends(step)
            self.stream.send(step)
        elif isinstance(step, Trickle):
            self._sends(step.data)
            for at in range(0, len(step.data), step.size):
                self.stream.send(step.data[at : at + step.size])
                self._rig.pause(step.gap)
                if self.over:
                    break
        elif isinstance(step, Pause):
            self._rig.wait(lambda: self.over, step.seconds)
        elif isinstance(step, Until):
            wanted = step.frames
            self._rig.wait(lambda: self.look() >= wanted or self.over, WAIT_SECONDS)
        elif isinstance(step, Fin):
            self.stream.fin()
        elif isinstance(step, Rst):
            self.look()
            self.stream.rst()
            self.gone = True

    def _sends(self, data: bytes) -> None:
        self._late = self._late or self._goodbye
        self._sent += data
        self._closing = self._closing or CLOSE_FRAME.search(self._sent) is not None

    @property
    def over(self) -> bool:
        """The server has ended it."""
        self.look()
        if self.ended is None and (self.stream.finished or self.stream.reset):
            self.ended = self._rig.now
        return self.ended is not None

    def look(self) -> int:
        """Take apart what has come; returns the number of frames so far, close frames too."""
        received = self.stream.received
        if len(received) > self._taken:
            self._data += received[self._taken :]
            self._taken = len(received)
            if self.status is None and (head := take_head(self._data)):
                self.status, self.fields, _ = head
            if self.status not in (None, 101) and self._answer:
                self._answered()
            while self.status == 101 and (found := take_frame(self._data)):
                self._on_frame(*found)
        return len(self.frames) + (self.close is not None)

    def _answered(self) -> None:
        """An answer in HTTP: close when it is whole, as a client does."""
        if len(self._data) >= int(self.fields.get("content-length", "0")) and not self._closing:
            self._closing = True
            self.stream.fin()

    def _on_frame(self, opcode: int, payload: bytes) -> None:
        if self.close is not None:
            raise WireError(f"a frame after the close frame: {opcode}, {payload[:40]!r}")
        if opcode != CLOSE:
            self.frames.append((opcode, payload))
            return
        if len(payload) == 1:
            raise WireError("a close frame with half a code")
        self.close = int.from_bytes(payload[:2], "big") if payload else EMPTY
        if self._answer and not self._closing and not self.stream.finished:
            self._late = self._goodbye
            self.stream.send(close(None if self.close == EMPTY else self.close))

    @property
    def _goodbye(self) -> bool:
        """Close frames have passed both ways, be ours as malformed as it may: the server waits for
        nothing more."""
        if self.close is None:
            return False
        sent = self._sent if self._upgraded else self._sent.partition(HEAD_END)[2]
        return has_close(sent)

    def settle(self) -> None:
        """Wait for what is expected."""
        expect = self._expect
        if self.gone:
            return
        if expect.end == "open":
            wanted = len(expect.frames) + (expect.close is not None)
            self._rig.wait(lambda: self.look() >= wanted or self.over, WAIT_SECONDS)
            self._rig.wait(lambda: self.look() > wanted or self.over, QUIET_SECONDS)
        else:
            self._rig.wait(lambda: self.over, WAIT_SECONDS)

    def end(self) -> str:
        """As in `Expect.end`."""
        if self.gone:
            return "gone"
        return "rst" if self.stream.reset else "fin" if self.stream.finished else "open"

    def leave(self) -> None:
        """Let go of the connection, whatever its state."""
        if self.gone or self.stream.reset:
            return
        if self.stream.finished:
            self.stream.fin()
        else:
            self.stream.rst()

    def differences(self) -> list[str]:
        """Between what had to come and what came, in words."""
        expect, found = self._expect, []

        def differs(what: str, wanted: object, got: object) -> None:
            if wanted != got:
                found.append(f"{what}: {_short(got)}, not {_short(wanted)}")

        right = expect.status if isinstance(expect.status, tuple) else (expect.status,)
        if not self._upgraded and self.status not in right:
            differs("HTTP status", expect.status, self.status)
        if self.gone:
            differs("frames", list(expect.frames[: len(self.frames)]), self.frames)
        else:
            differs("frames", list(expect.frames), self.frames)
        differs("close code", expect.close, self.close)
        end = self.end()
        # what is unread when a socket closes is answered by RST (RFC 9293, 3.10.4 and RFC 2525,
        # 2.17), and in time it was read
        late = expect.end == "fin" and self._late and self._rig.tardiness > 0
        if not ((expect.end == "ended" or late) and end in ("fin", "rst")):
            differs("end of TCP", expect.end, end)
        if expect.header:
            differs(expect.header[0], expect.header[1], self.fields.get(expect.header[0]))
        if expect.body is not None:
            differs("body", expect.body, bytes(self._data))
        elif self.status in (None, 101) and self._data:
            found.append(f"it ends with half a message: {_short(bytes(self._data))}")
        if expect.after and self.ended is not None:
            seconds = self.ended - self.began
            first, last = expect.after[0], expect.after[1] + self._rig.tardiness
            if not first <= seconds <= last:
                found.append(f"it ended after {seconds:.3f} s, not {first} to {last} s")
        return found


def has_close(sent: bytes | bytearray) -> bool:
    """Is there a frame with the opcode of a close frame in what a client sent behind its handshake,
    by RFC 6455, 5.2?"""
    at = 0
    while at + 1 < len(sent):
        if sent[at] & 15 == CLOSE:
            return True
        masked, size = sent[at + 1] >> 7, sent[at + 1] & 127
        more = {126: 2, 127: 8}.get(size, 0)
        if more:
            size = int.from_bytes(sent[at + 2 : at + 2 + more], "big")
        at += 2 + more + 4 * masked + size
    return False


def play(case: StreamCase, rig: StreamRig) -> None:
    """Have the conversation. Raises CaseFailed with every difference."""
    talks: list[Talk] = []
    try:
        for expect in (case.expect, *case.others):
            talks.append(Talk(rig, case.upgraded, expect, case.answer))
        for step in case.steps:
            if isinstance(step, On):
                talks[step.connection].do(step.step)
            else:
                talks[0].do(step)
        for talk in talks:
            talk.settle()
        problems = [
            f"connection {n}: {text}" if case.others else text
            for n, talk in enumerate(talks)
            for text in talk.differences()
        ]
    except WireError as error:
        problems = [str(error)]
    finally:
        for talk in talks:
            talk.leave()
    if problems:
        raise CaseFailed("\n".join(problems))


def _short(value: object) -> str:
    said = repr(value)
    return said if len(said) <= 300 else f"{said[:200]} .. ({len(said)} characters)"

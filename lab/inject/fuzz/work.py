"""What one worker of a campaign does: make inputs, try them, keep what reaches something new.

A worker's inputs depend on the seed, on which of how many workers it is, and on nothing else:
what it keeps is decided by the guest's virtual machine, not by time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from lab.inject.fuzz.boards import FuzzBoard
from lab.inject.fuzz.findings import Finding
from lab.inject.fuzz.framelayer import LIMITS, FrameLayer
from lab.inject.fuzz.grammar import Grammar, Input, Weights
from lab.inject.fuzz.host import HostServer
from lab.inject.fuzz.model import LIMIT, Answer, answer
from lab.inject.fuzz.rounds import Fault, Round

CORPUS_MOST = 4000  # inputs; the oldest give way
# what ends a connection costs the board as much as ten messages, a handshake more than that
WEIGHTS = Weights(fresh=0.01, mutated=0.1, lies=0.05, cut=0.02, frames=4)
ROUND_MOST = 16  # inputs on one connection
ROUND_BYTES = 4000
HEAP_EVERY = 50  # rounds
SOAK_EVERY = 400  # rounds
SOAK = 14  # connections; lwIP on the ESP32 has ten sockets
TRIES = 80  # to make a finding smaller


class Worker(Protocol):
    """Tries inputs, a few with each step."""

    kept: list[Input]
    rounds: int

    def step(self) -> tuple[int, list[Finding]]:
        """How many were tried, and what they have shown."""

    def close(self) -> None:
        """Let go of what it has."""

    @property
    def reached(self) -> int:
        """How much was reached: places in guest code, or kinds of input."""


class Corpus:
    """What has reached something new."""

    def __init__(self) -> None:
        self.kept: list[Input] = []
        self.count = 0

    def keep(self, case: Input) -> None:
        """The oldest gives way when there are too many."""
        if len(self.kept) < CORPUS_MOST:
            self.kept.append(case)
        else:
            self.kept[self.count % CORPUS_MOST] = case
        self.count += 1


class FrameWorker:
    """The frame layer on CPython. New is a combination of what came last, how it ended, and how it
    was cut: the layer's states and edges."""

    BATCH = 500

    def __init__(self, seed: int, job: int, jobs: int, frames: Any = None) -> None:
        self.grammar = Grammar(seed)
        self.layer = FrameLayer(frames)
        self.corpus = Corpus()
        self.seed, self.rounds = seed, 0
        self._next, self._jobs = job, jobs
        self._seen: set[Any] = set()

    @property
    def kept(self) -> list[Input]:
        return self.corpus.kept

    @property
    def reached(self) -> int:
        return len(self._seen)

    def step(self) -> tuple[int, list[Finding]]:
        found = []
        for _ in range(self.BATCH):
            index = self._next
            self._next += self._jobs
            case = self.grammar.make(index, self.corpus.kept)
            limit = LIMITS[index // 7 % len(LIMITS)] if index & 1 else LIMIT
            fault, expected = self.layer.check(case, limit)
            if fault:
                found.append(Finding("frames", fault, fault, self.seed, index, [case], limit=limit))
            sign = signature(case, expected)
            if sign not in self._seen:
                self._seen.add(sign)
                self.corpus.keep(case)
        return self.BATCH, found

    def close(self) -> None:
        pass


def signature(case: Input, expected: Answer) -> tuple[Any, ...]:
    """What inputs of one sort share."""
    last = [(opcode, len(data).bit_length()) for opcode, data in expected.frames[-1:]]
    before = [opcode for opcode, _ in expected.frames[-2:-1]]
    rest = (len(case.data) - expected.end).bit_length()
    return (
        *last,
        *before,
        expected.codes,
        expected.echo is None,
        min(rest, 5),
        min(len(case.cuts), 3),
    )


class BoardWorker:
    """A board. New is code of the guest's that was not reached before, or (MicroPython's bytecode
    is data to the chip) a kind of round as in `FrameWorker`. The bytes of a round that reaches
    something new are kept as one input."""

    def __init__(self, seed: int, job: int, jobs: int, flash: bytes | None = None) -> None:
        self.board = FuzzBoard(flash)
        self.host = HostServer()
        self.grammar = Grammar(seed, WEIGHTS)
        self.corpus = Corpus()
        self.seed, self.rounds = seed, 0
        self._indices = iter(range(job, 1 << 62, jobs))
        self._causes: set[str] = set()
        self._last: deque[Input] = deque(maxlen=SOAK)
        self._seen: set[Any] = set()

    @property
    def kept(self) -> list[Input]:
        return self.corpus.kept

    @property
    def reached(self) -> int:
        return self.board.chip.coverage

    def step(self) -> tuple[int, list[Finding]]:
        """One round."""
        round_, index = self._make()
        before = self.reached
        self.rounds += 1
        fault = self._play(round_, self.rounds % HEAP_EVERY == 0)
        whole = joined(round_)
        sign = signature(whole, answer(whole.data, LIMIT)), whole.base, whole.end
        if self.reached > before or sign not in self._seen:
            self._seen.add(sign)
            self.corpus.keep(whole)
        found = [self._finding(round_, fault, index)] if fault else []
        if whole.base == "open":
            self._last.append(whole)
        if self.rounds % SOAK_EVERY == 0:
            found += self._soak(index)
        return len(round_.inputs), found

    def _soak(self, index: int) -> list[Finding]:
        """The last rounds once more, without a restore between them."""
        inputs = list(self._last)
        fault = self.board.soak(inputs)
        if not fault:
            return []
        return [
            Finding("soak", f"{fault.kind} {fault.key}", fault.detail, self.seed, index, inputs,
                    self.board.key, LIMIT, fault.backtrace, fault.console)
        ]  # fmt: skip

    def _make(self) -> tuple[Round, int]:
        """Inputs up to one that ends the connection; also the index of the last."""
        index = next(self._indices)
        case = self.grammar.make(index, self.corpus.kept)
        inputs, rest = [case], case.data
        while case.base == "open" and len(inputs) < ROUND_MOST and len(rest) < ROUND_BYTES:
            expected = answer(rest, LIMIT)
            rest = rest[expected.end :]
            if expected.codes or expected.echo is not None or rest:
                break
            index = next(self._indices)
            more = self.grammar.make(index, self.corpus.kept)
            if more.base == "fresh":
                continue
            case = more
            inputs.append(case)
            rest = case.data
        return Round(tuple(inputs)), index

    def _play(self, round_: Round, heap: bool = False) -> Fault | None:
        host = self.host.answer(round_.data) if round_.last.base == "fresh" else None
        return self.board.play(round_, host, heap)

    def _finding(self, round_: Round, fault: Fault, index: int) -> Finding:
        """The first of a cause is made smaller: inputs that it does not take are left out."""
        cause = f"{fault.kind} {fault.key}"
        if cause not in self._causes:
            self._causes.add(cause)
            round_, fault = smaller(round_, fault, lambda r: self._play(r, fault.kind == "heap"))
        return Finding(
            fault.kind, fault.key, fault.detail, self.seed, index, list(round_.inputs),
            self.board.key, LIMIT, fault.backtrace, fault.console, fault.answer,
        )  # fmt: skip

    def close(self) -> None:
        self.board.close()
        self.host.close()


def joined(round_: Round) -> Input:
    """A round as one input."""
    last = round_.last
    cuts = tuple(size for case in round_.inputs for size in case.cuts)
    return Input(round_.data, cuts, last.paced, last.end, last.base)


def smaller(
    round_: Round, fault: Fault, play: Callable[[Round], Fault | None], tries: int = TRIES
) -> tuple[Round, Fault]:
    """Without the inputs, and then the bytes, that the same fault does not need; `tries` rounds
    are played for it at most."""
    for candidate in candidates(round_):
        if not tries:
            break
        tries -= 1
        seen = play(candidate)
        if seen and (seen.kind, seen.key) == (fault.kind, fault.key):
            return smaller(candidate, seen, play, tries)
    return round_, fault


def candidates(round_: Round) -> Iterator[Round]:
    """Each a step smaller."""
    inputs = round_.inputs
    if len(inputs) > 1:
        for n in range(len(inputs)):
            yield Round(inputs[:n] + inputs[n + 1 :])
        return
    case = round_.last
    if case.cuts and case.cuts != (len(case.data),) and len(case.data) < 1400:
        yield Round((Input(case.data, (len(case.data),), False, case.end, case.base),))
    for size in (256, 64, 16, 4, 1):
        for at in range(0, len(case.data), size) if size <= len(case.data) < 40 * size else ():
            data = case.data[:at] + case.data[at + size :]
            yield Round((Input(data, (len(data),), False, case.end, case.base),))

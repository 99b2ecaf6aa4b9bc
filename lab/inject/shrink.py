"""The smallest script that still does it: delta debugging (Zeller and Hildebrandt, "Simplifying
and Isolating Failure-Inducing Input", 2002) over the steps of a stream case, then their bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from lab import LabError
from lab.inject.failure import FindCase, load, write_script
from lab.inject.layers import KeptRig
from lab.inject.outcome import Outcome
from lab.inject.stream import Expect, On, Step, StreamCase, Trickle

SHRUNK = "shrunk.json"
T = TypeVar("T")


def verdict(outcome: Outcome) -> frozenset[str]:
    """What counts as the same failure: what was done to the board, without the numbers in it;
    where the board is whole, what was wrong with the conversation."""
    lines = outcome.harm or outcome.problems
    return frozenset(re.sub(r"\d+", "#", line) for line in lines)


def smallest(items: Sequence[T], fails: Callable[[list[T]], bool]) -> list[T]:
    """A part of `items`, in order, that `fails` and no longer does with any one item less."""
    kept, size = list(items), max(1, len(items) // 2)
    while kept:
        at, progress = 0, False
        while at < len(kept):
            less = kept[:at] + kept[at + size :]
            if fails(less):
                kept, progress = less, True
            else:
                at += size
        if size > 1:
            size //= 2
        elif not progress:
            break
    return kept


@dataclass
class Shrinker:
    """Tries smaller scripts on one board. tried: how many were played."""

    rig: KeptRig
    case: StreamCase
    wanted: frozenset[str]
    tried: int = 0

    def fails(self, steps: Sequence[Step]) -> bool:
        """Does the same happen with these steps?"""
        self.tried += 1
        return verdict(self.rig.run(self._with(steps).case())) == self.wanted

    def _with(self, steps: Sequence[Step]) -> StreamCase:
        return replace(self.case, steps=tuple(steps))

    def run(self) -> StreamCase:
        """The smallest case."""
        steps = smallest(self._plain(list(self.case.steps)), self.fails)
        for at in range(len(steps)):
            steps = self._with_less(steps, at)
        return self._with([step for step in steps if step != b""])

    def _with_less(self, steps: list[Step], at: int) -> list[Step]:
        """With the fewest bytes in step `at`, if it is one that sends."""
        step = steps[at]
        inner = step.step if isinstance(step, On) else step
        if not isinstance(inner, bytes):
            return steps

        def replaced(data: list[int]) -> list[Step]:
            new = On(step.connection, bytes(data)) if isinstance(step, On) else bytes(data)
            return [*steps[:at], new, *steps[at + 1 :]]

        return replaced(smallest(list(inner), lambda data: self.fails(replaced(data))))

    def _plain(self, steps: list[Step]) -> list[Step]:
        """Trickles as single sends, where that changes nothing."""
        for at, step in enumerate(steps):
            if isinstance(step, Trickle):
                plain = [*steps[:at], step.data, *steps[at + 1 :]]
                if self.fails(plain):
                    steps = plain
        return steps


def size_of(case: StreamCase) -> tuple[int, int]:
    """Steps, and bytes that are sent."""
    steps = [step.step if isinstance(step, On) else step for step in case.steps]
    data = [s.data if isinstance(s, Trickle) else s for s in steps]
    return len(steps), sum(len(d) for d in data if isinstance(d, bytes))


def shrink(path: Path, find_case: FindCase, say: Callable[[str], None]) -> Path:
    """Make the failure in `path` minimal, as `shrunk.json` beside it, which can be replayed.

    Raises LabError when it is no stream case, or does not happen any more."""
    failure = load(path, find_case)
    case = failure.case.parameters.get("stream")
    if not isinstance(case, StreamCase):
        raise LabError(f"{failure.case.id} is no stream case; only those can be made smaller")
    with closing(failure.rig()) as rig:
        seen = rig.run(failure.case)
        if verdict(seen) != verdict(failure.seen):
            raise LabError(f"{failure.case.id} does not fail as it did: {seen.why or 'it passes'}")
        if seen.harm:  # what the server says is of no account: do not wait for it
            free = Expect(end="open")
            case = replace(case, expect=free, others=(free,) * len(case.others))
        shrinker = Shrinker(rig, case, verdict(seen))
        small = shrinker.run()
        outcome = rig.run(small.case())
        target = failure.path.with_name(SHRUNK)
        write_script(target, small.case(), rig, outcome)
    before, after = size_of(case), size_of(small)
    say(f"{before[0]} steps and {before[1]} bytes are now {after[0]} and {after[1]}, "
        f"after {shrinker.tried} runs")  # fmt: skip
    for step in small.steps:
        say(f"  {step!r}"[:200])
    say(f"with the same verdict: {outcome.why.splitlines()[0]}")
    say(f"{target}")
    return target

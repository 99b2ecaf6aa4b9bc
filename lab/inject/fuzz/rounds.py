"""What is done to a board at a time, and what may come of it."""

from __future__ import annotations

from dataclasses import dataclass

from lab.inject.fuzz.grammar import Input


@dataclass(frozen=True)
class Fault:
    """Something that must not be; see `Finding`."""

    kind: str
    key: str
    detail: str
    backtrace: str = ""
    console: str = ""
    answer: str = ""


@dataclass(frozen=True)
class Round:
    """Inputs on one connection, one behind the other; only the last may end it."""

    inputs: tuple[Input, ...]

    @property
    def data(self) -> bytes:
        return b"".join(case.data for case in self.inputs)

    @property
    def last(self) -> Input:
        return self.inputs[-1]

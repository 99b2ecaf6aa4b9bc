"""A finding once more: the same inputs from the same snapshot."""

from __future__ import annotations

from typing import Any, NamedTuple

from lab.inject.fuzz.boards import FuzzBoard
from lab.inject.fuzz.findings import Finding
from lab.inject.fuzz.framelayer import FrameLayer
from lab.inject.fuzz.host import HostServer
from lab.inject.fuzz.rounds import Round


class Seen(NamedTuple):
    """same: it shows the same cause again. text: for a person."""

    same: bool
    text: str


def play(finding: Finding, flash: bytes | None = None, frames: Any = None) -> Seen:
    """flash, frames: what to play it on, ours when None. Raises LabError."""
    if not finding.snapshot:
        fault, _ = FrameLayer(frames).check(finding.inputs[0], finding.limit)
        same = fault == finding.key
        return Seen(same, f"{'again' if same else 'not again'}: {fault or 'all is well'}")
    board, host = FuzzBoard(flash), HostServer()
    try:
        round_ = Round(tuple(finding.inputs))
        if finding.kind == "soak":
            fault_ = board.soak(finding.inputs)
        else:
            expected = host.answer(round_.data) if round_.last.base == "fresh" else None
            fault_ = board.play(round_, expected, finding.kind == "heap")
        other = "" if board.key == finding.snapshot else " (on another snapshot)"
    finally:
        board.close()
        host.close()
    if not fault_:
        return Seen(False, f"not again: all is well{other}")
    cause = f"{fault_.kind} {fault_.key}"
    same = cause == (finding.key if finding.kind == "soak" else finding.cause)
    words = f"{'again' if same else 'something else'}{other}: {fault_.kind}: {fault_.detail}"
    if fault_.backtrace:
        words += f"\nbacktrace: {fault_.backtrace}"
    return Seen(same, f"{words}\n{fault_.console}".rstrip())

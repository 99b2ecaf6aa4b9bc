"""Figures of the fuzzer for `make bench`."""

from __future__ import annotations

import time
from collections.abc import Callable

from lab.inject.fuzz.work import BoardWorker, FrameWorker

PARTS = 5
Show = Callable[[str, list[float], str, str], None]


def bench_fuzz(show: Show, board_rounds: int = 100, frame_steps: int = 8) -> None:
    """Inputs a second of one process, by its processor time: `show` as in `lab.bench`."""
    frames = FrameWorker(seed=1, job=0, jobs=1)
    rates = [_rate(frames, frame_steps)[0] for _ in range(PARTS)]
    frames.close()
    show("fuzz, frame layer", rates, "1/s", "inputs made and checked, CPython, processor time")
    board = BoardWorker(seed=1, job=0, jobs=1)
    both = [_rate(board, board_rounds) for _ in range(PARTS)]
    board.close()
    show("fuzz, board", [b[0] for b in both], "1/s", "inputs, each answer checked, processor time")
    show("fuzz, connections", [b[1] for b in both], "1/s", "restore, inject, observe, probe")


def _rate(worker: BoardWorker | FrameWorker, steps: int) -> tuple[float, float]:
    """Inputs and rounds a second."""
    start = time.process_time()
    inputs = sum(worker.step()[0] for _ in range(steps))
    seconds = time.process_time() - start
    return inputs / seconds, steps / seconds

"""Cases against targets in several processes, each with its own board."""

from __future__ import annotations

import contextlib
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Any

from lab import LabError
from lab.inject import failure
from lab.inject.case import Case
from lab.inject.outcome import Outcome, Rig
from lab.interrupt import signals

END_SECONDS = 10.0  # for a worker to end its case
OUT_OF_TIME = "the budget was used up"

Opener = Callable[[int], Rig]


@dataclass(frozen=True)
class Task:
    """One case on one target."""

    case: Case
    target: str


@dataclass(frozen=True)
class Done:
    """How a task went. kept: the folder of a failure that can be played again. skipped: why it
    was not run at all."""

    number: int
    outcome: Outcome
    seconds: float = 0.0
    kept: str = ""
    skipped: str = ""


class Worker:
    """Runs tasks with rigs that it opens when they are first wanted."""

    def __init__(
        self, openers: dict[str, Opener], seed: int, failures: Path, until: float | None
    ) -> None:
        self._openers, self._seed, self._failures, self._until = openers, seed, failures, until
        self._rigs: dict[str, Rig] = {}
        self._broken: dict[str, str] = {}  # targets that can't be opened, and why

    def run(self, number: int, task: Task) -> Done:
        """Raises nothing for what goes wrong with the target."""
        if self._until is not None and time.monotonic() >= self._until:
            return Done(number, Outcome(), skipped=OUT_OF_TIME)
        start = time.perf_counter()
        try:
            rig = self._rig(task.target)
        except LabError as error:
            return Done(number, Outcome(), skipped=str(error))
        kept = ""
        try:
            outcome = rig.run(task.case)
            keeper = rig.keeper(task.case) if outcome.why else None
            if keeper:
                kept = str(failure.save(keeper, task.case, outcome, self._failures))
            elif outcome.harm:
                self._drop(task.target)  # the next case gets a target that is whole
        except Exception as error:  # a rig that breaks must not take the other cases with it
            outcome = Outcome([f"the rig broke: {type(error).__name__}: {error}"])
            self._drop(task.target)
        return Done(number, outcome, time.perf_counter() - start, kept)

    def _rig(self, target: str) -> Rig:
        if target in self._broken:
            raise LabError(self._broken[target])
        if target not in self._rigs:
            try:
                self._rigs[target] = self._openers[target](self._seed)
            except (LabError, OSError) as error:
                self._broken[target] = f"{target} can't be opened: {error}"
                raise LabError(self._broken[target]) from None
        return self._rigs[target]

    def _drop(self, target: str) -> None:
        rig = self._rigs.pop(target, None)
        if rig:
            with contextlib.suppress(LabError, OSError):
                rig.close()

    def close(self) -> None:
        """Let go of all targets."""
        for target in list(self._rigs):
            self._drop(target)


def _serve(worker: Worker, tasks: Sequence[Task], ticket: Any, out: Connection) -> None:
    """A worker process: the next task as long as there is one."""
    try:
        while signals.number is None:
            with ticket.get_lock():
                number = ticket.value
                ticket.value += 1
            if number >= len(tasks):
                break
            out.send(worker.run(number, tasks[number]))
    except (BrokenPipeError, ConnectionError):
        pass  # nobody listens any more
    finally:
        worker.close()
        out.close()


def run(worker: Worker, tasks: Sequence[Task], jobs: int) -> Iterator[Done]:
    """Each task's result, in any order. jobs: processes; 1: in this one.

    Raises Interrupted when a signal comes, LabError when a process dies. The processes have ended
    when it is left."""
    if jobs <= 1:
        try:
            for number, task in enumerate(tasks):
                signals.check()
                yield worker.run(number, task)
        finally:
            worker.close()
        return
    context = multiprocessing.get_context("fork")
    ticket = context.Value("i", 0)
    processes: list[ForkProcess] = []
    pipes: list[Connection] = []
    try:
        for _ in range(jobs):
            reading, writing = context.Pipe(False)
            process = context.Process(
                target=_serve, args=(worker, tasks, ticket, writing), daemon=True
            )
            process.start()
            writing.close()
            processes.append(process)
            pipes.append(reading)
        yield from _collect(pipes, len(tasks))
    finally:
        _end(processes, pipes)


def _collect(pipes: list[Connection], wanted: int) -> Iterator[Done]:
    waiting, count = list(pipes), 0
    while waiting:
        for pipe in signals.select(waiting):
            try:
                done = pipe.recv()
            except EOFError:
                waiting.remove(pipe)
                continue
            count += 1
            yield done
    if count < wanted:
        raise LabError(f"a worker ended before its time: {wanted - count} cases have no result")


def _end(processes: list[ForkProcess], pipes: list[Connection]) -> None:
    for pipe in pipes:
        pipe.close()
    for process in processes:
        if process.is_alive():
            process.terminate()
    for process in processes:
        process.join(END_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()

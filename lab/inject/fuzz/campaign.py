"""A campaign: workers side by side, a line of progress now and then, a report at the end."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from lab import LabError
from lab.cache import cache_folder, write_whole
from lab.inject.fuzz.findings import Findings
from lab.interrupt import NUMBERS, Interrupted, signals

TELL_SECONDS = 1.0  # between two messages of a worker
SHOW_SECONDS = 5.0  # between two lines of progress
BUDGET = re.compile(r"(\d+)(s?)")


@dataclass(frozen=True)
class Budget:
    """Inputs, or seconds of the wall clock."""

    inputs: int | None
    seconds: float | None

    @classmethod
    def parse(cls, text: str) -> Budget:
        """ "100s" or "1000000". Raises LabError."""
        match = BUDGET.fullmatch(text.replace("_", ""))
        if not match or not int(match[1]):
            raise LabError(f"a budget is a number of inputs, or seconds as in 100s, not {text!r}")
        return cls(None, float(match[1])) if match[2] else cls(int(match[1]), None)


@dataclass
class Progress:
    """Of one worker."""

    inputs: int = 0
    rounds: int = 0
    kept: int = 0
    reached: int = 0


@dataclass
class Result:
    """What a campaign came to."""

    what: str
    seed: int
    jobs: int
    seconds: float = 0.0
    workers: list[Progress] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)
    problems: list[str] = field(default_factory=list)

    def total(self, name: str) -> int:
        """Over all workers."""
        return sum(getattr(worker, name) for worker in self.workers)

    @property
    def line(self) -> str:
        """The last line of a campaign."""
        found = len(self.findings.by_cause)
        return f"{self.total('inputs')} inputs, {self.total('kept')} kept, {found} findings"

    def to_json(self) -> dict[str, Any]:
        """The report."""
        inputs = self.total("inputs")
        return {
            "campaign": self.what, "seed": self.seed, "jobs": self.jobs,
            "inputs": inputs, "rounds": self.total("rounds"), "kept": self.total("kept"),
            "reached": max([w.reached for w in self.workers] or [0]),
            "seconds": round(self.seconds, 1),
            "inputs_per_second": round(inputs / self.seconds, 1) if self.seconds else 0,
            "findings": [f.to_json() for f in self.findings.by_cause.values()],
            "problems": self.problems,
        }  # fmt: skip


def make_worker(what: str, seed: int, job: int, jobs: int) -> Any:
    """A `lab.inject.fuzz.work.Worker`."""
    from lab.inject.fuzz.work import BoardWorker, FrameWorker

    return (BoardWorker if what == "board" else FrameWorker)(seed, job, jobs)


def run(what: str, seed: int, budget: Budget, jobs: int, say: Callable[[str], None]) -> Result:
    """`what`: "board" or "frames". A signal ends it early, with what there is by then; the
    caller then finds `signals.number` set. Raises LabError when no worker can work."""
    result = Result(what, seed, jobs, workers=[Progress() for _ in range(jobs)])
    context = multiprocessing.get_context("spawn")
    pipes: dict[Connection, int] = {}
    processes = []
    start = time.monotonic()
    for job in range(jobs):
        ours, theirs = context.Pipe()
        inputs = budget.inputs and (budget.inputs + jobs - 1 - job) // jobs
        process = context.Process(
            target=work, args=(theirs, what, seed, job, jobs, inputs, budget.seconds), daemon=True
        )
        process.start()
        theirs.close()
        pipes[ours] = job
        processes.append(process)
    try:
        _listen(result, pipes, start, say)
    except Interrupted:
        for pipe in pipes:
            _tell_to_stop(pipe)
        _collect(result, pipes, time.monotonic() + 20)
    finally:
        for job, process in enumerate(processes):
            process.join(5)
            if process.is_alive():
                process.terminate()
                process.join()
            elif process.exitcode:  # the chip is C: a fault in it takes the process along
                done = result.workers[job].inputs
                result.problems.append(
                    f"worker {job} of {jobs} died ({process.exitcode}) after {done} inputs or a "
                    f"few more; seed {seed} with {jobs} jobs does it again"
                )
    result.seconds = time.monotonic() - start
    return result


def _tell_to_stop(pipe: Connection) -> None:
    try:
        pipe.send("stop")
    except OSError:
        pass  # it has ended by itself


def _listen(
    result: Result, pipes: dict[Connection, int], start: float, say: Callable[[str], None]
) -> None:
    shown = start
    while pipes:
        for pipe in signals.select(list(pipes), 1.0):
            _take(result, pipes, pipe)
        if time.monotonic() - shown >= SHOW_SECONDS:
            shown = time.monotonic()
            rate = result.total("inputs") / (shown - start)
            reached = max(w.reached for w in result.workers)
            say(f"{shown - start:.0f} s: {result.line}, {rate:.0f} inputs/s, {reached} reached")


def _collect(result: Result, pipes: dict[Connection, int], deadline: float) -> None:
    """What is still on its way from workers that have been told to stop."""
    from multiprocessing.connection import wait

    while pipes and time.monotonic() < deadline:
        for pipe in wait(list(pipes), 0.5):
            _take(result, pipes, pipe)  # type: ignore[arg-type]


def _take(result: Result, pipes: dict[Connection, int], pipe: Connection) -> None:
    try:
        progress, found, problem = pipe.recv()
    except (EOFError, OSError):
        del pipes[pipe]
        return
    result.workers[pipes[pipe]] = progress
    for finding in found:
        result.findings.add(finding)
    if problem:
        result.problems.append(problem)


# --- in a worker's process ------------------------------------------------------------------------


def work(
    pipe: Connection, what: str, seed: int, job: int, jobs: int, inputs: int | None,
    seconds: float | None,
) -> None:  # fmt: skip
    """Until the budget is used up, or the other end says stop or is gone."""
    for number in NUMBERS:
        signal.signal(number, signal.SIG_DFL if number == signal.SIGTERM else signal.SIG_IGN)
    progress, pending = Progress(), Findings()
    problem = ""
    worker = None
    try:
        worker = make_worker(what, seed, job, jobs)
        start = told = time.monotonic()
        while inputs is None or progress.inputs < inputs:
            count, found = worker.step()
            progress.inputs += count
            for finding in found:
                pending.add(finding)
            now = time.monotonic()
            if now - told >= TELL_SECONDS:
                told = now
                _update(progress, worker)
                pipe.send((progress, list(pending.by_cause.values()), ""))
                pending = Findings()
                if pipe.poll():
                    break
            if seconds is not None and now - start >= seconds:
                break
    except (BrokenPipeError, EOFError, ConnectionError):
        return  # nobody listens any more
    except Exception as error:
        problem = f"worker {job}: {type(error).__name__}: {error}"
    try:
        if worker:
            _update(progress, worker)
            _keep(worker.kept, what, seed, job)
            worker.close()
        pipe.send((progress, list(pending.by_cause.values()), problem))
    except (LabError, OSError):
        pass
    pipe.close()


def _update(progress: Progress, worker: Any) -> None:
    progress.rounds, progress.kept = worker.rounds, worker.corpus.count
    progress.reached = worker.reached


def _keep(kept: list[Any], what: str, seed: int, job: int) -> None:
    """The corpus, to look at."""
    lines = [json.dumps(case.to_json()) for case in kept]
    path = cache_folder("fuzz") / f"{what}-{seed}-{job}.jsonl"
    write_whole(path, ("\n".join(lines) + "\n").encode())


def report(result: Result, folder: Path) -> Path:
    """`campaign.json` and a file for each finding. Raises LabError."""
    paths = result.findings.save(folder)
    path = folder / "campaign.json"
    fields = {**result.to_json(), "files": [p.name for p in paths], "processors": os.cpu_count()}
    try:
        path.write_text(json.dumps(fields, indent=1) + "\n")
    except OSError as error:
        raise LabError(f"{path} can't be written: {error.strerror}") from None
    return path

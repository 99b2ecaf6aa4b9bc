"""`lab inject`: cases against targets, their progress, and the report."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab import LabError, matrix
from lab.boardfile import load
from lab.inject.boards import serving
from lab.inject.case import Case
from lab.inject.layers import Layers, RenodeLayers
from lab.inject.physical import open_board
from lab.inject.socket_rig import SocketRig, open_cpython, open_unix
from lab.inject.workers import Done, Opener, Task, Worker, run
from lab.targets import EMULATED
from lab.targets.port import open_port

RESULTS = Path("results", "inject")
FAILURES = "failures"
TARGETS: dict[str, Opener] = {
    "embedded": Layers,
    "renode": RenodeLayers,
    "unix": open_unix,
    "cpython": open_cpython,
    "board": open_board,
}
FAILED_MOST = 20  # of them shown on the terminal; the report has all


def opener(target: str) -> Opener:
    """By name, or as HOST:PORT of a server that is there. Raises LabError."""
    if target == "board":
        open_port(load().port).close()  # who asks for a board wants more than all cases skipped
    if target in TARGETS:
        return TARGETS[target]
    host, _, port = target.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise LabError(f"no target {target!r}: {', '.join(TARGETS)} or HOST:PORT")
    return lambda seed: SocketRig((host, int(port)))


def tasks_for(cases: list[Case], targets: list[str]) -> list[Task]:
    """Target by target; a server at an address counts as a board."""
    return [
        Task(case, target)
        for target in targets
        for case in cases
        if (target if target in TARGETS else "board") in case.targets
    ]


def result_of(task: Task, done: Done, folder: Path) -> matrix.Result:
    """For the report; links lead to what was kept of a failure."""
    links: tuple[tuple[str, str], ...] = ()
    if done.kept:
        where = os.path.relpath(done.kept, folder)
        names = (
            ("capture", "capture.pcapng"),
            ("replay", "replay.json"),
            ("console", "console.txt"),
        )
        links = tuple((name, f"{where}/{file}") for name, file in names)
    verdict = "skipped" if done.skipped else "failed" if done.outcome.why else "passed"
    why = done.skipped or done.outcome.why
    seconds = round(done.seconds, 4)
    return matrix.Result(
        task.case.group, task.case.name, task.target, verdict, why, seconds, links
    )  # fmt: skip


@contextmanager
def progress(total: int) -> Iterator[Any]:
    """A function to be called after each case with the number of failures so far: a bar on a
    terminal, else nothing."""
    if not sys.stdout.isatty():
        yield lambda failed: None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("injecting"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[failed]} failed"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, transient=True) as bar:
        task = bar.add_task("injecting", total=total, failed=0)
        yield lambda failed: bar.update(task, advance=1, failed=failed)


def inject(
    cases: list[Case],
    targets: list[str],
    seed: int = 1,
    budget: float | None = None,
    jobs: int | None = None,
    folder: Path = RESULTS,
) -> list[matrix.Result]:
    """Run `cases` on `targets`; the report is in `folder` afterwards.

    budget: seconds, after which no case is begun. jobs: processes (default: one a core). Raises
    LabError, Interrupted."""
    openers = {target: opener(target) for target in targets}
    tasks = tasks_for(cases, targets)
    if not tasks:
        raise LabError(f"none of these cases runs on {', '.join(targets)}")
    if set(targets) & set(EMULATED):
        serving(seed)  # boot once, not in each process
    until = None if budget is None else time.monotonic() + budget
    worker = Worker(openers, seed, folder / FAILURES, until)
    jobs = 1 if "board" in targets else min(jobs or os.cpu_count() or 1, len(tasks))
    results: list[matrix.Result | None] = [None] * len(tasks)
    failed = 0
    with progress(len(tasks)) as step:
        for done in run(worker, tasks, jobs):
            result = result_of(tasks[done.number], done, folder)
            results[done.number] = result
            failed += result.outcome == "failed"
            step(failed)
    found = [r for r in results if r]
    matrix.write(
        found, tuple(targets), folder, "Injection", caption="{}", verbs=("hold", "fail")
    )  # fmt: skip
    return found


def say_results(results: list[matrix.Result], seconds: float) -> None:
    """Counts by class, the failures, and the last line that scripts read."""
    groups: dict[str, Counter[str]] = {}
    for r in results:
        groups.setdefault(r.section, Counter())[r.outcome] += 1
    for group in sorted(groups):
        count = groups[group]
        more = "".join(f", {count[k]} {k}" for k in ("failed", "skipped") if count[k])
        print(f"{group:24} {count.total():5} cases, {count['passed']} passed{more}")
    bad = [r for r in results if r.outcome == "failed"]
    for r in bad[:FAILED_MOST]:
        print(f"FAILED {r.target} {r.section}/{r.case}: {r.why.splitlines()[0][:200]}")
    if len(bad) > FAILED_MOST:
        print(f"and {len(bad) - FAILED_MOST} more")
    for why, times in Counter(r.why for r in results if r.outcome == "skipped").items():
        print(f"skipped {times}: {why}")
    total = Counter(r.outcome for r in results)
    print(f"{seconds:.1f} s, {len(results) / seconds:.0f} cases/s")
    print(
        f"{len(results)} cases, {total['passed']} passed, {total['failed']} failed, "
        f"{total['skipped']} skipped",
        flush=True,
    )

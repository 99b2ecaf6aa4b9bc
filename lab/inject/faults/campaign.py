"""Many faults, one after the other, and what became of the board, by group and class.

python -m lab.inject.faults.campaign --seed 1 --json results/faults.json power=2000 ram=3000
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lab import LabError
from lab.board import BoardError
from lab.inject.case import Case, CaseFailed
from lab.inject.faults import FAMILIES
from lab.inject.faults.outcome import Kind
from lab.inject.faults.rig import Rig

FAILED = "failed"


@dataclass(frozen=True)
class Result:
    """Of one case. kind: an outcome's, or FAILED when what must hold did not."""

    id: str
    group: str
    kind: str
    evidence: str
    parameters: dict[str, Any] = field(default_factory=dict)


def play(rig: Rig, case: Case) -> Result:
    """Never raises for what a case finds."""
    rig.outcome = None
    try:
        case.play(rig)
    except (CaseFailed, BoardError) as error:
        return Result(case.id, case.group, FAILED, str(error), case.parameters)
    except LabError as error:  # a client that gave up where the case should have judged
        evidence = f"{type(error).__name__}: {error}"
        return Result(case.id, case.group, FAILED, evidence, case.parameters)
    outcome = rig.outcome
    if outcome is None:
        return Result(case.id, case.group, FAILED, "the case says nothing", case.parameters)
    return Result(case.id, case.group, outcome.kind.value, outcome.evidence, case.parameters)


def run(cases: Iterable[Case], heard: Callable[[Result], None] | None = None) -> list[Result]:
    """Play `cases` on boards of this process; `heard` gets each result as it comes."""
    results = []
    with Rig() as rig:
        for case in cases:
            results.append(result := play(rig, case))
            if heard:
                heard(result)
    return results


def table(results: list[Result]) -> str:
    """Counts of outcomes, a line for each group."""
    counts = Counter((r.group, r.kind) for r in results)
    groups = list(dict.fromkeys(r.group for r in results))
    kinds = [k for k in (*(kind.value for kind in Kind), FAILED) if any(c[1] == k for c in counts)]
    rows = [["", *kinds], *([g, *(str(counts[g, k] or "") for k in kinds)] for g in groups)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(kinds) + 1)]
    return "\n".join(
        row[0].ljust(widths[0])
        + "".join("  " + cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in rows
    )


def main(arguments: list[str]) -> int:
    """Exit status 1 when a case failed."""
    parser = argparse.ArgumentParser(description="Faults on the emulated board, by the thousand.")
    parser.add_argument("families", nargs="+", metavar="FAMILY=COUNT", help=", ".join(FAMILIES))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write every result there, a line each")
    options = parser.parse_args(arguments)
    cases: list[Case] = []
    for family in options.families:
        name, _, count = family.partition("=")
        if name not in FAMILIES or not count.isdecimal():
            parser.error(f"{family}: a family of {', '.join(FAMILIES)}, and how many: power=100")
        cases += FAMILIES[name](options.seed, int(count))
    start, done = time.monotonic(), 0
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text("")

    def heard(result: Result) -> None:
        nonlocal done
        done += 1
        if options.json:
            with options.json.open("a") as file:
                file.write(json.dumps(asdict(result)) + "\n")
        print(f"\r{done}/{len(cases)} {result.id:60.60}", end="", file=sys.stderr, flush=True)

    results = run(cases, heard)
    print(file=sys.stderr)
    print(table(results))
    for result in results:
        if result.kind == FAILED:
            print(f"\n{result.id} {result.parameters}\n{result.evidence}")
    failed = sum(r.kind == FAILED for r in results)
    print(f"{len(results)} cases, {len(results) - failed} passed, {failed} failed, 0 skipped "
          f"in {time.monotonic() - start:.0f} s")  # fmt: skip
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

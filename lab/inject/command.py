"""The command line of `lab inject`."""

from __future__ import annotations

import argparse
import time
from functools import partial

from lab import LabError
from lab.inject import catalog, failure
from lab.inject.case import Case
from lab.inject.run import FAILURES, RESULTS, inject, say_results

say = partial(print, flush=True)


def find_case(case_id: str, seed: int) -> Case:
    """By its id, in the tables of `seed`. Raises LabError."""
    for case in catalog.all_cases(seed):
        if case.id == case_id:
            return case
    raise LabError(f"there is no case {case_id!r} any more")


def main(args: argparse.Namespace) -> int:
    """Run what `args` say; returns the exit status. Raises LabError."""
    if args.action in ("replay", "shrink"):
        if args.file is None:
            raise LabError(f"`lab inject {args.action} FILE`: a folder in {RESULTS / FAILURES}")
        if args.action == "replay":
            return 0 if failure.replay(args.file, find_case, say) else 1
        from lab.inject.shrink import shrink

        shrink(args.file, find_case, say)
        return 0
    if args.file is not None:
        raise LabError(f"`lab inject {args.action}` takes no file; --cases chooses cases")
    cases = catalog.choose(catalog.all_cases(args.seed), args.cases)
    if args.action == "list":
        for case in cases:
            say(f"{case.id}  ({case.source})")
        return 0
    targets = list(dict.fromkeys(filter(None, (args.target or "embedded").split(","))))
    start = time.monotonic()
    results = inject(cases, targets, args.seed, args.budget, args.jobs, args.report)
    say_results(results, time.monotonic() - start)
    return 1 if any(r.outcome == "failed" for r in results) else 0

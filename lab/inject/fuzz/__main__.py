"""`python -m lab.inject.fuzz board|frames --seed S --budget 100s|1000000 [--jobs N]`, and
`python -m lab.inject.fuzz replay FILE`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lab import LabError
from lab.inject.fuzz import campaign, findings, replay
from lab.interrupt import signals

RESULTS = Path("results") / "fuzz"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m lab.inject.fuzz", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    for name, text in (
        ("board", "the whole server, on emulated boards"),
        ("frames", "microdot's frame layer, on CPython"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--seed", type=int, default=1)
        command.add_argument("--budget", default="60s", help="inputs, or seconds as in 100s")
        command.add_argument("--jobs", type=int, default=1, help="processes")
        command.add_argument("--out", type=Path, help="folder of the report")
    again = commands.add_parser("replay", help="play a finding again")
    again.add_argument("file", type=Path)
    return top


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status: 1 when something was found."""
    chosen = parser().parse_args(arguments)
    if chosen.command == "replay":
        seen = replay.play(findings.load(chosen.file))
        print(seen.text)
        return 0 if seen.same else 1
    budget = campaign.Budget.parse(chosen.budget)
    if not 1 <= chosen.jobs <= 64:
        raise LabError(f"--jobs is 1 to 64, not {chosen.jobs}")
    result = campaign.run(
        chosen.command, chosen.seed, budget, chosen.jobs, lambda line: print(line, flush=True)
    )
    for finding in result.findings.by_cause.values():
        print(f"{finding.kind} ({finding.count}x): {finding.detail}")
    for problem in result.problems:
        print(problem, file=sys.stderr)
    out = chosen.out or RESULTS / f"{chosen.command}-{chosen.seed}"
    print(campaign.report(result, out))
    print(result.line, flush=True)
    if signals.number is not None:
        return 128 + signals.number
    return 1 if result.findings.by_cause or result.problems else 0


if __name__ == "__main__":
    signals.install()
    try:
        sys.exit(main())
    except LabError as error:
        print(f"lab.inject.fuzz: {error}", file=sys.stderr)
        sys.exit(getattr(error, "status", 2))

"""`python -m lab.peers`: microdot 2.7.0 and ours, side by side, on every target.

Writes the figures to results/peers.json as well.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from lab import LabError
from lab.flash import ROOT
from lab.peers import board, host
from lab.peers.packages import Framework, ours, peer

Figures = dict[str, float]
BOARD = "emulated board"
SMALLER_IS_BETTER = ("RAM", "instructions", "ms", "CPU us")


TARGETS = (BOARD, *host.TARGETS)


def measure(target: str, frameworks: Sequence[Framework]) -> dict[str, Figures]:
    """Figures by framework. Raises LabError."""
    if target == BOARD:
        with ProcessPoolExecutor(len(frameworks)) as pool:  # virtual time: they can't disturb
            figures = list(pool.map(board.measure, frameworks))
        return {framework.name: found for framework, found in zip(frameworks, figures, strict=True)}
    return host.measure(target, frameworks)


def number(value: float | None) -> str:
    """Three significant figures, or all of a whole number."""
    if value is None:
        return "fails"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def better(name: str, mine: float | None, theirs: float | None) -> str:
    """By how much ours is better."""
    if not mine or not theirs:
        return ""
    small = any(word in name for word in SMALLER_IS_BETTER)
    return f"{theirs / mine if small else mine / theirs:.2f}x"


def show(target: str, mine: Figures, theirs: Figures, name: str) -> None:
    """One table."""
    print(f"\n{target:34} {name:>14} {'ours':>14}   better by")
    for key in dict.fromkeys([*theirs, *mine]):
        a, b = theirs.get(key), mine.get(key)
        print(f"  {key:32} {number(a):>14} {number(b):>14}   {better(key, b, a)}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m lab.peers", description=__doc__)
    parser.add_argument("--target", action="append", choices=TARGETS)
    parser.add_argument("--json", type=Path, default=ROOT / "results" / "peers.json")
    parser.add_argument("--size", type=int, action="append", help="bytes of a message")
    options = parser.parse_args()
    if options.size:
        board.SIZES = host.SIZES = tuple(options.size)
    try:
        other = peer()
    except LabError as error:
        sys.exit(f"lab: no comparison: {error}")
    results: dict[str, dict[str, Figures]] = {}
    mine = ours()
    for target in options.target or TARGETS:
        try:
            found = measure(target, (other, mine))
        except LabError as error:
            print(f"\n{target}: left out: {error}")
            continue
        results[target] = found
        show(target, found[mine.name], found[other.name], other.name)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(results, indent=1) + "\n")
    print(f"\nfigures in {options.json}")


if __name__ == "__main__":
    main()

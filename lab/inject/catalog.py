"""All cases there are, and those that a pattern chooses."""

from __future__ import annotations

import fnmatch
import importlib
import pkgutil
from collections.abc import Iterable, Sequence
from dataclasses import replace

from lab import LabError
from lab.inject import tables
from lab.inject.case import FAULT, PACKET, Case
from lab.inject.stream import StreamCase

FAULTS_EACH = 24  # of each family: some 40 s of one core in all


def stream_cases() -> list[StreamCase]:
    """Of the tables over a TCP stream, in the order of the tables. Raises LabError when two have
    the same name."""
    found: list[StreamCase] = []
    for module in sorted(m.name for m in pkgutil.iter_modules(tables.__path__)):
        rows = getattr(importlib.import_module(f"{tables.__name__}.{module}"), "CASES", ())
        found += [row for row in rows if isinstance(row, StreamCase)]
    check_names([case.case() for case in found])
    return found


def packet_cases() -> list[Case]:
    """Of the tables below the stream."""
    from lab.inject.packets.cases import CASES

    return [replace(case, layer=PACKET) for case in CASES]


def fault_cases(seed: int) -> list[Case]:
    """FAULTS_EACH of each family of faults of the chip: others for another seed."""
    from lab.inject.faults import FAMILIES

    return [
        replace(case, layer=FAULT) for make in FAMILIES.values() for case in make(seed, FAULTS_EACH)
    ]


def all_cases(seed: int = 1) -> list[Case]:
    """Of every layer. Raises LabError when two have the same name."""
    found = [case.case() for case in stream_cases()] + packet_cases() + fault_cases(seed)
    check_names(found)
    return found


def check_names(cases: Iterable[Case]) -> None:
    """Raises LabError when two cases have the same id."""
    seen: set[str] = set()
    for case in cases:
        if case.id in seen:
            raise LabError(f"two cases are called {case.id!r}")
        seen.add(case.id)


def choose(cases: Sequence[Case], pattern: str | None) -> list[Case]:
    """Those whose id, or whose group, `pattern` matches: a glob, case does not matter; several are
    separated by commas. Raises LabError when one of them matches nothing."""
    if not pattern:
        return list(cases)
    chosen: set[str] = set()
    for part in filter(None, (p.strip() for p in pattern.split(","))):
        found = {case.id for case in cases if _matches(part, case)}
        if not found:
            groups = ", ".join(sorted({case.group for case in cases}))
            raise LabError(
                f"no case matches {part!r}; the groups are {groups}, and `lab inject list` shows "
                "every name"
            )
        chosen |= found
    return [case for case in cases if case.id in chosen]


def _matches(pattern: str, case: Case) -> bool:
    pattern = pattern.lower()
    return any(fnmatch.fnmatchcase(name.lower(), pattern) for name in (case.id, case.group))

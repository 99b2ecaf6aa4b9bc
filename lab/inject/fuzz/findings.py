"""What a campaign has found: one `Finding` for each cause, and what it takes to see it again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lab import LabError
from lab.inject.fuzz.grammar import Input

FORMAT = "lab fuzz finding 1"


@dataclass
class Finding:
    """kind: reset, fatal, traceback, console, hang, dead, heap, answer; soak: one of these after
    many connections, each with one of the inputs; frames: of the frame layer. key: of its cause (a
    guest backtrace, the text of a traceback, how the answer differs). inputs: sent one after the
    other on one connection from the snapshot. limit: of the frame layer's reader. snapshot: names
    the state of the board they were sent to; "" for the frame layer. count: how often it came."""

    kind: str
    key: str
    detail: str
    seed: int
    index: int
    inputs: list[Input]
    snapshot: str = ""
    limit: int | None = None
    backtrace: str = ""
    console: str = ""
    answer: str = ""
    count: int = 1

    @property
    def cause(self) -> str:
        """Findings that share it are one."""
        return f"{self.kind} {self.key}"

    def to_json(self) -> dict[str, Any]:
        """For its file and the report."""
        fields = asdict(self)
        fields["inputs"] = [case.to_json() for case in self.inputs]
        return {"format": FORMAT, **fields}

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Finding:
        """Raises LabError when that is none."""
        try:
            if fields.pop("format") != FORMAT:
                raise ValueError
            inputs = [Input.from_json(case) for case in fields.pop("inputs")]
            return cls(inputs=inputs, **fields)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise LabError("this is no finding of the fuzzer") from None


@dataclass
class Findings:
    """Those of a campaign, one for each cause."""

    by_cause: dict[str, Finding] = field(default_factory=dict)

    def add(self, finding: Finding) -> bool:
        """True when its cause is new; otherwise the known one is counted again, and a shorter
        input takes the place of a longer."""
        known = self.by_cause.get(finding.cause)
        if known is None:
            self.by_cause[finding.cause] = finding
            return True
        count = known.count + finding.count
        if size(finding) < size(known):
            self.by_cause[finding.cause] = known = finding
        known.count = count
        return False

    def save(self, folder: Path) -> list[Path]:
        """A file each, numbered. Raises LabError."""
        paths = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for old in folder.glob("finding-*.json"):
                old.unlink()
            for number, finding in enumerate(self.by_cause.values(), 1):
                path = folder / f"finding-{number}.json"
                path.write_text(json.dumps(finding.to_json(), indent=1) + "\n")
                paths.append(path)
        except OSError as error:
            raise LabError(f"{folder} can't be written: {error.strerror}") from None
        return paths


def size(finding: Finding) -> int:
    """Bytes that are sent."""
    return sum(len(case.data) for case in finding.inputs)


def load(path: Path) -> Finding:
    """Raises LabError."""
    try:
        fields = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise LabError(f"{path}: {error}") from None
    if not isinstance(fields, dict):
        raise LabError("this is no finding of the fuzzer")
    return Finding.from_json(fields)

"""A case that failed on the emulated board, kept whole; and played again, bit for bit.

A folder holds the board (its flash, and the snapshot it began from), `replay.json` (what was done,
when, what had to come of it, and what did), `capture.pcapng` and `console.txt`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hw.esp32.chip import LIBRARY
from lab import LabError
from lab.booted import Booted, pack, unpack
from lab.inject.case import Case
from lab.inject.layers import KeptRig, open_layer
from lab.inject.outcome import Outcome
from lab.inject.script import from_json, to_json
from lab.inject.stream import StreamCase

SCRIPT, FLASH, STATE = "replay.json", "flash.z", "board.state"
CAPTURE, CONSOLE = "capture.pcapng", "console.txt"
FORMAT = 1

FindCase = Callable[[str, int], Case]  # by its id, and the seed that its table came from


def slug(case: Case) -> str:
    """A file name for a case."""
    return re.sub(r"[^A-Za-z0-9=._-]+", "-", case.id).strip("-")[:100]


def library_key() -> str:
    """Of the chip model that runs here."""
    return hashlib.sha256(LIBRARY.read_bytes()).hexdigest()


def save(rig: KeptRig, case: Case, seen: Outcome, folder: Path) -> Path:
    """Play `case`, which has failed, once more, and keep it in `folder` / its name.

    Raises LabError when it goes another way than it was `seen` to."""
    place = folder / (slug(case) + ("" if rig.target == "embedded" else f"@{rig.target}"))
    place.mkdir(parents=True, exist_ok=True)
    outcome = rig.run(case, place / CAPTURE)
    if (outcome.instructions, outcome.digest) != (seen.instructions, seen.digest):
        raise LabError(f"{case.id} does not repeat: {outcome.why or 'it passes'}, not {seen.why}")
    (place / FLASH).write_bytes(zlib.compress(rig.state.image, 1))
    (place / STATE).write_bytes(pack(rig.state))
    (place / CONSOLE).write_text(outcome.console)
    write_script(place / SCRIPT, case, rig, outcome)
    return place


def write_script(path: Path, case: Case, rig: KeptRig, outcome: Outcome) -> None:
    """`replay.json`."""
    stream = case.parameters.get("stream")
    script = {
        "format": FORMAT,
        "case": case.id,
        "source": case.source,
        "seed": rig.seed,
        "target": rig.target,
        "image": hashlib.sha256(rig.state.image).hexdigest(),
        "chip": library_key(),
        "stream": to_json(stream) if isinstance(stream, StreamCase) else None,
        "timeline": [[round(at, 9), text] for at, text in rig.timeline],
        "outcome": {
            "problems": outcome.problems,
            "harm": outcome.harm,
            "instructions": outcome.instructions,
            "seconds": outcome.seconds,
            "frames": outcome.digest,
        },
    }
    path.write_text(json.dumps(script, indent=1, ensure_ascii=False) + "\n")


@dataclass(frozen=True)
class Failure:
    """A folder of `save`, read."""

    path: Path  # of its script
    case: Case
    state: Booted
    seed: int
    target: str
    seen: Outcome
    chip: str

    def rig(self) -> KeptRig:
        """A board that begins where that one did."""
        return open_layer(self.case.layer, self.seed, self.state, self.target)


def load(path: Path, find_case: FindCase) -> Failure:
    """From the folder, or the script in it. find_case: for cases that are no streams. Raises
    LabError."""
    path = path / SCRIPT if path.is_dir() else path
    try:
        script = json.loads(path.read_text())
        image = zlib.decompress((path.parent / FLASH).read_bytes())
        state = unpack((path.parent / STATE).read_bytes(), image)
        stream, seed = script["stream"], int(script["seed"])
        case = from_json(stream).case() if stream else find_case(script["case"], seed)
        seen = script["outcome"]
        outcome = Outcome(
            seen["problems"], seen["harm"], seen["instructions"], seen["seconds"], seen["frames"]
        )
        target = script.get("target", "embedded")
        return Failure(path, case, state, seed, target, outcome, script["chip"])
    except FileNotFoundError as error:
        raise LabError(f"{error.filename} is not there; a replay needs the whole folder") from None
    except (ValueError, KeyError, TypeError, IndexError, zlib.error) as error:
        raise LabError(f"{path} is no replay script: {type(error).__name__}: {error}") from None


def replay(path: Path, find_case: FindCase, say: Callable[[str], None]) -> bool:
    """Play it again; says how it went, and returns whether it went just the same.

    Raises LabError when there is nothing to play."""
    failure = load(path, find_case)
    if failure.chip != library_key():
        say("made with another build of the chip: the run may differ")
    with contextlib.closing(failure.rig()) as rig:
        outcome = rig.run(failure.case)
    say(f"case         {failure.case.id}  ({failure.case.source})")
    same = True
    rows: list[tuple[str, Any, Any]] = [
        ("instructions", outcome.instructions, failure.seen.instructions),
        ("frames", outcome.digest[:16], failure.seen.digest[:16]),
        ("verdict", outcome.why or "passed", failure.seen.why),
    ]
    for name, now, then in rows:
        agrees = now == then
        same = same and agrees
        text = str(now).replace("\n", "\n" + 13 * " ")
        say(f"{name:12} {text}" + ("" if agrees else f"\n{'':12} was: {then}"))
    say("the same, bit for bit" if same else "NOT the same")
    return same

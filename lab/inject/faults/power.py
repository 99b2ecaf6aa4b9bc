"""Power that fails while files are written: at a byte of flash, or at an instruction.

Of a page program or erase in hand, a part is done and the rest is as it was. After each cut the
filesystem must mount on the host and on the board, hold a state that littlefs promises
(`journal`), take new files, and the app must come up.
"""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass
from typing import Any, Literal

from lab.firmware import resolve
from lab.flash import build_image
from lab.inject.case import Case, CaseFailed
from lab.inject.faults import journal
from lab.inject.faults.journal import Change, Files
from lab.inject.faults.link import Lines
from lab.inject.faults.outcome import Kind
from lab.inject.faults.prepared import App
from lab.inject.faults.rig import Rig

SOURCE = "littlefs, DESIGN.md: power-loss resilience"
CHANGES = 5  # in a row, of a board's life before the cut
SHARED = 16  # cases that write the same
WRITE_SECONDS = 30  # virtual
TURN = 32  # cycles that one core has before the other's turn
By = Literal["byte", "instruction"]
AFTER: Change = ["write", "f0", 99, 3000]


@dataclass(frozen=True)
class Span:
    """What undisturbed changes take: bytes of flash, and ticks from and to."""

    work: int
    begin: int
    end: int


def measure(rig: Rig, app: App, changes: list[Change]) -> Span:
    """The span of `changes` on a fresh board; the same for each."""
    key = (app, repr(changes))
    if key not in rig.memory:
        board = rig.start(app)
        lines = Lines(rig, WRITE_SECONDS)
        work, begin = board.chip.flash_work, board.now
        lines.ask(journal.line(changes))
        rig.memory[key] = Span(board.chip.flash_work - work, begin, board.now)
    span: Span = rig.memory[key]
    return span


def changes_of(seed: int, files: Files) -> list[Change]:
    return journal.make(random.Random(f"changes {seed}"), files, CHANGES)


def begun(console: str) -> int:
    """How many lines the board has printed of changes that begin, or of all being done."""
    return console.count("lab: change ")


def cut(rig: Rig, app: App, seed: int, by: By, part: float, steps: int, again: float) -> None:
    """Play a cut at `part` (0..1) of the changes of `seed`; again: cut a second time at that part
    of a further write, once the board is up (0: don't)."""
    rig.start(app)
    changes = changes_of(seed, rig.prepared.files)
    span = measure(rig, app, changes)
    board = rig.start(app)
    lines = Lines(rig, WRITE_SECONDS)
    if by == "byte":
        board.power_off(1 + int(part * (span.work - 1)))
    else:
        rig.at(span.begin + int(part * (span.end - span.begin)), board.power_off, steps)
    lines.connection.send(journal.line(changes))
    if not board.step_until(lambda: not board.powered, WRITE_SECONDS):
        raise CaseFailed("the power did not fail: the board writes less than it did")
    files = comes_up(rig, journal.states(rig.prepared.files, changes)[begun(rig.console())])
    if again:
        board.power_off(1 + int(again * 4096))
        printed = begun(rig.console())
        Lines(rig).connection.send(journal.line([AFTER]))
        if not board.step_until(lambda: not board.powered, WRITE_SECONDS):
            raise CaseFailed("the power did not fail a second time")
        allowed = journal.states(files, [AFTER])[begun(rig.console()) - printed]
        files = comes_up(rig, allowed)
    Lines(rig, WRITE_SECONDS).ask(journal.line([AFTER]))
    if why := rig.unlike([journal.apply(files, AFTER)[-1]]):
        raise CaseFailed(f"the filesystem mounts and can't be written: {why}")
    rig.note(Kind.RECOVERED)


def comes_up(rig: Rig, allowed: list[Files]) -> Files:
    """Power on; returns the files that are there, as one of `allowed`. Raises CaseFailed."""
    if why := rig.unlike(allowed, board=False):
        raise CaseFailed(f"after the cut, before power is back: {why}")
    rig.board.power_on()
    rig.comes_up(allowed)
    return next(files for files in allowed if not rig.unlike([files], board=False))


def first_boot(rig: Rig, part: float) -> None:
    """The cut strikes while MicroPython formats an empty partition.

    Its own check (inisetup.py, `check_bootsec`) then takes a half-made filesystem for a damaged
    one, and wants to be erased: named, not survived.
    """
    image = build_image(resolve())
    board = rig.start(image=image)
    if "first boot" not in rig.memory:
        before = board.chip.flash_work
        board.console.wait_for_prompt(WRITE_SECONDS)
        rig.memory["first boot"] = board.chip.flash_work - before
        board = rig.start(image=image)
    board.power_off(1 + int(part * (rig.memory["first boot"] - 1)))
    if not board.step_until(lambda: not board.powered, WRITE_SECONDS):
        raise CaseFailed("the power did not fail")
    board.console.mark()
    board.power_on()
    text = board.console.wait_for(b">>> ", WRITE_SECONDS) if _prompts(rig) else rig.console()
    if "filesystem appears to be corrupted" in text:
        rig.note(Kind.REFUSED, "MicroPython: the filesystem appears to be corrupted")
        return
    files = board.console.eval("__import__('os').listdir('/')")
    if files not in ("['boot.py']", "[]"):  # the power failed between the two
        raise CaseFailed(f"neither formatted nor refused:\n{board.console.tail}")
    rig.note(Kind.RECOVERED, "" if "boot.py" in files else "formatted, and without boot.py")


def _prompts(rig: Rig) -> bool:
    """Does the board get to a prompt, or does it complain for ever?"""
    start = len(rig.console())
    ends = (">>> ", "filesystem appears to be corrupted")
    rig.board.step_until(lambda: any(e in rig.console()[start:] for e in ends), WRITE_SECONDS)
    return ends[1] not in rig.console()[start:]


def cases(seed: int, count: int) -> list[Case]:
    """`count` cuts: half at a byte, half at an instruction; every eighth strikes twice, every
    sixteenth the first boot, and every twentieth the camera board's whole app."""
    table = []
    for number in range(count):
        chance = random.Random(f"power {seed} {number}")
        if number % 16 == 7:
            part = round(chance.random(), 6)
            play = functools.partial(first_boot, part=part)
            parameters: dict[str, Any] = {"part": part}
            group = "power at first boot"
        else:
            app: App = "camera" if number % 20 == 10 else "small"
            by: By = "instruction" if number % 2 else "byte"
            parameters = {
                "app": app,
                "seed": seed * 1_000_000 + number // SHARED,
                "by": by,
                "part": round(chance.random(), 6),
                "steps": chance.randrange(TURN),
                "again": round(chance.random(), 6) if number % 8 == 3 else 0,
            }
            play = functools.partial(cut, **parameters)
            group = f"power at a{'n' if number % 2 else ''} {by}"
        table.append(Case(group, f"{number}", SOURCE, play, parameters=parameters))
    return table

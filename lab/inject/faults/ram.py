"""One bit of RAM, or of a register, flips while the board serves: what becomes of it?

Nothing in an ESP32 notices (no parity, no ECC), so firmware can only survive by chance, panic or
be ended by a watchdog. What must hold: the board is never lost. After reset, or power off and on,
the app comes up and the filesystem mounts; whatever else happens is counted by class.
"""

from __future__ import annotations

import functools
import random
from typing import Any

from hw.esp32.chip import Chip
from lab.board import BoardError
from lab.inject.case import Case, CaseFailed
from lab.inject.faults import journal
from lab.inject.faults.journal import Change
from lab.inject.faults.link import Lines, WebSocket, WrongAnswer
from lab.inject.faults.memory import REGISTERS, STACK_BYTES, MemoryMap
from lab.inject.faults.outcome import Kind, Outcome
from lab.inject.faults.prepared import App
from lab.inject.faults.rig import Rig

SOURCE = "ESP32 TRM, System and Memory: internal SRAM has no parity"
PLACES = ("python heap", "system heap", "stack", "data", "bss", "code", "register")
CHANGES: list[Change] = [["write", "f0", 1, 3000], ["append", "f1", 2, 300], ["rename", "f0", "f2"]]
TEXT = bytes(range(32, 127))
LINE = TEXT[:40]  # MicroPython's readline() takes a socket's bytes one by one
WRITE_SECONDS = 8


def exercise(rig: Rig, changes: bool) -> None:
    """Echoes on one connection, and `changes` of files. Raises NoAnswer, WrongAnswer."""
    if rig.app == "camera":
        socket = WebSocket(rig)
        for _ in range(3):
            socket.echo(TEXT)
    lines = Lines(rig, WRITE_SECONDS)
    for _ in range(3):
        lines.echo(LINE)
    if changes:
        lines.ask(journal.line(CHANGES))
        if why := rig.unlike([journal.states(rig.prepared.files, CHANGES)[-1][0]]):
            raise WrongAnswer(why)


def flip(
    rig: Rig, app: App, watchdog: bool, place: str, pick: int, bit: int, part: float, changes: bool
) -> None:
    """Play one flip of `bit` at `part` (0..1) of the exercise.

    place: one of PLACES; pick: seed of the address there. watchdog: one guards the event loop.
    """
    board = rig.start(app, watchdog)
    end = _measure(rig, app, watchdog, changes)
    board = rig.start(app, watchdog)
    where: list[str] = []

    def act() -> None:
        where.append(_flip(rig, board.chip, place, pick, bit))

    rig.at(board.now + int(part * (end - board.now)), act)
    try:
        outcome = rig.judge(lambda: exercise(rig, changes))
    except BoardError as error:
        raise CaseFailed(f"the model does not survive it ({where}): {error}") from None
    if not where:
        raise CaseFailed("the exercise was over before the bit flipped")
    if outcome.kind is not Kind.LOST:
        outcome = _look_at_files(rig, outcome)
    rig.note(outcome.kind, f"{where[0]}: {outcome.evidence}" if outcome.evidence else where[0])


def _measure(rig: Rig, app: App, watchdog: bool, changes: bool) -> int:
    """Tick at which an undisturbed exercise on a fresh board is over; and it must be sound."""
    key = ("exercise", app, watchdog, changes)
    if key not in rig.memory:
        exercise(rig, changes)
        rig.memory[key] = rig.board.now
    end: int = rig.memory[key]
    return end


def _flip(rig: Rig, chip: Chip, place: str, pick: int, bit: int) -> str:
    """Do it; says where, for a person."""
    chance = random.Random(pick)
    core = chance.randrange(2)
    if place == "register":
        name = chance.choice(REGISTERS)
        chip.set_register(name, chip.register(name, core) ^ 1 << bit, core)
        return f"bit {bit} of {name} of core {core} at pc 0x{chip.register('pc', core):08x}"
    if place == "stack":
        address = chip.register("a1", core) + chance.randrange(STACK_BYTES)
    else:
        key = ("memory map", rig.app)
        if key not in rig.memory:
            prepared = rig.prepared
            rig.memory[key] = MemoryMap(prepared.image, prepared.state.console, chip)
        address = rig.memory[key].pick(place, chance)
    byte = chip.read_memory(address, 1)[0]
    chip.write_memory(address, bytes((byte ^ 1 << bit % 8,)))
    return f"{place}, bit {bit % 8} of 0x{address:08x}"


def _look_at_files(rig: Rig, outcome: Outcome) -> Outcome:
    """What a board in disorder has written is on its filesystem for good."""
    allowed = [state for step in journal.states(rig.prepared.files, CHANGES) for state in step]
    if why := rig.unlike(allowed, board=False):
        return Outcome(Kind.CORRUPTION, f"{outcome.kind} ({outcome.evidence}), then: {why}")
    return outcome


def cases(seed: int, count: int) -> list[Case]:
    """`count` flips, each place in turn; every fifth on the camera board's whole app, every
    fourth without a watchdog, every third while files are written."""
    table = []
    for number in range(count):
        chance = random.Random(f"ram {seed} {number}")
        place = PLACES[number % len(PLACES)]
        parameters: dict[str, Any] = {
            "app": "camera" if number % 5 == 0 else "small",
            "watchdog": number % 4 != 3,
            "place": place,
            "pick": chance.randrange(2**32),
            "bit": chance.randrange(32),
            "part": round(chance.random(), 6),
            "changes": number % 3 == 1,
        }
        play = functools.partial(flip, **parameters)
        table.append(Case(f"bit flip in {place}", f"{number}", SOURCE, play, parameters=parameters))
    return table

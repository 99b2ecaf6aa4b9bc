"""The supply sags for a moment, at any instant: the chip's detector resets it.

While files are written, while frames are on their way, while it boots (once, or again and again
as a bad plug does). RAM is lost, flash is not. The app must come up, with the files as littlefs
promises.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from typing import Any

from lab.inject.case import Case, CaseFailed
from lab.inject.faults import journal
from lab.inject.faults.link import Lines, NoAnswer
from lab.inject.faults.outcome import Kind
from lab.inject.faults.power import TURN, begun, changes_of, measure
from lab.inject.faults.prepared import App
from lab.inject.faults.rig import Rig
from lab.targets.embedded import TICKS_PER_SECOND

SOURCE = "ESP32 TRM, chapter Low-Power Management: brown-out detector"
CAUSE = "RTCWDT_BROWN_OUT_RESET"
SHARED = 16  # cases that write the same
BOOT_SECONDS = 0.6  # of the small app, from reset to service
SAGS_MOST = 8
FRAMES_SECONDS = 0.02  # that three lines take
SILENCE_SECONDS = 0.05  # without power; less than a boot takes
LINE = b"x" * 3000  # some frames each way


def in_write(rig: Rig, app: App, seed: int, part: float, steps: int) -> None:
    """At `part` (0..1) of the changes of `seed`."""
    rig.start(app)
    changes = changes_of(seed, rig.prepared.files)
    span = measure(rig, app, changes)
    board = rig.start(app)
    lines = Lines(rig)
    rig.at(span.begin + int(part * (span.end - span.begin)), board.brown_out, steps)
    lines.connection.send(journal.line(changes))
    count = sag(rig, 30)
    rig.comes_up(journal.states(rig.prepared.files, changes)[count])
    rig.note(Kind.RECOVERED)


def in_frame(rig: Rig, app: App, part: float, steps: int) -> None:
    """At `part` (0..1) of an exchange of frames."""
    board = rig.start(app)
    lines = Lines(rig)
    rig.at(board.now + int(part * FRAMES_SECONDS * TICKS_PER_SECOND), board.brown_out, steps)
    lines.seconds = SILENCE_SECONDS
    try:
        while True:
            lines.echo(LINE)
    except NoAnswer:
        sag(rig, 1)
    rig.comes_up()
    if not board.step_until(lambda: bool(lines.connection.failure), 30):
        lines.connection.send(b"are you the same?\n")  # the new life of the board knows nothing
        if not board.step_until(lambda: lines.connection.failure == "reset", 30):
            raise CaseFailed("the connection of its former life was not reset")
    rig.note(Kind.RECOVERED)


def in_boot(rig: Rig, app: App, waits: list[float]) -> None:
    """`waits`: seconds (virtual) between sags, the first while it serves."""
    board = rig.start(app)
    for wait in waits:
        board.run_for(wait)
        board.console.mark()
        board.brown_out()
    rig.forget()
    rig.comes_up()
    if rig.console().count(CAUSE) < 1:
        raise CaseFailed("it does not say that it was a brown-out")
    rig.note(Kind.RECOVERED, f"{len(waits)} sags")


def sag(rig: Rig, seconds: float) -> int:
    """Until the board says that the sag was; returns how many changes it had begun before."""
    board = rig.board
    if not board.step_until(lambda: CAUSE in rig.console(), seconds):
        raise CaseFailed("the board was not reset by the sag")
    count = begun(rig.console())
    rig.forget()
    return count


def cases(seed: int, count: int) -> list[Case]:
    """`count` sags: a third each in writes, in frames and in boots."""
    table = []
    play: Callable[..., None]
    for number in range(count):
        chance = random.Random(f"brown-out {seed} {number}")
        app: App = "camera" if number % 20 == 10 else "small"
        parameters: dict[str, Any] = {"app": app}
        if number % 3 == 0:
            group, play = "brown-out in a write", in_write
            parameters |= {
                "seed": seed * 1_000_000 + number // SHARED,
                "part": round(chance.random(), 6),
                "steps": chance.randrange(TURN),
            }
        elif number % 3 == 1:
            group, play = "brown-out in a frame", in_frame
            parameters |= {"part": round(chance.random(), 6), "steps": chance.randrange(TURN)}
        else:
            group, play = "brown-out in a boot", in_boot
            parameters["waits"] = [
                round(chance.random() * BOOT_SECONDS, 6)
                for _ in range(chance.randrange(1, SAGS_MOST + 1))
            ]
        bound = functools.partial(play, **parameters)
        table.append(Case(group, f"{number}", SOURCE, bound, parameters=parameters))
    return table

"""The board that faults are done to: fresh from a snapshot for each case, stepped, with a host on
its network, all in virtual time, so that a case repeats bit for bit.
"""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Callable
from typing import Any

from hw.camera.sensor import Vc0706
from hw.esp32.chip import FLASH_SIZE
from lab.board import BoardError
from lab.inject.case import CaseFailed
from lab.inject.faults import filesystem
from lab.inject.faults.filesystem import Damaged
from lab.inject.faults.journal import Files
from lab.inject.faults.link import Lines, NoAnswer, WebSocket, WrongAnswer
from lab.inject.faults.outcome import PANIC, REFUSAL, Kind, Outcome, error_in, kind_of_reset
from lab.inject.faults.prepared import App, prepare
from lab.net.clock import Clock, ScaledClock
from lab.net.host import Host
from lab.net.router import Router
from lab.net.switch import Switch
from lab.targets.embedded import TICKS_PER_SECOND, EmbeddedBoard

UP = "lab: http on"
UP_SECONDS = 20  # virtual: from reset to an app that serves
LINE = 100  # characters: what is looked for is shorter
RESETS_MOST = 4  # a board that resets itself so often while it boots will go on so


class Rig:
    """One board at a time; `start` makes the next one. `outcome`: of the case in hand.

    board_class: what emulates it.
    """

    def __init__(self, board_class: type[EmbeddedBoard] = EmbeddedBoard) -> None:
        self._board_class = board_class
        self.outcome: Outcome | None = None
        self.watch: Callable[[Switch], None] = lambda switch: None  # called with each new one
        self.memory: dict[object, Any] = {}  # what cases have found out and others may use
        self._board: EmbeddedBoard | None = None
        self._events = 0  # of the board, that were looked at

    # --- a board ---

    def start(
        self,
        app: App = "small",
        watchdog: bool = True,
        image: bytes | None = None,
        camera: Vc0706 | None = None,
        peers: float = 1.0,
    ) -> EmbeddedBoard:
        """A fresh board whose `app` serves; with an `image` of its own, one that has yet to boot.

        peers: how many seconds pass for the host on its network in one of the board's.
        """
        self.close()
        self.outcome = None
        self.app: App = app
        self.prepared = prepare(app, watchdog)
        switch = Switch(lambda: round(self.board.seconds * 1e9))
        self.watch(switch)
        self._board = board = self._board_class(
            image or self.prepared.image,
            switch,
            snapshot=None if image else self.prepared.state.snapshot,
            camera=camera or Vc0706(),
        )
        clock: Clock = board.clock if peers == 1.0 else ScaledClock(board.clock, peers)
        Router(switch, clock)
        self.host = Host(switch, clock)
        self._events = 0
        return board

    @property
    def board(self) -> EmbeddedBoard:
        assert self._board
        return self._board

    def close(self) -> None:
        """Let go of the board; harmless twice."""
        if self._board:
            self._board.close()
            self._board = None

    def __enter__(self) -> Rig:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- time ---

    @property
    def disturbance(self) -> str:
        """What the board did that it should not have, since `forget`; empty when nothing."""
        if not self.board.powered:
            return "power failed"
        return "; ".join(f"{e.kind}: {e.text}" for e in self.board.events[self._events :])

    def forget(self) -> None:
        """What has happened so far is known."""
        self._events = len(self.board.events)
        self.board.console.mark()

    def wait(self, predicate: Callable[[], bool], seconds: float) -> bool:
        """Let virtual time pass until `predicate` holds; False when it does not, or when the board
        is reset, panics or loses its power."""
        self.board.step_until(lambda: predicate() or bool(self.disturbance), seconds)
        return predicate()

    def at(self, tick: int, action: Callable[[], None], steps: int = 0) -> None:
        """Call `action` when virtual time has come to `tick`, and `steps` instructions of core 0
        later.

        Alone, a core stops at the very instruction of a tick; while both run they do so in turns
        of 32 cycles, which `steps` may divide.
        """

        def act() -> None:
            for _ in range(steps if self.board.powered else 0):
                self.board.chip.step(0)
            action()

        self.board.clock.call_later((tick - self.board.now) / TICKS_PER_SECOND, act)

    # --- what it looks like ---

    def console(self) -> str:
        """What the console has shown in the life of this board, from the snapshot on."""
        return self.board.console.text

    def flash(self) -> bytes:
        """All 4 MB as they are now."""
        return self.board.chip.flash_read(0, FLASH_SIZE)

    def note(self, kind: Kind, evidence: str = "") -> None:
        """Record what became of the board."""
        self.outcome = Outcome(kind, evidence)

    def digest(self) -> dict[str, int]:
        """What the board itself reads of the files that changes make. Raises NoAnswer."""
        answer: dict[str, int] = json.loads(Lines(self).ask(b"?\n"))
        return answer

    def probe(self) -> None:
        """A fresh echo, and for the camera's app a WebSocket's. Raises NoAnswer, WrongAnswer."""
        Lines(self).echo(b"alive?")
        if self.app == "camera":
            WebSocket(self).echo(b"alive?")

    # --- after the fault ---

    def comes_up(self, allowed: list[Files] | None = None) -> None:
        """Power is (back) on: the app must come up, the filesystem be one of `allowed`.

        Raises CaseFailed with the evidence.
        """
        found = self.refusal() or self.unlike(allowed)
        if found:
            raise CaseFailed(f"{found}; the console shows:\n{self.board.console.tail}")

    def refusal(self) -> str:
        """Why the app does not come up, its filesystem mounted; empty when it does."""
        ends = re.compile(UP + "|" + REFUSAL.pattern)
        console, first = self.board.console, len(self.board.events)
        shown = looked = len(self.console())

        def over() -> bool:
            nonlocal looked
            resets = sum(e.kind == "reset" for e in self.board.events[first:])
            start, looked = looked - LINE, len(text := console.text)
            return resets >= RESETS_MOST or bool(ends.search(text, max(start, shown)))

        try:
            self.board.step_until(over, UP_SECONDS)
        except BoardError as error:  # the model's own words: no bootloader, bad checksum
            return f"the app does not come up: {error}"
        text = console.text[shown:]
        if said := REFUSAL.search(text):
            return f"the boot complains: {said[0].strip()}"
        if UP not in text:
            said = PANIC.search(text)
            quiet = "a prompt and no app" if ">>> " in text else "silence"
            why = said[0].strip() if said else error_in(text) or quiet
            return f"the app does not come up: {why}"
        self._events = len(self.board.events)
        try:
            self.probe()
        except (NoAnswer, WrongAnswer) as error:
            return f"the app is up and does not echo: {error}"
        return ""

    def unlike(self, allowed: list[Files] | None, board: bool = True) -> str:
        """How the filesystem differs from all of `allowed`, as the host reads it, and the `board`
        too; empty when it does not."""
        try:
            found = filesystem.read_files(self.flash())
        except Damaged as error:
            return str(error)
        wanted = [self.prepared.files] if allowed is None else allowed
        if found not in wanted:
            return f"no allowed state of files: {filesystem.differences(found, wanted[-1])}"
        if not board:
            return ""
        own = {path: data for path, data in found.items() if is_journalled(path)}
        crcs = {path: binascii.crc32(data) for path, data in own.items()}
        seen = self.digest()
        return "" if seen == crcs else f"the board reads {seen}, the host {crcs}"

    def judge(self, exercise: Callable[[], None]) -> Outcome:
        """Do `exercise` on a board whose memory was tampered with, and say what became of it.

        Where it was reset or hangs, the app must come up again, in the end by reset and power.
        """
        try:
            exercise()
            self.probe()
        except WrongAnswer as error:
            if not (self.disturbance or error_in(self.console())):
                return self._wrong(str(error))
            trouble = str(error)
        except NoAnswer as error:
            trouble = str(error)
        else:
            if said := error_in(self.console()):
                return Outcome(Kind.ERROR, said)
            return Outcome(Kind.NO_EFFECT, "")
        return self._after(trouble)

    def _wrong(self, seen: str) -> Outcome:
        """Data is wrong and nothing said so; a reset must at least end that."""
        self.forget()
        self.board.reset()
        if why := self.refusal():
            return Outcome(Kind.LOST, f"{seen}; after reset: {why}")
        return Outcome(Kind.CORRUPTION, seen)

    def _after(self, trouble: str) -> Outcome:
        """The exercise could not be done."""
        if not self.disturbance:
            said = error_in(self.console())
            try:
                self.probe()
                return Outcome(Kind.ERROR, said or trouble)
            except (NoAnswer, WrongAnswer) as error:
                trouble = said or f"{trouble}, then {error}"
        if self.disturbance:
            self.board.step_until(lambda: any(e.kind == "reset" for e in self.board.events), 10)
            found = kind_of_reset(
                self.console(), [e.text for e in self.board.events if e.kind == "reset"]
            )
            if not (why := self.refusal()):
                return found
            trouble = f"{found.evidence}; {why}"
        return self._by_hand(trouble)

    def _by_hand(self, trouble: str) -> Outcome:
        """The button, then the supply."""
        for action in (self.board.reset, self.board.power_cycle):
            self.forget()
            action()
            if not (why := self.refusal()):
                return Outcome(Kind.HANG, trouble)
        return Outcome(Kind.LOST, f"{trouble}; after reset and power: {why}")


def is_journalled(path: str) -> bool:
    """Is it one of the files that `board/bench.py` tells the digests of?"""
    top = path.split("/")[0]
    return top != "lib" and "." not in top

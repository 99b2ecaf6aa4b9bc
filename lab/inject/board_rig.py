"""The emulated board as a rig: each case begins from the same snapshot, in virtual time.

Nothing of a case is kept, nor of the looks at the board after it: the next one begins anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from hw.esp32.chip import Stop
from lab import LabError
from lab.booted import Booted
from lab.inject.boards import serving
from lab.inject.case import Case, CaseFailed
from lab.inject.outcome import Outcome
from lab.inject.probes import HEAP_SLACK, ProbeFailed, Probes
from lab.inject.station import Connection, Station, StationError, StationState
from lab.inject.watch import said_by, watched
from lab.net.switch import Switch
from lab.targets import emulated_board
from lab.targets.embedded import LISTEN, TICKS_PER_SECOND, BoardSnapshot

# virtual; what a case leaves behind may take its time to go (RFC 9293: retransmissions)
SETTLE_SECONDS = (0.002, 3.0, 30.0)
REPEATS = 6  # .. of a case, twice, to see whether it leaks: the collector keeps now more, now less
SERVED = 8  # connections at a time, microdot/_listen.py
REST_SECONDS = 0.05  # virtual, between preparing a board and the first case


class BoardRig:
    """A `lab.inject.stream.StreamRig`, and a `lab.inject.outcome.Rig`. Packet cases use `switch`,
    `station` and `board` themselves.

    state: a board that serves. seed: what it was booted with. target: who emulates it. Raises
    LabError.
    """

    def __init__(self, state: Booted, seed: int = 1, target: str = "embedded") -> None:
        self.state, self.seed, self.target = state, seed, target
        self.switch = Switch(lambda: self.board.now * 1_000_000_000 // TICKS_PER_SECOND)
        board_class = emulated_board(target)
        self.board = board_class(state.image, self.switch, seed=seed, snapshot=state.snapshot)
        self.board.listen = LISTEN & ~Stop.UART  # its lines are looked at soon enough
        self.station = Station(self.switch, self.board)
        self.probes = Probes(self.board, self.station)
        self.timeline: list[tuple[float, str]] = []  # virtual seconds into the case, what was done
        self._began = 0.0
        self._ready: Connection | None = None  # behind its handshake, for the case
        self._ready_port = 0
        self._starts: dict[bool, tuple[BoardSnapshot, StationState]] = {}
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Power off."""
        self.station.close()
        self.board.close()

    def __enter__(self) -> BoardRig:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def keeper(self, case: Case) -> BoardRig:
        """See `lab.inject.outcome.Rig.keeper`."""
        return self

    # --- before a case ---

    def _prepare(self) -> None:
        """The states that cases begin from, and what an honest client leaves behind."""
        for served in [self.probes.echo() for _ in range(SERVED)]:  # what grows once has grown
            served.rst()
        self.station.run_for(REST_SECONDS)
        self._keep(False)
        self._ready_port = self.probes.upgrade().sport
        self._keep(True)
        self.start(False)
        self.probes.explore()
        self.start(False)
        self.probes.echo().rst()
        self.station.run_for(SETTLE_SECONDS[0])
        self.probes.measure()

    def _keep(self, upgraded: bool) -> None:
        self._starts[upgraded] = self.board.snapshot(), self.station.save()

    def start(self, upgraded: bool) -> None:
        """Go back to where cases begin: a board that serves; upgraded: with one connection behind
        its handshake."""
        snapshot, state = self._starts[upgraded]
        self.board.rewind(snapshot)
        self.station.restore(state)
        self._ready = self.station.connections[self._ready_port] if upgraded else None

    # --- StreamRig ---

    @property
    def now(self) -> float:
        """Virtual seconds."""
        return self.board.seconds

    @property
    def tardiness(self) -> float:
        """See `StreamRig.tardiness`."""
        return self.board.tardiness

    def open(self, upgraded: bool) -> Connection:
        """See `StreamRig.open`."""
        if upgraded and self._ready:
            ready, self._ready = self._ready, None
            return ready
        try:
            return self.probes.upgrade() if upgraded else self.station.connect()
        except StationError as error:
            raise CaseFailed(str(error)) from None

    def wait(self, predicate: Callable[[], bool], seconds: float) -> bool:
        """See `StreamRig.wait`."""
        try:
            self.station.run_until(predicate, seconds)
        except StationError:
            return False
        return True

    def pause(self, seconds: float) -> None:
        """See `StreamRig.pause`."""
        if seconds:
            self.station.run_for(seconds)

    def note(self, text: str) -> None:
        """See `StreamRig.note`."""
        self.timeline.append((self.now - self._began, text))

    # --- a case ---

    def converse(self, case: Case) -> None:
        """From the snapshot to the verdict on the conversation, without a look at the board but for
        what it tells by itself. Raises CaseFailed."""
        self.start(bool(case.parameters.get("upgraded")))
        case.play(self)
        if said := [f"{event.kind}: {event.text}" for event in self.board.events]:
            raise CaseFailed("\n".join(said))

    def run(self, case: Case, capture: Path | None = None) -> Outcome:
        """See `Rig.run`. capture: a pcapng of it, in virtual time.

        A heap that is larger counts when it grows with each repetition. What else is left behind
        counts when it is there after a longer wait too: the case is then repeated from the
        snapshot, which shows the same board, later."""
        for seconds in SETTLE_SECONDS:
            outcome, lingering = self._once(case, seconds, capture)
            if not lingering:
                return outcome
            if self.probes.only_heap and not self._grows(case):
                return replace(outcome, harm=[])
        return outcome

    def _grows(self, case: Case) -> bool:
        """Does the heap in use grow when the case is repeated on the same board? What is gone and
        does not, has grown once: lists and tables of the event loop."""
        self.start(bool(case.parameters.get("upgraded")))
        used: list[int] = []
        for _ in range(1 + 2 * REPEATS):
            self._play(case, SETTLE_SECONDS[1])
            try:
                used.append(self.probes.heap_in_use())
            except LabError:
                return True
            self.station.run_for(SETTLE_SECONDS[0])
        return min(used[1 + REPEATS :]) > min(used[1 : 1 + REPEATS]) + HEAP_SLACK

    def _once(self, case: Case, settle: float, capture: Path | None) -> tuple[Outcome, bool]:
        self.start(bool(case.parameters.get("upgraded")))
        self.timeline.clear()
        self._began = self.now
        began, instructions = self.board.now, self.board.chip.instructions()
        digest = hashlib.sha256()
        lingering = False
        with watched(self.switch, digest, capture):
            problems = self._play(case, settle)
            harm: list[str] = []
            try:
                self.probes.check()
            except ProbeFailed as error:
                lingering = error.lingering
                harm = str(error).splitlines()
        done = Outcome(
            problems,
            harm,
            self.board.chip.instructions() - instructions,
            (self.board.now - began) / TICKS_PER_SECOND,
            digest.hexdigest(),
            self.board.console.text,
        )
        return done, lingering

    def _play(self, case: Case, settle: float) -> list[str]:
        def play() -> None:
            case.play(self)
            self.station.run_for(settle)

        return said_by(play)


def open_rig(seed: int = 1) -> BoardRig:
    """A rig on a board with the app that is injected into. Raises LabError."""
    return BoardRig(serving(seed), seed)

"""Cases of every layer on the emulated board: stream, packet, and faults of the chip itself.

Each layer has a rig of its own that begins every case from a snapshot; here they look alike to the
runner, and to what keeps and replays failures.
"""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from lab.booted import Booted, booted
from lab.firmware import resolve
from lab.flash import board_files, build_image
from lab.inject.board_rig import BoardRig
from lab.inject.boards import serving
from lab.inject.case import FAULT, PACKET, Case
from lab.inject.faults import campaign
from lab.inject.faults import rig as faults
from lab.inject.outcome import Outcome
from lab.inject.packets import rig as packets
from lab.inject.watch import said_by, watched
from lab.targets import emulated_board


class KeptRig(Protocol):
    """A rig whose failures can be kept and played again.

    state, seed: what its board began from. target: who emulates it. timeline: virtual seconds into
    the case, what was done.
    """

    seed: int
    target: str
    timeline: list[tuple[float, str]]

    @property
    def state(self) -> Booted: ...

    def run(self, case: Case, capture: Path | None = None) -> Outcome:
        """Play `case`, then look whether the board lives; capture: a pcapng of it."""

    def close(self) -> None:
        """Power off."""


class PacketLayer:
    """The camera's board, and scapy hosts on its switch (lab/inject/packets)."""

    def __init__(self, state: Booted, seed: int, target: str) -> None:
        self.state, self.seed, self.target = state, seed, target
        self.timeline: list[tuple[float, str]] = []
        self._board_class = emulated_board(target)
        self._free = packets.free_at_rest(state, self._board_class)

    def run(self, case: Case, capture: Path | None = None) -> Outcome:
        """See `KeptRig.run`."""
        digest = hashlib.sha256()
        with packets.Rig(self.state, self.seed, self._board_class) as rig:
            began, instructions = rig.board.seconds, rig.board.chip.instructions()
            with watched(rig.switch, digest, capture):
                problems = said_by(lambda: case.play(rig))
                harm = said_by(lambda: rig.check(self._free))
            return Outcome(
                problems, harm, rig.board.chip.instructions() - instructions,
                rig.board.seconds - began, digest.hexdigest(), rig.board.console.text,
            )  # fmt: skip

    def close(self) -> None:
        """Each case has a board of its own."""


class FaultLayer:
    """A board whose supply, memory, clock or wires are bad (lab/inject/faults)."""

    def __init__(self, seed: int, target: str) -> None:
        self.seed, self.target = seed, target
        self.timeline: list[tuple[float, str]] = []
        self._rig = faults.Rig(emulated_board(target))

    @property
    def state(self) -> Booted:
        """Of the case in hand: each chooses the app it is done to."""
        return self._rig.prepared.state

    def run(self, case: Case, capture: Path | None = None) -> Outcome:
        """See `KeptRig.run`. The case itself judges what became of the board."""
        digest = hashlib.sha256()
        with ExitStack() as watching:
            self._rig.watch = lambda switch: watching.enter_context(
                watched(switch, digest, capture)
            )
            result = campaign.play(self._rig, case)
        board = self._rig.board
        problems = result.evidence.splitlines() if result.kind == campaign.FAILED else []
        return Outcome(
            problems, [], board.chip.instructions(), board.seconds, digest.hexdigest(),
            board.console.text,
        )  # fmt: skip

    def close(self) -> None:
        """Power off."""
        self._rig.close()


def open_layer(
    layer: str, seed: int, state: Booted | None = None, target: str = "embedded"
) -> KeptRig:
    """The rig of `layer`, on a board of `target` that goes on from `state`, else on the layer's
    own. Raises LabError."""
    if layer == PACKET:
        return PacketLayer(state or _camera_board(seed), seed, target)
    if layer == FAULT:
        return FaultLayer(seed, target)
    return BoardRig(state or serving(seed), seed, target)


def _camera_board(seed: int) -> Booted:
    firmware = resolve()
    return booted(build_image(firmware, board_files(firmware)), "serving", seed)


class Layers:
    """The emulated board for cases of any layer (`lab.inject.outcome.Rig`).

    Raises LabError where there is nothing that emulates it."""

    target = "embedded"

    def __init__(self, seed: int) -> None:
        emulated_board(self.target)
        self._seed = seed
        self._rigs: dict[str, KeptRig] = {}

    def keeper(self, case: Case) -> KeptRig:
        """The rig that plays `case`, opened when first wanted. Raises LabError."""
        if case.layer not in self._rigs:
            self._rigs[case.layer] = open_layer(case.layer, self._seed, target=self.target)
        return self._rigs[case.layer]

    def run(self, case: Case) -> Outcome:
        """See `Rig.run`."""
        return self.keeper(case).run(case)

    def close(self) -> None:
        """Power off all boards."""
        for rig in self._rigs.values():
            rig.close()
        self._rigs.clear()


class RenodeLayers(Layers):
    """The same in Renode."""

    target = "renode"

    def close(self) -> None:
        """Power off all boards, and end Renode."""
        from lab.targets.renode import end_idle

        super().close()
        end_idle()

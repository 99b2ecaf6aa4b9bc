"""A physical board as a rig: cases over a TCP stream, and a look at its console after each.

The board of board.toml and the variables gets the app that is injected into. It is reset every
so many cases: who closes TCP first keeps the connection in TIME-WAIT for two minutes (RFC 9293,
3.6.1), on the ESP32 in some 250 bytes of what little memory lwIP has.
"""

from __future__ import annotations

from lab.board import BoardError
from lab.boardfile import load
from lab.deploy import identify
from lab.inject.boards import files
from lab.inject.case import Case
from lab.inject.outcome import Outcome
from lab.inject.probes import traceback_in
from lab.inject.socket_rig import SocketRig
from lab.targets.serial import SerialBoard

CASES_EACH = 25  # from a reset to the next


class PhysicalRig(SocketRig):
    """On an open `board`, which stays open when the rig is closed. Raises LabError."""

    def __init__(self, board: SerialBoard) -> None:
        self.board = board
        self._cases = 0
        wanted = files(identify(board))
        super().__init__(board.serve(wanted, read_only=True), patience=board.patience)
        self._wanted = wanted

    def run(self, case: Case) -> Outcome:
        """See `Rig.run`. Raises BoardGone: no case after it could pass."""
        self.board.check()
        self._cases += 1
        if self._cases % CASES_EACH == 0:
            self.again()
        outcome = super().run(case)
        self.board.check()
        return outcome

    def again(self) -> None:
        """The board as after a reset. Raises BoardError."""
        self.address = self.board.serve(self._wanted, read_only=True)
        self._read = 0  # its console begins anew

    def _printed(self) -> str:
        text = self.board.console.text
        new, self._read = text[self._read :], len(text)
        return new

    def _look_inside(self, read: int) -> None:
        printed = self.board.console.text[read:]
        if "Traceback" in printed:
            raise BoardError(traceback_in(printed))
        if self.board.events:
            raise BoardError("; ".join(f"{e.kind}: {e.text}" for e in self.board.events))


class OwnRig(PhysicalRig):
    """With a board of its own."""

    def close(self) -> None:
        super().close()
        self.board.close()


def open_board(seed: int = 1) -> OwnRig:
    """The board of board.toml and the variables. Raises LabError."""
    board = SerialBoard(load())
    try:
        return OwnRig(board)
    except BaseException:
        board.close()
        raise

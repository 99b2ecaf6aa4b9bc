"""The board's supply: off, on, a sag, a cut in the middle of a write to flash."""

from __future__ import annotations

from robot.api.deco import keyword, library

from lab.capabilities import Capability, needs
from lab.keywords.bench import bench


@library(scope="SUITE", auto_keywords=False)
class PowerKeywords:
    """What a hand at the power supply does. Flash keeps what was written, RAM is lost; the camera
    has the same supply. Time goes on for everybody else."""

    @keyword
    @needs(Capability.POWER)
    def power_off(self) -> None:
        """Cut the supply now."""
        bench.board.power_off()

    @keyword
    @needs(Capability.POWER)
    def power_on(self) -> None:
        """The supply is back; the waits on the UART begin here."""
        bench.board.console.mark()
        bench.board.power_on()

    @keyword
    @needs(Capability.POWER)
    def power_cycle(self) -> None:
        """Off and on again."""
        self.power_off()
        self.power_on()

    @keyword
    @needs(Capability.BROWN_OUT)
    def brown_out(self) -> None:
        """The supply sags for a moment: the chip's detector resets it."""
        board = bench.emulated(Capability.BROWN_OUT)
        board.console.mark()
        board.brown_out()

    @keyword
    @needs(Capability.POWER_CUT)
    def cut_power_after_flash_bytes(self, count: int) -> None:
        """Cut the supply when the program has written or erased so many more bytes of flash, in
        mid-operation."""
        if count < 1:
            raise AssertionError("at least 1 byte; `Power Off` cuts now")
        bench.emulated(Capability.POWER_CUT).power_off(count)

    @keyword
    @needs(Capability.POWER_CUT)
    def wait_for_power_to_fail(self, timeout: float = 30) -> None:
        """Until the cut that `Cut Power After Flash Bytes` has armed has struck."""
        board = bench.emulated(Capability.POWER_CUT)
        if not board.step_until(lambda: not board.powered, timeout):
            raise AssertionError(f"the power did not fail within {timeout:g} s")

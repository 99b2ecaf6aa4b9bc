"""How one case went on one target."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from lab.inject.case import Case

if TYPE_CHECKING:
    from lab.inject.layers import KeptRig


@dataclass(frozen=True)
class Outcome:
    """problems: how the conversation was not as it must be, in words. harm: what is wrong with the
    target since. Neither: the case passed.

    instructions, seconds: of the chip and of its virtual time, from the start of the case to the
    end of the probes (0 and the wall clock's where there is no chip). digest: of all frames on the
    switch and their virtual times. console: what the board printed.
    """

    problems: list[str] = field(default_factory=list)
    harm: list[str] = field(default_factory=list)
    instructions: int = 0
    seconds: float = 0.0
    digest: str = ""
    console: str = ""

    @property
    def why(self) -> str:
        """Everything that was wrong; empty when nothing was."""
        return "\n".join([*self.problems, *self.harm])


class Rig(Protocol):
    """A target with cases run against it, one after the other."""

    def run(self, case: Case) -> Outcome:
        """Play `case`, then look whether the target lives. Raises nothing for what goes wrong
        there."""

    def keeper(self, case: Case) -> KeptRig | None:
        """The rig that can play `case` again bit for bit; None where nothing can."""

    def close(self) -> None:
        """Let go of the target."""

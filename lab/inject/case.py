"""What one injected case is, whatever layer it works on: stream, packet or the chip itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lab import LabError, capabilities
from lab.capabilities import Capability

STREAM, PACKET, FAULT = "stream", "packet", "fault"  # layers
ANYWHERE = ("embedded", "unix", "cpython", "renode", "board")
SIMULATED = ("embedded", "renode")  # what needs the board's switch, its virtual time or its inside


class CaseFailed(LabError):
    """What must hold did not; the text says what was seen and what was wanted."""


@dataclass(frozen=True)
class Case:
    """Something done to a board that must survive it.

    group: class that the counts go by ("handshake", "checksum", "power"). name: unique within the
    group, a few words. source: where the expectation comes from ("RFC 6455, 5.2"). play: does it
    to the rig of its layer, and raises CaseFailed when what must hold does not; the runner probes
    the board for life afterwards. targets: where it can run at all. parameters: what went into it,
    for reports and replay. layer: which rig it is played on.
    """

    group: str
    name: str
    source: str
    play: Callable[[Any], None]
    targets: tuple[str, ...] = SIMULATED
    parameters: dict[str, Any] = field(default_factory=dict)
    layer: str = STREAM

    @property
    def id(self) -> str:
        """Names the case in reports and on command lines."""
        return f"{self.group}/{self.name}"


def why_not(case: Case, target: str) -> str | None:
    """Why `case` can't run on `target`; None when it can."""
    if target in case.targets:
        return None
    lacking = capabilities.why_not(target, Capability.FRAMES)
    return f"{target} has not: {Capability.FRAMES}; {lacking}" if lacking else f"not on {target}"

"""What a target can't do, and why: one table for pytest, Robot and injected cases.

Whoever meets something that the target lacks raises `CannotDo`. pytest (lab.pytest_plugin) and
Robot (by an attribute that Robot looks for) report it as skipped, with the reason; it is never a
failure, and never a test that passes without having looked.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from lab import LabError

F = TypeVar("F", bound=Callable[..., Any])


class Capability(StrEnum):
    """Something that some tests need and not every target has; the value is for people."""

    CONSOLE = "a MicroPython console"
    RESET = "a reset button"
    POWER = "a switch for the power"
    POWER_CUT = "a power cut in the middle of a write to flash"
    BROWN_OUT = "a supply that sags"
    SNAPSHOT = "a state to go back to"
    CLOCK = "virtual time"
    FRAMES = "the board's Ethernet frames"
    LINK = "a cable to pull"
    ROUTER = "a router to command"
    SCENE = "a scene for the camera"
    PINS = "a look at the pins"
    MEMORY = "a look into memory"
    LARGE_FILES = "large files in the flash image"


# target -> what it lacks -> why
LACKS: dict[str, dict[Capability, str]] = {
    "embedded": {},
    "renode": {},
    "unix": dict.fromkeys(Capability, "it is a process on this machine, without a board around it"),
    "board": {
        Capability.POWER: "nothing switches its power: board.toml has no power_command",
        Capability.POWER_CUT: "no power_command strikes at a given byte of a write to flash",
        Capability.BROWN_OUT: "its supply can be switched at most, not lowered",
        Capability.SNAPSHOT: "the state of a physical chip can't be saved",
        Capability.CLOCK: "on a physical board time passes by itself",
        Capability.FRAMES: "the lab's switch is not between it and its clients",
        Capability.LINK: "its cable or radio is out of the lab's hands",
        Capability.ROUTER: "its router is not the lab's",
        Capability.SCENE: "the lab can't choose what a real camera sees",
        Capability.PINS: "no wire leads from its pins to the lab",
        Capability.MEMORY: "memory can't be read from outside while the program runs",
        Capability.LARGE_FILES: "they would take minutes at the speed of its serial port",
    },
}  # fmt: skip


class CannotDo(LabError):
    """This target lacks `capability`; the text says why."""

    ROBOT_SKIP_EXECUTION = True  # (Robot Framework user guide, "Skipping tests")

    def __init__(self, target: str, capability: Capability, why: str) -> None:
        super().__init__(f"{target} has not: {capability}; {why}")
        self.capability = capability


def why_not(target: str, capability: Capability) -> str | None:
    """Why `target` lacks `capability`; None when it has it."""
    return LACKS.get(target, {}).get(capability)


def require(target: str, *capabilities: Capability) -> None:
    """Raises CannotDo when `target` lacks one of them."""
    for capability in capabilities:
        if why := why_not(target, capability):
            raise CannotDo(target, capability, why)


def able(*capabilities: Capability) -> tuple[str, ...]:
    """The targets that have all of them."""
    return tuple(t for t in LACKS if not any(why_not(t, c) for c in capabilities))


def needs(*capabilities: Capability) -> Callable[[F], F]:
    """Decorator that tells, for the table of suites and targets, what a keyword needs."""

    def mark(function: F) -> F:
        function.lab_needs = capabilities  # type: ignore[attr-defined]
        return function

    return mark

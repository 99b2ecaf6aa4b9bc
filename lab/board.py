"""What a test may do with a board, whatever it is: emulated here, in Renode, or on a desk."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from lab import LabError
from lab.console import Console, ConsoleError


class BoardError(LabError):
    """The board can't go on, or can't do what was asked."""


@dataclass(frozen=True)
class Event:
    """Something a test wants to know of: kind "reset" or "panic", and its one-line text."""

    kind: str
    text: str


class Board(Protocol):
    """One board, powered on."""

    console: Console
    events: list[Event]

    def reset(self) -> None:
        """Press the reset button."""

    def power_cycle(self) -> None:
        """Off and on: RAM is lost, flash is kept."""

    def set_link(self, up: bool) -> None:
        """Plug or pull the network cable."""

    def close(self) -> None:
        """Let go of it; harmless twice."""


PANIC = re.compile(rb"(Guru Meditation Error[^\r\n]*|abort\(\) was called[^\r\n]*)[\r\n]")


# a boot that goes wrong: ESP-IDF's panic handler, the ROM's, or any reset but power-on
BOOT_FAILURE = re.compile(
    rb"(Guru Meditation Error|Fatal exception \(|abort\(\) was called|rst:0x(?!1 ))[^\r\n]*[\r\n]"
)


def wait_for_boot(console: Console, prompt: bytes, timeout: float) -> str:
    """Wait for `prompt`, a pattern; returns the output up to it.

    Raises BoardError when the firmware fails instead, or says nothing like it within `timeout`
    seconds.
    """
    wanted = re.compile(b"(?P<prompt>" + prompt + b")|" + BOOT_FAILURE.pattern)
    try:
        text = console.wait_for(wanted, timeout)
    except ConsoleError:
        raise BoardError(
            f"it did not come up within {timeout:g} s; the console shows:\n"
            f"{console.tail or '(nothing)'}"
        ) from None
    failure = BOOT_FAILURE.search(text.encode("utf-8", "replace"))
    if failure and not re.search(prompt, text.encode("utf-8", "replace")):
        what = failure[0].decode("utf-8", "replace").strip()
        raise BoardError(f"it fails at boot ({what}); the console shows:\n{console.tail}")
    return text


def find_panic(output: bytes) -> str | None:
    """The line in which ESP-IDF's panic handler says what happened."""
    match = PANIC.search(output)
    return match[1].decode("utf-8", "replace") if match else None

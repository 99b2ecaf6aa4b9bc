"""What became of a board after a fault, by class, and what shows it."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass


class Kind(enum.StrEnum):
    """From harmless to worst."""

    NO_EFFECT = "no effect"
    RECOVERED = "came up again"
    ERROR = "application error"
    PANIC = "panic and reboot"
    WATCHDOG = "watchdog reset"
    HANG = "hang until reset"  # nothing but the button ended it
    CORRUPTION = "silent data corruption"  # wrong data, and nothing said so
    REFUSED = "refused at boot"  # it says what is damaged, and needs to be written anew
    LOST = "does not come up"  # neither reset nor power helps


@dataclass(frozen=True)
class Outcome:
    """`evidence`: what the console, a client or the filesystem showed, in a line or some."""

    kind: Kind
    evidence: str


WATCHDOG = re.compile(r"(?:wdt timeout|watchdog got triggered)[^\r\n]*", re.IGNORECASE)
PANIC = re.compile(
    r"(?:Guru Meditation Error|abort\(\) was called|assert failed|Fatal exception \(|"
    r"stack overflow|Stack canary|CORRUPT HEAP|Stack smashing)[^\r\n]*"
)
BACKTRACE = re.compile(r"Backtrace:[^\r\n]*")
TRACEBACK = re.compile(r"Traceback \(most recent call last\):.*?\n(?=\S)[^\r\n]*", re.DOTALL)
# who says at boot that flash is damaged: ROM, second-stage bootloader, ESP-IDF, MicroPython
REFUSAL = re.compile(
    r"(?:csum err|invalid header|Checksum failed|Image hash failed|image is corrupt|"
    r"invalid segment|invalid magic|No bootable app|table MD5|partition table|"
    r"filesystem appears to be corrupted)[^\r\n]*"
)


def kind_of_reset(console: str, resets: list[str]) -> Outcome:
    """The class of a board that was reset from inside. resets: as the chip's log names them."""
    for pattern, kind in ((WATCHDOG, Kind.WATCHDOG), (PANIC, Kind.PANIC)):
        if found := pattern.search(console):
            trace = BACKTRACE.search(console, found.end())
            return Outcome(kind, found[0].strip() + (f"; {trace[0]}" if trace else ""))
    said = "; ".join(resets)
    return Outcome(Kind.WATCHDOG if "atchdog" in said else Kind.PANIC, said)


def error_in(console: str) -> str | None:
    """The last line of a traceback of Python's, or what else the app says of an error."""
    if found := TRACEBACK.search(console):
        return found[0].strip().splitlines()[-1].strip()
    found = re.search(r"lab: (?:error|stopped)[^\r\n]*|Task exception[^\r\n]*", console)
    return found[0] if found else None

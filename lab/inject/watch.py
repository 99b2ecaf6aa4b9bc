"""What every rig notes of a case: its frames, and what was wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hw.esp32.chip import ChipError
from lab import LabError
from lab.net.capture import Capture
from lab.net.switch import Switch


@contextmanager
def watched(switch: Switch, digest: hashlib._Hash, capture: Path | None) -> Iterator[None]:
    """Put every frame on `switch`, with its time, into `digest`, and into a pcapng."""

    def note(now: int, port: str, direction: str, data: bytes) -> None:
        if direction == "in":
            digest.update(b"%d %s %d " % (now, port.encode(), len(data)) + data)

    switch.taps.append(note)
    recorder = Capture(capture, switch) if capture else None
    try:
        yield
    finally:
        switch.taps.remove(note)
        if recorder:
            recorder.close()


def said_by(action: Callable[[], None]) -> list[str]:
    """What was wrong, in words; nothing when `action` returns."""
    try:
        action()
    except (LabError, ChipError) as error:
        return str(error).splitlines() or [type(error).__name__]
    return []

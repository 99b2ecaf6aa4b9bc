"""The apps that faults are done to, and boards that have booted them."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lab.booted import Booted, booted
from lab.firmware import resolve
from lab.flash import board_files, build_image, compile_mpy
from lab.inject.faults import filesystem
from lab.inject.faults.journal import Files

# small: echoes lines, little to load. camera: the camera board's app. Both have board/bench.py.
App = Literal["small", "camera"]

BOARD_FILES = Path(__file__).parent / "board"


@functools.cache
def image_of(app: App, watchdog: bool = True) -> bytes:
    """4 MB of flash with `app` on it; a watchdog guards its event loop unless told otherwise."""
    firmware = resolve()
    files = board_files(firmware) if app == "camera" else {}
    files["main.py"] = (BOARD_FILES / f"{app}.py").read_bytes()
    files["bench.mpy"] = compile_mpy((BOARD_FILES / "bench.py").read_bytes(), "bench.py")
    if not watchdog:
        files["plain"] = b""
    return build_image(firmware, files)


@dataclass(frozen=True)
class Prepared:
    """A flash image, the board that has booted it, and what is on its filesystem."""

    image: bytes
    state: Booted
    files: Files


@functools.cache
def prepare(app: App, watchdog: bool) -> Prepared:
    """From the lab's cache of booted boards where it is there. Raises LabError."""
    image = image_of(app, watchdog)
    state = booted(image, "serving" if app == "camera" else "online")
    return Prepared(image, state, filesystem.read_files(image))

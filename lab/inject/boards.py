"""Flash of the board that is injected into, and that board up and serving."""

from __future__ import annotations

import functools
from pathlib import Path

from lab.booted import Booted, booted
from lab.firmware import resolve
from lab.flash import APP, ROOT, build_image, compile_mpy

FOLDER = Path(__file__).parent / "board"


@functools.cache
def image(app: bytes | None = None) -> bytes:
    """Firmware, microdot and `board/app.py`, or the source of another app with the same functions.

    Raises LabError."""
    files = {"main.py": (FOLDER / "main.py").read_bytes()}
    for path in sorted((ROOT / "microdot").glob("*.py")):
        files[f"lib/microdot/{path.stem}.mpy"] = compile_mpy(path.read_bytes(), path.name)
    files["net.mpy"] = compile_mpy((APP / "net.py").read_bytes(), "net.py")
    files["app.mpy"] = compile_mpy(app or (FOLDER / "app.py").read_bytes(), "app.py")
    return build_image(resolve(), files)


def serving(seed: int = 1, app: bytes | None = None) -> Booted:
    """The board that has booted it, from the cache where it is there. Raises LabError."""
    return booted(image(app), "online", seed)

"""Flash of the board that is injected into, and that board up and serving."""

from __future__ import annotations

import functools
from pathlib import Path

from lab.booted import Booted, booted
from lab.firmware import resolve
from lab.flash import APP, ROOT, Versioned, build_image, compile_mpy, takes_mpy

FOLDER = Path(__file__).parent / "board"


def files(firmware: Versioned, app: bytes | None = None) -> dict[str, bytes]:
    """microdot and `board/app.py`, or the source of another app with the same functions."""
    found = {"main.py": (FOLDER / "main.py").read_bytes()}
    sources = {
        f"lib/microdot/{path.stem}": path.read_bytes()
        for path in sorted((ROOT / "microdot").glob("*.py"))
    }
    sources["net"] = (APP / "net.py").read_bytes()
    sources["app"] = app or (FOLDER / "app.py").read_bytes()
    for name, source in sources.items():
        if takes_mpy(firmware):
            found[f"{name}.mpy"] = compile_mpy(source, f"{name.rpartition('/')[2]}.py")
        else:
            found[f"{name}.py"] = source
    return found


@functools.cache
def image(app: bytes | None = None) -> bytes:
    """Firmware and `files`. Raises LabError."""
    firmware = resolve()
    return build_image(firmware, files(firmware, app))


def serving(seed: int = 1, app: bytes | None = None) -> Booted:
    """The board that has booted it, from the cache where it is there. Raises LabError."""
    return booted(image(app), "online", seed)

"""The frameworks that are compared."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lab.flash import ROOT, compile_mpy
from lab.pinned import MICRODOT

APP = Path(__file__).resolve().parent / "app"


@dataclass(frozen=True)
class Framework:
    """One side of the comparison: where its `microdot` package lies, and the modules needed."""

    name: str
    root: Path
    modules: tuple[str, ...]

    def board_files(self) -> dict[str, bytes]:
        """For the board's filesystem: framework and app as .mpy, compiled alike."""
        files = {}
        for module in self.modules:
            source = (self.root / "microdot" / module).read_bytes()
            name = f"microdot/{module}"
            files[f"lib/{name[:-3]}.mpy"] = compile_mpy(source, name)
        files["served.mpy"] = compile_mpy((APP / "served.py").read_bytes(), "served.py")
        files["main.py"] = (APP / "main.py").read_bytes()
        return files


def ours() -> Framework:
    """This repository's."""
    modules = tuple(sorted(path.name for path in (ROOT / "microdot").glob("*.py")))
    return Framework("ours", ROOT, modules)


def peer() -> Framework:
    """The published one. Raises PackageError."""
    modules = ("__init__.py", "helpers.py", "microdot.py", "websocket.py")
    return Framework(f"{MICRODOT.name} {MICRODOT.version}", MICRODOT.install(), modules)

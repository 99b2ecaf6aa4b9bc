"""The lab's cache: `$LAB_CACHE`, else `$XDG_CACHE_HOME/lab`, else `~/.cache/lab`."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import LabError


def cache_dir() -> Path:
    """The lab's cache directory; not necessarily there yet."""
    if os.environ.get("LAB_CACHE"):
        return Path(os.environ["LAB_CACHE"])
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "lab"
    except RuntimeError:
        raise LabError("there is no home directory for a cache: set LAB_CACHE or HOME") from None


def cache_folder(name: str) -> Path:
    """A directory in the cache, made when it isn't there. Raises LabError."""
    folder = cache_dir() / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LabError(
            f"the cache {cache_dir()} can't be used: {error.strerror} (LAB_CACHE chooses another)"
        ) from None
    return folder


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time; `path` is the lock's file, in a directory that is there."""
    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_whole(path: Path, data: bytes) -> None:
    """Put `data` at `path`; nobody sees a part of it, and a full disk leaves none."""
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)

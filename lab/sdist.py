"""Source distributions of the Python package index: found, fetched once, opened.

The index is the one pip is configured for. The lab's cache is `$LAB_CACHE`, else
`$XDG_CACHE_HOME/lab`, else `~/.cache/lab`.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

from lab import LabError

CHUNK = 1 << 16

# called with (bytes so far, bytes in all or None)
Progress = Callable[[int, int | None], None]


class SdistError(LabError):
    """A source distribution can't be had, or is not what it should be."""


def cache_dir() -> Path:
    """The lab's cache directory; not necessarily there yet."""
    if os.environ.get("LAB_CACHE"):
        return Path(os.environ["LAB_CACHE"])
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "lab"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time; `path` is the lock's file, in a directory that is there."""
    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_whole(path: Path, data: bytes) -> None:
    """Put `data` at `path`; nobody sees a part of it."""
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_bytes(data)
    temporary.replace(path)


@dataclass(frozen=True)
class Sdist:
    """One release. sha256: of the archive, checked when it is given."""

    package: str
    version: str
    sha256: str | None = None

    @property
    def stem(self) -> str:
        """Name of the archive's only directory, and of the archive without its ending."""
        return f"{self.package.replace('-', '_')}-{self.version}"

    @property
    def cached(self) -> Path:
        """Where `fetch` keeps the archive."""
        return cache_dir() / "sdist" / f"{self.stem}.tar.gz"

    def download(self, folder: Path, progress: Progress | None = None) -> bytes:
        """The archive, fetched through a file in `folder` that a next try goes on with.

        Raises OSError when that fails, SdistError for a bad archive."""
        part = folder / f"{self.package}-{self.version}.part"
        url, wanted = _find(self)
        _download(url, part, progress)
        archive = part.read_bytes()
        for sha256 in (wanted, self.sha256):
            if sha256 and hashlib.sha256(archive).hexdigest() != sha256:
                part.unlink()
                raise SdistError(f"{self.package}: the download has a bad sha256; try again")
        part.unlink()
        return archive

    def fetch(self, progress: Progress | None = None) -> bytes:
        """The archive, from the cache when it is there. Raises SdistError."""
        self.cached.parent.mkdir(parents=True, exist_ok=True)
        with locked(self.cached.with_suffix(".lock")):
            if self.cached.exists():
                archive = self.cached.read_bytes()
                if not self.sha256 or hashlib.sha256(archive).hexdigest() == self.sha256:
                    return archive
            try:
                archive = self.download(self.cached.parent, progress)
            except OSError as error:
                raise SdistError(f"fetching {self.stem} failed: {error}") from None
            write_whole(self.cached, archive)
            return archive

    def members(self, archive: bytes, under: str = "") -> dict[str, bytes]:
        """Files whose path in the archive's directory begins with `under`: path -> contents.

        Raises SdistError."""
        files = {}
        try:
            with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
                for member in tar:
                    top, _, name = member.name.partition("/")
                    if top != self.stem or not name.startswith(under) or not member.isfile():
                        continue
                    file = tar.extractfile(member)
                    assert file  # since it is a file
                    files[name] = file.read()
        except (tarfile.TarError, EOFError, OSError) as error:
            raise SdistError(f"{self.stem} is no archive ({error})") from None
        return files


def _index_url() -> str:
    """The package index pip is configured for."""
    command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    url = os.environ.get("PIP_INDEX_URL", "").strip()
    if not url:
        done = subprocess.run(command, capture_output=True, text=True)
        url = done.stdout.strip() if done.returncode == 0 else ""
    if not url:
        from pip._internal.models.index import PyPI  # pip's own default

        url = str(PyPI.simple_url)
    return url.rstrip("/") + "/"


def _find(sdist: Sdist) -> tuple[str, str]:
    """URL and sha256 of the archive (PEP 691 JSON, else PEP 503 HTML)."""
    page = urljoin(_index_url(), f"{sdist.package}/")
    accept = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"
    request = urllib.request.Request(page, headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=60) as answer:
        text, kind, base = (
            answer.read().decode(),
            answer.headers.get("Content-Type", ""),
            answer.url,
        )
    wanted = f"{sdist.stem}.tar.gz"
    links: list[tuple[str, str]] = []
    if "json" in kind:
        for file in json.loads(text)["files"]:
            links.append((file["filename"], f"{file['url']}#sha256={file['hashes']['sha256']}"))
    else:
        links = [(name, href) for href, name in re.findall(r'href="([^"]+)"[^>]*>([^<]+)<', text)]
    for name, href in links:
        if name.strip().replace("-", "_") == wanted.replace("-", "_"):
            url, _, fragment = urljoin(base, href).partition("#")
            return url, fragment.removeprefix("sha256=")
    raise SdistError(f"the package index has no {wanted}")


def _download(url: str, part: Path, progress: Progress | None) -> None:
    """Fetch `url` into `part`, going on where an earlier try was cut off (HTTP Range)."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        answer = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        if error.code != 416:  # the part is already all of it
            raise
        return
    with answer, open(part, "ab" if answer.status == 206 else "wb") as out:
        done = have if answer.status == 206 else 0
        size = answer.headers.get("Content-Length")
        total = done + int(size) if size else None
        while block := answer.read(CHUNK):
            out.write(block)
            done += len(block)
            if progress:
                progress(done, total)
    if total is not None and done < total:
        raise OSError(f"cut off after {done} of {total} bytes")

"""Distributions of the Python package index: found, fetched once, opened. The index is the one
pip is configured for."""

from __future__ import annotations

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
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

from lab import LabError
from lab.cache import cache_folder, locked, write_whole

CHUNK = 1 << 16

# called with (bytes so far, bytes in all or None)
Progress = Callable[[int, int | None], None]


class DistributionError(LabError):
    """A distribution can't be had, or is not what it should be."""


@dataclass(frozen=True)
class Distribution:
    """One release. sha256: of the archive, checked when it is given. wheel: file name of the wheel
    to take; without, it is the source distribution."""

    package: str
    version: str
    sha256: str | None = None
    wheel: str = ""

    @property
    def stem(self) -> str:
        """Name of a source archive's only directory, and of that archive without its ending."""
        return f"{self.package.replace('-', '_')}-{self.version}"

    @property
    def file(self) -> str:
        """File name of the archive."""
        return self.wheel or f"{self.stem}.tar.gz"

    def download(self, folder: Path, progress: Progress | None = None) -> bytes:
        """The archive, fetched through a file in `folder` that a next try goes on with.

        Raises OSError when that fails, DistributionError for a bad archive."""
        part = folder / f"{self.file}.part"
        url, wanted = _find(self)
        _download(url, part, progress)
        archive = part.read_bytes()
        for sha256 in (wanted, self.sha256):
            if sha256 and hashlib.sha256(archive).hexdigest() != sha256:
                part.unlink()
                raise DistributionError(f"{self.package}: the download has a bad sha256; try again")
        part.unlink()
        return archive

    def fetch(self, progress: Progress | None = None) -> bytes:
        """The archive, from the cache when it is there. Raises DistributionError."""
        cached = cache_folder("distribution") / self.file
        with locked(cached.with_suffix(".lock")):
            if cached.exists():
                archive = cached.read_bytes()
                if not self.sha256 or hashlib.sha256(archive).hexdigest() == self.sha256:
                    return archive
            try:
                archive = self.download(cached.parent, progress)
            except OSError as error:
                raise DistributionError(f"fetching {self.stem} failed: {error}") from None
            write_whole(cached, archive)
            return archive

    def members(self, archive: bytes, under: str = "") -> dict[str, bytes]:
        """Files whose path begins with `under` (in a source archive: inside its directory): path ->
        contents.

        Raises DistributionError."""
        try:
            found = self._unzip(archive) if self.wheel else self._untar(archive)
        except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
            raise DistributionError(f"{self.file} is no archive ({error})") from None
        return {name: data for name, data in found.items() if name.startswith(under)}

    def _unzip(self, archive: bytes) -> dict[str, bytes]:
        with zipfile.ZipFile(io.BytesIO(archive)) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist()}

    def _untar(self, archive: bytes) -> dict[str, bytes]:
        files = {}
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar:
                top, _, name = member.name.partition("/")
                if top == self.stem and member.isfile():
                    file = tar.extractfile(member)
                    assert file  # since it is a file
                    files[name] = file.read()
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


def _find(distribution: Distribution) -> tuple[str, str]:
    """URL and sha256 of the archive (PEP 691 JSON, else PEP 503 HTML)."""
    page = urljoin(_index_url(), f"{distribution.package}/")
    accept = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"
    request = urllib.request.Request(page, headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=60) as answer:
        text, kind, base = (
            answer.read().decode(),
            answer.headers.get("Content-Type", ""),
            answer.url,
        )
    wanted = distribution.file
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
    raise DistributionError(f"the package index has no {wanted}")


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

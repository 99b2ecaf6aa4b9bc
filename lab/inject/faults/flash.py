"""One bit of flash flips while the board is off; then it boots.

What guards what: the ROM checks the sum of the bootloader's segments (not of their headers), the
bootloader the partition table's MD5 and the app's checksum and SHA-256 (ESP-IDF, "App Image
Format", "Partition Tables"), littlefs the CRC of each commit of metadata (SPEC.md, "Metadata
blocks"). Nothing guards the contents of files: littlefs has no checksum of data. So firmware must
be refused and never run; of files, what is lost or wrong is named.
"""

from __future__ import annotations

import functools
import random
import zlib
from dataclasses import dataclass
from typing import Any

from lab.flash import BLOCK_SIZE, partitions
from lab.inject.case import Case, CaseFailed
from lab.inject.faults.memory import address_in, app_offset, segments
from lab.inject.faults.outcome import Kind
from lab.inject.faults.prepared import App
from lab.inject.faults.rig import Rig

SOURCE = "ESP-IDF, App Image Format; littlefs, SPEC.md"
BOOTLOADER, TABLE, ENTRY = 0x1000, 0x8000, 32
ERASED = b"\xff" * BLOCK_SIZE
SHA_SIZE = 32
# what must say so when it is damaged, and must not run
GUARDED = ("bootloader", "partition table", "firmware")
PLACES = ("firmware", "metadata", "data", "bootloader", "metadata", "partition table", "nvs",
          "bootloader header")  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """Addresses of a board's flash by what lies there."""

    places: dict[str, list[range]]

    def pick(self, place: str, chance: random.Random) -> int:
        """An address of `place`."""
        return address_in(self.places[place], chance)


def layout(flash: bytes) -> Layout:
    """Of 4 MB of flash. Raises LabError when it holds no firmware."""
    table = partitions(flash)
    vfs = next(p for p in table if p.name == "vfs")
    nvs = next(p for p in table if p.name == "nvs")
    app = app_offset(flash)
    loaded = segments(flash, BOOTLOADER)
    blocks = [range(at, at + BLOCK_SIZE) for at in range(vfs.offset, vfs.offset + vfs.size,
                                                         BLOCK_SIZE)]  # fmt: skip
    used = [b for b in blocks if flash[b.start : b.stop] != ERASED]
    commits = {b.start: commits_size(flash[b.start : b.stop]) for b in used}
    return Layout({
        "bootloader": [range(s.offset, s.offset + s.size) for s in loaded],
        "bootloader header": [
            range(BOOTLOADER, loaded[0].offset - 8),
            *(range(s.offset - 8, s.offset) for s in loaded),
        ],
        "partition table": [range(TABLE, TABLE + (len(table) + 1) * ENTRY)],
        "nvs": [range(nvs.offset, nvs.offset + BLOCK_SIZE)],
        "firmware": [range(app, _image_end(flash, app))],
        "metadata": [range(b.start, b.start + commits[b.start]) for b in used if commits[b.start]],
        "data": [b for b in used if not commits[b.start]],
    })  # fmt: skip


def _image_end(flash: bytes, at: int) -> int:
    """Behind checksum and, where it has one, SHA-256."""
    last = segments(flash, at)[-1]
    end = (last.offset + last.size | 15) + 1
    return end + SHA_SIZE * flash[at + 23]


def commits_size(block: bytes) -> int:
    """Bytes of the valid commits that `block` begins with; 0 when it is no metadata block
    (littlefs, SPEC.md, "Metadata tags")."""
    tag, at, end, crc = 0xFFFFFFFF, 4, 0, zlib.crc32(block[:4])
    while at + 4 <= len(block):
        tag ^= int.from_bytes(block[at : at + 4], "big")
        size = 0 if tag & 0x3FF == 0x3FF else tag & 0x3FF
        if tag >> 31 or at + 4 + size > len(block):
            break
        if tag >> 28 & 7 == 5:  # a CRC ends the commit; the next one begins behind its padding
            crc = zlib.crc32(block[at : at + 4], crc)
            if crc ^ 0xFFFFFFFF != int.from_bytes(block[at + 4 : at + 8], "little"):
                break
            end = at = at + 4 + size
            tag ^= (tag >> 20 & 1) << 31
            crc = 0
            continue
        crc = zlib.crc32(block[at : at + 4 + size], crc)
        at += 4 + size
    return end


def rot(rig: Rig, app: App, place: str, pick: int, bit: int) -> None:
    """Play a flip of `bit` at an address of `place` that the seed `pick` tells."""
    key = ("flash", app)
    if key not in rig.memory:
        rig.start(app)
        flash = rig.flash()  # of a board that has booted: NVS is in use
        rig.memory[key] = flash, layout(flash)
    flash, where = rig.memory[key]
    address = where.pick(place, random.Random(pick))
    damaged = bytearray(flash)
    damaged[address] ^= 1 << bit
    rig.start(app, image=bytes(damaged))
    name = f"{place}, bit {bit} of 0x{address:06x}"
    if why := rig.refusal():
        if "complains" in why or "bootloader" in why:  # the ROM's part is played by the model
            rig.note(Kind.REFUSED, f"{name}: {why}")
        else:
            also = rig.unlike(None, board=False)
            rig.note(Kind.LOST, f"{name}: {why}" + (f"; {also}" if also else ""))
    elif why := rig.unlike(None, board=False):
        rig.note(Kind.CORRUPTION, f"{name}: {why}")
    else:
        rig.note(Kind.NO_EFFECT, name)
    assert rig.outcome
    if place in GUARDED and rig.outcome.kind not in (Kind.REFUSED, Kind.NO_EFFECT):
        raise CaseFailed(
            f"damaged and not refused, {rig.outcome.evidence}\n{rig.board.console.tail}"
        )


def cases(seed: int, count: int) -> list[Case]:
    """`count` flips, each place in turn; every tenth with the camera board's files."""
    table = []
    for number in range(count):
        chance = random.Random(f"flash {seed} {number}")
        place = PLACES[number % len(PLACES)]
        parameters: dict[str, Any] = {
            "app": "camera" if number % 10 == 4 else "small",
            "place": place,
            "pick": chance.randrange(2**32),
            "bit": chance.randrange(8),
        }
        play = functools.partial(rot, **parameters)
        table.append(Case(f"flash, {place}", f"{number}", SOURCE, play, parameters=parameters))
    return table

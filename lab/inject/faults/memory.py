"""Where things lie in the RAM of a running board: what a flipped bit hits.

From the firmware's own image (ESP-IDF, "App Image Format"), from what MicroPython's `mem_info`
tells of its heap, and from the head of ESP-IDF's heap (multi_heap.c, `heap_t`) in RAM.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from hw.esp32.chip import Chip
from lab import LabError
from lab.flash import partitions

DRAM = range(0x3FFAE000, 0x40000000)
IRAM = range(0x40080000, 0x400A0000)
DRAM_END = 0x3FFE0000  # of the region that .data, .bss and the first heap share
SECOND_HEAP = range(0x3FFE4350, 0x40000000)  # ESP-IDF, soc_memory_layout.c
HEAP_LEAST = 0x4000  # bytes
STACK_BYTES = 1024  # from a core's stack pointer up: the frames in use
REGISTERS = (*(f"a{n}" for n in range(16)), "pc", "ps", "sar", "lbeg", "lend", "lcount",
             "windowbase", "windowstart", "epc1", "vecbase")  # fmt: skip


def address_in(ranges: list[range], chance: random.Random) -> int:
    """One of all the addresses in `ranges`."""
    at = chance.randrange(sum(len(r) for r in ranges))
    for part in ranges:
        if at < len(part):
            return part[at]
        at -= len(part)
    raise AssertionError("beyond the last range")


@dataclass(frozen=True)
class Segment:
    """A part of the app's image: where it is loaded, how long it is, where it lies in flash."""

    address: int
    size: int
    offset: int


def segments(flash: bytes, at: int) -> list[Segment]:
    """Of the image at `at` in flash. Raises LabError when there is none."""
    if flash[at] != 0xE9:
        raise LabError(f"there is no image at 0x{at:x} in flash")
    found = []
    place = at + 24
    for _ in range(flash[at + 1]):
        address, size = (int.from_bytes(flash[place + n : place + n + 4], "little") for n in (0, 4))
        found.append(Segment(address, size, place + 8))
        place += 8 + size
    return found


def app_offset(flash: bytes) -> int:
    """Where the app's image lies. Raises LabError."""
    for partition in partitions(flash):
        if partition.kind == 0:
            return partition.offset
    raise LabError("there is no app partition")


def _areas(console: str) -> list[range]:
    """MicroPython's heap, of the text that `micropython.mem_info(1)` prints."""
    areas = []
    for start, lines in re.findall(
        r"GC memory layout; from ([0-9a-f]+):\r?\n((?:[0-9a-f]{8}: .*\r?\n|\s+\(.*\r?\n)+)", console
    ):
        last = re.findall(r"([0-9a-f]{8}): (\S+)", lines)[-1]
        first = int(start, 16)
        areas.append(range(first, first + int(last[0], 16) + len(last[1]) * 16))
    return areas


class MemoryMap:
    """Ranges of addresses by class, of a board that has booted `flash` and shown `console`.

    Raises LabError when one of them can't be told.
    """

    def __init__(self, flash: bytes, console: str, chip: Chip) -> None:
        parts = segments(flash, app_offset(flash))
        data = [range(s.address, s.address + s.size) for s in parts if s.address in DRAM]
        end = max(r.stop for r in data)
        heap = _heap_start(chip, end)
        python = _areas(console)
        if not python:
            raise LabError("the console does not tell where MicroPython's heap lies")
        self.classes: dict[str, list[range]] = {
            "code": [range(s.address, s.address + s.size) for s in parts if s.address in IRAM],
            "data": data,
            "bss": [range(end, heap)],
            "python heap": python,
            "system heap": [
                *_without(range(heap, DRAM_END), python),
                *_without(SECOND_HEAP, python),
            ],
        }

    def pick(self, name: str, chance: random.Random) -> int:
        """An address of class `name`."""
        return address_in(self.classes[name], chance)


def _heap_start(chip: Chip, after: int) -> int:
    """The first heap's `heap_t`: lock, free bytes, the least there were, size, what is behind."""
    first = (after + 3) & ~3
    ram = chip.read_memory(first, DRAM_END - first)
    words = [int.from_bytes(ram[n : n + 4], "little") for n in range(0, len(ram), 4)]
    for n in range(len(words) - 4):
        address = first + 4 * n
        _, free, least, size, behind = words[n : n + 5]
        if behind == address + 20 and least <= free < size and HEAP_LEAST < size < 2 * len(ram):
            return address
    raise LabError("the head of ESP-IDF's heap is not in RAM")


def _without(whole: range, holes: list[range]) -> list[range]:
    """`whole` without `holes`."""
    left, at = [], whole.start
    for hole in sorted(holes, key=lambda r: r.start):
        if hole.start >= whole.stop:
            break
        if hole.start > at:
            left.append(range(at, hole.start))
        at = max(at, hole.stop)
    if at < whole.stop:
        left.append(range(at, whole.stop))
    return left

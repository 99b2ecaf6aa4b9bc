"""Looks into the memory of an emulated board: MicroPython's heap and lwIP's sockets.

To ask the board itself takes more instructions than most cases do; a look costs none, and changes
nothing. Where the tables lie is found by what is in them (py/mpstate.h and lwip/priv/sockets_priv.h
say how they are laid out), and proved against what the board says of itself.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from hw.esp32.chip import Chip
from lab import LabError
from lab.console import Console

DRAM = range(0x3FFAE000, 0x40000000)  # ESP32 TRM, chapter "System and Memory": internal SRAM 1, 2
WORD = 4
BLOCK_BYTES = 16  # of MicroPython's heap, py/gc.c: four words
BLOCKS_A_BYTE = 4  # in the allocation table, two bits each; 00 is free
USED = bytes(sum(byte >> 2 * n & 3 != 0 for n in range(BLOCKS_A_BYTE)) for byte in range(256))
STRIDES = range(4, 64, 4)  # bytes of an lwip_sock


def _words(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // WORD}I", data)


def _dump(chip: Chip) -> tuple[int, ...]:
    return _words(chip.read_memory(DRAM.start, len(DRAM)))


@dataclass(frozen=True)
class Inside:
    """Where to look. heap: the first `mp_state_mem_area_t`. sockets: the `conn` field of each
    entry of lwIP's table."""

    heap: int
    sockets: tuple[int, ...]

    def heap_used(self, chip: Chip) -> int:
        """Bytes of Python's heap that are taken; all areas, garbage too."""
        used, area = 0, self.heap
        while area:
            area, table, size = _words(chip.read_memory(area, 3 * WORD))
            used += sum(chip.read_memory(table, size).translate(USED))
        return used * BLOCK_BYTES

    def sockets_used(self, chip: Chip) -> int:
        """Entries of lwIP's table that are in use."""
        first, last = self.sockets[0], self.sockets[-1]
        table = chip.read_memory(first, last - first + WORD)
        return sum(any(table[at - first : at - first + WORD]) for at in self.sockets)


def find(chip: Chip, console: Console) -> Inside:
    """Explore a board at its prompt; it must be put back to what it was afterwards.

    Raises LabError when this firmware's memory is laid out in another way.
    """
    inside = Inside(_find_heap(_dump(chip)), _find_sockets(chip, console))
    said = int(console.run("import gc\ngc.collect()\nprint(gc.mem_alloc())"))
    if not abs(inside.heap_used(chip) - said) < 4096:  # the prompt itself takes some
        raise LabError(f"the heap has {said} bytes in use, not {inside.heap_used(chip)}")
    return inside


def _find_heap(memory: tuple[int, ...]) -> int:
    """{next, alloc table, its size, finaliser table, pool start, pool end}: the pool has four
    blocks for each byte of the table."""
    found, targets = [], set()
    for at in range(len(memory) - 6):
        following, table, size, finalisers, start, end = memory[at : at + 6]
        if (
            end - start == size * BLOCKS_A_BYTE * BLOCK_BYTES > 0
            and DRAM.start <= table < finalisers < start < end <= DRAM.stop
            and (following == 0 or following in DRAM)
        ):
            found.append(DRAM.start + at * WORD)
            targets.add(following)
    first = [area for area in found if area not in targets]
    if len(first) != 1:
        raise LabError(f"MicroPython's heap was found in {len(first)} places, not in one")
    return first[0]


def _find_sockets(chip: Chip, console: Console) -> tuple[int, ...]:
    """Open one socket after the other, and see which words become pointers, at equal distances."""
    console.run("import gc, socket\ngc.collect()\nopened = []")
    dumps = [_dump(chip)]
    while True:
        console.run("try: opened.append(socket.socket())\nexcept OSError: pass")
        if int(console.eval("len(opened)")) < len(dumps):
            break
        dumps.append(_dump(chip))
    console.run("for one in opened: one.close()\ndel opened")
    after = _dump(chip)
    count = len(dumps) - 1
    steps: list[set[int]] = []
    for k in range(1, count + 1):
        before, now, last = dumps[k - 1], dumps[k], dumps[count]
        steps.append({
            at for at in range(len(now))
            if before[at] == 0 and now[at] in DRAM and last[at] == now[at]
            and dumps[0][at] == 0 and after[at] == 0
        })  # fmt: skip
    for start in steps[0] if count > 1 else ():
        for stride in STRIDES:
            places = [start + k * stride // WORD for k in range(count)]
            if all(place in step for place, step in zip(places, steps, strict=True)):
                first = start - stride // WORD  # the listener's
                taken = [first] if dumps[0][first] in DRAM else []
                return tuple(DRAM.start + at * WORD for at in (*taken, *places))
    raise LabError("lwIP's table of sockets was not found")

"""Where a core of the emulated chip is: the guest's call stack, without its help.

Windowed registers (Xtensa ISA, 4.7.1): the callers that are still in the register file are read
there, the others from where the overflow handlers spilled them, 16 bytes below each stack pointer.
"""

from __future__ import annotations

import re

from hw.esp32.chip import Chip, ChipError

DEPTH = 24
CODE = range(0x40000000, 0x40400000)
PRINTED = re.compile(rb"Backtrace:((?: ?0x[0-9a-f]{8}:0x[0-9a-f]{8})+)")


def backtrace(chip: Chip, core: int = 0, depth: int = DEPTH) -> list[int]:
    """Program counters from the innermost call outwards."""
    base = chip.register("windowbase", core)
    occupied = chip.register("windowstart", core)
    found = [chip.register("pc", core)]
    link, sp = _saved(chip, core, base)
    in_registers = True
    while len(found) < depth and link >> 30:
        pc = link & 0x3FFFFFFF | 0x40000000
        if pc not in CODE:
            break
        found.append(pc - 3)
        base = (base - (link >> 30)) & 15
        in_registers = in_registers and bool(occupied >> base & 1)
        if in_registers:
            link, sp = _saved(chip, core, base)
        else:
            try:
                spilled = chip.read_memory(sp - 16 & 0xFFFFFFFF, 8)
            except ChipError:
                break
            link, sp = (int.from_bytes(spilled[n : n + 4], "little") for n in (0, 4))
    return found


def _saved(chip: Chip, core: int, base: int) -> tuple[int, int]:
    """a0 and a1 of the window at `base`."""
    return chip.register(f"ar{4 * base}", core), chip.register(f"ar{(4 * base + 1) & 63}", core)


def printed_backtrace(console: bytes) -> list[int]:
    """What ESP-IDF's panic handler has printed last; empty when it has not."""
    lines = PRINTED.findall(console)
    return [int(pair.partition(b":")[0], 16) for pair in lines[-1].split()] if lines else []


def text(pcs: list[int]) -> str:
    """As ESP-IDF prints it, for addr2line."""
    return " ".join(f"0x{pc:08x}" for pc in pcs)

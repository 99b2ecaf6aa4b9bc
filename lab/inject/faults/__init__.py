"""Faults of the chip itself: power, memory, clocks and wires, each a table of seeded cases."""

from __future__ import annotations

from collections.abc import Callable

from lab.inject.case import Case
from lab.inject.faults import brownout, drift, flash, power, ram, uart

# name -> (seed, count) -> that many cases; the same for the same seed
FAMILIES: dict[str, Callable[[int, int], list[Case]]] = {
    "power": power.cases,
    "brownout": brownout.cases,
    "ram": ram.cases,
    "flash": flash.cases,
    "uart": uart.cases,
    "drift": drift.cases,
}

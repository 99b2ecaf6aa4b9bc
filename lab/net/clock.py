"""Something to do later: on the wall clock, or in the virtual time of a board.

What stands between two hosts (a delay, a retransmission) must pass on the clock that the hosts
live by. A real client lives by the wall clock; hosts inside the simulation by the board's.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable
from itertools import count
from typing import Protocol

from lab.interrupt import start_thread

FOREVER = 2**64 - 1


class Clock(Protocol):
    """Seconds since some start, and calls at a later time."""

    def now(self) -> float:
        """Seconds; never goes backwards."""

    def call_later(self, seconds: float, function: Callable[[], None]) -> None:
        """Call `function` once, in the clock's own thread. Calls for the same moment keep their
        order."""


class VirtualClock:
    """The clock of a simulation: whoever moves its time calls `run_due`.

    ticks: returns the time; ticks_per_second: its unit.
    """

    def __init__(self, ticks: Callable[[], int], ticks_per_second: int) -> None:
        self._ticks = ticks
        self._per_second = ticks_per_second
        self._calls: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()
        self._lock = threading.Lock()

    def now(self) -> float:
        return self._ticks() / self._per_second

    def call_later(self, seconds: float, function: Callable[[], None]) -> None:
        tick = self._ticks() + round(seconds * self._per_second)
        with self._lock:
            heapq.heappush(self._calls, (tick, next(self._order), function))

    def due(self) -> int:
        """Tick of the next call; FOREVER when there is none."""
        with self._lock:
            return self._calls[0][0] if self._calls else FOREVER

    def run_due(self) -> None:
        """Make the calls whose time has come, and those that they ask for at once."""
        now = self._ticks()
        while True:
            with self._lock:
                if not self._calls or self._calls[0][0] > now:
                    return
                _, _, function = heapq.heappop(self._calls)
            function()


class ScaledClock:
    """`clock` as somebody sees it whose own runs `rate` times as fast: crystals differ."""

    def __init__(self, clock: Clock, rate: float) -> None:
        self._clock = clock
        self._rate = rate

    def now(self) -> float:
        return self._clock.now() * self._rate

    def call_later(self, seconds: float, function: Callable[[], None]) -> None:
        self._clock.call_later(seconds / self._rate, function)


class WallClock:
    """Real time; a thread makes the calls until `close`."""

    def __init__(self) -> None:
        self._calls: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = start_thread(self._run, "clock")

    def now(self) -> float:
        return time.monotonic()

    def call_later(self, seconds: float, function: Callable[[], None]) -> None:
        with self._changed:
            heapq.heappush(self._calls, (self.now() + seconds, next(self._order), function))
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._closing:
                    return
                left = self._calls[0][0] - self.now() if self._calls else None
                if left is None or left > 0:
                    self._changed.wait(left)
                    continue
                _, _, function = heapq.heappop(self._calls)
            function()

    def close(self) -> None:
        """Forget what was to come; harmless twice."""
        with self._changed:
            self._closing = True
            self._calls.clear()
            self._changed.notify()
        if self._thread is not threading.current_thread():
            self._thread.join()

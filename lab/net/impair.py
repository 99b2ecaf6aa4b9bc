"""A bad cable: loss, delay, jitter, reordering, duplicates, little bandwidth, or a cut.

It sits on one port of a switch, between the host and the switch, and treats each direction by
itself. All chance comes from a seed, one generator per direction that draws the same numbers for
every frame, so what happens to frame n of a direction depends on the seed, n and the settings
alone.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from lab.net.clock import Clock
from lab.net.switch import Port, Receive

QUEUE_SECONDS = 1.0  # of frames that wait for bandwidth; more are dropped, as in any router


@dataclass(frozen=True)
class Impairment:
    """What one direction does to frames. Chances are 0..1. Raises ValueError."""

    loss: float = 0.0
    duplicate: float = 0.0  # a second copy follows at once
    reorder: float = 0.0  # chance to be held back by `reorder_delay`, so that later ones overtake
    reorder_delay: float = 0.05  # seconds
    delay: float = 0.0  # seconds, one way
    jitter: float = 0.0  # seconds: up to so much is added to `delay`, without overtaking
    bandwidth: float | None = None  # bits/s; None: any
    cut: bool = False  # nothing gets through, though the link looks up

    def __post_init__(self) -> None:
        for name in ("loss", "duplicate", "reorder"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a chance, 0 to 1, not {getattr(self, name)}")
        for name in ("delay", "jitter", "reorder_delay"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is seconds, not {getattr(self, name)}")
        if self.bandwidth is not None and self.bandwidth <= 0:
            raise ValueError(f"bandwidth is bits a second, more than 0, not {self.bandwidth}")


PERFECT = Impairment()


@dataclass
class Counters:
    """Frames of one direction."""

    sent: int = 0
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0


class _Direction:
    def __init__(self, clock: Clock, settings: Impairment, seed: str) -> None:
        self.clock = clock
        self.settings = settings
        self.counters = Counters()
        self._random = random.Random(seed)
        self._free = 0.0  # when the line has sent what it was given
        self._last = 0.0  # when the last frame in order arrives

    def carry(self, frame: bytes, arrive: Receive) -> None:
        s, c, now = self.settings, self.counters, self.clock.now()
        lost, doubled, held, wobble = (self._random.random() for _ in range(4))
        c.sent += 1
        start = max(self._free, now)
        if s.cut or lost < s.loss or start - now > QUEUE_SECONDS:
            c.lost += 1
            return
        if s.bandwidth:
            start += len(frame) * 8 / s.bandwidth
            self._free = start
        when = start + s.delay + wobble * s.jitter
        if held < s.reorder:
            c.reordered += 1
            self._at(when + s.reorder_delay, frame, arrive)
        else:
            self._last = when = max(when, self._last)
            self._at(when, frame, arrive)
        if doubled < s.duplicate:
            c.duplicated += 1
            self._at(when, frame, arrive)

    def _at(self, when: float, frame: bytes, arrive: Receive) -> None:
        left = when - self.clock.now()
        if left <= 0:
            arrive(frame)
        else:
            self.clock.call_later(left, lambda: self._arrived(frame, arrive))

    def _arrived(self, frame: bytes, arrive: Receive) -> None:
        if self.settings.cut:
            self.counters.lost += 1  # it was on its way when the cable was cut
        else:
            arrive(frame)


class BadCable:
    """Put on `port` until `remove`. clock: that the hosts live by. Same seed, same fate.

    to_switch: what happens to frames from the host on this port; to_host: to those for it.
    """

    def __init__(
        self,
        port: Port,
        clock: Clock,
        to_switch: Impairment = PERFECT,
        to_host: Impairment = PERFECT,
        seed: int = 1,
    ) -> None:
        self._port = port
        self._from_host = _Direction(clock, to_switch, f"{seed} to switch")
        self._for_host = _Direction(clock, to_host, f"{seed} to host")
        port.wire = self

    def to_switch(self, frame: bytes, arrive: Receive) -> None:
        self._from_host.carry(frame, arrive)

    def to_host(self, frame: bytes, arrive: Receive) -> None:
        self._for_host.carry(frame, arrive)

    def cut(self) -> None:
        """Nothing gets through from now on; what is on its way is lost."""
        for direction in (self._from_host, self._for_host):
            direction.settings = replace(direction.settings, cut=True)

    def mend(self) -> None:
        """Undo `cut`."""
        for direction in (self._from_host, self._for_host):
            direction.settings = replace(direction.settings, cut=False)

    @property
    def counters(self) -> tuple[Counters, Counters]:
        """Of frames from the host, and of those for it."""
        return self._from_host.counters, self._for_host.counters

    def remove(self) -> None:
        """A perfect cable again; what is on its way still arrives."""
        if self._port.wire is self:
            self._port.wire = None

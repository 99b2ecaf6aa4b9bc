"""A learning Ethernet switch inside the process (IEEE 802.1D forwarding, no spanning tree).

Frames are bytes without FCS. Delivery is synchronous, in the sender's thread (or, with a `Wire`
that delays, in its clock's); a receiver must only queue what it gets.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

FRAME_MIN = 14
FRAME_MAX = 1518
TABLE_SIZE = 1024  # addresses; the oldest goes first, so a flood of them costs no memory

Receive = Callable[[bytes], None]
# (time in ns since the epoch, port name, "in" to the switch or "out" of it, frame)
Tap = Callable[[int, str, str, bytes], None]


class Wire(Protocol):
    """What may happen on the cable of a port (`lab.net.impair`)."""

    def to_switch(self, frame: bytes, arrive: Receive) -> None:
        """The host sends `frame`: call `arrive` with what reaches the switch, now or later."""

    def to_host(self, frame: bytes, arrive: Receive) -> None:
        """The same the other way."""


class Port:
    """One socket of a `Switch`; made by `Switch.attach`."""

    def __init__(self, switch: Switch, name: str, receive: Receive) -> None:
        self.switch = switch
        self.name = name
        self.receive = receive
        self.up = True  # cable plugged in
        self.wire: Wire | None = None  # None: a perfect cable

    def send(self, frame: bytes) -> None:
        """Put a frame on the wire towards the switch. Raises ValueError for a bad length."""
        if not FRAME_MIN <= len(frame) <= FRAME_MAX:
            raise ValueError(f"an Ethernet frame has {FRAME_MIN}..{FRAME_MAX} bytes, "
                             f"this one {len(frame)}")  # fmt: skip
        if self.up and self.wire:
            self.wire.to_switch(frame, self._arrive)
        elif self.up:
            self.switch._forward(self, frame)

    def _arrive(self, frame: bytes) -> None:
        if self.up:
            self.switch._forward(self, frame)

    def _deliver(self, frame: bytes) -> None:
        if self.wire:
            self.wire.to_host(frame, self._hand_over)
        else:
            self.receive(frame)

    def _hand_over(self, frame: bytes) -> None:
        if self.up and self in self.switch.ports:
            self.receive(frame)

    def detach(self) -> None:
        """Leave the switch; nothing is received afterwards."""
        self.switch._detach(self)


class Switch:
    """Ports, the table of learnt addresses, and taps that see every frame.

    clock: nanoseconds since the epoch, for the taps.
    """

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        self.clock = clock
        self.taps: list[Tap] = []
        self._ports: list[Port] = []
        self._table: OrderedDict[bytes, Port] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def ports(self) -> list[Port]:
        with self._lock:
            return list(self._ports)

    def attach(self, name: str, receive: Receive) -> Port:
        """A new port; `receive` is called with each frame that leaves the switch there."""
        port = Port(self, name, receive)
        with self._lock:
            self._ports.append(port)
        return port

    def _detach(self, port: Port) -> None:
        with self._lock:
            if port in self._ports:
                self._ports.remove(port)
            for mac in [m for m, p in self._table.items() if p is port]:
                del self._table[mac]

    def _forward(self, source: Port, frame: bytes) -> None:
        target, sender = frame[:6], frame[6:12]
        with self._lock:
            if source not in self._ports:
                return
            if not sender[0] & 1:  # a group address is no one's
                self._table[sender] = source
                self._table.move_to_end(sender)
                if len(self._table) > TABLE_SIZE:
                    self._table.popitem(last=False)
            known = None if target[0] & 1 else self._table.get(target)
            out = [known] if known else self._ports
            out = [p for p in out if p is not source and p.up]
        now = self.clock()
        for tap in self.taps:
            tap(now, source.name, "in", frame)
        for port in out:
            for tap in self.taps:
                tap(now, port.name, "out", frame)
            port._deliver(frame)

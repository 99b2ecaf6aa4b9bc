"""One TCP connection as a state machine (RFC 9293): segments in, segments out, a clock for the
rest. No congestion control: what it talks to has a window of a few segments.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from lab.net.clock import Clock

MSS = 1460
RETRANSMIT = 0.3  # seconds, doubled with each try up to ..
RETRANSMIT_MOST = 3.0
DUPLICATES = 3  # acknowledgements that mean a lost segment (RFC 5681, 3.2)
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
MODULO = 2**32


def distance(start: int, end: int) -> int:
    """From one sequence number to another, negative when `end` lies before."""
    return (end - start + MODULO // 2) % MODULO - MODULO // 2


@dataclass(frozen=True)
class Segment:
    """What a TCP header says, and its data."""

    seq: int
    ack: int = 0
    window: int = 0
    data: bytes = b""
    syn: bool = False
    fin: bool = False
    rst: bool = False
    ack_flag: bool = False

    def pack(self, source: int, target: int) -> bytes:
        """With a checksum of zero."""
        flags = FIN * self.fin | SYN * self.syn | RST * self.rst | ACK * self.ack_flag
        flags |= PSH if self.data else 0
        options = struct.pack("!BBH", 2, 4, MSS) if self.syn else b""
        words = (20 + len(options)) // 4
        return (
            struct.pack("!HHIIBBHHH", source, target, self.seq, self.ack, words << 4, flags,
                        self.window, 0, 0) + options + self.data
        )  # fmt: skip

    @classmethod
    def parse(cls, raw: bytes) -> Segment:
        """From at least 20 bytes."""
        seq, ack, words, flags, window = struct.unpack("!IIBBH", raw[4:16])
        return cls(
            seq, ack, window, raw[(words >> 4) * 4 :], bool(flags & SYN), bool(flags & FIN),
            bool(flags & RST), bool(flags & ACK),
        )  # fmt: skip


class Connection:
    """Our side. `received` holds what has come in order and nobody has taken yet."""

    def __init__(
        self, clock: Clock, transmit: Callable[[Segment], None], start: int, window: int
    ) -> None:
        self._clock = clock
        self._transmit = transmit
        self.window = window
        self.established = False
        self.received = bytearray()
        self.ended = False  # the peer has sent all it will
        self.failure: str | None = None  # "reset" or "refused" by the peer, or "aborted" by us
        self._first = self._next = start  # first byte not acknowledged; next to send
        self._out = bytearray()  # from _first on (once the SYN is acknowledged)
        self._finish = False  # FIN after all of _out
        self._peer_window = 0
        self._expected = 0  # the peer's next byte
        self._early: dict[int, bytes] = {}  # out of order, by sequence number
        self._peer_end: int | None = None  # sequence number of its FIN
        self._timeout = RETRANSMIT
        self._timer = 0  # which of the timers set is the one that counts
        self._duplicates = 0
        self.retransmissions = 0
        self._silent = False

    # --- what the application does ---

    def open(self) -> None:
        """Send SYN."""
        self._next = (self._first + 1) % MODULO
        self._transmit(Segment(self._first, window=self._room(), syn=True))
        self._start_timer()

    def send(self, data: bytes) -> None:
        """Send in order, as the peer's window allows."""
        self._out += data
        self._push()

    def close(self) -> None:
        """No more to send: FIN behind all that is queued."""
        self._finish = True
        self._push()

    def abort(self) -> None:
        """RST: both directions end at once."""
        if not self.failure and not self._silent:
            self._transmit(Segment(self._next, self._expected, rst=True, ack_flag=True))
            self._end("aborted")

    def vanish(self) -> None:
        """Say and hear nothing any more, as a machine that has lost its power."""
        self._silent = True
        self._timer += 1

    def take(self, most: int | None = None) -> bytes:
        """What has come, out of the buffer; the peer hears of the room."""
        before = self._room()
        data = bytes(self.received[:most])
        del self.received[: len(data)]
        worth_telling = min(MSS, self.window // 2)  # RFC 9293, 3.8.6.2.2
        if before < worth_telling <= self._room() and not self.failure and not self._silent:
            self._acknowledge()
        return data

    @property
    def unsent(self) -> int:
        """Bytes that the peer has not acknowledged yet."""
        return len(self._out)

    # --- sending ---

    def _room(self) -> int:
        return max(0, min(65535, self.window - len(self.received)))

    def _acknowledge(self) -> None:
        self._transmit(Segment(self._next, self._expected, self._room(), ack_flag=True))

    def _in_flight(self) -> int:
        return distance(self._first, self._next)

    def _push(self) -> None:
        """Send what the window allows, and FIN when all is sent."""
        if not self.established or self.failure or self._silent:
            return
        while True:
            at = self._in_flight()
            size = min(MSS, len(self._out) - at, self._peer_window - at)
            if size <= 0:
                break
            self._emit(at, size)
            self._next = (self._next + size) % MODULO
        if self._finish and self._in_flight() == len(self._out):
            self._emit(len(self._out), 0)
            self._next = (self._next + 1) % MODULO
        if self._out or self._in_flight():
            self._start_timer(again=False)

    def _emit(self, at: int, size: int) -> None:
        """Data from `_out`, with FIN behind the last byte where there is one."""
        last = self._finish and at + size == len(self._out)
        self._transmit(
            Segment((self._first + at) % MODULO, self._expected, self._room(),
                    bytes(self._out[at : at + size]), fin=last and size == 0, ack_flag=True)
        )  # fmt: skip

    def _start_timer(self, again: bool = True) -> None:
        if not again and self._timer_runs:
            return
        self._timer += 1
        self._timer_runs = True
        mine = self._timer
        self._clock.call_later(self._timeout, lambda: self._expired(mine))

    _timer_runs = False

    def _expired(self, mine: int) -> None:
        if mine != self._timer or self.failure or self._silent:
            return
        self._timer_runs = False
        if not self._out and not self._in_flight():
            return
        self._timeout = min(2 * self._timeout, RETRANSMIT_MOST)
        self._resend()
        self._start_timer()

    def _resend(self) -> None:
        """The first segment that was not acknowledged; a byte of it where the window is shut."""
        self.retransmissions += 1
        if not self.established:
            self._transmit(Segment(self._first, window=self._room(), syn=True))
        else:
            self._emit(0, min(MSS, len(self._out), max(1, self._peer_window)))

    # --- receiving ---

    def receive(self, segment: Segment) -> None:
        """A segment of the peer's has come."""
        if self.failure or self._silent:
            return
        if segment.rst:
            self._on_reset(segment)
        elif not self.established:
            self._on_answer(segment)
        else:
            if segment.ack_flag:
                self._on_ack(segment)
            self._on_data(segment)

    def _on_reset(self, segment: Segment) -> None:
        if not self.established:
            if segment.ack == self._next:
                self._end("refused")
        elif 0 <= distance(self._expected, segment.seq) <= self._room():
            self._end("reset")

    def _end(self, failure: str) -> None:
        self.failure = failure
        self._timer += 1

    def _on_answer(self, segment: Segment) -> None:
        if segment.syn and segment.ack_flag and segment.ack == self._next:
            self.established = True
            self._first = self._next
            self._expected = (segment.seq + 1) % MODULO
            self._peer_window = segment.window
            self._progress()
            self._acknowledge()
            self._push()

    def _progress(self) -> None:
        """The peer has acknowledged something: the timer starts anew."""
        self._timeout = RETRANSMIT
        self._duplicates = 0
        self._timer += 1
        self._timer_runs = False

    def _on_ack(self, segment: Segment) -> None:
        gained = distance(self._first, segment.ack)
        if not 0 <= gained <= max(self._in_flight(), min(1, len(self._out))):
            return
        window_before, self._peer_window = self._peer_window, segment.window
        if gained:
            if gained > self._in_flight():  # of the byte that asked for a window
                self._next = segment.ack
            recovering = self._duplicates >= DUPLICATES or self._timeout > RETRANSMIT
            del self._out[:gained]
            self._first = segment.ack
            self._progress()
            if recovering and self._in_flight():
                self._resend()
        elif self._in_flight() and not segment.data and segment.window == window_before:
            self._duplicates += 1
            if self._duplicates == DUPLICATES:
                self._resend()
        self._push()

    def _on_data(self, segment: Segment) -> None:
        if segment.fin:
            self._peer_end = (segment.seq + len(segment.data)) % MODULO
        if segment.data:
            self._early[segment.seq] = max(segment.data, self._early.get(segment.seq, b""), key=len)
        self._collect()
        if self._peer_end == self._expected and not self.ended:
            self.ended = True
            self._expected = (self._expected + 1) % MODULO
        if segment.data or segment.fin or segment.syn:
            self._acknowledge()

    def _collect(self) -> None:
        """Move what is in order into `received`, as far as there is room."""
        while not self.ended:
            for seq in list(self._early):
                at = distance(seq, self._expected)
                if at >= len(self._early[seq]):
                    del self._early[seq]
                elif at >= 0:
                    data = self._early.pop(seq)[at : at + self._room()]
                    self.received += data
                    self._expected = (self._expected + len(data)) % MODULO
                    if not data:
                        return
                    break
            else:
                return

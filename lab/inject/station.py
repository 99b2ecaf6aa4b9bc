"""A host on the virtual switch that lives in the board's virtual time: no thread, no scapy.

It answers at the very tick a frame leaves the board, so a stepped board and a station make a run
that repeats bit for bit, and thousands of connections cost little wall time. It is a fair TCP
peer (RFC 9293): in-order delivery, windows both ways, an ACK for each segment with data, and
retransmission. `lab.inject.tcp` is the one that can lie.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from lab import LabError
from lab.net.switch import Switch

MSS = 1460
WINDOW = 32768
SEGMENTS_MOST = 4  # in flight; lwIP's mailbox for a connection holds six on the ESP32
RETRANSMIT_SECONDS = 0.3
SOON = 1e-6  # seconds; due within this is due now
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
WRAP = 0xFFFFFFFF


class Stepped(Protocol):
    """The board, as far as a station needs it: `EmbeddedBoard` at its stepped pace."""

    def step_until(self, predicate: Callable[[], bool], seconds: float) -> bool:
        """Let virtual time pass until `predicate` holds; False when it did not in time."""

    @property
    def seconds(self) -> float:
        """Virtual time since power-on."""


class StationError(LabError):
    """The board did not do what was waited for within the virtual time given."""


def checksum(data: bytes) -> int:
    """The internet checksum (RFC 1071)."""
    if len(data) & 1:
        data += b"\0"
    total = sum(memoryview(data).cast("H")) if data else 0
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    total = ~total & 0xFFFF
    return (total & 0xFF) << 8 | total >> 8  # sums of host-order words, little-endian host


class Connection:
    """One connection from a `Station` to the board."""

    def __init__(self, station: Station, port: int, sport: int) -> None:
        self.station = station
        self.port, self.sport = port, sport
        self.received = bytearray()
        self.on_data: Callable[[], None] | None = None  # called when `received` has grown
        self.open = False  # the board has accepted it
        self.finished = False  # the board sent FIN
        self.reset = False  # the board sent RST
        self.deaf = False  # lose what the board sends, as long as it is set
        self._start = (sport * 64013) & WRAP
        self._out = bytearray()  # not acknowledged yet; the first byte is number _una
        self._una = self._next = self._start
        self._marks: list[int] = []  # numbers (as in _una) at which a segment should begin
        self._flying: list[int] = []  # where the segments in flight end
        self._mss = MSS
        self._ack = 0
        self._room = 0  # the board's window
        self._fin_wanted = self._fin_sent = False
        self._due: float | None = None

    @property
    def alive(self) -> bool:
        """Neither side has ended it."""
        return self.open and not (self.finished or self.reset)

    @property
    def unacknowledged(self) -> int:
        """Bytes given to `send` that the board has not acknowledged."""
        return len(self._out)

    # --- what a test may do ---

    def send(self, data: bytes) -> None:
        """Queue `data`; it leaves as the board's window has room.

        A segment holds as much as fits, but does not split the data of one call that would fit
        into one segment."""
        self._marks.append((self._una + len(self._out)) & WRAP)
        self._out += data
        self._push()

    def fin(self) -> None:
        """Close our side once everything queued is out."""
        self._fin_wanted = True
        self._push()

    def rst(self) -> None:
        """Reset the connection and forget it."""
        self._segment(RST | ACK, self._next)
        self.drop()

    def drop(self) -> None:
        """Forget it without a word."""
        self._due = None
        self.station.connections.pop(self.sport, None)

    # --- TCP ---

    def _segment(self, flags: int, seq: int, payload: bytes | bytearray = b"") -> None:
        options = b"\x02\x04" + MSS.to_bytes(2, "big") if flags & SYN else b""
        head = (
            self.sport.to_bytes(2, "big") + self.port.to_bytes(2, "big") + seq.to_bytes(4, "big")
            + (self._ack if flags & ACK else 0).to_bytes(4, "big")
            + bytes(((5 + len(options) // 4) << 4, flags)) + WINDOW.to_bytes(2, "big")
        )  # fmt: skip
        self.station.send_tcp(head, options + payload)

    def _syn(self) -> None:
        self._segment(SYN, self._start)
        self._next = (self._start + 1) & WRAP
        self._arm()

    def _arm(self) -> None:
        self._due = self.station.now + RETRANSMIT_SECONDS

    def _push(self) -> None:
        """Send what the window lets through."""
        if not self.open or self.reset:
            return
        while True:
            sent = (self._next - self._una) & WRAP
            size = self._segment_size(sent)
            if self._fin_sent or size <= 0:
                break
            part = self._out[sent : sent + size]
            last = sent + size == len(self._out)
            self._next = (self._next + size) & WRAP
            self._flying.append(self._next)
            self._segment(ACK | PSH if last else ACK, (self._next - size) & WRAP, part)
            self._arm()
        if self._out and not sent and self._due is None:
            self._arm()  # the window may stay too small
        if self._fin_wanted and not self._fin_sent and sent == len(self._out):
            self._fin_sent = True
            self._segment(FIN | ACK, self._next)
            self._next = (self._next + 1) & WRAP
            self._arm()

    def _segment_size(self, sent: int) -> int:
        """How much to send now, `sent` bytes being out; 0 to wait for a wider window, as silly
        windows make one do (RFC 9293, 3.8.6.2.1)."""
        if len(self._flying) >= SEGMENTS_MOST:
            return 0
        wanted = min(self._mss, len(self._out) - sent)
        if sent + wanted < len(self._out):
            ends = [((mark - self._una) & WRAP) - sent for mark in self._marks]
            wanted = max([end for end in ends if 0 < end <= wanted] or [wanted])
        return wanted if self._room - sent >= wanted else 0

    def resend(self) -> None:
        """The retransmission timer has gone off: go back to the oldest byte not acknowledged."""
        if not self.open:
            self._syn()
            return
        if self._una == self._next and not self._out:
            self._due = None
            return
        if self._una == self._next:  # what fits into a window that stays small, or a probe
            size = max(1, min(self._room, self._mss, len(self._out)))
            self._next = (self._next + size) & WRAP
            self._segment(ACK | PSH, self._una, self._out[:size])
            self._arm()
            return
        self._next, self._fin_sent = self._una, False
        self._flying.clear()
        self._push()

    def handle(self, segment: memoryview) -> None:
        """A segment of the board."""
        if self.deaf:
            return
        seq, ack = (int.from_bytes(segment[n : n + 4], "big") for n in (4, 8))
        flags, data = segment[13], segment[(segment[12] >> 4) * 4 :]
        if flags & RST:
            self.reset, self._due = True, None
            self.station.connections.pop(self.sport, None)
            return
        if flags & SYN:
            if not self.open and ack == (self._start + 1) & WRAP:
                self.open, self._una, self._ack = True, ack, (seq + 1) & WRAP
                self._due = None
                self._room = int.from_bytes(segment[14:16], "big")
                if bytes(segment[20:22]) == b"\x02\x04":  # the first option lwIP sends
                    self._mss = min(MSS, int.from_bytes(segment[22:24], "big"))
            self._segment(ACK, self._next)
            self._push()
            return
        if flags & ACK:
            self._acknowledged(ack, int.from_bytes(segment[14:16], "big"))
        grown = seq == self._ack and len(data) > 0
        if seq == self._ack:
            self.received += data
            self._ack = (self._ack + len(data)) & WRAP
            if flags & FIN and not self.finished:
                self._ack = (self._ack + 1) & WRAP
                self.finished = True
        if len(data) or flags & FIN:
            self._segment(ACK, self._next)
        if grown and self.on_data:
            self.on_data()
        self._push()

    def _acknowledged(self, ack: int, room: int) -> None:
        taken = (ack - self._una) & WRAP
        if taken <= (self._next - self._una) & WRAP:
            del self._out[:taken]  # a FIN's own number lies beyond the data
            self._marks = [m for m in self._marks if (m - ack) & WRAP < 1 << 31]
            self._flying = [end for end in self._flying if 0 < (end - ack) & WRAP < 1 << 31]
            self._una, self._room = ack, room
            if self._una == self._next and not self._out:
                self._due = None
            elif taken:
                self._arm()


@dataclass(frozen=True)
class StationState:
    """What `Station.save` keeps."""

    board_mac: bytes
    next_port: int
    connections: dict[int, Connection]


def _copied(connection: Connection) -> Connection:
    """Another one in the same state."""
    twin = copy.copy(connection)
    twin.received, twin._out = bytearray(twin.received), bytearray(twin._out)
    twin._marks, twin._flying = list(twin._marks), list(twin._flying)
    return twin


class Station:
    """A host at `ip` on the board's switch.

    The board must be stepped; call `run_until` to let time pass. Waits are in virtual seconds.
    """

    def __init__(
        self, switch: Switch, board: Stepped, board_ip: str = "10.0.2.15", ip: str = "10.0.2.100"
    ) -> None:
        self.board = board
        self.ip, self.board_ip = (bytes(map(int, a.split("."))) for a in (ip, board_ip))
        self.mac = b"\x02\x00\x00\x00\x02" + self.ip[3:]
        self.board_mac = b""
        self.connections: dict[int, Connection] = {}
        self._next_port = 20000
        self._port = switch.attach(f"station {ip}", self._receive)

    @property
    def now(self) -> float:
        """Virtual seconds."""
        return self.board.seconds

    def close(self) -> None:
        """Leave the switch."""
        self._port.detach()

    def save(self) -> StationState:
        """What it knows, to go back to together with a snapshot of the board."""
        copies = {port: _copied(c) for port, c in self.connections.items()}
        return StationState(self.board_mac, self._next_port, copies)

    def restore(self, state: StationState) -> None:
        """Be again what `save` saw; connections made since are forgotten."""
        self.board_mac, self._next_port = state.board_mac, state.next_port
        self.connections = {port: _copied(c) for port, c in state.connections.items()}

    def __enter__(self) -> Station:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- frames ---

    def _receive(self, frame: bytes) -> None:
        kind = frame[12:14]
        if kind == b"\x08\x06" and frame[38:42] == self.ip:
            self.board_mac = frame[22:28]
            if frame[21] == 1:
                self._arp(2, frame[22:28], frame[28:32])
        elif kind == b"\x08\x00" and frame[30:34] == self.ip and frame[23] == 6:
            head = (frame[14] & 15) * 4
            segment = memoryview(frame)[14 + head : 14 + int.from_bytes(frame[16:18], "big")]
            connection = self.connections.get(int.from_bytes(segment[2:4], "big"))
            if connection:
                connection.handle(segment)

    def _arp(self, operation: int, mac: bytes, ip: bytes) -> None:
        body = b"\0\1\x08\0\6\4" + operation.to_bytes(2, "big")
        body += self.mac + self.ip + mac + ip
        target = mac if operation == 2 else b"\xff" * 6
        self._port.send((target + self.mac + b"\x08\x06" + body).ljust(60, b"\0"))

    def send_tcp(self, head: bytes, rest: bytes | bytearray) -> None:
        """A segment to the board: `head` is the first 16 bytes of its TCP header."""
        size = 20 + len(rest)
        pseudo = self.ip + self.board_ip + b"\0\6" + size.to_bytes(2, "big")
        total = checksum(pseudo + head + b"\0\0\0\0" + rest)
        ip = b"\x45\0" + (20 + size).to_bytes(2, "big") + b"\0\0\x40\0\x40\6"
        addresses = self.ip + self.board_ip
        ip += checksum(ip + b"\0\0" + addresses).to_bytes(2, "big") + addresses
        frame = self.board_mac + self.mac + b"\x08\0" + ip + head
        self._port.send((frame + total.to_bytes(2, "big") + b"\0\0" + rest).ljust(60, b"\0"))

    # --- waiting ---

    def run_until(self, predicate: Callable[[], bool], seconds: float = 10, what: str = "") -> None:
        """Let virtual time pass until `predicate` holds. Raises StationError."""
        end = self.now + seconds
        while not predicate():
            now = self.now
            if now >= end:
                raise StationError(f"{what or 'what was waited for'} did not come in {seconds:g} s")
            due = min([c._due for c in self.connections.values() if c._due is not None] + [end])
            if due > now:
                self.board.step_until(predicate, due - now + SOON)
            self._resend_due()

    def _resend_due(self) -> None:
        for connection in list(self.connections.values()):
            if connection._due is not None and connection._due <= self.now:
                connection.resend()

    def run_for(self, seconds: float) -> None:
        """Let virtual time pass, and no more than that."""
        end = self.now + seconds
        while (left := end - self.now) > SOON:
            due = min([c._due for c in self.connections.values() if c._due is not None] + [end])
            self.board.step_until(lambda: False, max(SOON, min(left, due - self.now)))
            self._resend_due()

    # --- connections ---

    def begin(self, port: int = 80) -> Connection:
        """Send a SYN and go on; the connection is there when it is `open`."""
        if not self.board_mac:
            self._arp(1, bytes(6), self.board_ip)
            self.run_until(lambda: bool(self.board_mac), 5, "an ARP reply")
        self._next_port = self._next_port + 1 if self._next_port < 60000 else 20000
        connection = Connection(self, port, self._next_port)
        self.connections[connection.sport] = connection
        connection._syn()
        return connection

    def connect(self, port: int = 80, seconds: float = 10) -> Connection:
        """An open connection. Raises StationError."""
        connection = self.begin(port)
        self.run_until(lambda: connection.open or connection.reset, seconds, "SYN ACK")
        if connection.reset:
            raise StationError("the board refuses the connection")
        return connection

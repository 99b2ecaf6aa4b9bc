"""TCP peers right at the chip's Ethernet queues: what `lab.inject.station` does, with less of it.

A `Link` is the far end of the board's cable. All of its state is in its `Peer`s and can be put
back with the board's (`Peer.state`), so an open connection can be part of a snapshot.
"""

from __future__ import annotations

from collections.abc import Callable

from hw.esp32.chip import TICKS_PER_US, Chip, Stop

BOARD_IP, OUR_IP = bytes((10, 0, 2, 15)), bytes((10, 0, 2, 77))
OUR_MAC = b"\x02\x00\x00\x00\x03\x4d"
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
WRAP = 0xFFFFFFFF
WINDOW = 32768
FLYING_MOST = 4  # segments
MS = 1000 * TICKS_PER_US
RETRANSMIT = 300 * MS
LISTEN = Stop.ETH | Stop.UART | Stop.RESET | Stop.LOG

PeerState = tuple[int, int, int]  # next number, the board's next, room


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071): arithmetic modulo 65535, whatever the size of a step."""
    if len(data) & 1:
        data += b"\0"
    return 65535 - (int.from_bytes(data, "big") % 65535 or 65535)


class Peer:
    """One connection of ours. `received`: all that has come."""

    def __init__(self, link: Link, sport: int) -> None:
        self.link, self.sport = link, sport
        self.ports = sport.to_bytes(2, "big") + b"\0\x50"
        self.next = self.una = sport * 64013 & WRAP
        self.ack = self.acked = self.room = 0
        self.received = bytearray()
        self.open = self.finished = self.reset = False
        self.fin = False  # to be sent behind the last piece
        self.pieces: list[bytes] = []  # not sent yet
        self.flying: list[tuple[int, int, bytes]] = []  # (number, flags, bytes), not acknowledged

    def state(self) -> PeerState:
        """For `restore`; of a connection at rest."""
        return self.next, self.ack, self.room

    def restore(self, state: PeerState) -> None:
        """Be open and at rest again."""
        self.next, self.ack, self.room = state
        self.una, self.acked = self.next, self.ack
        self.received.clear()
        self.open, self.finished, self.reset, self.fin = True, False, False, False
        self.pieces.clear()
        self.flying.clear()

    def connect(self) -> None:
        """Send SYN."""
        self._send(SYN, b"")

    def send(self, piece: bytes) -> None:
        """Queue one segment."""
        self.pieces.append(piece)
        self.push()

    def finish(self) -> None:
        """FIN behind all that is queued."""
        self.fin = True
        self.push()

    def abort(self) -> None:
        """RST."""
        self.pieces.clear()
        self.flying.clear()
        self.link.transmit(self, self.next, RST | ACK, b"")

    def push(self) -> None:
        """Send what the board has room for."""
        while self.open and self.pieces and len(self.flying) < FLYING_MOST:
            piece = self.pieces[0]
            if (self.next - self.una & WRAP) + len(piece) > self.room:
                return
            self._send(ACK | PSH, self.pieces.pop(0))
        if self.fin and self.open and not self.pieces:
            self.fin = False
            self._send(ACK | FIN, b"")

    def _send(self, flags: int, data: bytes) -> None:
        self.flying.append((self.next, flags, data))
        self.link.transmit(self, self.next, flags, data)
        self.next = self.next + len(data) + bool(flags & (SYN | FIN)) & WRAP

    def resend(self) -> None:
        """What was not acknowledged for long: once more."""
        for number, flags, data in self.flying:
            self.link.transmit(self, number, flags, data)

    def handle(self, frame: bytes) -> None:
        """A segment of the board, in its Ethernet frame."""
        flags = frame[47]
        number = int.from_bytes(frame[38:42], "big")
        if flags & RST:
            self.reset = True
            return
        if flags & SYN:
            self.ack = self.acked = number + 1 & WRAP
            self.open = True
        elif not self.open:
            return
        if flags & ACK:
            una = int.from_bytes(frame[42:46], "big")
            if una - self.una & WRAP <= self.next - self.una & WRAP:
                self.una = una
                self.room = int.from_bytes(frame[48:50], "big")
                flying = self.flying
                while flying and una - flying[0][0] - len(flying[0][2]) & WRAP < 1 << 31 and (
                    una != flying[0][0]
                ):  # fmt: skip
                    flying.pop(0)
        begin = 34 + (frame[46] >> 4) * 4
        end = 14 + int.from_bytes(frame[16:18], "big")
        if number == self.ack and not flags & SYN:
            self.received += frame[begin:end]
            self.ack = self.ack + end - begin & WRAP
            if flags & FIN:
                self.ack = self.ack + 1 & WRAP
                self.finished = True
        elif end > begin or flags & FIN:
            self.acked = self.ack - 1 & WRAP  # again: our acknowledgement is late
            self.link.acknowledge(self)
        if flags & SYN or self.ack - self.acked & WRAP > 512:
            self.link.acknowledge(self)
        self.push()


class Link:
    """The cable of `chip`, whose board has the address BOARD_IP."""

    def __init__(self, chip: Chip) -> None:
        self.chip = chip
        self.peers: dict[bytes, Peer] = {}  # by our port
        self.console = bytearray()
        self.why = Stop.DEADLINE  # what else has stopped the chip: RESET, FATAL
        self._head = b""
        pseudo = OUR_IP + BOARD_IP
        self._ip_base = b"\x45\0\0\0\0\0\x40\0\x40\6\0\0" + pseudo
        self._pseudo = pseudo + b"\0\6"

    # --- frames ---

    def transmit(self, peer: Peer, number: int, flags: int, data: bytes) -> None:
        """A segment to the board."""
        peer.acked = peer.ack
        options = b"\2\4\5\xb4" if flags & SYN else b""
        size = 20 + len(options) + len(data)
        ack = peer.ack if flags & ACK else 0
        tcp = (
            peer.ports + number.to_bytes(4, "big") + ack.to_bytes(4, "big")
            + bytes((size - len(data) << 2, flags)) + WINDOW.to_bytes(2, "big")
        )  # fmt: skip
        rest = options + data
        total = checksum(self._pseudo + size.to_bytes(2, "big") + tcp + rest)
        length = (20 + size).to_bytes(2, "big")
        ip = checksum(self._ip_base[:2] + length + self._ip_base[4:])
        frame = (
            self._head + b"\x45\0" + length + b"\0\0\x40\0\x40\6" + ip.to_bytes(2, "big")
            + self._pseudo[:8] + tcp + total.to_bytes(2, "big") + b"\0\0" + rest
        )  # fmt: skip
        self.chip.eth_send(frame.ljust(60, b"\0"))

    def acknowledge(self, peer: Peer) -> None:
        """A bare ACK, when one is due."""
        if peer.acked != peer.ack:
            self.transmit(peer, peer.next, ACK, b"")

    def learn(self) -> None:
        """The board's MAC address, by ARP."""
        question = b"\0\1\x08\0\6\4\0\1" + OUR_MAC + OUR_IP + bytes(6) + BOARD_IP
        self.chip.eth_send((b"\xff" * 6 + OUR_MAC + b"\x08\x06" + question).ljust(60, b"\0"))
        self.run(lambda: bool(self._head), 1000 * MS)

    def _receive(self, frame: bytes) -> None:
        kind = frame[12:14]
        if kind == b"\x08\0" and frame[23] == 6 and frame[30:34] == OUR_IP:
            peer = self.peers.get(frame[36:38])
            if peer:
                peer.handle(frame)
        elif kind == b"\x08\x06" and frame[38:42] == OUR_IP:
            self._head = frame[22:28] + OUR_MAC + b"\x08\0"
            if frame[21] == 1:
                answer = b"\0\1\x08\0\6\4\0\2" + OUR_MAC + OUR_IP + frame[22:32]
                self.chip.eth_send((frame[22:28] + OUR_MAC + b"\x08\x06" + answer).ljust(60, b"\0"))

    # --- time ---

    def run(self, done: Callable[[], bool], ticks: int) -> bool:
        """Let virtual time pass until `done`; False after `ticks`, or when the chip was reset or
        cannot go on (`why`)."""
        chip = self.chip
        end = chip.now + ticks
        due = min(end, chip.now + RETRANSMIT)
        while True:
            why = chip.run(due, LISTEN)
            if why & Stop.ETH:
                for frame in chip.eth_receive():
                    self._receive(frame)
                due = min(end, chip.now + RETRANSMIT)
            if why & Stop.UART:
                self.console += chip.uart_receive()
            if why & (Stop.RESET | Stop.FATAL):
                self.why |= why
                return False
            if done():
                return True
            if chip.now >= end:
                return False
            if chip.now >= due:
                for peer in self.peers.values():
                    peer.resend()
                    self.acknowledge(peer)
                due = min(end, chip.now + RETRANSMIT)

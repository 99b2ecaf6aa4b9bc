"""A TCP peer on the virtual switch, made of scapy packets: a true connection that can be broken.

It has its own MAC and IP address, answers ARP, keeps sequence numbers (RFC 9293) and delivers
what the board sends in order; everything it sends may be a lie. No root, no real interface.

It lives by the wall clock, or, given a stepped board, in the board's virtual time: then it answers
at the very tick a frame leaves the board, waits cost nothing and a run repeats bit for bit.
"""

from __future__ import annotations

import queue
import random
import time
from collections import deque
from collections.abc import Callable

from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet

from lab import LabError
from lab.inject.station import Stepped
from lab.net.switch import Switch

MSS = 1460
MSS_OPTION = b"\2\4" + MSS.to_bytes(2, "big")
RETRANSMIT_SECONDS = 0.5
WINDOW = 8192
HEARD_MOST = 4096  # frames kept
WRAP = 0xFFFFFFFF


class PeerError(LabError):
    """The board did not do what a TCP peer does, in time."""


class TcpPeer:
    """One host at `ip` with one connection. All waits have deadlines, in seconds.

    board: stepped; its virtual time is the peer's. None: the wall clock.
    """

    def __init__(
        self,
        switch: Switch,
        ip: str = "10.0.2.100",
        mac: str = "02:00:00:00:01:00",
        seed: int | None = None,
        board: Stepped | None = None,
    ) -> None:
        self.ip, self.mac = ip, mac
        self._board = board
        self._random = random.Random(seed)
        self._inbox: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        receive = self._inbox.put if board is None else self._take
        self._port = switch.attach(f"peer {ip}", receive)
        self.peer_ip = self.peer_mac = ""
        self.sport = self.dport = 0
        self.seq = self.ack = 0  # ours to send next; the board's that we expect next
        self.acked = 0  # up to where the board has acknowledged us
        self.board_window = 0  # what the board has room for, from `acked` on
        self.widest_window = 0  # the most of it that was ever announced
        self.window = WINDOW  # what we say we have room for, and take of one segment
        self.answers = True  # acknowledge what the board sends
        self.knows = True  # answer ARP
        self.received = bytearray()
        self.heard: deque[Packet] = deque(maxlen=HEARD_MOST)  # what came for us, but ARP requests
        self.reset = False  # the board sent RST
        self.finished = False  # the board sent FIN

    def close(self) -> None:
        """Leave the switch without a word to the board."""
        self._port.detach()

    def __enter__(self) -> TcpPeer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- frames ---

    def send_frame(self, packet: Packet | bytes) -> None:
        """Put any Ethernet frame on the wire, padded to 60 bytes."""
        self._port.send(bytes(packet).ljust(60, b"\0"))

    def packet(self, **fields: object) -> Packet:
        """An IP packet to the board, without payload; `fields` are IP's (ttl, len, chksum..)."""
        packet = Ether(src=self.mac, dst=self.peer_mac) / IP(src=self.ip, dst=self.peer_ip)
        for name, value in fields.items():
            setattr(packet[IP], name, value)
        return packet

    def segment(self, flags: str = "A", payload: bytes = b"", **fields: object) -> Packet:
        """A segment of this connection; `fields` override TCP's (seq, ack, window, chksum..)."""
        tcp = TCP(sport=self.sport, dport=self.dport, flags=flags, seq=self.seq, ack=self.ack)
        tcp.window = self.window
        for name, value in fields.items():
            setattr(tcp, name, value)
        return self.packet() / tcp / payload

    def with_options(
        self, flags: str, options: bytes, payload: bytes = b"", **fields: object
    ) -> Packet:
        """A segment whose options are any bytes, padded to a multiple of four. Raises ValueError
        for more than 40."""
        options += bytes(-len(options) % 4)
        words = 5 + len(options) // 4
        if words > 15:
            raise ValueError(f"a TCP header has room for 40 bytes of options, not {len(options)}")
        return self.segment(flags, options + payload, **{"dataofs": words, **fields})

    def _take(self, raw: bytes) -> None:
        """A frame has come: ARP is answered, the connection's segments are handled."""
        frame = Ether(raw)
        if ARP in frame and frame[ARP].op == 1 and frame[ARP].pdst == self.ip:
            if self.knows:
                reply = ARP(op=2, hwsrc=self.mac, psrc=self.ip, hwdst=frame[ARP].hwsrc,
                            pdst=frame[ARP].psrc)  # fmt: skip
                self.send_frame(Ether(src=self.mac, dst=frame.src) / reply)
        elif frame.dst == self.mac:
            self.heard.append(frame)
            self._handle(frame, raw)

    def wait(self, done: Callable[[], bool], seconds: float) -> bool:
        """Take frames until `done`; False when it did not come true in time."""
        if self._board is not None:
            return self._board.step_until(done, seconds)
        deadline = time.monotonic() + seconds
        while not done():
            try:
                self._take(self._inbox.get(timeout=max(0, deadline - time.monotonic())))
            except queue.Empty:
                return False
        return True

    def _expect(self, what: str, timeout: float, again: Callable[[], None],
                done: Callable[[], bool]) -> None:  # fmt: skip
        """Take frames until `done`; call `again` at once and for what may have been lost."""
        left = timeout
        while not done():
            if left <= 0:
                raise PeerError(f"{self.peer_ip}: {what} did not come within {timeout:g} s")
            again()
            self.wait(done, min(left, RETRANSMIT_SECONDS))
            left -= RETRANSMIT_SECONDS

    def _handle(self, frame: Packet, raw: bytes) -> None:
        """What a frame of the board does to us."""
        if ARP in frame and frame[ARP].psrc == self.peer_ip and frame[ARP].op == 2:
            self.peer_mac = frame[ARP].hwsrc
        if TCP not in frame or frame[IP].src != self.peer_ip:
            return
        tcp = frame[TCP]
        if (tcp.dport, tcp.sport) != (self.sport, self.dport):
            return
        if tcp.flags.R:
            self.reset = True
            return
        if tcp.flags.A:
            self.acked, self.board_window = int(tcp.ack), int(tcp.window)
            self.widest_window = max(self.widest_window, self.board_window)
        data = raw[14 + (frame[IP].ihl + tcp.dataofs) * 4 : 14 + frame[IP].len]
        if tcp.flags.S or (not data and not tcp.flags.F):
            return
        known = (self.ack - int(tcp.seq)) & WRAP  # of its bytes, from before
        if known <= len(data) and self.answers:
            data = data[known:]
            fin = bool(tcp.flags.F) and not self.finished and len(data) <= self.window
            data = data[: self.window]
            self.received += data
            self.ack = (self.ack + len(data) + fin) & WRAP
            self.finished = self.finished or fin
        if self.answers:
            self.send_frame(self.segment("A"))

    # --- a connection ---

    def find(self, ip: str, port: int, timeout: float = 10, seq: int | None = None) -> None:
        """Make `ip`:`port` the one to talk to, from a new port of ours: ARP. Raises PeerError.

        seq: our first sequence number, by chance when left out."""
        self.peer_ip, self.dport = ip, port
        self.sport = self._random.randrange(20000, 60000)
        self.seq = self._random.randrange(2**32) if seq is None else seq
        self.ack = 0
        self.received.clear()
        self.reset = self.finished = False
        arp = ARP(op=1, hwsrc=self.mac, psrc=self.ip, pdst=ip)
        ask = Ether(src=self.mac, dst="ff:ff:ff:ff:ff:ff") / arp
        self._expect(
            "an ARP reply", timeout, lambda: self.send_frame(ask), lambda: bool(self.peer_mac)
        )

    def connect(
        self,
        ip: str,
        port: int,
        timeout: float = 10,
        options: bytes = MSS_OPTION,
        seq: int | None = None,
    ) -> None:
        """ARP and three-way handshake. options: of the SYN, bytes that may be anything. seq: our
        first number. Raises PeerError."""
        self.find(ip, port, timeout, seq)
        start = self.seq
        self.acked = start
        syn = self.with_options("S", options)
        self.heard.clear()
        self._expect(
            "SYN ACK", timeout, lambda: self.send_frame(syn),
            lambda: self.acked == (start + 1) & WRAP or self.reset,
        )  # fmt: skip
        if self.reset:
            raise PeerError(f"{ip}:{port} refuses the connection")
        answer = next(f[TCP] for f in self.heard if TCP in f and f[TCP].flags.S)
        self.seq = (start + 1) & WRAP
        self.ack = (int(answer.seq) + 1) & WRAP
        self.send_frame(self.segment("A"))

    def send(self, data: bytes, timeout: float = 10) -> None:
        """Send, and wait until the board has acknowledged. Raises PeerError."""
        for at in range(0, len(data), MSS):
            part = data[at : at + MSS]
            end = (self.seq + len(part)) & WRAP
            segment = self.segment("PA", part)
            self.seq = end
            self._expect(
                "an acknowledgement", timeout, lambda s=segment: self.send_frame(s),  # type: ignore[misc]
                lambda e=end: self.acked == e or self.reset,  # type: ignore[misc]
            )  # fmt: skip

    def receive_until(self, done: Callable[[bytes], bool], timeout: float = 10) -> bytes:
        """Take what the board sends until `done(all of it)`, FIN or RST. Raises PeerError."""
        self._expect(
            "what was waited for", timeout, lambda: None,
            lambda: done(bytes(self.received)) or self.finished or self.reset,
        )  # fmt: skip
        return bytes(self.received)

    def wait_for_end(self, timeout: float = 10) -> None:
        """Until the board has closed its side (FIN or RST). Raises PeerError."""
        self.receive_until(lambda data: False, timeout)

    def fin(self) -> None:
        """Close our side."""
        self.send_frame(self.segment("FA"))
        self.seq = (self.seq + 1) & WRAP

    def rst(self, offset: int = 0) -> None:
        """Reset the connection; `offset` makes the sequence number miss."""
        self.send_frame(self.segment("R", seq=(self.seq + offset) & WRAP))

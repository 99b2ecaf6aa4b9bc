"""A TCP peer on the virtual switch, made of scapy packets: a true connection that can be broken.

It has its own MAC and IP address, answers ARP, keeps sequence numbers (RFC 9293) and delivers
what the board sends in order; everything it sends may be a lie. No root, no real interface.
"""

from __future__ import annotations

import queue
import random
import time
from collections.abc import Callable

from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet

from lab import LabError
from lab.net.switch import Switch

MSS = 1460
RETRANSMIT_SECONDS = 0.5
WINDOW = 8192


class PeerError(LabError):
    """The board did not do what a TCP peer does, in time."""


class TcpPeer:
    """One host at `ip` with one connection. All waits have deadlines, in seconds."""

    def __init__(
        self,
        switch: Switch,
        ip: str = "10.0.2.100",
        mac: str = "02:00:00:00:01:00",
        seed: int | None = None,
    ) -> None:
        self.ip, self.mac = ip, mac
        self._random = random.Random(seed)
        self._inbox: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._port = switch.attach(f"peer {ip}", self._inbox.put)
        self.peer_ip = self.peer_mac = ""
        self.sport = self.dport = 0
        self.seq = self.ack = 0  # ours to send next; the board's that we expect next
        self.acked = 0  # up to where the board has acknowledged us
        self.received = bytearray()
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

    def send_frame(self, packet: Packet) -> None:
        """Put any Ethernet frame on the wire, padded to 60 bytes."""
        self._port.send(bytes(packet).ljust(60, b"\0"))

    def segment(self, flags: str = "A", payload: bytes = b"", **fields: object) -> Packet:
        """A segment of this connection; `fields` override TCP's (seq, ack, window, chksum..)."""
        tcp = TCP(sport=self.sport, dport=self.dport, flags=flags, seq=self.seq, ack=self.ack)
        tcp.window = WINDOW
        for name, value in fields.items():
            setattr(tcp, name, value)
        head = Ether(src=self.mac, dst=self.peer_mac) / IP(src=self.ip, dst=self.peer_ip)
        return head / tcp / payload

    def _receive(self, deadline: float) -> Packet | None:
        """The next frame for us, ARP answered; None at the deadline."""
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            try:
                frame = Ether(self._inbox.get(timeout=left))
            except queue.Empty:
                return None
            if ARP in frame and frame[ARP].op == 1 and frame[ARP].pdst == self.ip:
                reply = ARP(op=2, hwsrc=self.mac, psrc=self.ip, hwdst=frame[ARP].hwsrc,
                            pdst=frame[ARP].psrc)  # fmt: skip
                self.send_frame(Ether(src=self.mac, dst=frame.src) / reply)
            elif frame.dst == self.mac:
                return frame

    def _expect(self, what: str, timeout: float, again: Callable[[], None],
                done: Callable[[Packet | None], bool]) -> None:  # fmt: skip
        """Take frames until `done`; call `again` for what may have been lost."""
        deadline = time.monotonic() + timeout
        resend = 0.0
        while not done(None):
            now = time.monotonic()
            if now >= deadline:
                raise PeerError(f"{self.peer_ip}: {what} did not come within {timeout:g} s")
            if now >= resend:
                again()
                resend = now + RETRANSMIT_SECONDS
            frame = self._receive(min(deadline, resend))
            if frame is not None:
                self._handle(frame)
                if done(frame):
                    return

    def _handle(self, frame: Packet) -> None:
        """What a segment of the board does to the connection."""
        if TCP not in frame or frame[TCP].dport != self.sport or frame[IP].src != self.peer_ip:
            return
        tcp = frame[TCP]
        if tcp.flags.R:
            self.reset = True
            return
        if tcp.flags.A:
            self.acked = int(tcp.ack)
        size = frame[IP].len - frame[IP].ihl * 4 - tcp.dataofs * 4
        data = bytes(tcp.payload)[:size]
        if tcp.flags.S or (not data and not tcp.flags.F):
            return
        if tcp.seq == self.ack:
            self.received += data
            self.ack = (self.ack + len(data) + bool(tcp.flags.F)) & 0xFFFFFFFF
            self.finished = self.finished or bool(tcp.flags.F)
        self.send_frame(self.segment("A"))

    # --- a connection ---

    def connect(self, ip: str, port: int, timeout: float = 10) -> None:
        """ARP and three-way handshake. Raises PeerError."""
        self.peer_ip, self.dport = ip, port
        self.sport = self._random.randrange(20000, 60000)
        self.seq = self._random.randrange(2**32)
        self.received.clear()
        self.reset = self.finished = False

        def ask() -> None:
            arp = ARP(op=1, hwsrc=self.mac, psrc=self.ip, pdst=ip)
            self.send_frame(Ether(src=self.mac, dst="ff:ff:ff:ff:ff:ff") / arp)

        def told(frame: Packet | None) -> bool:
            if frame is not None and ARP in frame and frame[ARP].psrc == ip:
                self.peer_mac = frame[ARP].hwsrc
            return bool(self.peer_mac)

        self._expect("an ARP reply", timeout, ask, told)
        start = self.seq
        answer: list[int] = []

        def accepted(frame: Packet | None) -> bool:
            if frame is not None and TCP in frame and frame[TCP].dport == self.sport:
                if frame[TCP].flags.R:
                    raise PeerError(f"{ip}:{port} refuses the connection")
                if frame[TCP].flags.S and frame[TCP].ack == (start + 1) & 0xFFFFFFFF:
                    answer.append(int(frame[TCP].seq))
            return bool(answer)

        syn = [("MSS", MSS)]
        self._expect(
            "SYN ACK", timeout,
            lambda: self.send_frame(self.segment("S", ack=0, options=syn)), accepted,
        )  # fmt: skip
        self.seq = (start + 1) & 0xFFFFFFFF
        self.ack = (answer[0] + 1) & 0xFFFFFFFF
        self.send_frame(self.segment("A"))

    def send(self, data: bytes, timeout: float = 10) -> None:
        """Send, and wait until the board has acknowledged. Raises PeerError."""
        for at in range(0, len(data), MSS):
            part = data[at : at + MSS]
            end = (self.seq + len(part)) & 0xFFFFFFFF
            segment = self.segment("PA", part)
            self._expect(
                "an acknowledgement", timeout, lambda s=segment: self.send_frame(s),  # type: ignore[misc]
                lambda frame, e=end: self.acked == e or self.reset,  # type: ignore[misc]
            )  # fmt: skip
            self.seq = end

    def receive_until(self, done: Callable[[bytes], bool], timeout: float = 10) -> bytes:
        """Take what the board sends until `done(all of it)`, FIN or RST. Raises PeerError."""
        self._expect(
            "what was waited for", timeout, lambda: None,
            lambda frame: done(bytes(self.received)) or self.finished or self.reset,
        )  # fmt: skip
        return bytes(self.received)

    def wait_for_end(self, timeout: float = 10) -> None:
        """Until the board has closed its side (FIN or RST). Raises PeerError."""
        self.receive_until(lambda data: False, timeout)

    def fin(self) -> None:
        """Close our side."""
        self.send_frame(self.segment("FA"))
        self.seq = (self.seq + 1) & 0xFFFFFFFF

    def rst(self, offset: int = 0) -> None:
        """Reset the connection; `offset` makes the sequence number miss."""
        self.send_frame(self.segment("R", seq=(self.seq + offset) & 0xFFFFFFFF))

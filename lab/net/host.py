"""A host inside the simulation: ARP, ping and TCP over a port of the switch, on any `Clock`.

On a board's own clock (`EmbeddedBoard.clock`) the network costs no real time and repeats bit for
bit. Handlers run when the clock says so, never in the thread that delivers a frame.
"""

from __future__ import annotations

import ipaddress
import random
import struct
from collections.abc import Callable

from lab.net.clock import Clock
from lab.net.switch import Switch
from lab.net.tcp import Connection, Segment

LATENCY = 0.0001  # seconds on the wire, one way
ARP_RETRY = 0.5  # seconds
BROADCAST = b"\xff" * 6
ARP, IPV4 = b"\x08\x06", b"\x08\x00"
ICMP, TCP, UDP = 1, 6, 17

# (source address, source port, payload)
UdpHandler = Callable[[bytes, int, bytes], None]


def address(text: str) -> bytes:
    """An IPv4 address as 4 bytes."""
    return ipaddress.IPv4Address(text).packed


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def pseudo_header(source: bytes, target: bytes, protocol: int, size: int) -> bytes:
    """What TCP's and UDP's checksums cover of IP (RFC 9293, 3.1)."""
    return source + target + struct.pack("!BBH", 0, protocol, size)


class Host:
    """`ip` with `mac` on `switch`. seed: of its port and sequence numbers."""

    def __init__(
        self,
        switch: Switch,
        clock: Clock,
        ip: str = "10.0.2.100",
        mac: str = "02:00:00:00:01:00",
        seed: int = 1,
    ) -> None:
        self.clock = clock
        self.ip = address(ip)
        self.aliases: set[bytes] = {self.ip}  # answers ARP for all of these
        self.mac = bytes.fromhex(mac.replace(":", ""))
        self.udp: dict[int, UdpHandler] = {}
        self._random = random.Random(seed)
        self._next_port = self._random.randrange(20000, 50000)
        self._neighbours: dict[bytes, bytes] = {}
        self._waiting: dict[bytes, list[bytes]] = {}  # packets for who has not answered ARP yet
        self._connections: dict[tuple[bytes, int, int], Connection] = {}
        self.port = switch.attach(f"host {ip}", self._receive)
        self._gone = False

    def close(self) -> None:
        """Leave the switch without a word to anybody."""
        self._gone = True
        self.port.detach()

    # --- frames ---

    def _receive(self, frame: bytes) -> None:
        self.clock.call_later(LATENCY, lambda: self._handle(frame))

    def send_frame(self, target: bytes, kind: bytes, payload: bytes) -> None:
        """An Ethernet frame to MAC `target`, padded as the standard wants."""
        if not self._gone:
            self.port.send((target + self.mac + kind + payload).ljust(60, b"\0"))

    def _handle(self, frame: bytes) -> None:
        if self._gone or frame[:6] not in (self.mac, BROADCAST):
            return
        if frame[12:14] == ARP:
            self._handle_arp(frame[14:42])
        elif frame[12:14] == IPV4:
            size = int.from_bytes(frame[16:18], "big")
            self._handle_ip(frame[14 : 14 + size])

    def _handle_arp(self, packet: bytes) -> None:
        operation, sender_mac, sender_ip = packet[6:8], packet[8:14], packet[14:18]
        if any(sender_ip):
            self._neighbours[sender_ip] = sender_mac
            for waiting in self._waiting.pop(sender_ip, []):
                self.send_frame(sender_mac, IPV4, waiting)
        if operation == b"\0\1" and packet[24:28] in self.aliases:
            reply = packet[:6] + b"\0\2" + self.mac + packet[24:28] + sender_mac + sender_ip
            self.send_frame(sender_mac, ARP, reply)

    def _ask_for(self, ip: bytes) -> None:
        if ip in self._waiting and not self._gone:
            question = b"\0\1\x08\0\6\4\0\1" + self.mac + self.ip + bytes(6) + ip
            self.send_frame(BROADCAST, ARP, question)
            self.clock.call_later(ARP_RETRY, lambda: self._ask_for(ip))

    # --- IP ---

    def send_ip(self, target: bytes, protocol: int, payload: bytes) -> None:
        """An IPv4 packet; ARP comes first where it must."""
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0x4000, 64, protocol, 0)
        head += self.ip + target
        head = head[:10] + checksum(head).to_bytes(2, "big") + head[12:]
        if target == b"\xff\xff\xff\xff":
            self.send_frame(BROADCAST, IPV4, head + payload)
        elif target in self._neighbours:
            self.send_frame(self._neighbours[target], IPV4, head + payload)
        elif target in self._waiting:
            self._waiting[target].append(head + payload)
        else:
            self._waiting[target] = [head + payload]
            self._ask_for(target)

    def _handle_ip(self, packet: bytes) -> None:
        head = (packet[0] & 15) * 4
        if len(packet) < head or packet[0] >> 4 != 4 or checksum(packet[:head]):
            return
        source, target, payload = packet[12:16], packet[16:20], packet[head:]
        if packet[9] == TCP and target == self.ip:
            self._handle_tcp(source, payload)
        elif packet[9] == UDP and len(payload) >= 8:
            port = int.from_bytes(payload[2:4], "big")
            if port in self.udp:
                self.udp[port](source, int.from_bytes(payload[:2], "big"), payload[8:])
        elif packet[9] == ICMP and target in self.aliases and payload[:1] == b"\x08":
            reply = b"\0\0\0\0" + payload[4:]
            reply = reply[:2] + checksum(reply).to_bytes(2, "big") + reply[4:]
            self.send_ip(source, ICMP, reply)

    def send_udp(self, target: bytes, port: int, source_port: int, payload: bytes) -> None:
        """A datagram."""
        size = 8 + len(payload)
        datagram = struct.pack("!HHHH", source_port, port, size, 0) + payload
        check = checksum(pseudo_header(self.ip, target, UDP, size) + datagram) or 0xFFFF
        self.send_ip(target, UDP, datagram[:6] + check.to_bytes(2, "big") + datagram[8:])

    # --- TCP ---

    def connect(self, ip: str, port: int, window: int = 65535) -> Connection:
        """Begin to connect; the connection's `established` or `failure` tells the outcome.

        window: bytes of received data held for the reader, and no more.
        """
        target = address(ip)
        self._next_port = 20000 + (self._next_port + 1) % 40000
        local = self._next_port

        def transmit(segment: Segment) -> None:
            self._send_segment(target, local, port, segment)

        connection = Connection(self.clock, transmit, self._random.randrange(2**32), window)
        self._connections[(target, port, local)] = connection
        connection.open()
        return connection

    def _send_segment(self, target: bytes, local: int, port: int, segment: Segment) -> None:
        raw = segment.pack(local, port)
        check = checksum(pseudo_header(self.ip, target, TCP, len(raw)) + raw)
        self.send_ip(target, TCP, raw[:16] + check.to_bytes(2, "big") + raw[18:])

    def _handle_tcp(self, source: bytes, raw: bytes) -> None:
        if len(raw) < 20 or checksum(pseudo_header(source, self.ip, TCP, len(raw)) + raw):
            return
        port, local = struct.unpack("!HH", raw[:4])
        segment = Segment.parse(raw)
        connection = self._connections.get((source, port, local))
        if connection:
            connection.receive(segment)
        elif not segment.rst:  # nobody here knows of it (RFC 9293, 3.10.7.1)
            end = segment.seq + len(segment.data) + segment.syn + segment.fin
            answer = Segment(seq=segment.ack, ack=end & 0xFFFFFFFF, ack_flag=True, rst=True)
            self._send_segment(source, local, port, answer)

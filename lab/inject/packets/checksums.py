"""Wrong checksums: what is damaged is dropped without a word, and nothing is lost by it.

The ESP32's MAC drops most of them before lwIP sees them; fragments get past it to lwIP.
"""

from __future__ import annotations

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.packet import Packet

from lab.inject.packets.expect import echoes, icmp, silence
from lab.inject.packets.rig import Rig
from lab.inject.packets.table import fragments, known, line, ping, text, udp, with_ip, wrong
from lab.inject.tcp import TcpPeer

CLOSED = 9999
UDP_LENGTH = "lwIP goes by IP's length and never looks at UDP's (udp_input)"
IPV4, TCP_9293 = "RFC 1122, 3.2.1.2", "RFC 9293, 3.1"
UDP_768, ICMP_792 = "RFC 768; RFC 1122, 4.1.3.4", "RFC 792"

CASES = [
    line("checksum", "IP off by one", IPV4, lambda p: [wrong(text(p, b"x"), IP)], silence),
    line("checksum", "IP zero", IPV4, lambda p: [with_ip(text(p, b"x"), chksum=0)], silence),
    line("checksum", "IP inverted", IPV4, lambda p: [wrong(text(p, b"x"), IP, 0x8000)], silence),
    line("checksum", "TCP off by one", TCP_9293, lambda p: [wrong(text(p, b"x"), TCP)], silence),
    line("checksum", "TCP zero", TCP_9293, lambda p: [text(p, b"x", chksum=0)], silence),
    line("checksum", "TCP all ones", TCP_9293, lambda p: [text(p, b"x", chksum=0xFFFF)], silence),
    line("checksum", "TCP off by 256", TCP_9293,
         lambda p: [wrong(text(p, b"x"), TCP, 256)], silence),
    line("checksum", "TCP of other data", TCP_9293,
         lambda p: [bytes(text(p, b"x"))[:-1] + b"\0"], silence),
    line("checksum", "TCP over another address", TCP_9293, lambda p: [
        with_ip(text(p, b"x", chksum=int(TCP(bytes(with_ip(text(p, b"x"), src="10.0.2.99"))[34:])
                                         .chksum)), src=p.ip)], silence),
    line("checksum", "TCP in a RST", TCP_9293, lambda p: [wrong(p.segment("R"), TCP)], silence),
    line("checksum", "TCP in a FIN", TCP_9293, lambda p: [wrong(p.segment("FA"), TCP)], silence),
    line("checksum", "TCP in a SYN to the listener", TCP_9293,
         lambda p: [wrong(p.segment("S", sport=1234), TCP)], silence),
    line("checksum", "TCP in fragments", TCP_9293,
         lambda p: fragments(text(p, b"x" * 40, chksum=0x1234), 24), silence),
    line("checksum", "TCP bad, then good", TCP_9293,
         lambda p: [wrong(text(p, b"x"), TCP), text(p, b"twice")], lambda r: _then(r, b"twice")),
    line("checksum", "UDP off by one", UDP_768, lambda p: [wrong(udp(p, CLOSED), UDP)], silence),
    line("checksum", "UDP right", UDP_768, lambda p: [udp(p, CLOSED)], icmp(3, 3, 1)),
    line("checksum", "UDP none", UDP_768, lambda p: [_without_checksum(p)], icmp(3, 3, 1)),
    known(line("checksum", "UDP length beyond the datagram", UDP_768,
               lambda p: [_udp_length(p, 100)], icmp(3, 3, 1)), UDP_LENGTH),
    known(line("checksum", "UDP length of zero", UDP_768,
               lambda p: [_udp_length(p, 0)], icmp(3, 3, 1)), UDP_LENGTH),
    line("checksum", "ICMP off by one", ICMP_792, lambda p: [wrong(ping(p), ICMP)], silence),
    line("checksum", "ICMP right", ICMP_792, lambda p: [ping(p)], icmp(0, 0, 1)),
    line("checksum", "ICMP zero", ICMP_792, lambda p: [wrong(ping(p), ICMP, 0x5555)], silence),
    line("checksum", "ICMP of an odd length", ICMP_792, lambda p: [ping(p, b"odd")], icmp(0, 0, 1)),
]  # fmt: skip


def _then(rig: Rig, message: bytes) -> None:
    rig.peer.seq += 6 + len(message)
    echoes(message)(rig)


def _without_checksum(peer: TcpPeer) -> Packet:
    packet = udp(peer, CLOSED)
    packet[UDP].chksum = 0
    return packet


def _udp_length(peer: TcpPeer, length: int) -> Packet:
    packet = udp(peer, CLOSED)
    packet[UDP].len = length
    return packet

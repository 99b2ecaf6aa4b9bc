"""Datagrams that nobody asked for: junk to open and closed ports, and multicast DNS."""

from __future__ import annotations

import struct

from scapy.layers.dns import DNS, DNSQR
from scapy.packet import Raw

from lab.inject.case import Case
from lab.inject.packets.expect import icmp, silence
from lab.inject.packets.table import line, udp, with_ip

CLOSED, MDNS, DHCP = "RFC 1122, 4.1.3.1", "RFC 6762", "RFC 2131, 4.1"
UNREACHABLE = icmp(3, 3, 1)
JUNK = bytes(range(256)) * 5


def _port(port: int) -> Case:
    return line("udp", f"to port {port}", CLOSED, lambda p: [udp(p, port, JUNK)], UNREACHABLE)


def _header(size: int) -> Case:
    return line("udp", f"{size} bytes of a header", "RFC 768",
                lambda p: [p.packet(proto=17) / Raw(b"\x0f\xa0\x27\x0f\0\0\0\0"[:size])],
                silence)  # fmt: skip


def _dhcp(name: str, data: bytes) -> Case:
    return line("udp", f"DHCP client's port, {name}", DHCP, lambda p: [udp(p, 68, data, sport=67)],
                silence)  # fmt: skip


def _mdns(name: str, data: bytes) -> Case:
    return line("udp", f"multicast DNS, {name}", MDNS, lambda p: [
        with_ip(udp(p, 5353, data, sport=5353, dst="224.0.0.251"), eth_dst="01:00:5e:00:00:fb")],
        silence)  # fmt: skip


CASES = [
    *map(_port, (0, 1, 53, 69, 80, 123, 161, 1900, 65535)),
    line("udp", "from port 0", CLOSED, lambda p: [udp(p, 9999, sport=0)], UNREACHABLE),
    line("udp", "empty", CLOSED, lambda p: [udp(p, 9999, b"")], UNREACHABLE),
    line("udp", "as long as a frame holds", CLOSED, lambda p: [udp(p, 9999, b"#" * 1472)],
         UNREACHABLE),
    line("udp", "to everybody", CLOSED,
         lambda p: [with_ip(udp(p, 9999, dst="10.0.2.255"), eth_dst="ff:ff:ff:ff:ff:ff")], silence),
    line("udp", "to a group", CLOSED,
         lambda p: [with_ip(udp(p, 9999, dst="224.0.0.1"), eth_dst="01:00:5e:00:00:01")], silence),
    *map(_header, (0, 1, 4, 7)),
    _dhcp("nothing", b""), _dhcp("one byte", b"\2"), _dhcp("junk", JUNK),
    _dhcp("a head alone", bytes(236)), _dhcp("no options", bytes(240)),
    _mdns("junk", JUNK), _mdns("a question", bytes(DNS(rd=0, qd=DNSQR(qname="x.local")))),
    _mdns("counts that lie", struct.pack("!6H", 0, 0, 65535, 65535, 65535, 65535)),
    _mdns("a name that points at itself", bytes(4) + b"\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1"),
]  # fmt: skip

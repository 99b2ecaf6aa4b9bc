"""ICMP errors about the connection, true and forged, and ICMP of every other kind.

An error says which segment of the board's it is about; the number in it may miss (RFC 5927).
"""

from __future__ import annotations

from scapy.layers.inet import ICMP, IP, TCP
from scapy.packet import Packet, Raw

from lab.inject.case import Case
from lab.inject.packets.expect import Expect, icmp, silence
from lab.inject.packets.rig import ROUTER_IP
from lab.inject.packets.table import line, ping, raw
from lab.inject.tcp import TcpPeer

HARD, SOFT = "RFC 1122, 4.2.3.9; RFC 5927, 5", "RFC 1122, 4.2.3.9; RFC 5927, 4"
MTU, QUENCH, REDIRECT = "RFC 1191; RFC 5927, 7", "RFC 6633", "RFC 1122, 3.2.2.2; RFC 5927"
OTHER = "RFC 1122, 3.2.2"


def error(
    peer: TcpPeer, kind: int, code: int, offset: int = 0, size: int = 28, **fields: object
) -> Packet:
    """An error about a segment of the board's: `offset` from the next, `size` bytes of it."""
    segment = IP(src=peer.peer_ip, dst=peer.ip) / TCP(
        sport=peer.dport, dport=peer.sport, seq=(peer.ack + offset) & 0xFFFFFFFF, flags="PA"
    )
    message = ICMP(type=kind, code=code)
    for name, value in fields.items():
        setattr(message, name, value)
    return peer.packet() / message / Raw(raw(segment)[:size])


def _error(name: str, source: str, kind: int, code: int, offset: int = 0, size: int = 28,
           **fields: object) -> Case:  # fmt: skip
    return line("icmp error", name, source,
                lambda p: [error(p, kind, code, offset, size, **fields)], silence)  # fmt: skip


CODES = ["net", "host", "protocol", "port", "fragmentation needed", "source route", "net unknown",
         "host unknown", "isolated", "net prohibited", "host prohibited", "net for this service",
         "host for this service", "communication prohibited", "precedence", "cutoff"]  # fmt: skip

ERRORS = [
    *(_error(f"unreachable: {name}", HARD if code in (2, 3, 4) else SOFT, 3, code)
      for code, name in enumerate(CODES)),
    *(_error(f"unreachable: port, number {offset:+}", HARD, 3, 3, offset)
      for offset in (-1, 1, -100_000, 1 << 31)),
    *(_error(f"fragmentation needed, MTU {mtu}", MTU, 3, 4, nexthopmtu=mtu)
      for mtu in (0, 28, 68, 576, 1499, 65535)),
    _error("source quench", QUENCH, 4, 0),
    *(_error(f"redirect {code} to {gw}", REDIRECT, 5, code, gw=gw)
      for code, gw in [(0, "10.0.2.99"), (1, "10.0.2.99"), (2, "10.0.2.99"), (3, "10.0.2.99"),
                       (1, "8.8.8.8"), (1, "10.0.2.15")]),
    _error("time exceeded in transit", SOFT, 11, 0),
    _error("time exceeded in reassembly", SOFT, 11, 1),
    _error("parameter problem", SOFT, 12, 0),
    *(_error(f"unreachable, with {size} bytes of the packet", HARD, 3, 3, 0, size)
      for size in (0, 1, 19, 20, 27)),
    line("icmp error", "about an error", OTHER, lambda p: [
        p.packet() / ICMP(type=3, code=3) / IP(src=p.peer_ip, dst=p.ip) / ICMP(type=3, code=3)],
        silence),
    line("icmp error", "every unreachable, twenty times", HARD,
         lambda p: [error(p, 3, code) for code in range(16)] * 20, silence),
    line("icmp error", "from the router", SOFT, lambda p: [_from(error(p, 3, 1), ROUTER_IP)],
         silence),
]  # fmt: skip


def _from(packet: Packet, address: str) -> Packet:
    packet[IP].src = address
    return packet


# (name, an ICMP message, what must hold)
MESSAGES: list[tuple[str, ICMP, Expect]] = [
    ("echo reply that nobody asked for", ICMP(type=0, id=1, seq=1), silence),
    ("echo request, code 1", ICMP(type=8, code=1), icmp(0, 1, 1)),
    ("router advertisement", ICMP(type=9), silence),
    ("router solicitation", ICMP(type=10), silence),
    ("timestamp request", ICMP(type=13), silence),
    ("information request", ICMP(type=15), silence),
    ("address mask request", ICMP(type=17), silence),
    ("type 42", ICMP(type=42), silence),
    ("type 255", ICMP(type=255, code=255), silence),
]


def _message(name: str, message: ICMP, expect: Expect) -> Case:
    return line("icmp", name, OTHER, lambda p: [p.packet() / message], expect)


def _bare(size: int) -> Case:
    """Fewer bytes than an ICMP header has."""
    return line("icmp", f"{size} bytes in all", OTHER,
                lambda p: [p.packet(proto=1) / Raw(b"\x08\0\xf7\xff\0\0\0\0"[:size])],
                silence)  # fmt: skip


def _ping(size: int) -> Case:
    return line("icmp", f"ping with {size} bytes", OTHER, lambda p: [ping(p, b"#" * size)],
                icmp(0, 0, 1))  # fmt: skip


CASES = [
    *ERRORS, *(_message(*row) for row in MESSAGES), *map(_bare, (0, 1, 4, 7)),
    *map(_ping, (0, 1, 511, 512, 1472)),
]  # fmt: skip

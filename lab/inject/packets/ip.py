"""IP headers that lie, fragments that don't fit, and addresses that can't be."""

from __future__ import annotations

from typing import Any

from scapy.layers.inet import ICMP, IP
from scapy.packet import Packet, Raw

from lab.inject.case import Case
from lab.inject.packets.expect import MARTIANS, Expect, answers_to, icmp, silence
from lab.inject.packets.segments import then_echo
from lab.inject.packets.table import fragments, from_raw_ip, known, line, ping, raw, text, with_ip
from lab.inject.tcp import TcpPeer

HEADER, OPTION, ADDRESS = "RFC 1122, 3.2.1", "RFC 791, 3.1; RFC 1122, 3.2.1.8", "RFC 1122, 3.2.1.3"
PONG = icmp(0, 0, 1)

# fields of the header of a message on the connection, and what must hold
HEADERS: list[tuple[str, dict[str, Any], Expect]] = [
    *((f"version {n}", {"version": n}, silence) for n in (0, 3, 5, 6, 15)),
    *((f"header of {4 * n} bytes", {"ihl": n}, silence) for n in (0, 1, 4, 6, 15)),
    *((f"length {n}", {"len": n}, silence) for n in (0, 19, 20, 39, 45, 57, 1500, 65535)),
    *((f"TTL {n}", {"ttl": n}, then_echo(b"A" * 10)) for n in (0, 1, 255)),
    ("type of service 255", {"tos": 255}, then_echo(b"A" * 10)),
    ("don't fragment", {"flags": "DF"}, then_echo(b"A" * 10)),
    ("the evil bit", {"flags": "evil"}, then_echo(b"A" * 10)),
    ("more fragments", {"flags": "MF"}, silence),
    ("an offset", {"frag": 1}, silence),
    ("the largest offset", {"frag": 8191}, silence),
    ("protocol 0", {"proto": 0}, icmp(3, 2, 1)),
    ("protocol 255", {"proto": 255}, icmp(3, 2, 1)),
    ("another board's address", {"dst": "10.0.2.16"}, silence),
    ("127.0.0.1 as its aim", {"dst": "127.0.0.1"}, silence),
    ("0.0.0.0 as its aim", {"dst": "0.0.0.0"}, silence),
    ("a multicast aim", {"dst": "224.0.0.1"}, silence),
    ("a broadcast aim", {"dst": "255.255.255.255"}, silence),
    ("class E as its aim", {"dst": "240.0.0.1"}, silence),
]


def _header(name: str, fields: dict[str, Any], expect: Expect) -> Case:
    return line("ip header", name, HEADER,
                lambda p: [with_ip(text(p, b"A" * 10), **fields)], expect)  # fmt: skip


# IP options of a ping
OPTIONS: list[tuple[str, bytes, Expect]] = [
    ("NOPs", b"\1\1\1\1", PONG),
    ("ends", b"\0\0\0\0", PONG),
    ("record route", b"\7\x07\4\0\0\0\0\0", PONG),
    ("record route, pointer 255", b"\7\x07\xff\0\0\0\0\0", PONG),
    ("timestamps", b"\x44\x08\5\0\0\0\0\0", PONG),
    ("loose source route", b"\x83\x07\4\x0a\0\2\x63\0", PONG),
    ("strict source route", b"\x89\x07\4\x0a\0\2\x63\0", PONG),
    ("router alert", b"\x94\4\0\0", PONG),
    ("length 0", b"\7\0\0\0", PONG),
    ("length 255", b"\7\xff\4\0", PONG),
    ("forty bytes", b"\xff" * 40, PONG),
]


def _with_ip_options(packet: Packet, options: bytes) -> bytes:
    """The packet with any bytes as IP options, its checksum right."""
    whole = raw(packet)
    body = IP(whole[14:34])
    body.remove_payload()
    body.ihl = 5 + len(options) // 4
    body.len = len(whole) - 14 + len(options)
    body.chksum = 0
    head = raw(body)[:20] + options
    total = sum(int.from_bytes(head[n : n + 2], "big") for n in range(0, len(head), 2))
    total = (total & 0xFFFF) + (total >> 16)
    check = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    return whole[:14] + head[:10] + check.to_bytes(2, "big") + head[12:] + whole[34:]


def _option(name: str, options: bytes, expect: Expect) -> Case:
    return line("ip option", name, OPTION,
                lambda p: [_with_ip_options(ping(p), options)], expect)  # fmt: skip


def _source(address: str) -> Case:
    return line("ip source", f"ping from {address}", ADDRESS,
                lambda p: [ping(p, src=address)], silence)  # fmt: skip


def _answered(address: str) -> Case:
    return known(line("ip source", f"ping from {address}", ADDRESS,
                      lambda p: [ping(p, src=address)], answers_to(address)), MARTIANS)  # fmt: skip


SOURCES = [
    *map(_source, ["255.255.255.255", "10.0.2.255", "224.0.0.1", "10.0.2.15"]),
    *map(_answered, ["127.0.0.1", "240.0.0.1", "0.0.0.0"]),
    line("ip source", "message from the board itself", ADDRESS,
         lambda p: [with_ip(text(p, b"x"), src="10.0.2.15")], silence),
]  # fmt: skip


# --- fragments ------------------------------------------------------------------------------------

NONE = "ESP-IDF builds lwIP without reassembly (LWIP_IP4_REASSEMBLY): fragments are dropped"
REASSEMBLY = "RFC 791, 3.2; RFC 1122, 3.3.2"


def piece(
    peer: TcpPeer, ident: int, offset: int, data: bytes, more: bool, proto: int = 1
) -> Packet:
    """A fragment with `data` at `offset` (a multiple of 8)."""
    flags = "MF" if more else 0
    return peer.packet(id=ident, frag=offset // 8, flags=flags, proto=proto) / Raw(data)


def ping_bytes(size: int) -> bytes:
    """An echo request of `size` bytes, with its checksum."""
    return raw(ICMP(type=8, id=7, seq=1) / Raw(bytes(size - 8)))


PIECES = [
    ("none complete: no first", lambda p: [piece(p, 1, 8, b"#" * 16, False)]),
    ("none complete: no last", lambda p: [piece(p, 1, 0, ping_bytes(16), True)]),
    ("tiny: 8 bytes of TCP's header", lambda p: fragments(text(p, b"A" * 10), 8)[:1]),
    ("empty", lambda p: [piece(p, 1, 0, b"", True), piece(p, 1, 0, b"", False)]),
    ("odd size with more to come", lambda p: [piece(p, 1, 0, b"#" * 13, True)]),
    ("overlap with other bytes", lambda p: [
        piece(p, 1, 0, ping_bytes(32), True), piece(p, 1, 16, b"!" * 24, False)]),
    ("one inside of another", lambda p: [
        piece(p, 1, 0, ping_bytes(32), True), piece(p, 1, 8, b"!" * 8, True)]),
    ("two ends", lambda p: [piece(p, 1, 16, b"a" * 8, False), piece(p, 1, 32, b"b" * 8, False)]),
    ("ping of death", lambda p: [
        *(piece(p, 1, n, b"#" * 1480, True) for n in range(0, 65120, 1480)),
        piece(p, 1, 65120, b"#" * 1480, False)]),
    ("past the end of 64 KB", lambda p: [piece(p, 1, 65528, b"#" * 800, False)]),
    ("of an unknown protocol", lambda p: [piece(p, 1, 0, b"#" * 8, True, 99)]),
    ("a hundred that never end", lambda p: [
        piece(p, n, 0, b"#" * 1000, True) for n in range(100)]),
    ("rose attack: first and far last", lambda p: [
        f for n in range(50) for f in (
            piece(p, n, 0, b"#" * 32, True), piece(p, n, 64800, b"#" * 32, False))]),
]  # fmt: skip

FRAGMENTS = [line("ip fragment", name, REASSEMBLY, frames, silence) for name, frames in PIECES]
FRAGMENTS += [
    known(line("ip fragment", "a whole ping in pieces", REASSEMBLY,
               lambda p: fragments(ping(p, b"x" * 40), 16), silence), NONE),
    line("ip fragment", "raw bytes as IP", REASSEMBLY,
         lambda p: [from_raw_ip(p, b"\x45" + bytes(n)) for n in range(0, 60, 3)], silence),
]  # fmt: skip

CASES = [
    *(_header(*row) for row in HEADERS), *(_option(*row) for row in OPTIONS), *SOURCES, *FRAGMENTS,
]  # fmt: skip

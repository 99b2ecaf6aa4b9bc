"""How a line of a table becomes a case, and what lines are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from scapy.layers.inet import ICMP, IP, TCP, UDP, fragment
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from lab.inject.case import Case
from lab.inject.packets.expect import Expect
from lab.inject.packets.rig import SETTLE_SECONDS, Rig
from lab.inject.tcp import TcpPeer
from lab.peers.client import frame

Frames = Iterable[Packet | bytes]
TEXT = 1
IP_AT, L4_AT = 14, 34  # in a frame without IP options
CHECKSUM_AT = {IP: IP_AT + 10, TCP: L4_AT + 16, UDP: L4_AT + 6, ICMP: L4_AT + 2}


def line(
    group: str,
    name: str,
    source: str,
    frames: Callable[[TcpPeer], Frames],
    expect: Expect,
    seconds: float = SETTLE_SECONDS,
) -> Case:
    """Send `frames(peer)` in a row, wait `seconds` of virtual time, then `expect`."""

    def play(rig: Rig) -> None:
        rig.inject(frames(rig.peer), seconds)
        expect(rig)

    return Case(group, name, source, play, parameters={"expect": expect.__name__})


def known(case: Case, why: str) -> Case:
    """A case whose expectation is what the firmware's lwIP does, not what the source asks for."""
    return replace(case, parameters={**case.parameters, "known": why})


def dialogue(group: str, name: str, source: str, play: Callable[[Rig], None]) -> Case:
    """A case that is a function."""
    return Case(group, name, source, play)


def text(peer: TcpPeer, message: bytes, flags: str = "PA", **fields: object) -> Packet:
    """A segment of the connection with a text message; fields are TCP's."""
    return peer.segment(flags, frame(message, TEXT), **fields)


def raw(data: Packet | bytes) -> bytes:
    """As it goes on the wire, with the checksums filled in."""
    return bytes(data)


def wrong(packet: Packet, layer: type[Packet], by: int = 1) -> bytes:
    """`packet` with the checksum of its `layer` (IP, TCP, UDP, ICMP) off by `by`."""
    data, at = bytearray(raw(packet)), CHECKSUM_AT[layer]
    value = (int.from_bytes(data[at : at + 2], "big") + by) & 0xFFFF
    data[at : at + 2] = value.to_bytes(2, "big")
    return bytes(data)


def with_ip(packet: Packet, **fields: object) -> Packet:
    """`packet` with other fields in its IP header (or Ethernet's: dst, type as `eth_..`)."""
    for name, value in fields.items():
        part = packet[Ether] if name.startswith("eth_") else packet[IP]
        setattr(part, name.removeprefix("eth_"), value)
    return packet


def from_raw_ip(peer: TcpPeer, data: bytes, kind: int = 0x0800) -> Packet:
    """An Ethernet frame to the board around any bytes."""
    return Ether(src=peer.mac, dst=peer.peer_mac, type=kind) / Raw(data)


def udp(peer: TcpPeer, dport: int, data: bytes = b"?", sport: int = 4000, **ip: object) -> Packet:
    """A datagram to the board."""
    return peer.packet(**ip) / UDP(sport=sport, dport=dport) / Raw(data)


def ping(peer: TcpPeer, data: bytes = b"ping", **ip: object) -> Packet:
    """An echo request."""
    return peer.packet(**ip) / ICMP(type=8, id=7, seq=1) / Raw(data)


def fragments(packet: Packet, size: int) -> list[Packet]:
    """`packet` in pieces of at most `size` bytes of payload."""
    whole: list[Packet] = fragment(packet, size)  # type: ignore[no-untyped-call]
    return whole


def at(peer: TcpPeer, offset: int) -> int:
    """Our sequence number `offset` from the next."""
    return (peer.seq + offset) & 0xFFFFFFFF

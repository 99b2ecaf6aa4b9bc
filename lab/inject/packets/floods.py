"""Floods with a count and an end: the board may lose packets meanwhile, and is itself afterwards.

Each ends by itself; then the board has `RECOVERY_SECONDS`, after which the connection from before
echoes, a new one opens, and ESP-IDF's heap (where lwIP lives) has as much free as ever.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

from scapy.layers.inet import TCP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw

from lab.inject.case import Case, CaseFailed
from lab.inject.packets.icmp import error
from lab.inject.packets.ip import piece
from lab.inject.packets.rig import BOARD_IP, HTTP, Rig
from lab.inject.packets.table import at, dialogue, ping, raw, udp, with_ip
from lab.inject.station import StationError
from lab.inject.tcp import PeerError, TcpPeer

BURST = 16  # frames at once, then a pause that lets the board work
PAUSE_SECONDS = 0.005
RECOVERY_SECONDS = 25  # lwIP forgets half open connections after 20 s (TCP_SYN_RCVD_TIMEOUT)
SYN_FLOOD, FLOOD = "RFC 4987", "RFC 1122, 1.2.3"
ALL = "ff:ff:ff:ff:ff:ff"
SOCKETS = 10  # ESP-IDF, LWIP_MAX_SOCKETS; one listens


def pour(rig: Rig, frames: Iterable[Packet | bytes]) -> None:
    """Send frames in bursts, all of them."""
    for n, one in enumerate(frames):
        rig.peer.send_frame(one)
        if n % BURST == BURST - 1:
            rig.run_for(PAUSE_SECONDS)


def _flood(
    name: str,
    count: int,
    make: Callable[[TcpPeer, int], Packet | bytes],
    source: str = FLOOD,
    recovery: float = 1,
) -> Case:
    """`count` frames that `make` makes of their number; then `recovery` seconds of peace."""

    def play(rig: Rig) -> None:
        pour(rig, (make(rig.peer, n) for n in range(count)))
        rig.run_for(recovery)
        rig.peer.heard.clear()
        rig.echo()

    case = dialogue("packet flood", f"{count} {name}", source, play)
    return case


def _spoofed_syn(p: TcpPeer, n: int) -> Packet:
    return with_ip(p.segment("S", sport=1024 + n, seq=n), src=f"10.0.2.{120 + n % 100}")


def _random_flags(p: TcpPeer, n: int) -> Packet:
    draw = random.Random(n)
    flags = "".join(flag for flag in "FSRPAUECN" if draw.randrange(2))
    return p.segment(flags, bytes(draw.randrange(30)), seq=at(p, draw.randrange(-(1 << 30), -100)),
                     window=draw.randrange(65536), urgptr=draw.randrange(65536))  # fmt: skip


def _noise(p: TcpPeer, n: int) -> bytes:
    draw = random.Random(n)
    kind = draw.choice([b"\x08\0", b"\x08\6", b"\x86\xdd"])
    head = raw(Ether(src=p.mac, dst=p.peer_mac))[:12] + kind
    return head + draw.randbytes(draw.randrange(1, 300))


FLOODS = [
    _flood("SYNs from everywhere", 150, _spoofed_syn, SYN_FLOOD, RECOVERY_SECONDS),
    _flood("SYNs from one host", 150, lambda p, n: p.segment("S", sport=2000 + n, seq=n),
           SYN_FLOOD, RECOVERY_SECONDS),
    _flood("SYNs from one port", 150, lambda p, n: p.segment("S", sport=2000, seq=n * 99991),
           SYN_FLOOD, RECOVERY_SECONDS),
    _flood("SYNs to closed ports", 150, lambda p, n: p.segment("S", dport=3000 + n)),
    _flood("ACKs without a connection", 150, lambda p, n: p.segment("A", sport=2000 + n)),
    _flood("RSTs that miss", 150, lambda p, n: p.segment("R", seq=at(p, 20_000 + n * 7919))),
    _flood("challenges", 150, lambda p, n: p.segment("S", seq=n)),
    _flood("FINs that miss", 150, lambda p, n: p.segment("FA", seq=at(p, -9 - n))),
    _flood("segments with flags by chance, all old", 150, _random_flags),
    _flood("pieces far ahead", 100, lambda p, n: p.segment("A", b"#", seq=at(p, 100 + 20 * n)),
           recovery=RECOVERY_SECONDS),
    _flood("pings", 250, lambda p, n: ping(p)),
    _flood("pings of 1472 bytes", 100, lambda p, n: ping(p, b"#" * 1472)),
    _flood("ICMP errors", 150, lambda p, n: error(p, 3, n % 16)),
    _flood("datagrams to closed ports", 150, lambda p, n: udp(p, 1000 + n, b"#" * 100)),
    _flood("first fragments", 150, lambda p, n: piece(p, n, 0, b"#" * 1000, True)),
    _flood("ARP requests", 250,
           lambda p, n: Ether(src=p.mac, dst=ALL) / ARP(hwsrc=p.mac, psrc=p.ip, pdst=BOARD_IP)),
    _flood("ARP requests from strangers", 150, lambda p, n: Ether(src=p.mac, dst=ALL) / ARP(
        hwsrc=f"02:77:00:00:{n >> 8:02x}:{n & 255:02x}", psrc=f"10.0.2.{120 + n % 120}",
        pdst=BOARD_IP)),
    _flood("broadcasts of no known type", 250,
           lambda p, n: Ether(src=p.mac, dst=ALL, type=0x9999) / Raw(bytes(100))),
    _flood("multicasts", 250, lambda p, n: with_ip(
        udp(p, 5353, b"#" * 50, dst="224.0.0.251"), eth_dst="01:00:5e:00:00:fb")),
    _flood("frames of noise", 150, _noise),
    _flood("messages at once, mostly lost", 60,
           lambda p, n: p.segment("A", bytes(1000), seq=at(p, -70_000 + n * 1000))),
]  # fmt: skip


def _burst(rig: Rig) -> None:
    """Five hundred pings with no pause at all: the wire holds back what the MAC has no room for."""
    rig.send([ping(rig.peer)] * 500)
    rig.run_for(2)
    rig.peer.heard.clear()
    rig.echo()


def _all_sockets(rig: Rig) -> None:
    """Connections until the board has no socket left, all silent; then they are reset."""
    peers: list[TcpPeer] = []
    for _ in range(2 * SOCKETS):
        peer = rig.new_peer()
        peer.find(BOARD_IP, HTTP)
        peer.send_frame(peer.segment("S"))
        rig.run_for(0.05)
        if syn_ack := [f[TCP] for f in peer.heard if TCP in f and f[TCP].flags.S]:
            peer.seq, peer.ack = at(peer, 1), (int(syn_ack[0].seq) + 1) & 0xFFFFFFFF
            peer.send_frame(peer.segment("A"))
        peers.append(peer)
    rig.run_for(1)
    rig.echo()  # who was there before is served
    for peer in peers:
        peer.rst()
    rig.run_for(RECOVERY_SECONDS)
    rig.echo()


def _while_it_floods(rig: Rig) -> None:
    """A message goes through the middle of a SYN flood; TCP sends again what was lost."""
    for n in range(100):
        rig.peer.send_frame(_spoofed_syn(rig.peer, n))
        if n % 25 == 12:
            rig.echo(text=b"in the middle")
    rig.run_for(RECOVERY_SECONDS)


def _come_and_go(rig: Rig) -> None:
    """Fifty connections, each opened and reset."""
    for _ in range(50):
        try:
            connection = rig.station.connect(HTTP)
        except StationError as failed:
            raise CaseFailed(f"no new connection: {failed}") from None
        connection.rst()
        rig.run_for(0.02)
    rig.echo()


def _half_a_request(rig: Rig) -> None:
    """Seven connections that each send half a request and then nothing: they are reset, and the
    rest is served again."""
    peers = [rig.new_peer() for _ in range(7)]
    try:
        for peer in peers:
            peer.connect(BOARD_IP, HTTP)
            peer.send(b"GET /echo HTTP/1.1\r\nHo")
    except PeerError as failed:
        raise CaseFailed(f"no new connection: {failed}") from None
    rig.echo()
    for peer in peers:
        peer.rst()
    rig.run_for(1)


CASES = [
    *FLOODS,
    dialogue("packet flood", "500 pings without a pause", FLOOD, _burst),
    dialogue("packet flood", "no socket left", SYN_FLOOD, _all_sockets),
    dialogue("packet flood", "a message through a SYN flood", SYN_FLOOD, _while_it_floods),
    dialogue("packet flood", "fifty connections, opened and reset", FLOOD, _come_and_go),
    dialogue("packet flood", "seven times half a request", FLOOD, _half_a_request),
]

"""Frames that are too short, too long or of the wrong kind, and ARP that lies."""

from __future__ import annotations

from collections.abc import Callable

from scapy.layers.l2 import ARP, LLC, SNAP, STP, Dot1Q, Dot3, Ether
from scapy.packet import Packet, Raw

from lab.inject.case import Case, CaseFailed
from lab.inject.packets.expect import alive, icmp, silence
from lab.inject.packets.rig import BOARD_IP, BOARD_MAC, ROUTER_IP, Rig
from lab.inject.packets.table import dialogue, from_raw_ip, known, line, ping, raw, text, with_ip
from lab.inject.tcp import TcpPeer
from lab.net.switch import FRAME_MAX

FRAME, TYPE, ADDRESS = "IEEE 802.3, 3.2", "IEEE 802.3, 3.2.6", "RFC 1122, 3.3.6"
ARP_826, CONFLICT = "RFC 826", "RFC 5227"
ALL = "ff:ff:ff:ff:ff:ff"
LIARS_MAC = "02:66:66:66:66:66"
LINK_BROADCAST = "lwIP doesn't look at whether a frame was a broadcast (ip4_input)"


def _cut(size: int) -> Case:
    return line("ethernet", f"cut to {size} bytes", FRAME,
                lambda p: [raw(text(p, b"A" * 600))[:size]], silence)  # fmt: skip


def _kind(kind: int) -> Case:
    return line("ethernet", f"type 0x{kind:04x}", TYPE,
                lambda p: [from_raw_ip(p, raw(text(p, b"x"))[14:], kind)], silence)  # fmt: skip


def _oversize(rig: Rig) -> None:
    """Up to what the switch carries (a tag more than IP's 1500 bytes) the board gets it."""
    for size in range(1515, FRAME_MAX + 1):
        rig.inject([raw(ping(rig.peer)).ljust(size, b"#")], 0.1)
        icmp(0, 0, 1)(rig)
    try:
        rig.send([bytes(FRAME_MAX + 1)])
    except ValueError:
        return
    raise CaseFailed("the switch carries any length")


def _frames(p: TcpPeer) -> Ether:
    return Ether(src=p.mac, dst=p.peer_mac)


FRAMES = [
    *map(_cut, [14, 15, 20, 33, 34, 40, 53, 54, 100, 659]),
    *map(_kind, [0x0000, 0x05DC, 0x05DD, 0x0600, 0x8035, 0x8137, 0x8808, 0x8863, 0x8864, 0x8870,
                 0x888E, 0x88A8, 0x88CC, 0x9000, 0xFFFF]),
    dialogue("ethernet", "longer than 1514 bytes", FRAME, _oversize),
    line("ethernet", "IP in a tag of VLAN 0", "IEEE 802.1Q, 9.6",
         lambda p: [_frames(p) / Dot1Q(vlan=0) / ping(p).payload], silence),
    line("ethernet", "IP in a tag of VLAN 5", "IEEE 802.1Q, 9.6",
         lambda p: [_frames(p) / Dot1Q(vlan=5) / ping(p).payload], silence),
    line("ethernet", "a tag in a tag in a tag", "IEEE 802.1Q, 9.6",
         lambda p: [_frames(p) / Dot1Q() / Dot1Q() / Dot1Q() / ping(p).payload], silence),
    line("ethernet", "a tag and nothing", "IEEE 802.1Q, 9.6",
         lambda p: [_frames(p) / Dot1Q(vlan=5)], silence),
    line("ethernet", "LLC: spanning tree", "IEEE 802.2",
         lambda p: [Dot3(src=p.mac, dst="01:80:c2:00:00:00") / LLC() / STP()], silence),
    line("ethernet", "LLC: IP in SNAP", "RFC 1042", lambda p: [
        Dot3(src=p.mac, dst=p.peer_mac) / LLC(dsap=0xAA, ssap=0xAA, ctrl=3) / SNAP(code=0x0800)
        / ping(p).payload], silence),
    line("ethernet", "LLC: the length lies", "IEEE 802.2", lambda p: [
        Dot3(src=p.mac, dst=p.peer_mac, len=1500) / LLC() / Raw(b"#" * 50)], silence),
    line("ethernet", "from the board's own MAC", FRAME,
         lambda p: [with_ip(text(p, b"x", seq=p.seq - 5000), eth_src=BOARD_MAC)], alive),
    line("ethernet", "from a broadcast MAC", FRAME,
         lambda p: [with_ip(p.segment("A"), eth_src=ALL)], silence),
    line("ethernet", "from MAC zero", FRAME,
         lambda p: [with_ip(p.segment("A"), eth_src="00:00:00:00:00:00")], silence),
    line("ethernet", "for another MAC", FRAME,
         lambda p: [with_ip(text(p, b"x"), eth_dst=LIARS_MAC)], silence),
    line("ethernet", "zeros and ones", FRAME,
         lambda p: [bytes(60), b"\xff" * 60, bytes(1514), b"\xff" * 1514], silence),
    known(line("ethernet", "ping in a broadcast frame", ADDRESS,
               lambda p: [with_ip(ping(p), eth_dst=ALL)], icmp(0, 0, 1)), LINK_BROADCAST),
]  # fmt: skip


# --- ARP ------------------------------------------------------------------------------------------


def _arp(p: TcpPeer, op: int = 1, dst: str = ALL, **fields: object) -> Packet:
    """ARP from the peer; `fields` override."""
    packet = Ether(src=p.mac, dst=dst) / ARP(op=op, hwsrc=p.mac, psrc=p.ip, pdst=BOARD_IP)
    for name, value in fields.items():
        setattr(packet[ARP], name, value)
    return packet


def arp_replies(rig: Rig) -> list[Packet]:
    """The board's ARP replies since the last `inject`."""
    found = [Ether(data) for data in rig.sent if data[12:14] == b"\x08\x06"]
    return [frame for frame in found if frame[ARP].op == 2]


def answered(rig: Rig) -> None:
    """One ARP reply with the board's own addresses, and the connection goes on."""
    replies = arp_replies(rig)
    if len(replies) != 1 or (replies[0].hwsrc, replies[0].psrc) != (BOARD_MAC, BOARD_IP):
        raise CaseFailed(f"{len(replies)} ARP replies: {[r.summary() for r in replies]}")
    alive(rig)


def unanswered(rig: Rig) -> None:
    """No ARP reply, and the connection goes on."""
    if replies := arp_replies(rig):
        raise CaseFailed(f"answered with {[r.summary() for r in replies]}")
    alive(rig)


ARPS = [
    line("arp", "plain request", ARP_826, lambda p: [_arp(p)], answered),
    line("arp", "request to the board alone", ARP_826, lambda p: [_arp(p, dst=BOARD_MAC)],
         answered),
    line("arp", "probe", "RFC 5227, 2.1.1", lambda p: [_arp(p, psrc="0.0.0.0")], answered),
    line("arp", "request for another", ARP_826, lambda p: [_arp(p, pdst="10.0.2.77")], unanswered),
    line("arp", "operation 0", ARP_826, lambda p: [_arp(p, op=0)], unanswered),
    line("arp", "operation 3 (RARP)", "RFC 903", lambda p: [_arp(p, op=3)], unanswered),
    line("arp", "operation 65535", ARP_826, lambda p: [_arp(p, op=65535)], unanswered),
    line("arp", "hardware type 6", ARP_826, lambda p: [_arp(p, hwtype=6)], unanswered),
    line("arp", "protocol IPv6", ARP_826, lambda p: [_arp(p, ptype=0x86DD)], unanswered),
    line("arp", "hardware length 255", ARP_826, lambda p: [_arp(p, hwlen=255)], unanswered),
    line("arp", "protocol length 0", ARP_826, lambda p: [_arp(p, plen=0)], unanswered),
    line("arp", "cut to 20 bytes, then zeros", ARP_826, lambda p: [raw(_arp(p))[:34]], unanswered),
    line("arp", "trailing bytes", ARP_826, lambda p: [raw(_arp(p)).ljust(1514, b"#")], answered),
    line("arp", "from a broadcast MAC", ARP_826, lambda p: [_arp(p, hwsrc=ALL, psrc="10.0.2.9")],
         alive),
    line("arp", "from the board's own address", CONFLICT,
         lambda p: [_arp(p, psrc=BOARD_IP, hwsrc=LIARS_MAC)], alive),
    line("arp", "claims the board's address", CONFLICT,
         lambda p: [_arp(p, op=2, psrc=BOARD_IP, hwsrc=LIARS_MAC) for _ in range(10)], alive),
    line("arp", "claims the board's address with its MAC", CONFLICT,
         lambda p: [_arp(p, op=2, psrc=BOARD_IP, hwsrc=BOARD_MAC)], alive),
    line("arp", "claims to be the router", CONFLICT,
         lambda p: [_arp(p, op=2, psrc=ROUTER_IP, hwsrc=LIARS_MAC)], alive),
    line("arp", "claims to be everybody", CONFLICT, lambda p: [
        _arp(p, op=2, psrc=f"10.0.2.{n}", hwsrc=f"02:66:66:66:66:{n:02x}")
        for n in range(16, 255) if n not in (100, 101)], alive),
]  # fmt: skip


def _spoofed(operation: int) -> Callable[[Rig], None]:
    def play(rig: Rig) -> None:
        """A liar says that the peer's address is his: its echo goes to him, until the peer itself
        is heard of again. Nothing is lost: TCP sends it once more."""
        peer = rig.peer
        rig.inject([_arp(peer, op=operation, psrc=peer.ip, hwsrc=LIARS_MAC)], 0.1)
        rig.sent.clear()
        peer.seq = (peer.seq + 16) & 0xFFFFFFFF
        rig.send([text(peer, b"whose echo", seq=peer.seq - 16)])
        rig.run_for(0.2)
        stolen = [data for data in rig.sent if data[:6] == bytes.fromhex("026666666666")]
        rig.inject([_arp(peer, op=operation)], 5)
        if not bytes(peer.received).endswith(b"whose echo"):
            raise CaseFailed(f"the echo is lost; the liar got {len(stolen)} frames")
        peer.received.clear()
        rig.echo()

    return play


CASES = [
    *FRAMES, *ARPS,
    dialogue("arp", "spoofed by a gratuitous request", CONFLICT, _spoofed(1)),
    dialogue("arp", "spoofed by a reply", CONFLICT, _spoofed(2)),
]  # fmt: skip

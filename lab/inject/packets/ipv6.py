"""IPv6 that nobody asked for: the app has no use for it, and the board must not mind.

Each packet goes to the board's MAC and to the group of all nodes.
"""

from __future__ import annotations

from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoRequest,
    ICMPv6MLReport,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_RA,
    ICMPv6ND_Redirect,
    ICMPv6ND_RS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptMTU,
    ICMPv6NDOptPrefixInfo,
    IPv6,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)  # fmt: skip
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from lab.inject.case import Case, CaseFailed
from lab.inject.packets.expect import Expect, silence
from lab.inject.packets.rig import BOARD_MAC, Rig
from lab.inject.packets.table import line
from lab.inject.tcp import TcpPeer

ALL_NODES, ALL_NODES_MAC = "ff02::1", "33:33:00:00:00:01"
LINK_LOCAL = "fe80::260a:c4ff:fe00:4"  # of the board, should it have one


def solicits(rig: Rig) -> None:
    """The board asks once for routers itself, as a host must that hears of one (RFC 4861, 6.3.7),
    and says nothing else; the connection echoes."""
    spoken = [Ether(data) for data in rig.sent]
    if len(spoken) != 1 or ICMPv6ND_RS not in spoken[0]:
        raise CaseFailed(f"the board sends {[frame.summary() for frame in spoken]}")
    rig.echo()


def _six(name: str, packet: Packet | bytes, expect: Expect = silence) -> Case:
    """An IPv6 packet to the board's MAC and to all nodes."""

    def frames(p: TcpPeer) -> list[Packet]:
        return [Ether(src=p.mac, dst=mac, type=0x86DD) / packet
                for mac in (BOARD_MAC, ALL_NODES_MAC)]  # fmt: skip

    return line("ipv6", name, "RFC 8200; RFC 4861", frames, expect)


def _to(target: str = ALL_NODES, **fields: int) -> IPv6:
    packet = IPv6(src="fe80::1", dst=target, hlim=255)
    for name, value in fields.items():
        setattr(packet, name, value)
    return packet


CASES = [
    _six("ping of all nodes", _to() / ICMPv6EchoRequest()),
    _six("ping of the board", _to(LINK_LOCAL) / ICMPv6EchoRequest()),
    _six("neighbour solicitation", _to(LINK_LOCAL) / ICMPv6ND_NS(tgt=LINK_LOCAL)),
    _six("neighbour advertisement", _to() / ICMPv6ND_NA(tgt=LINK_LOCAL, O=1)
         / ICMPv6NDOptDstLLAddr(lladdr="02:66:66:66:66:66")),
    _six("router advertisement", _to() / ICMPv6ND_RA()
         / ICMPv6NDOptPrefixInfo(prefix="2001:db8::"), solicits),
    _six("router advertisement, MTU 0", _to() / ICMPv6ND_RA() / ICMPv6NDOptMTU(mtu=0), solicits),
    _six("an option of length 0", _to() / ICMPv6ND_RA() / Raw(b"\1\0" + bytes(6)),
         solicits),
    _six("redirect", _to(LINK_LOCAL) / ICMPv6ND_Redirect(tgt="fe80::66", dst="2001:db8::1")),
    _six("an error about nothing", _to(LINK_LOCAL) / ICMPv6DestUnreach(code=4)),
    _six("multicast listeners", _to() / ICMPv6MLReport()),
    _six("payload shorter than it says", _to(plen=1000) / ICMPv6EchoRequest()),
    _six("hop by hop, of length 255", _to(nh=0) / Raw(b"\x3a\xff" + bytes(30))),
    _six("hop by hop", _to() / IPv6ExtHdrHopByHop() / ICMPv6EchoRequest()),
    _six("routing header 0", _to() / IPv6ExtHdrRouting(addresses=["::1"] * 5)
         / ICMPv6EchoRequest()),
    _six("a fragment that is alone", _to() / IPv6ExtHdrFragment(m=1) / Raw(b"#" * 100)),
    _six("a fragment at the far end", _to() / IPv6ExtHdrFragment(offset=8191) / Raw(b"#" * 100)),
    _six("next header 255", _to(nh=255) / Raw(b"#" * 40)),
    _six("one byte", b"\x60"),
    _six("zeros", bytes(100)),
]  # fmt: skip

"""What must hold once the packets of a table's line are out: functions of the rig.

Each raises CaseFailed. They look at what the board has sent to the first peer since the packets,
then at the connection that the packets were about.
"""

from __future__ import annotations

from collections.abc import Callable

from scapy.layers.inet import ICMP, IP, TCP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet

from lab.inject.case import CaseFailed
from lab.inject.packets.rig import Rig

Expect = Callable[[Rig], None]
MARTIANS = "lwIP looks at sources for broadcast and multicast alone (ip4_input)"
ARP_TYPE = b"\x08\x06"


def heard(rig: Rig) -> list[Packet]:
    """What came for the first peer, ARP aside."""
    return [frame for frame in rig.peer.heard if ARP not in frame]


def segments(rig: Rig, flags: str = "") -> list[Packet]:
    """The TCP segments among it, those with just `flags` where given."""
    found = [frame[TCP] for frame in heard(rig) if TCP in frame]
    return [tcp for tcp in found if not flags or str(tcp.flags) == flags]


def described(rig: Rig) -> str:
    """What was heard, for messages."""
    return "; ".join(frame.summary() for frame in heard(rig)) or "nothing"


def alive(rig: Rig) -> None:
    """The connection is as it was: it echoes."""
    rig.echo()


def quiet(rig: Rig) -> None:
    """The board has sent nothing at all, to nobody, but ARP."""
    spoken = [Ether(data).summary() for data in rig.sent if data[12:14] != ARP_TYPE]
    if spoken:
        raise CaseFailed(f"wanted silence, heard {'; '.join(spoken)}")


def answers_to(address: str) -> Expect:
    """The board sends one IP packet, to `address`; the connection echoes."""

    def expect(rig: Rig) -> None:
        sent = [IP(data[14:]).dst for data in rig.sent if data[12:14] == b"\x08\0"]
        if sent != [address]:
            raise CaseFailed(f"wanted one answer to {address}, the board sends to {sent}")
        rig.echo()

    return expect


def silence(rig: Rig) -> None:
    """The board says nothing, to nobody; the connection echoes."""
    quiet(rig)
    rig.echo()


def challenge(rig: Rig) -> None:
    """The board says where it stands with an empty ACK, and no more; the connection echoes."""
    acks = segments(rig, "A")
    right = [t for t in acks if t.seq == rig.peer.ack and t.ack == rig.peer.seq]
    if not acks or len(right) != len(heard(rig)):
        raise CaseFailed(f"wanted a challenge ACK, heard {described(rig)}")
    rig.echo()


def gone(rig: Rig) -> None:
    """The board has dropped the connection without a word, and the app has noticed."""
    quiet(rig)
    closed(rig)
    rig.inject([rig.peer.segment("PA", b"anybody?")])
    refused(rig)


def closed(rig: Rig) -> None:
    """The app has seen its end of the peer's connection."""
    rig.wait(lambda: "lab: closed" in rig.said, "the app's word of a closed socket")


def refused(rig: Rig) -> None:
    """The board answers with RST, and only that."""
    if not heard(rig) or any(not tcp.flags.R for tcp in segments(rig)) or not segments(rig):
        raise CaseFailed(f"wanted RST, heard {described(rig)}")


def refused_alive(rig: Rig) -> None:
    """The packets are answered with RST; the connection echoes."""
    refused(rig)
    rig.echo()


def icmp(kind: int, code: int = 0, count: int | None = None) -> Expect:
    """The board answers with ICMP `kind`, `code`, `count` times; the connection echoes."""

    def expect(rig: Rig) -> None:
        found = [f for f in heard(rig) if ICMP in f and f[IP].proto == 1]
        right = [f for f in found if f[ICMP].type == kind and f[ICMP].code == code]
        if len(right) != len(heard(rig)) or not right or count not in (None, len(right)):
            raise CaseFailed(f"wanted ICMP {kind}/{code}, heard {described(rig)}")
        rig.echo()

    return expect


def echoes(*texts: bytes) -> Expect:
    """These messages come back, in this order, and nothing else; the connection goes on."""

    def expect(rig: Rig) -> None:
        from lab.inject.websocket import parse_frames

        rig.wait(lambda: len(parse_frames(bytes(rig.peer.received))) >= len(texts), "the echoes")
        got = [f.data for f in parse_frames(bytes(rig.peer.received))]
        if got != list(texts):
            raise CaseFailed(f"wanted the echoes {texts}, got {got}")
        rig.peer.received.clear()
        rig.echo()

    return expect

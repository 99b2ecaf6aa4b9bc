"""Segments in the wrong place: out of order, twice, overlapping, outside of the window; urgent.

Overlaps are made of two messages with equal header and mask, so that each byte of the echo tells
which of the two the board took. What lwIP does with an overlap is asserted exactly ("old" keeps
what came first, "new" replaces it): a filter in front of the board has to do the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from scapy.packet import Packet

from lab.inject.case import Case, CaseFailed
from lab.inject.packets.expect import alive, challenge, echoes, silence
from lab.inject.packets.rig import Rig
from lab.inject.packets.table import TEXT, at, dialogue, known, line, text
from lab.inject.tcp import TcpPeer
from lab.peers.client import frame

ORDER, WINDOW, URGENT = "RFC 9293, 3.10.7.4", "RFC 9293, 3.4", "RFC 9293, 3.8.5; RFC 6093"
OVERLAP, BLIND = "RFC 9293, 3.10.7.4; RFC 1858", "RFC 9293, 3.10.7.4; RFC 5961, 5"
OLD, NEW = frame(b"A" * 10, TEXT), frame(b"B" * 10, TEXT)
HEAD = 6  # header and mask of them
HALF = "lwIP takes one number exactly 2^31 away for the next in order (TCP_SEQ_BETWEEN)"
NO_ACK_CHECK = "lwIP takes data whatever the ACK number or flag (tcp_receive)"

# (from OLD or NEW, first byte, behind the last)
Part = tuple[bytes, int, int]


def part(peer: TcpPeer, one: Part) -> Packet:
    """Bytes of a message, where they belong."""
    data, start, end = one
    return peer.segment("PA", data[start:end], seq=at(peer, start))


def then_echo(message: bytes) -> Callable[[Rig], None]:
    """`message` was taken: our numbers go on behind it, and it comes back."""

    def expect(rig: Rig) -> None:
        rig.peer.seq = at(rig.peer, len(message) + HEAD)
        echoes(message)(rig)

    return expect


def parts(group: str, name: str, source: str, pieces: Sequence[Part], echoed: bytes) -> Case:
    """A line whose packets are pieces of OLD and NEW."""
    return line(group, name, source, lambda p: [part(p, one) for one in pieces],
                then_echo(echoed))  # fmt: skip


CUTS = [(OLD, 0, 7), (OLD, 7, 11), (OLD, 11, 16)]
ORDERS = [
    parts("tcp order", "three segments as " + "".join(str(1 + CUTS.index(c)) for c in cuts), ORDER,
          cuts, b"A" * 10)
    for cuts in itertools.permutations(CUTS)
]  # fmt: skip

MORE_ORDERS = [
    parts("tcp order", "byte by byte backwards", ORDER,
          [(OLD, n, n + 1) for n in reversed(range(16))], b"A" * 10),
    parts("tcp order", "whole, twice", ORDER, [(OLD, 0, 16), (OLD, 0, 16)], b"A" * 10),
    parts("tcp order", "last part ten times, then the first", ORDER,
          [(OLD, 8, 16)] * 10 + [(OLD, 0, 8)], b"A" * 10),
]  # fmt: skip

OVERLAPS = [
    parts("tcp overlap", "delivered, then other bytes: old", OVERLAP,
          [(OLD, 0, 12), (NEW, 0, 12), (OLD, 12, 16)], b"A" * 10),
    parts("tcp overlap", "half delivered: old, then new", OVERLAP,
          [(OLD, 0, 11), (NEW, 6, 16)], b"A" * 5 + b"B" * 5),
    parts("tcp overlap", "queued, then the same place: old", OVERLAP,
          [(OLD, 8, 16), (NEW, 8, 16), (OLD, 0, 8)], b"A" * 10),
    parts("tcp overlap", "queued, then shorter: old", OVERLAP,
          [(OLD, 8, 16), (NEW, 8, 12), (OLD, 0, 8)], b"A" * 10),
    parts("tcp overlap", "queued, then longer: new", OVERLAP,
          [(OLD, 8, 12), (NEW, 8, 16), (OLD, 0, 8)], b"AA" + b"B" * 8),
    parts("tcp overlap", "queued, then in front and across: old", OVERLAP,
          [(OLD, 11, 16), (NEW, 7, 13), (OLD, 0, 7)], b"A" + b"B" * 4 + b"A" * 5),
    parts("tcp overlap", "queued, then from inside on: new", OVERLAP,
          [(OLD, 7, 12), (NEW, 10, 16), (OLD, 0, 7)], b"A" * 4 + b"B" * 6),
    parts("tcp overlap", "queued inside of one in order: new", OVERLAP,
          [(OLD, 8, 12), (NEW, 0, 16)], b"B" * 10),
    parts("tcp overlap", "queued, then one in order up into it: old", OVERLAP,
          [(OLD, 10, 16), (NEW, 0, 13)], b"BBBB" + b"A" * 6),
    parts("tcp overlap", "two queued, one across both: new", OVERLAP,
          [(OLD, 8, 10), (OLD, 12, 14), (NEW, 7, 16), (OLD, 0, 7)], b"A" + b"B" * 9),
]  # fmt: skip


def _stray(name: str, offset: Callable[[TcpPeer], int]) -> Case:
    return line("tcp window edge", name, WINDOW,
                lambda p: [text(p, b"stray", seq=at(p, offset(p)))], challenge)  # fmt: skip


WINDOWS = [
    _stray("data long acknowledged", lambda p: -70000),
    _stray("data of just before", lambda p: -11),
    _stray("data half of the numbers away", lambda p: 1 << 31),
    known(line("tcp window edge", "one byte half of the numbers away", WINDOW,
               lambda p: [p.segment("PA", OLD[:1], seq=at(p, 1 << 31)), part(p, (OLD, 1, 16))],
               then_echo(b"A" * 10)), HALF),
    _stray("data right behind it", lambda p: p.widest_window),
    _stray("data far behind it", lambda p: p.widest_window + 10_000),
    _stray("data across its end", lambda p: p.widest_window - 4),
    line("tcp window edge", "its last byte", WINDOW,
         lambda p: [p.segment("A", b"!", seq=at(p, p.widest_window - 1))], challenge),
    line("tcp window edge", "a keepalive of no byte", "RFC 1122, 4.2.3.6",
         lambda p: [p.segment("A", seq=at(p, -1))], challenge),
    line("tcp window edge", "a keepalive of one byte", "RFC 1122, 4.2.3.6",
         lambda p: [p.segment("A", b"\xff", seq=at(p, -1))], challenge),
    line("tcp window edge", "an empty ACK far behind it", WINDOW,
         lambda p: [p.segment("A", seq=at(p, 1 << 30))], challenge),
    line("tcp window edge", "the same ACK ten times", "RFC 5681, 2",
         lambda p: [p.segment("A")] * 10, silence),
    line("tcp window edge", "ten thousand bytes into gaps", WINDOW,
         lambda p: [p.segment("A", b"#" * 50, seq=at(p, n * 100 + 50)) for n in range(50)],
         alive),
]  # fmt: skip

BLINDS = [
    known(line("tcp blind data", "ACK of what was never sent", BLIND,
               lambda p: [text(p, b"A" * 10, ack=(p.ack + 50_000) & 0xFFFFFFFF)],
               then_echo(b"A" * 10)), NO_ACK_CHECK),
    known(line("tcp blind data", "ACK of long ago", BLIND,
               lambda p: [text(p, b"A" * 10, ack=(p.ack - (1 << 30)) & 0xFFFFFFFF)],
               then_echo(b"A" * 10)), NO_ACK_CHECK),
    known(line("tcp blind data", "no ACK flag", BLIND,
               lambda p: [text(p, b"A" * 10, flags="P")], then_echo(b"A" * 10)), NO_ACK_CHECK),
    line("tcp blind data", "an empty ACK of what was never sent", BLIND,
         lambda p: [p.segment("A", ack=(p.ack + 50_000) & 0xFFFFFFFF)], alive),
    line("tcp blind data", "from another port", BLIND,
         lambda p: [text(p, b"x", sport=p.sport + 1, flags="P")], silence),
]  # fmt: skip


def _urgent(name: str, flags: str, pointer: int) -> Case:
    return line("tcp urgent", name, URGENT,
                lambda p: [text(p, b"A" * 10, flags=flags, urgptr=pointer)],
                then_echo(b"A" * 10))  # fmt: skip


URGENTS = [
    *(_urgent(f"pointer {n}", "PAU", n) for n in (0, 1, 16, 17, 65535)),
    _urgent("pointer without the flag", "PA", 3),
    line("tcp urgent", "no data", URGENT, lambda p: [p.segment("AU", urgptr=5)], silence),
]


def _wraps(rig: Rig) -> None:
    """The peer's numbers pass 2^32 in the middle of a message."""
    peer = rig.open_peer(seq=2**32 - 300)
    for n in range(30):
        rig.echo(peer, b"around %d" % n)
    if peer.seq > 2**31:
        raise CaseFailed("the numbers did not wrap")


def _late(rig: Rig) -> None:
    """The first half comes twenty seconds after the second: lwIP has forgotten that, and must not
    acknowledge it (tcp_slowtmr; RFC 9293 allows it, the sender has it still)."""
    rig.inject([part(rig.peer, (OLD, 8, 16))], 20)
    rig.inject([part(rig.peer, (OLD, 0, 8))])
    if rig.peer.acked != at(rig.peer, 8):
        raise CaseFailed(f"acknowledged {rig.peer.acked - rig.peer.seq} bytes of 8")
    rig.inject([part(rig.peer, (OLD, 8, 16))])
    then_echo(b"A" * 10)(rig)


def _odd_and_even(rig: Rig) -> None:
    """Odd bytes before even ones: more pieces than the socket's mailbox holds (6), so that some
    are refused and must be sent again."""
    pieces = [(OLD, n, n + 1) for n in [*range(1, 16, 2), *range(0, 16, 2)]]
    rig.inject([part(rig.peer, one) for one in pieces])
    while rig.peer.acked != at(rig.peer, 16):
        taken = rig.peer.acked
        rig.inject([part(rig.peer, (OLD, (taken - rig.peer.seq) & 0xFFFFFFFF, 16))])
        if rig.peer.acked == taken:
            raise CaseFailed("what was sent again is not acknowledged")
    then_echo(b"A" * 10)(rig)


DIALOGUES = [
    dialogue("tcp order", "numbers wrap", "RFC 9293, 3.4", _wraps),
    dialogue("tcp order", "odd bytes before even ones", ORDER, _odd_and_even),
    dialogue("tcp order", "a gap for 20 s", ORDER, _late),
]

CASES = [*ORDERS, *MORE_ORDERS, *OVERLAPS, *WINDOWS, *BLINDS, *URGENTS, *DIALOGUES]

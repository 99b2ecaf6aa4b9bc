"""FIN at the wrong moment, in the wrong place, twice, with data, or from both sides at once."""

from __future__ import annotations

from scapy.packet import Packet

from lab.inject.case import CaseFailed
from lab.inject.packets.expect import Expect, challenge, closed, described, refused, segments
from lab.inject.packets.resets import half_open
from lab.inject.packets.rig import Rig
from lab.inject.packets.segments import HALF
from lab.inject.packets.table import TEXT, at, dialogue, known, line, text
from lab.inject.websocket import parse_frames
from lab.peers.client import frame

FIN, CLOSE = "RFC 9293, 3.10.7.4", "RFC 9293, 3.6"
CLOSE_FRAME = frame(b"\x03\xe8", 8)
LINGER_SECONDS = 25  # lwIP waits 20 s for the other side's FIN (TCP_FIN_WAIT_TIMEOUT)
NO_ACK_CHECK = "lwIP takes a FIN without ACK flag (tcp_receive)"


def ended(rig: Rig) -> None:
    """The board has closed its side as well, and the connection is no more."""
    peer = rig.peer
    rig.wait(lambda: peer.finished or peer.reset, "the board's FIN")
    if peer.reset:
        raise CaseFailed("the board ends it with RST, not FIN")
    closed(rig)
    rig.inject([peer.segment("A")])
    rig.inject([peer.segment("PA", b"anybody?")])
    refused(rig)


def ended_after(message: bytes) -> Expect:
    def expect(rig: Rig) -> None:
        """`message` comes back, then the board's FIN."""
        rig.peer.seq = at(rig.peer, len(message) + 6 + 1)
        rig.wait(lambda: rig.peer.finished or rig.peer.reset, "the board's FIN")
        got = [f.data for f in parse_frames(bytes(rig.peer.received)) if f.opcode == TEXT]
        if got != [message]:
            raise CaseFailed(f"the echo is {got}")
        ended(rig)

    return expect


def fin_taken(rig: Rig, size: int = 1) -> None:
    """The FIN counts, with `size` numbers up to its own: the connection ends as it should."""
    rig.peer.seq = at(rig.peer, size)
    ended(rig)


LINES = [
    line("tcp fin", "plain", FIN, lambda p: [p.segment("FA")], fin_taken),
    line("tcp fin", "twice", FIN, lambda p: [p.segment("FA")] * 2, fin_taken),
    line("tcp fin", "ten times", FIN, lambda p: [p.segment("FA")] * 10, fin_taken),
    line("tcp fin", "with a message", FIN, lambda p: [text(p, b"last", flags="FPA")],
         ended_after(b"last")),
    line("tcp fin", "behind a message", FIN,
         lambda p: [text(p, b"last"), p.segment("FA", seq=at(p, 10))],
         ended_after(b"last")),
    line("tcp fin", "before its message", FIN,
         lambda p: [p.segment("FA", seq=at(p, 10)), text(p, b"last")],
         ended_after(b"last")),
    line("tcp fin", "then data", FIN,
         lambda p: [p.segment("FA"), text(p, b"too late", seq=at(p, 1))], fin_taken),
    line("tcp fin", "then RST", FIN,
         lambda p: [p.segment("FA"), p.segment("R", seq=at(p, 1))], closed),
    line("tcp fin", "urgent, pushed", FIN, lambda p: [p.segment("FAPU", urgptr=1)], fin_taken),
    known(line("tcp fin", "without ACK", FIN, lambda p: [p.segment("F")], fin_taken), NO_ACK_CHECK),
    known(line("tcp fin", "xmas", FIN, lambda p: [p.segment("FPU")], fin_taken), NO_ACK_CHECK),
    line("tcp fin", "in the middle of a frame", FIN,
         lambda p: [p.segment("FPA", b"\x81\x85abcdxy")],
         lambda r: fin_taken(r, 9)),
    line("tcp fin", "one too early", FIN, lambda p: [p.segment("FA", seq=at(p, -1))], challenge),
    line("tcp fin", "long ago", FIN, lambda p: [p.segment("FA", seq=at(p, -5000))], challenge),
    line("tcp fin", "ahead, in the window", FIN, lambda p: [p.segment("FA", seq=at(p, 2000))],
         challenge),
    line("tcp fin", "behind the window", FIN,
         lambda p: [p.segment("FA", seq=at(p, p.widest_window + 1))], challenge),
    known(line("tcp fin", "half of the numbers away", FIN,
               lambda p: [p.segment("FA", seq=at(p, 1 << 31))], fin_taken), HALF),
    line("tcp fin", "half of the numbers away and one", FIN,
         lambda p: [p.segment("FA", seq=at(p, (1 << 31) + 1))], challenge),
]  # fmt: skip


def _half_close(rig: Rig) -> None:
    """A long message, then FIN at once: the whole echo still comes."""
    peer, message = rig.peer, bytes(range(256)) * 8
    peer.send(frame(message))
    peer.fin()
    rig.wait(lambda: peer.finished or peer.reset, "the board's FIN")
    got = [f.data for f in parse_frames(bytes(peer.received)) if f.opcode == 2]
    if got != [message]:
        raise CaseFailed(f"echoed {sum(map(len, got))} bytes of {len(message)}")
    ended(rig)


def _board_closes(rig: Rig) -> Packet:
    """The board is made to close first, and its FIN is not acknowledged. Returns that FIN."""
    peer = rig.peer
    peer.answers = False
    peer.heard.clear()
    peer.send(CLOSE_FRAME)
    rig.wait(lambda: any(tcp.flags.F for tcp in segments(rig)), "the board's FIN")
    return next(tcp for tcp in segments(rig) if tcp.flags.F)


def _after(rig: Rig, fin: Packet) -> None:
    """Our next ACK is of the board's `fin`."""
    size = len(bytes(fin.payload)) if fin.dataofs == 5 and fin.flags.P else 0
    rig.peer.ack = (int(fin.seq) + size + 1) & 0xFFFFFFFF


def _simultaneous(rig: Rig) -> None:
    """Both send FIN before they have seen the other's: CLOSING, then TIME-WAIT."""
    peer = rig.peer
    fin = _board_closes(rig)
    rig.inject([peer.segment("FA", ack=int(fin.seq))])
    _after(rig, fin)
    peer.seq = at(peer, 1)
    if not any(tcp.ack == peer.seq for tcp in segments(rig)):
        raise CaseFailed(f"our FIN is not acknowledged: {described(rig)}")
    rig.inject([peer.segment("A")], 3)
    if any(tcp.flags.F for tcp in segments(rig)):
        raise CaseFailed(f"the board sends its FIN again: {described(rig)}")
    _in_time_wait(rig)


def _in_time_wait(rig: Rig) -> None:
    """The board keeps the connection in TIME-WAIT: RST does nothing, our FIN again gets its ACK."""
    peer = rig.peer
    rig.inject([peer.segment("R"), peer.segment("FA", seq=at(peer, -1))])
    if [str(tcp.flags) for tcp in segments(rig)] != ["A"]:
        raise CaseFailed(f"in TIME-WAIT our FIN gets {described(rig)}")


def _time_wait_syn(rig: Rig) -> None:
    """In TIME-WAIT a new SYN within the window is answered with RST, one outside with ACK."""
    peer = rig.peer
    fin = _board_closes(rig)
    _after(rig, fin)
    rig.inject([peer.segment("FA")])
    peer.seq = at(peer, 1)
    rig.inject([peer.segment("S", seq=at(peer, 10))])
    refused(rig)
    rig.inject([peer.segment("S", seq=at(peer, 1 << 31))])
    if not [str(tcp.flags) for tcp in segments(rig)] == ["A"]:
        raise CaseFailed(f"a far SYN in TIME-WAIT gets {described(rig)}")


def _fin_unanswered(rig: Rig) -> None:
    """The board's FIN is never acknowledged: it tries again, less and less often."""
    _board_closes(rig)
    rig.inject([], 20)
    tries = len(segments(rig))
    if not 2 <= tries <= 12:
        raise CaseFailed(f"{tries} tries in 20 s: {described(rig)}")


def _half_closed_for_good(rig: Rig) -> None:
    """The board's FIN is acknowledged, but ours never comes: FIN-WAIT-2 ends by itself."""
    peer = rig.peer
    fin = _board_closes(rig)
    _after(rig, fin)
    rig.inject([peer.segment("A")], LINGER_SECONDS)
    rig.inject([peer.segment("PA", b"anybody?")])
    refused(rig)


def _before_the_handshake_ends(rig: Rig) -> None:
    """SYN, then FIN with the ACK that ends the handshake: opened and closed at once."""
    peer = half_open(rig)
    peer.fin()
    rig.wait(lambda: peer.finished or peer.reset, "an end")


def _instead_of_the_ack(rig: Rig) -> None:
    """SYN, then FIN without ACK: nothing to take, the handshake can still end."""
    peer = half_open(rig)
    peer.send_frame(peer.segment("F"))
    rig.run_for(0.5)
    peer.send_frame(peer.segment("A"))
    rig.upgrade(peer)
    rig.echo(peer)


DIALOGUES = [
    dialogue("tcp fin", name, CLOSE, play)
    for name, play in [
        ("half close behind a long message", _half_close),
        ("from both sides at once", _simultaneous),
        ("SYN in TIME-WAIT", _time_wait_syn),
        ("the board's is never acknowledged", _fin_unanswered),
        ("ours never comes", _half_closed_for_good),
        ("ends the handshake", _before_the_handshake_ends),
        ("without ACK in the handshake", _instead_of_the_ack),
    ]
]

CASES = [*LINES, *DIALOGUES]

"""Windows that shut, shrink and stay silly: nothing is lost, and the board does not hurry."""

from __future__ import annotations

import random
from collections.abc import Callable

from lab.inject.case import CaseFailed
from lab.inject.packets.expect import closed, described, segments
from lab.inject.packets.rig import Rig
from lab.inject.packets.table import dialogue
from lab.inject.tcp import WINDOW
from lab.inject.websocket import parse_frames
from lab.peers.client import frame

ZERO, SHRINK, SILLY = "RFC 9293, 3.8.6.1", "RFC 9293, 3.8.6", "RFC 9293, 3.8.6.2.1"
MESSAGE = bytes(range(256)) * 4
PROBES_MOST = 12  # in 30 s; RFC 9293: the interval grows
TRIES = 400


def _all_back(rig: Rig, message: bytes, seconds: float = 60) -> None:
    """The echo of `message` comes, whole and once."""
    peer = rig.peer
    rig.wait(lambda: bool(parse_frames(bytes(peer.received))), "the echo", seconds)
    got = [f.data for f in parse_frames(bytes(peer.received))]
    if got != [message]:
        raise CaseFailed(f"{len(got)} messages came back, the first of {len(got[0])} bytes")
    peer.received.clear()
    rig.echo()


def _shut(rig: Rig, seconds: float) -> int:
    """Send MESSAGE with no room for its echo; returns how many segments with data came."""
    peer = rig.peer
    peer.window = 0
    peer.heard.clear()
    peer.send(frame(MESSAGE))
    rig.run_for(seconds)
    if peer.received:
        raise CaseFailed(f"{len(peer.received)} bytes came into no window")
    return sum(bool(tcp.payload) and tcp.ack == peer.seq for tcp in segments(rig))


def _open(rig: Rig, size: int = WINDOW) -> None:
    """Tell the board of room."""
    rig.peer.window = size
    rig.send([rig.peer.segment("A")])


def _zero(rig: Rig) -> None:
    """No window for 30 s: probes, ever fewer; then all of it comes."""
    probes = _shut(rig, 30)
    if not 2 <= probes <= PROBES_MOST:
        raise CaseFailed(f"{probes} probes in 30 s: {described(rig)}")
    _open(rig)
    _all_back(rig, MESSAGE)


def _zero_briefly(rig: Rig) -> None:
    """Shut and open five times within a message."""
    for _ in range(5):
        _open(rig, 0)
        rig.run_for(0.1)
        _open(rig)
    rig.peer.send(frame(MESSAGE))
    _all_back(rig, MESSAGE)


def _update_lost(rig: Rig) -> None:
    """The window opens, but the board is not told: its probe finds out (RFC 9293, 3.8.6.1)."""
    _shut(rig, 3)
    rig.peer.window = WINDOW
    _all_back(rig, MESSAGE)


def _zero_then_reset(rig: Rig) -> None:
    """RST while the board waits for room: the app hears of it."""
    _shut(rig, 5)
    rig.peer.rst()
    closed(rig)


def _zero_then_fin(rig: Rig) -> None:
    """FIN while the board waits for room, which then comes: the echo, and then the end."""
    peer = rig.peer
    _shut(rig, 3)
    peer.fin()
    rig.run_for(3)
    _open(rig)
    rig.wait(lambda: peer.finished or peer.reset, "the board's FIN", 30)
    got = [f.data for f in parse_frames(bytes(peer.received)) if f.opcode == 2]
    if peer.reset or got != [MESSAGE]:
        raise CaseFailed(f"reset is {peer.reset}, {len(got)} messages came back")
    closed(rig)


def _zero_for_good(rig: Rig) -> None:
    """No window, and no answer to the probes for 30 s: they become rare, others are served."""
    _shut(rig, 1)
    rig.peer.answers = False
    rig.peer.heard.clear()
    rig.run_for(30)
    if len(segments(rig)) > PROBES_MOST:
        raise CaseFailed(f"{len(segments(rig))} probes in 30 s")


def _shrinks(rig: Rig) -> None:
    """Ever less room with each acknowledgement, down to one byte, then all again."""
    peer = rig.peer
    peer.send(frame(MESSAGE))
    for size in (512, 256, 100, 10, 1):
        _open(rig, size)
        rig.run_for(0.3)
    _open(rig)
    _all_back(rig, MESSAGE)


def _shrinks_in_flight(rig: Rig) -> None:
    """What was promised and sent already does not fit any more: it has to come again."""
    peer = rig.peer
    peer.answers = False
    peer.send(frame(MESSAGE))
    rig.run_for(0.2)  # the echo is out, and was not taken
    peer.answers, peer.window = True, 100
    rig.send([peer.segment("A")])
    rig.run_for(3)
    _open(rig)
    _all_back(rig, MESSAGE)


def _silly(size: int) -> Callable[[Rig], None]:
    def play(rig: Rig) -> None:
        """A window of `size` bytes for 15 s: the board sends a little now and then (its timer
        against silly windows doubles each time); then there is room, and all of it comes."""
        peer, message = rig.peer, bytes(range(60))
        peer.window = size
        peer.heard.clear()
        peer.send(frame(message))
        rig.run_for(15)
        if not size <= len(peer.received) < len(message) or len(peer.heard) > PROBES_MOST:
            raise CaseFailed(f"{len(peer.heard)} segments, {len(peer.received)} bytes in 15 s")
        _open(rig)
        _all_back(rig, message)

    return play


def _wobbles(rig: Rig) -> None:
    """Another window with each acknowledgement, by a seed."""
    peer, draw = rig.peer, random.Random(5)
    peer.send(frame(MESSAGE))
    for _ in range(TRIES):
        if parse_frames(bytes(peer.received)):
            break
        _open(rig, draw.choice([0, 1, 30, 200, 700]))
        rig.run_for(0.05)
    _open(rig)
    _all_back(rig, MESSAGE)


def _both_shut(rig: Rig) -> None:
    """Messages until neither side has room: both wait; then every echo comes, in order."""
    peer = rig.peer
    peer.window = 0
    messages = [bytes([n]) * 700 for n in range(40)]
    data, sent = b"".join(frame(one) for one in messages), 0
    start = peer.seq
    while True:  # as much as the board takes
        room = (peer.acked + peer.board_window - peer.seq) & 0xFFFFFFFF
        part = data[sent : sent + min(room, 1400)]
        if room > 1 << 31 or not part:
            break
        rig.send([peer.segment("PA", part)])
        peer.seq, sent = (peer.seq + len(part)) & 0xFFFFFFFF, sent + len(part)
        rig.run_for(0.2)
    if sent == len(data):
        raise CaseFailed(f"the board takes all of {sent} bytes, and never shuts its window")
    rig.run_for(5)
    peer.seq = peer.acked
    taken = (peer.acked - start) & 0xFFFFFFFF
    _open(rig)
    peer.send(data[taken:])
    rig.wait(lambda: len(parse_frames(bytes(peer.received))) == len(messages), "all echoes", 60)
    if [f.data for f in parse_frames(bytes(peer.received))] != messages:
        raise CaseFailed("echoes are wrong")
    peer.received.clear()
    rig.echo()


CASES = [
    dialogue("tcp window", name, source, play)
    for name, source, play in [
        ("zero for 30 s", ZERO, _zero),
        ("zero, five times", ZERO, _zero_briefly),
        ("zero, and the update is lost", ZERO, _update_lost),
        ("zero, then RST", ZERO, _zero_then_reset),
        ("zero, then FIN", ZERO, _zero_then_fin),
        ("zero, and nobody answers", ZERO, _zero_for_good),
        ("shrinks to one byte", SHRINK, _shrinks),
        ("shrinks below what is out", SHRINK, _shrinks_in_flight),
        ("one byte", SILLY, _silly(1)),
        ("ten bytes", SILLY, _silly(10)),
        ("wobbles", SHRINK, _wobbles),
        ("shut on both sides", ZERO, _both_shut),
    ]
]

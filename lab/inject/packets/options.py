"""TCP options that lie: the connection comes up all the same, and goes on (RFC 9293, 3.1)."""

from __future__ import annotations

from lab.inject.case import Case, CaseFailed
from lab.inject.packets.expect import silence
from lab.inject.packets.rig import BOARD_IP, HTTP, Rig
from lab.inject.packets.segments import then_echo
from lab.inject.packets.table import TEXT, dialogue, known, line
from lab.peers.client import frame, handshake

SOURCE = "RFC 9293, 3.1; RFC 9293, 3.7.1; RFC 6691"
MESSAGE = b"A" * 10
MSS_1 = b"\2\4\0\1"
ONE_BYTE = "lwIP never sends a write that needs more than TCP_SND_QUEUELEN segments (tcp_write)"

OPTIONS = [
    ("none", b""),
    ("MSS 0", b"\2\4\0\0"),
    ("MSS 20", b"\2\4\0\x14"),
    ("MSS 65535", b"\2\4\xff\xff"),
    ("MSS twice", b"\2\4\5\xb4\2\4\0\x40"),
    ("MSS behind the end", b"\0\0\0\0\2\4\0\1"),
    ("MSS of length 0", b"\2\0\5\xb4"),
    ("MSS of length 3", b"\2\3\5\1"),
    ("MSS of length 255", b"\2\xff\5\xb4"),
    ("MSS cut off", b"\1\1\2\4"),
    ("MSS without a length", b"\1\1\1\2"),
    ("unknown", b"\x63\4ab"),
    ("unknown of length 0", b"\x63\0ab"),
    ("unknown of length 1", b"\x63\1ab"),
    ("unknown of length 255", b"\x63\xffab"),
    ("unknown without a length", b"\1\1\1\x63"),
    ("forty bytes of an unknown one", b"\x63\x28" + bytes(38)),
    ("forty NOPs", b"\1" * 40),
    ("forty ends", b"\0" * 40),
    ("forty MSS bytes", b"\2" * 40),
    ("forty times 0xff", b"\xff" * 40),
    ("window scale 255", b"\3\3\xff\0"),
    ("window scale of length 9", b"\3\x09\1\0"),
    ("SACK permitted", b"\4\2\1\1"),
    ("SACK blocks", b"\1\1\5\x22" + b"\xa5" * 32),
    ("SACK of length 3", b"\1\5\3\xa5"),
    ("timestamps", b"\1\1\x08\x0a\xff\xff\xff\xff\0\0\0\0"),
    ("timestamps of length 2", b"\1\1\x08\2"),
    ("MD5 signature", b"\1\1\x13\x12" + b"\x5a" * 16),
    ("fast open cookie", b"\x22\x12" + b"\x5a" * 16),
]  # fmt: skip


def _on_syn(name: str, options: bytes) -> Case:
    def play(rig: Rig) -> None:
        rig.echo(rig.open_peer(options=options))

    return dialogue("tcp option", f"{name}, on the SYN", SOURCE, play)


def _on_data(name: str, options: bytes) -> Case:
    return line("tcp option", f"{name}, on data", SOURCE,
                lambda p: [p.with_options("PA", options, frame(MESSAGE, TEXT))],
                then_echo(MESSAGE))  # fmt: skip


def _mss_of_one(rig: Rig) -> None:
    """Its answer needs more segments than lwIP queues, so it never comes; an RST frees it all."""
    peer = rig.new_peer()
    peer.connect(BOARD_IP, HTTP, options=MSS_1)
    peer.send(handshake("/echo"))
    rig.run_for(5)
    if peer.received:
        raise CaseFailed(f"{len(peer.received)} bytes came in spite of an MSS of 1")
    rig.echo()
    peer.rst()
    rig.run_for(1)


MSS = [
    known(dialogue("tcp option", "MSS 1, on the SYN", SOURCE, _mss_of_one), ONE_BYTE),
    line("tcp option", "MSS 1, on data", SOURCE,
         lambda p: [p.with_options("PA", MSS_1, frame(MESSAGE, TEXT))], then_echo(MESSAGE)),
]  # fmt: skip


def _offset(words: int) -> Case:
    return line("tcp option", f"a header of {4 * words} bytes", "RFC 9293, 3.1",
                lambda p: [p.segment("PA", b"1234", dataofs=words)], silence)  # fmt: skip


OFFSETS = [_offset(words) for words in (0, 1, 4, 7, 15)]

CASES = [
    *(_on_syn(*row) for row in OPTIONS), *(_on_data(*row) for row in OPTIONS[1:]), *MSS, *OFFSETS,
]  # fmt: skip

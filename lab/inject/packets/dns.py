"""A name server that lies: the board believes what fits its question, and nothing else.

Each question is answered with the lie, and a tenth of a second later with the truth.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from lab.inject.case import Case, CaseFailed
from lab.inject.packets.rig import Rig
from lab.inject.packets.table import dialogue, udp
from lab.net.host import address
from lab.net.router import DNS

DNS_PORT = 53
SERVER = DNS
LOOK_UP = """
import socket
try:
    print(socket.getaddrinfo("board.test", 80)[0][-1][0])
except OSError as error:
    print("OSError")
"""
TRUE, FALSE = "10.0.2.77", "10.0.2.66"
LATE_SECONDS = 0.1  # of the truth
A, ALIAS = 1, 5  # types of record
Answer = Callable[[bytes], bytes]  # from what was asked


def _answer(query: bytes, record: bytes, flags: int = 0x8180, answers: int = 1) -> bytes:
    question = query[12 : query.index(b"\0", 12) + 5]
    return query[:2] + struct.pack("!5H", flags, 1, answers, 0, 0) + question + record


def _record(
    data: bytes = address(FALSE), name: bytes = b"\xc0\x0c", size: int | None = None, kind: int = A
) -> bytes:
    length = len(data) if size is None else size
    return name + struct.pack("!HHIH", kind, 1, 60, length) + data


# (name, the lie, what the board takes for the address)
LIES: list[tuple[str, Answer, str]] = [
    ("a lie that fits", lambda q: _answer(q, _record()), FALSE),
    ("of another number", lambda q: b"\xff\xff" + _answer(q, _record())[2:], TRUE),
    ("to another question", lambda q: _answer(q.replace(b"board", b"bored"), _record()), TRUE),
    ("a question itself", lambda q: _answer(q, _record(), 0x0100), TRUE),
    ("name does not exist", lambda q: _answer(q, b"", 0x8183, 0), "OSError"),
    ("no answers in it", lambda q: _answer(q, b"", answers=0), "OSError"),
    ("65535 answers promised", lambda q: _answer(q, b"", answers=65535), "OSError"),
    ("an address of 16 bytes", lambda q: _answer(q, _record(bytes(16))), "OSError"),
    ("length beyond the end", lambda q: _answer(q, _record(size=1000)), "OSError"),
    ("a name that points at itself", lambda q: _answer(q, _record(name=b"\xc0\x1d")), FALSE),
    ("a name that points outside", lambda q: _answer(q, _record(name=b"\xff\xff")), FALSE),
    ("a label that never ends", lambda q: _answer(q, b"\x3f" + b"x" * 20), TRUE),
    ("an alias alone", lambda q: _answer(q, _record(b"\xc0\x0c", kind=ALIAS)), "OSError"),
    ("cut off", lambda q: _answer(q, _record())[:20], TRUE),
    ("one byte", lambda q: b"\0", TRUE),
]  # fmt: skip


def _dns(name: str, lie: Answer, taken: str, source: str = SERVER) -> Case:
    def play(rig: Rig) -> None:
        """The board asks for a name."""
        asked: list[bytes] = []

        def on_query(asker: bytes, port: int, query: bytes) -> None:
            asked.append(query)
            truth = _answer(query, _record(address(TRUE)))
            rig.send([udp(rig.peer, port, lie(query), sport=DNS_PORT, src=source)])
            late = udp(rig.peer, port, truth, sport=DNS_PORT, src=SERVER)
            rig.board.clock.call_later(LATE_SECONDS, lambda: rig.send([late]))

        rig.router.udp[DNS_PORT] = on_query
        rig.end_app()
        told = rig.board.console.run(LOOK_UP, 60).strip()
        if not asked or told != taken:
            raise CaseFailed(f"asked {len(asked)} times, the board says {told}, wanted {taken}")

    return dialogue("dns", name, "RFC 1035, 4.1; RFC 5452", play)


CASES = [*(_dns(*row) for row in LIES), _dns("of another server", LIES[0][1], TRUE, "10.0.2.99")]

"""RST, SYN and flags that make no sense: only an exact RST ends a connection (RFC 5961)."""

from __future__ import annotations

from scapy.layers.inet import TCP

from lab.inject.case import Case, CaseFailed
from lab.inject.packets.expect import (
    MARTIANS,
    Expect,
    alive,
    answers_to,
    challenge,
    closed,
    gone,
    heard,
    refused,
    refused_alive,
    silence,
)  # fmt: skip
from lab.inject.packets.rig import BOARD_IP, HTTP, Rig
from lab.inject.packets.table import at, dialogue, known, line, text, with_ip
from lab.inject.tcp import TcpPeer

RST, SYN = "RFC 5961, 3.2; RFC 9293, 3.10.7.4", "RFC 5961, 4.2; RFC 9293, 3.10.7.4"
LISTEN, CLOSED = "RFC 9293, 3.10.7.2", "RFC 9293, 3.10.7.1"
NOBODY = 9999  # a port on which nobody listens
ACK_FIELD = "lwIP takes the RST's number from the ACK field, flag or no flag (tcp_input)"
ONE_FLAG = "lwIP counts SYN and FIN together as one (tcp_input)"
EDGE = "lwIP counts the byte behind the window as inside: harmless (tcp_process)"

RESETS = [
    line("tcp reset", "exact", RST, lambda p: [p.segment("R")], gone),
    line("tcp reset", "exact, with ACK", RST, lambda p: [p.segment("RA")], gone),
    line("tcp reset", "exact, with a wrong ACK", RST, lambda p: [p.segment("RA", ack=1)], gone),
    line("tcp reset", "exact, with data", "RFC 1122, 4.2.2.12",
         lambda p: [p.segment("R", b"because")], gone),
    line("tcp reset", "exact, in a window of nothing", RST, lambda p: [p.segment("R", window=0)],
         gone),
    line("tcp reset", "one too far", RST, lambda p: [p.segment("R", seq=at(p, 1))], challenge),
    line("tcp reset", "in the middle of the window", RST,
         lambda p: [p.segment("R", seq=at(p, p.widest_window // 2))], challenge),
    line("tcp reset", "at the window's last byte", RST,
         lambda p: [p.segment("R", seq=at(p, p.widest_window - 1))], challenge),
    known(line("tcp reset", "right behind the window", RST,
               lambda p: [p.segment("R", seq=at(p, p.widest_window))], challenge), EDGE),
    line("tcp reset", "behind the window", RST,
         lambda p: [p.segment("R", seq=at(p, p.widest_window + 1))], silence),
    line("tcp reset", "one too early", RST, lambda p: [p.segment("R", seq=at(p, -1))], silence),
    line("tcp reset", "half of the numbers away", RST,
         lambda p: [p.segment("R", seq=at(p, 1 << 31))], silence),
    line("tcp reset", "number zero", RST, lambda p: [p.segment("R", seq=0)], silence),
    line("tcp reset", "a sweep that misses", RST,
         lambda p: [p.segment("R", seq=at(p, n * 50_000)) for n in range(1, 50)], silence),
    line("tcp reset", "from another port", RST, lambda p: [p.segment("R", sport=p.sport ^ 1)],
         silence),
    line("tcp reset", "for another port", RST, lambda p: [p.segment("R", dport=81)], silence),
    line("tcp reset", "from another host", RST,
         lambda p: [with_ip(p.segment("R"), src="10.0.2.200")], silence),
    line("tcp reset", "in the middle of a message", RST,
         lambda p: [p.segment("PA", b"\x81\x85ab"), p.segment("R", seq=at(p, 4))], closed),
    line("tcp reset", "to the listener", LISTEN,
         lambda p: [p.segment("R", sport=1), p.segment("RA", sport=1)], silence),
    line("tcp reset", "to a closed port", CLOSED,
         lambda p: [p.segment("R", dport=NOBODY), p.segment("RA", dport=NOBODY)], silence),
]  # fmt: skip

SYNS = [
    line("tcp syn", "exact, in an open connection", SYN, lambda p: [p.segment("S")], challenge),
    line("tcp syn", "one too early", SYN, lambda p: [p.segment("S", seq=at(p, -1))], challenge),
    line("tcp syn", "in the window", SYN, lambda p: [p.segment("S", seq=at(p, 100))], challenge),
    line("tcp syn", "far away", SYN, lambda p: [p.segment("S", seq=at(p, 1 << 31))], challenge),
    line("tcp syn", "with data", SYN, lambda p: [text(p, b"x", flags="S")], challenge),
    line("tcp syn", "with ACK", SYN, lambda p: [p.segment("SA")], challenge),
    line("tcp syn", "ten times", SYN, lambda p: [p.segment("S", seq=n) for n in range(10)],
         challenge),
    line("tcp syn", "to a closed port", CLOSED, lambda p: [p.segment("S", dport=NOBODY)],
         refused_alive),
    line("tcp syn", "with ACK to the listener", LISTEN, lambda p: [p.segment("SA", sport=1)],
         refused_alive),
    line("tcp syn", "to port 0", CLOSED, lambda p: [p.segment("S", dport=0)], refused_alive),
    line("tcp syn", "from port 0", LISTEN,
         lambda p: [p.segment("S", sport=0), p.segment("R", sport=0)], alive),
    line("tcp syn", "land: from the board to itself", "CVE-1999-0016",
         lambda p: [with_ip(p.segment("S", sport=HTTP), src=BOARD_IP)], silence),
    line("tcp syn", "land, another port", "CVE-1999-0016",
         lambda p: [with_ip(p.segment("S", sport=5000), src=BOARD_IP)], silence),
    known(line("tcp syn", "from 127.0.0.1", "RFC 1122, 3.2.1.3",
               lambda p: [with_ip(p.segment("S", sport=1), src="127.0.0.1")],
               answers_to("127.0.0.1")), MARTIANS),
    line("tcp syn", "from a broadcast address", "RFC 1122, 4.2.3.10",
         lambda p: [with_ip(p.segment("S", sport=1), src="10.0.2.255")], silence),
    line("tcp syn", "from a multicast address", "RFC 1122, 4.2.3.10",
         lambda p: [with_ip(p.segment("S", sport=1), src="224.0.0.1")], silence),
    line("tcp syn", "to a broadcast address", "RFC 1122, 4.2.3.10",
         lambda p: [with_ip(p.segment("S", sport=1), dst="10.0.2.255",
                            eth_dst="ff:ff:ff:ff:ff:ff")], silence),
    line("tcp syn", "to a multicast address", "RFC 1122, 4.2.3.10",
         lambda p: [with_ip(p.segment("S", sport=1), dst="224.0.0.1",
                            eth_dst="01:00:5e:00:00:01")], silence),
]  # fmt: skip


# (name, flags, what must hold) in order on an open connection; xmas is in closing.py
ON_OPEN: list[tuple[str, str, Expect]] = [
    ("null", "", silence), ("all", "FSRPAUEC", gone), ("SYN and FIN", "SF", challenge),
    ("SYN and RST", "SR", gone), ("FIN and RST", "FR", gone), ("PSH alone", "P", silence),
    ("URG alone", "U", silence), ("ECE and CWR", "AEC", silence), ("NS", "AN", silence),
]  # fmt: skip
ON_LISTENER: list[tuple[str, str, Expect]] = [
    ("null", "", silence), ("xmas", "FPU", silence), ("FIN", "F", silence),
    ("ACK", "A", refused_alive), ("FIN and ACK", "FA", refused_alive),
    ("SYN and RST", "SR", silence), ("all", "FSRPAUEC", silence),
]  # fmt: skip
ON_CLOSED: list[tuple[str, str, Expect]] = [
    ("null", "", refused_alive), ("xmas", "FPU", refused_alive), ("FIN", "F", refused_alive),
    ("ACK", "A", refused_alive), ("SYN and FIN", "SF", refused_alive), ("all", "FSRPAUEC", silence),
]  # fmt: skip


def _flags(where: str, name: str, flags: str, expect: Expect, **fields: int) -> Case:
    return line("tcp flags", f"{name}, {where}", "RFC 9293, 3.10.7",
                lambda p: [p.segment(flags, b"", **fields)], expect)  # fmt: skip


FLAGS = [
    *(_flags("open", *row) for row in ON_OPEN),
    *(_flags("listening", *row, sport=1) for row in ON_LISTENER),
    *(_flags("closed", *row, dport=NOBODY) for row in ON_CLOSED),
]


def _numbers(seq: int, ack: int) -> Expect:
    def expect(rig: Rig) -> None:
        """Answered with a RST that has these numbers."""
        refused(rig)
        tcp = heard(rig)[0][TCP]
        if (tcp.seq, tcp.ack, tcp.flags.A) != (seq, ack, True):
            raise CaseFailed(f"the RST has seq {tcp.seq}, ack {tcp.ack}; wanted {seq}, {ack}")
        rig.echo()

    return expect


def _refusal(name: str, flags: str, size: int, ack_field: int, seq: int, ack: int) -> Case:
    return line(
        "tcp flags", f"numbers of the RST, {name}", CLOSED,
        lambda p: [p.segment(flags, b"#" * size, dport=NOBODY, seq=1000, ack=ack_field)],
        _numbers(seq, ack),
    )  # fmt: skip


REFUSALS = [
    _refusal("for a SYN", "S", 0, 0, 0, 1001),
    _refusal("for data", "", 10, 0, 0, 1010),
    _refusal("for an ACK", "A", 0, 2000, 2000, 1000),
    _refusal("for FIN, ACK and data", "FA", 10, 2000, 2000, 1011),
    known(_refusal("for an ACK field without the flag", "S", 0, 2000, 2000, 1001), ACK_FIELD),
    known(_refusal("for SYN, FIN and data", "SF", 10, 0, 0, 1011), ONE_FLAG),
]  # fmt: skip


def half_open(rig: Rig) -> TcpPeer:
    """A new peer whose SYN is answered, and that has not answered yet."""
    peer = rig.new_peer()
    peer.find(BOARD_IP, HTTP, seq=5000)
    peer.send_frame(peer.segment("S", options=[("MSS", 1460)]))
    rig.wait(lambda: peer.acked == 5001, "SYN ACK")
    answer = next(f[TCP] for f in peer.heard if TCP in f)
    peer.seq, peer.ack = 5001, (int(answer.seq) + 1) & 0xFFFFFFFF
    return peer


def _half_open(name: str, flags: str, offset: int, dead: bool) -> Case:
    def play(rig: Rig) -> None:
        peer = half_open(rig)
        peer.send_frame(peer.segment(flags, seq=at(peer, offset)))
        rig.run_for(0.2)
        peer.reset = False
        peer.send_frame(peer.segment("A"))
        rig.run_for(0.2)
        if peer.reset != dead:
            raise CaseFailed(f"it is {'dead' if peer.reset else 'alive'} afterwards")
        if not dead:
            rig.upgrade(peer)
            rig.echo(peer)

    return dialogue("tcp half open", name, "RFC 9293, 3.10.7.4", play)


HALF_OPEN = [
    _half_open("exact RST", "R", 0, True),
    _half_open("RST one too far", "R", 1, False),
    _half_open("RST far away", "R", 1 << 31, False),
    _half_open("the SYN again", "S", -1, False),
    _half_open("another SYN", "S", 5000, False),
]

CASES = [*RESETS, *SYNS, *FLAGS, *REFUSALS, *HALF_OPEN]

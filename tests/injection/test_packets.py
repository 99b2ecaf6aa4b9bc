"""Every packet case against the emulated board, in its own time; and that a check can fail."""

import hashlib
from collections import Counter

import pytest
from scapy.layers.inet import UDP

from lab.inject.case import SIMULATED, Case, CaseFailed
from lab.inject.packets.cases import CASES
from lab.inject.packets.expect import challenge, gone, icmp, refused, silence
from lab.inject.packets.rig import Rig, free_at_rest
from lab.inject.packets.segments import then_echo
from lab.inject.packets.table import line, ping, text, udp, wrong

BY_ID = {case.id: case for case in CASES}


@pytest.fixture(scope="session")
def least_free(booted_app):
    return free_at_rest(booted_app)


@pytest.fixture
def rig(booted_app):
    with Rig(booted_app) as rig:
        yield rig


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_board_survives(rig, least_free, case):
    case.play(rig)
    rig.check(least_free)


# --- the table ------------------------------------------------------------------------------------


def test_every_case_has_a_name_of_its_own_and_a_source():
    assert len(CASES) >= 150
    assert [name for name, count in Counter(case.id for case in CASES).items() if count > 1] == []
    for case in CASES:
        assert case.source and case.targets == SIMULATED and callable(case.play)


def test_what_lwip_does_against_the_rfcs_is_named():
    known = {case.id for case in CASES if "known" in case.parameters}
    assert known == {
        "ip source/ping from 0.0.0.0",
        "ip source/ping from 127.0.0.1",
        "ip source/ping from 240.0.0.1",
        "tcp blind data/ACK of long ago",
        "tcp blind data/ACK of what was never sent",
        "tcp blind data/no ACK flag",
        "checksum/UDP length beyond the datagram",
        "checksum/UDP length of zero",
        "dhcp/at boot: an offer without the magic number, and then silence",
        "tcp fin/half of the numbers away",
        "tcp fin/without ACK",
        "tcp fin/xmas",
        "tcp flags/numbers of the RST, for SYN, FIN and data",
        "tcp flags/numbers of the RST, for an ACK field without the flag",
        "ip fragment/a whole ping in pieces",
        "ethernet/ping in a broadcast frame",
        "tcp option/MSS 1, on the SYN",
        "tcp reset/right behind the window",
        "tcp syn/from 127.0.0.1",
        "tcp window edge/one byte half of the numbers away",
    }


# --- the same each time ---------------------------------------------------------------------------


def played(booted_app, case):
    """Digest of every frame and its time, and the tick of the end."""
    digest = hashlib.sha256()
    with Rig(booted_app) as rig:
        rig.switch.taps.append(
            lambda now, port, way, data: digest.update(f"{now} {port} {way} ".encode() + data)
        )
        case.play(rig)
        rig.check()
        return digest.hexdigest(), rig.board.now, rig.board.console.text


@pytest.mark.parametrize(
    "case_id",
    ["tcp overlap/queued, then longer: new", "tcp window/wobbles", "dns/a lie that fits",
     "tcp fin/from both sides at once", "packet flood/seven times half a request"],
)  # fmt: skip
def test_a_case_repeats_bit_for_bit(booted_app, case_id):
    assert played(booted_app, BY_ID[case_id]) == played(booted_app, BY_ID[case_id])


# --- the checks can fail --------------------------------------------------------------------------


def wrong_line(frames, expect):
    """A case whose expectation is not what the board does."""
    return line("wrong", expect.__name__, "none", frames, expect)


@pytest.mark.parametrize(
    "case, why",
    [
        (wrong_line(lambda p: [ping(p)], silence), "wanted silence, heard"),
        (wrong_line(lambda p: [ping(p)], icmp(3, 3)), "wanted ICMP 3/3, heard"),
        (wrong_line(lambda p: [p.segment("R", seq=p.seq + 1)], gone), "wanted silence"),
        (wrong_line(lambda p: [p.segment("R", seq=p.seq - 1)], gone), "a closed socket did not"),
        (wrong_line(lambda p: [p.segment("R", seq=p.seq - 1)], challenge), "a challenge ACK"),
        (wrong_line(lambda p: [p.segment("R")], silence), "the connection"),
        (wrong_line(lambda p: [text(p, b"x")], refused), "wanted RST"),
        (wrong_line(lambda p: [text(p, b"A" * 10)], then_echo(b"B" * 10)), "wanted the echoes"),
    ],
    ids=lambda value: value.name if isinstance(value, Case) else "",
)
def test_an_expectation_fails(rig, case, why):
    with pytest.raises(CaseFailed, match=why):
        case.play(rig)


@pytest.mark.parametrize(
    "case_id",
    ["checksum/TCP off by one", "tcp reset/exact", "arp/plain request",
     "tcp window/zero, five times", "packet flood/250 pings"],
)  # fmt: skip
def test_cases_fail_on_a_board_whose_app_is_dead(rig, case_id):
    rig.end_app()
    with pytest.raises(CaseFailed):
        BY_ID[case_id].play(rig)


def test_a_checksum_case_fails_without_the_checksum_engine(rig):
    damaged = BY_ID["checksum/UDP off by one"]
    damaged.play(rig)
    rig.end_app()
    rig.board.console.run("import machine\nmachine.mem32[0x3FF6A000] &= ~(1 << 10)")
    with pytest.raises(CaseFailed, match="wanted silence"):
        damaged.play(rig)
    assert wrong(udp(rig.peer, 9999), UDP) != bytes(udp(rig.peer, 9999))


def run_on_the_board(program):
    def harm(rig):
        rig.end_app()
        rig.board.console.run(program)

    return harm


def typed(rig, text):
    """At the prompt; what it does may be the end of it."""
    rig.end_app()
    rig.board.console.write(text)
    rig.run_for(0.5)


HARM = {
    "reset": (lambda rig: typed(rig, b"import machine; machine.reset()\r"), "the board had"),
    "panic": (lambda rig: typed(rig, b"import machine; machine.mem32[0]\r"), "the board had"),
    "traceback": (run_on_the_board("print('Traceback (most recent call last):')"), "a traceback"),
    "witness lost": (lambda rig: rig.witness.rst(), "witness: "),
    "heap": (run_on_the_board("import socket\nkept = [socket.socket() for _ in range(4)]"),
             "bytes of ESP-IDF's heap are gone"),
    "no network": (run_on_the_board("import network\nnetwork.LAN().active(False)"), "echo"),
    "REPL gone": (lambda rig: typed(rig, b"import time; time.sleep(100)\r"), "by the REPL"),
}  # fmt: skip


@pytest.mark.parametrize("name", HARM)
def test_the_check_after_a_case_fails(rig, least_free, name):
    harm, why = HARM[name]
    harm(rig)
    with pytest.raises(CaseFailed, match=why):
        rig.check(least_free)

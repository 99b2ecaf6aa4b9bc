"""The Ethernet MAC's receive checksum engine, as the firmware sets it up and as it may be told."""

import pytest
from scapy.layers.inet import ICMP, UDP

from lab.inject.packets.rig import Rig
from lab.inject.packets.table import raw, udp, with_ip, wrong

CLOSED = 9999
FORWARD = {  # DMAOPERATION_MODE: hand on what has a wrong checksum
    "DT": "machine.mem32[0x3FF69018] |= 1 << 26",
    "FEF": "machine.mem32[0x3FF69018] |= 1 << 7",
}
OFF = "machine.mem32[0x3FF6A000] &= ~(1 << 10)"  # EMACCONFIG: no checksum engine


@pytest.fixture
def rig(booted_app):
    with Rig(booted_app) as rig:
        yield rig


def answers(rig, frame):
    """How many ICMP errors `frame` gets."""
    rig.inject([frame])
    return sum(ICMP in heard for heard in rig.peer.heard)


def test_a_wrong_checksum_never_gets_to_the_firmware(rig):
    """lwIP as ESP-IDF builds it leaves UDP's checksum to the MAC."""
    assert answers(rig, udp(rig.peer, CLOSED)) == 1
    assert answers(rig, wrong(udp(rig.peer, CLOSED), UDP)) == 0


@pytest.mark.parametrize("setting", [*FORWARD.values(), OFF], ids=[*FORWARD, "off"])
def test_the_firmware_may_have_it_all_the_same(rig, setting):
    rig.board.console.interrupt()
    rig.board.console.run(f"import machine\n{setting}")
    assert answers(rig, wrong(udp(rig.peer, CLOSED), UDP)) == 1


def test_no_checksum_padding_and_tags_are_no_errors(rig):
    packet = udp(rig.peer, CLOSED)
    packet[UDP].chksum = 0
    assert answers(rig, packet) == 1
    assert answers(rig, raw(udp(rig.peer, CLOSED)) + b"trailing") == 1
    assert answers(rig, with_ip(udp(rig.peer, CLOSED), options=b"\1\1\1\1")) == 1

"""Faults of the chip itself, seeded and bounded: whatever happens, the board is had back.

LAB_FAULTS=N plays N cases of each family instead of the few here; LAB_FAULTS_SEED=S others.
"""

import os
import re

import pytest

from hw.camera.sensor import Vc0706
from lab.inject.faults import FAMILIES
from lab.inject.faults.campaign import FAILED, play
from lab.inject.faults.link import WebSocket
from lab.inject.faults.outcome import Kind
from lab.inject.faults.rig import Rig

COUNTS = {"power": 16, "brownout": 6, "ram": 35, "flash": 16, "uart": 6, "drift": 4}
QUIET = {Kind.NO_EFFECT, Kind.RECOVERED}  # need no evidence
SURVIVED = set(Kind) - {Kind.LOST, Kind.REFUSED, Kind.RECOVERED}
# what may become of the board, by group; the first pattern that fits counts
ALLOWED = {
    "power at first boot": {Kind.RECOVERED, Kind.REFUSED},  # see power.first_boot
    "power|brown-out": {Kind.RECOVERED},
    "bit flip": SURVIVED,
    "flash, bootloader header": set(Kind) - {Kind.RECOVERED},  # the ROM's sum leaves it out
    "flash, (firmware|bootloader|partition table)": {Kind.REFUSED, Kind.NO_EFFECT},
    "flash, (metadata|data)": set(Kind) - {Kind.RECOVERED},  # littlefs can't know: named
    "flash, nvs": {Kind.NO_EFFECT},
    "noise on the camera's wire": {Kind.RECOVERED, Kind.CORRUPTION},  # it has no checksum
    "noise": QUIET,
    "clock drift, pictures": {Kind.NO_EFFECT, Kind.ERROR},  # see drift.stream
    "clock drift": {Kind.NO_EFFECT},
}


def table():
    seed = int(os.environ.get("LAB_FAULTS_SEED", "1"))
    each = os.environ.get("LAB_FAULTS")
    for family, cases in FAMILIES.items():
        yield from cases(seed, int(each) if each else COUNTS[family])


@pytest.fixture(scope="module")
def rig():
    with Rig() as rig:
        yield rig


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in table()])
def test_the_board_is_had_back(rig, case):
    result = play(rig, case)
    assert result.kind != FAILED, f"{case.parameters}\n{result.evidence}"
    allowed = next(kinds for group, kinds in ALLOWED.items() if re.match(group, case.group))
    assert result.kind in allowed, f"{case.parameters}\n{result.evidence}"
    assert result.evidence or result.kind in QUIET, "a failure that is not named"


@pytest.mark.parametrize("family", FAMILIES)
def test_a_table_is_seeded(family):
    def content(seed):
        return [(case.id, case.parameters) for case in FAMILIES[family](seed, 50)]

    assert content(3) == content(3) != content(4)
    assert len({case_id for case_id, _ in content(3)}) == 50
    if family != "drift":  # which has each of its drifts in turn before others
        assert content(3)[:7] == [(c.id, c.parameters) for c in FAMILIES[family](3, 7)]


@pytest.mark.parametrize("family, number", [("power", 1), ("ram", 6), ("uart", 0)])
def test_a_case_repeats_bit_for_bit(family, number):
    def once():
        with Rig() as rig:
            result = play(rig, FAMILIES[family](5, number + 1)[number])
            board = rig.board
            return result, board.now, board.chip.instructions(), board.console.text, rig.flash()

    assert once() == once()


def test_a_command_of_the_camera_that_noise_made_longer_is_ended(rig):
    part = Vc0706()
    board = rig.start("camera", camera=part)
    socket = WebSocket(rig, b"/camera", 5)
    socket.receive()
    part.receive(board.chip.now, b"\x56\0\x36\xff", part.baud)  # 255 bytes are to follow
    for _ in range(3):
        head, picture = socket.receive()
        assert head == 0x82 and picture[:2] == b"\xff\xd8" and picture[-2:] == b"\xff\xd9"


def test_every_drift_meets_every_traffic():
    cases = FAMILIES["drift"](1, 40)
    assert len({(case.group, case.parameters["drift"]) for case in cases}) == 40

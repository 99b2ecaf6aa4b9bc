"""Every layer through one runner: packets and faults of the chip are kept and replayed too."""

import contextlib

import pytest

from lab.inject import catalog, failure
from lab.inject.case import FAULT, PACKET, STREAM, Case, CaseFailed
from lab.inject.layers import Layers, open_layer


def lost_packets(rig):
    """Segments that miss, an echo, and a verdict that nothing can meet."""
    rig.inject([rig.peer.segment("R", seq=rig.peer.seq - 100_000)])
    rig.echo()
    raise CaseFailed("planted")


def lost_power(rig):
    """A board that loses its power and comes up; the same verdict."""
    board = rig.start()
    rig.forget()
    board.power_off()
    board.run_for(1)
    board.power_on()
    board.console.wait_for(b"lab: http on", 20)
    raise CaseFailed("planted")


PLANTED = {
    PACKET: Case("tcp reset", "planted", "RFC 9293", lost_packets, layer=PACKET),
    FAULT: Case("power at a byte", "planted", "-", lost_power, layer=FAULT),
}


@pytest.fixture
def layers():
    with contextlib.closing(Layers(1)) as layers:
        yield layers


@pytest.mark.parametrize("layer", PLANTED)
def test_a_failure_is_kept_and_repeats_bit_for_bit(layers, layer, tmp_path):
    case = PLANTED[layer]
    outcome = layers.run(case)
    assert (outcome.problems, outcome.harm) == (["planted"], [])
    assert outcome.instructions > 0
    place = failure.save(layers.keeper(case), case, outcome, tmp_path)
    assert (place / failure.CAPTURE).stat().st_size > 100  # a frame at least
    said = []
    assert failure.replay(place, lambda case_id, seed: case, said.append)
    assert said[-1] == "the same, bit for bit"


def test_what_a_packet_case_does_to_the_board_is_told_apart():
    case = Case("tcp reset", "harm", "-", lambda rig: rig.board.reset(), layer=PACKET)
    with contextlib.closing(open_layer(PACKET, 1)) as rig:
        outcome = rig.run(case)
    assert outcome.problems == [] and outcome.harm


def test_all_layers_are_in_the_catalogue():
    cases = catalog.all_cases()
    assert {case.layer for case in cases} == {STREAM, PACKET, FAULT}


def test_another_seed_makes_other_faults():
    first, again, other = (
        [case.parameters for case in catalog.fault_cases(seed)] for seed in (1, 1, 2)
    )
    assert first == again != other

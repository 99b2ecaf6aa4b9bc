"""`lab inject` on Renode: over the stand-in in the default run, over Renode itself where it is."""

import contextlib
import json

import pytest
from stand_in import fake  # noqa: F401  (a fixture)

from lab import renode
from lab.inject import catalog, failure
from lab.inject.case import FAULT, PACKET, Case, CaseFailed
from lab.inject.layers import RenodeLayers
from lab.inject.run import inject
from lab.inject.stream import Expect, StreamCase
from lab.inject.wire import TEXT, close, text
from lab.renode import RenodeError
from lab.targets import renode as target

pytestmark = pytest.mark.timeout(600)

DIFFERS = StreamCase(
    "planted", "differs", "-", (text("x"), close()), Expect(frames=((TEXT, b"y"),), close=1000)
)


def lost_packets(rig):
    rig.inject([rig.peer.segment("R", seq=rig.peer.seq - 100_000)])
    rig.echo()
    raise CaseFailed("planted")


def flipped_bit(rig):
    board = rig.start()
    chip = board.chip
    rig.at(
        board.now + 480_000,
        lambda: chip.set_register("a9", chip.register("a9") ^ 1),
        steps=3,
    )
    board.run_for(0.01)
    raise CaseFailed("planted")


PLANTED = [
    DIFFERS.case(),
    Case("tcp reset", "planted", "RFC 9293", lost_packets, layer=PACKET),
    Case("ram", "planted", "-", flipped_bit, layer=FAULT),
]


FEW = {"stand-in": 1, "renode": 5}  # cases of each layer


@pytest.fixture(params=["stand-in", pytest.param("renode", marks=pytest.mark.renode)])
def engine(request):
    """Renode, or what stands in for it."""
    if request.param == "stand-in":
        request.getfixturevalue("fake")
        return request.param
    try:
        renode.find()
    except RenodeError as error:
        pytest.skip(str(error))
    return request.param


def of_each_layer(count):
    cases = catalog.all_cases()
    layers = {case.layer: [] for case in cases}
    for case in cases:
        layers[case.layer].append(case)
    return [case for found in layers.values() for case in found[:: len(found) // count + 1][:count]]


def test_cases_of_every_layer_hold_and_have_a_column(engine, tmp_path):
    cases = of_each_layer(FEW[engine])
    results = inject(cases, ["renode"], jobs=1, folder=tmp_path)
    assert {(r.case, r.outcome, r.why) for r in results} == {
        (case.name, "passed", "") for case in cases
    }
    rows = json.loads((tmp_path / "matrix.json").read_text())
    assert {row["target"] for row in rows} == {"renode"}
    assert "renode" in (tmp_path / "matrix.html").read_text()
    assert not target._idle  # the processes have ended


@pytest.mark.parametrize("case", PLANTED, ids=lambda case: case.layer)
def test_a_failure_is_kept_and_repeats_bit_for_bit(engine, case, tmp_path):
    with contextlib.closing(RenodeLayers(1)) as layers:
        outcome = layers.run(case)
        assert outcome.problems and not outcome.harm
        place = failure.save(layers.keeper(case), case, outcome, tmp_path)
    assert place.name.endswith("@renode")
    said = []
    assert failure.replay(place, lambda case_id, seed: case, said.append)
    assert said[-1] == "the same, bit for bit"
    assert failure.load(place, lambda case_id, seed: case).target == "renode"


def test_without_renode_its_column_is_skipped_in_a_line(monkeypatch, tmp_path):
    monkeypatch.setenv("RENODE", str(tmp_path / "nowhere"))
    cases = [case for case in catalog.all_cases() if case.group == "mask"]
    results = inject(cases, ["renode"], jobs=1, folder=tmp_path)
    assert {r.outcome for r in results} == {"skipped"}
    (why,) = {r.why for r in results}
    assert why.startswith("renode can't be opened: ") and "RENODE" in why
    assert "\n" not in why

"""The emulated board as a rig: what it finds, and that it finds it again."""

import json

import pytest
from broken import HARMS, app

from lab import LabError
from lab.inject import failure
from lab.inject.board_rig import BoardRig, open_rig
from lab.inject.boards import serving
from lab.inject.failure import replay, save
from lab.inject.script import from_json, to_json
from lab.inject.shrink import SHRUNK, shrink, smallest
from lab.inject.stream import Expect, Fin, Pause, StreamCase, Trickle, Until
from lab.inject.wire import TEXT, close, ping, text

pytestmark = pytest.mark.timeout(300)

BAD = "bad"
HARMFUL = StreamCase("broken", "harmful", "test", (text(BAD), Pause(0.02)), Expect(end="open"))
HONEST = StreamCase("broken", "honest", "test", (text("good"), Until(1), close()),
                    Expect(frames=((TEXT, b"good"),), close=1000))  # fmt: skip


def unexpected(case_id):
    raise AssertionError(f"{case_id} was looked up")


@pytest.fixture(scope="module")
def rig():
    with open_rig() as rig:
        yield rig


@pytest.mark.parametrize("harm", HARMS)
def test_what_harms_the_board_is_found(harm):
    statement, wanted = HARMS[harm]
    with BoardRig(serving(app=app(BAD, statement))) as rig:
        assert rig.run(HONEST.case()).why == ""
        outcome = rig.run(HARMFUL.case())
        assert outcome.harm, outcome.problems
        assert wanted in "\n".join(outcome.harm)
        assert rig.run(HONEST.case()).why == ""  # the next case has a board that is whole


def test_garbage_is_no_leak():
    """A case may leave garbage, and tables that have grown once."""
    with BoardRig(serving(app=app(BAD, "kept[:] = [bytearray(2000)]"))) as rig:
        case = StreamCase("broken", "wasteful", "test", (text(BAD), Until(1), close()),
                          Expect(frames=((TEXT, BAD.encode()),), close=1000))  # fmt: skip
        assert rig.run(case.case()).why == ""


@pytest.mark.parametrize(
    "expect, wanted",
    [
        (Expect(frames=((TEXT, b"god"),), close=1000), "frames: "),
        (Expect(frames=(), close=1000), "frames: "),
        (Expect(frames=((TEXT, b"good"),), close=1001), "close code: 1000, not 1001"),
        (Expect(frames=((TEXT, b"good"),), close=None), "close code: "),
        (Expect(frames=((TEXT, b"good"),), close=1000, end="rst"), "end of TCP: 'fin', not 'rst'"),
        (Expect(frames=((TEXT, b"good"),), close=1000, end="open"), "end of TCP: "),
        (Expect(frames=((TEXT, b"good"),), close=1000, after=(1, 2)), "it ended after 0.0"),
    ],
)
def test_what_a_case_expects_must_come(rig, expect, wanted):
    case = StreamCase("test", "wrong", "test", HONEST.steps, expect)
    outcome = rig.run(case.case())
    assert outcome.why.startswith(wanted)
    assert outcome.harm == []


def test_the_same_case_is_the_same_run(rig):
    first = rig.run(HONEST.case())
    rig.run(StreamCase("test", "other", "test", (ping(), Fin()), Expect()).case())
    second = rig.run(HONEST.case())
    assert first == second
    assert first.instructions > 1_000_000 and first.digest


def test_another_seed_is_another_run(rig):
    with open_rig(2) as other:
        assert other.run(HONEST.case()).digest != rig.run(HONEST.case()).digest


# --- failures, kept and played again -------------------------------------------------------------

LONG = StreamCase(
    "broken", "long", "test",
    (text("before"), Pause(0.01), Trickle(text(BAD) + ping(b"p"), 3), Until(2), text("x"), Fin()),
    Expect(frames=((TEXT, b"before"),)),
)  # fmt: skip


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """The folder of a failure: an exception that a message causes."""
    with BoardRig(serving(app=app(BAD, "1 / 0"))) as rig:
        case = LONG.case()
        seen = rig.run(case)
        assert any("ZeroDivisionError" in line for line in seen.harm)
        return save(rig, case, seen, tmp_path_factory.mktemp("failures"))


def test_a_replay_is_the_same_bit_for_bit(kept):
    said = []
    before = json.loads((kept / failure.SCRIPT).read_text())
    assert replay(kept, unexpected, said.append)
    assert f"instructions {before['outcome']['instructions']}" in said
    assert said[-1] == "the same, bit for bit"
    again = failure.load(kept, unexpected)
    with again.rig() as rig:
        outcome = rig.run(again.case, kept / "again.pcapng")
    assert outcome.instructions == again.seen.instructions
    assert outcome.digest == again.seen.digest
    assert (kept / "again.pcapng").read_bytes() == (kept / failure.CAPTURE).read_bytes()
    assert "ZeroDivisionError" in (kept / failure.CONSOLE).read_text()
    assert [text for _, text in before["timeline"]][1] == "Pause(seconds=0.01)"


def test_a_replay_that_differs_says_so(kept, tmp_path):
    script = json.loads((kept / failure.SCRIPT).read_text())
    script["stream"]["steps"][0] = ["send", text("other").hex()]
    (kept / "changed.json").write_text(json.dumps(script))
    said = []
    assert not replay(kept / "changed.json", unexpected, said.append)
    assert said[-1] == "NOT the same"


def test_shrinking_leaves_what_does_it(kept):
    said = []
    small = shrink(kept, unexpected, said.append)
    assert small == kept / SHRUNK
    steps = from_json(json.loads(small.read_text())["stream"]).steps
    assert [step for step in steps if isinstance(step, bytes)] == [text(BAD)]
    assert len(steps) <= 2
    assert replay(small, unexpected, said.append)


@pytest.mark.parametrize("damage", ["", "{}", "[]"])
def test_what_is_no_script_is_named(kept, damage):
    (kept / "damaged.json").write_text(damage)
    with pytest.raises(LabError, match=r"damaged\.json is no replay script"):
        failure.load(kept / "damaged.json", unexpected)


def test_a_folder_without_a_script_is_named(tmp_path):
    with pytest.raises(LabError, match=r"replay\.json is not there"):
        failure.load(tmp_path, unexpected)


def test_smallest():
    assert smallest(list("abcdefgh"), lambda kept: {"b", "g"} <= set(kept)) == ["b", "g"]
    assert smallest([1, 2, 3], lambda kept: True) == []
    assert smallest([1, 2, 3], lambda kept: False) == [1, 2, 3]


@pytest.mark.parametrize("case", [HARMFUL, HONEST, LONG])
def test_a_case_survives_json(case):
    assert from_json(json.loads(json.dumps(to_json(case)))) == case

"""One mechanism says what a target can't do: to Robot, to pytest, to injected cases, to people."""

import subprocess
import sys

import pytest

from lab import suitetable
from lab.boardfile import KEYS
from lab.capabilities import LACKS, CannotDo, Capability, able, require, why_not
from lab.inject import case
from lab.pytest_board import skipping

ROBOT = """*** Settings ***
Library    lab.keywords.NetworkKeywords

*** Test Cases ***
Bad Cable
    Impair Network    loss=1
"""


def test_robot_skips_with_the_reason(tmp_path):
    (tmp_path / "bad.robot").write_text(ROBOT)
    done = subprocess.run(
        [sys.executable, "-m", "robot", "--output", "NONE", "--report", "NONE", "--log", "NONE",
         str(tmp_path / "bad.robot")],
        capture_output=True, text=True, env={"TARGET": "board", "PATH": ""}, check=False,
    )  # fmt: skip
    assert "1 test, 0 passed, 0 failed, 1 skipped" in done.stdout
    assert "the lab's switch is not between it and its clients" in done.stdout


def test_pytest_skips_with_the_reason():
    with pytest.raises(pytest.skip.Exception, match="board has not: a cable to pull"), skipping():
        require("board", Capability.LINK)


def test_the_embedded_board_can_do_everything():
    require("embedded", *Capability)


def test_a_board_says_why_for_all_that_it_lacks():
    for target, lacks in LACKS.items():
        for capability, why in lacks.items():
            with pytest.raises(CannotDo) as caught:
                require(target, capability)
            assert str(caught.value) == f"{target} has not: {capability}; {why}"
    assert able(Capability.FRAMES) == ("embedded", "renode")


def test_injected_cases_say_why_not():
    simulated = case.Case("checksum", "wrong", "RFC 793", lambda rig: None)
    anywhere = case.Case("frame", "rsv", "RFC 6455", lambda rig: None, targets=case.ANYWHERE)
    assert case.why_not(simulated, "embedded") is None
    assert case.why_not(anywhere, "board") is None
    assert why_not("board", Capability.FRAMES) in case.why_not(simulated, "board")


def test_the_documented_table_is_the_code_s():
    text = suitetable.DOCUMENT.read_text()
    assert text == suitetable.documented(text), "run `python -m lab.suitetable`"
    for key in KEYS:
        assert f"\n{key} = " in text, f"board.toml's {key} is not documented"


@pytest.mark.parametrize(
    "suite, test, needs",
    [
        ("boot", "A Kept State Can Be Gone Back To", {Capability.SNAPSHOT}),
        ("boot", "Evaluate", set()),
        ("close", "", None),
        ("flash", "", {Capability.LARGE_FILES}),
        ("led", "The LED Is Off At First", {Capability.PINS}),
        ("cable", "", None),
    ],
)
def test_what_a_test_needs_is_read_from_its_keywords(suite, test, needs):
    found = dict(suitetable.robot_needs(suitetable.ROOT / "robot" / f"{suite}.robot"))
    if test:
        assert found[test] == needs
    elif needs:
        assert all(have >= needs for have in found.values())
    else:
        assert any(found.values()) == (suite == "cable")

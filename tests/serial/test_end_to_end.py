"""`lab board` on a stand-in in another process, over RFC 2217: from an erased flash to the suites.

Some tests of every suite file, which the code chooses (`lab.boardfile.spread`):
LAB_BOARD_SUITES=all runs all of them instead. And a board that vanishes.
"""

import os
import re

import pytest
from standin_process import PASSWORD, LabBoard, StandInProcess, secret_in

from lab.firmware import resolve
from lab.flash import ROOT, board_files

WHOLE = os.environ.get("LAB_BOARD_SUITES") == "all"
EACH = 1  # tests of each suite file
pytestmark = [pytest.mark.waits, pytest.mark.timeout(4 * 3600 if WHOLE else 1200)]


@pytest.fixture(scope="module")
def standin():
    with StandInProcess("--blank") as standin:
        yield standin


def suite_files():
    """Those of Robot, and of pytest whose tests ask for the target."""
    robot = {path.stem.replace("_", " ").title() for path in (ROOT / "robot").glob("*.robot")}
    return robot, ("tests.conformance.test_s5_framing", "tests.injection.test_streams")


def test_from_an_erased_flash_to_the_suites(standin, tmp_path):
    assert standin.offered == (
        f"make board PORT={standin.port} NET=lan ADDRESS={standin.address} FLASH=1"
    )
    variables = {"PORT": standin.port, "ADDRESS": standin.address, "FLASH": "1",
                 "LAB_BOARD_SUITES": "all", "LAB_BOARD_EACH": "" if WHOLE else str(EACH),
                 "LAB_BOARD_RESULTS": str(tmp_path)}  # fmt: skip
    with LabBoard(**variables) as run:
        status = run.finish()
    output = run.output
    assert status == 0, output
    assert "done, on an ESP32-D0WD" in output
    assert "Generic ESP32 module with ESP32, MicroPython v1.23.0" in output
    count = len(board_files(resolve()))
    assert re.search(rf"files     {count} files sent, [01] removed, 0 as they were", output)
    assert PASSWORD not in output and secret_in(tmp_path) == []
    robot, pytests = suite_files()
    for suite in robot:
        assert re.search(rf"^Robot\.{suite} .*\| (PASS|SKIP) \|$", output, re.MULTILINE), suite
    reports = "".join(path.read_text() for path in tmp_path.glob("*.xml"))
    for module in pytests:
        assert f'classname="{module}"' in reports
    assert "the lab's switch is not between it and its clients" in output  # why it was skipped


def test_a_board_that_vanishes_ends_the_run(standin, tmp_path):
    variables = {"PORT": standin.port, "ADDRESS": standin.address, "LAB_BOARD_SUITES": "robot",
                 "LAB_BOARD_ROBOT": "robot/echo.robot", "LAB_BOARD_EACH": "",
                 "LAB_BOARD_RESULTS": str(tmp_path)}  # fmt: skip
    with LabBoard(**variables) as run:
        run.read_until(r"^Text Comes Back .*PASS")
        standin.process.kill()
        status = run.finish()
    assert status == 1, run.output
    assert "gone in mid-run" in run.output
    assert "lab: the board went away in suite 'robot': nobody serves a board at" in run.output
    assert PASSWORD not in run.output

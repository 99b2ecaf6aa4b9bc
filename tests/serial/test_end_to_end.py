"""`lab board` on a stand-in in another process: copy, configure, suites; and one that vanishes.

LAB_BOARD_SUITES=all runs them whole, from a blank flash (half an hour and more).
"""

import os
import re
import signal
import subprocess
import sys

import pytest

from lab.firmware import resolve
from lab.flash import ROOT, board_files

LAB = [sys.executable, "-m", "lab"]
WHOLE = os.environ.get("LAB_BOARD_SUITES") == "all"
SUBSET = {
    "LAB_BOARD_SUITES": "injection,robot,conformance",
    "LAB_BOARD_INJECTION": "tests/injection/test_first.py -k 'unmasked or checksum'",
    "LAB_BOARD_ROBOT": "--test 'Text Comes Back' --test 'The LED Is Off At First' robot",
    "LAB_BOARD_CONFORMANCE": "tests/conformance/test_s5_framing.py -k 'rsv or unmasked'",
}
PASSWORD = "never to be seen"
pytestmark = pytest.mark.timeout(7200 if WHOLE else 600)


@pytest.fixture(scope="module")
def standin():
    """Its process, and where it is."""
    process = subprocess.Popen(
        [*LAB, "standin", *(["--blank"] if WHOLE else [])], stdout=subprocess.PIPE, text=True
    )
    try:
        said = {}
        while "address" not in said:
            name, _, value = process.stdout.readline().partition(" ")
            said[name] = value.strip()
        yield process, said
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def lab_board(said, **more):
    """`lab board` on it, begun."""
    environ = {**os.environ, "PORT": said["port"], "ADDRESS": said["address"], "NET": "lan",
               "PASSWORD": PASSWORD, **more}  # fmt: skip
    return subprocess.Popen(
        [*LAB, "board"], env=environ, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, start_new_session=True,
    )  # fmt: skip


def test_copy_configure_and_suites(standin):
    more = {"FLASH": "1", "LAB_BOARD_SUITES": "all"} if WHOLE else SUBSET
    process = lab_board(standin[1], **more)
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert "Generic ESP32 module with ESP32, MicroPython v1.23.0" in output
    count = len(board_files(resolve()))
    assert re.search(rf"files     {count} files sent, [01] removed, 0 as they were", output)
    assert PASSWORD not in output
    if WHOLE:
        return
    assert "1 passed, 1 skipped" in output  # injection: a frame, and a packet that it can't forge
    assert "the lab's switch is not between it and its clients" in output
    assert "2 tests, 1 passed, 0 failed, 1 skipped" in output  # Robot
    assert re.search(r"board +\d+ of \d+ cases conform\n", output)
    for path in (ROOT / "results" / "board").rglob("*"):
        assert path.is_dir() or PASSWORD.encode() not in path.read_bytes(), path


def test_a_board_that_vanishes_ends_the_run(standin):
    process = lab_board(standin[1], LAB_BOARD_SUITES="robot", LAB_BOARD_ROBOT="robot/echo.robot")
    output = ""
    while not re.search(r"^Text Comes Back .*PASS", output, re.MULTILINE):
        line = process.stdout.readline()
        assert line, output
        output += line
    standin[0].send_signal(signal.SIGKILL)
    output += process.communicate()[0]
    assert process.returncode == 1, output
    assert "gone in mid-run" in output
    assert "lab: the board went away in suite 'robot': nobody serves a board at" in output
    assert PASSWORD not in output

"""`lab board` on a port without DTR and RTS: a hand at the buttons, then resets by the program."""

import pytest
from standin_process import PASSWORD, LabBoard, StandInProcess, secret_in

pytestmark = [pytest.mark.waits, pytest.mark.timeout(1200)]


def test_from_an_erased_flash_by_hand(tmp_path):
    with StandInProcess("--blank") as standin:
        variables = {"PORT": standin.pty, "ADDRESS": standin.address,
                     "LAB_BOARD_RESULTS": str(tmp_path),
                     "LAB_BOARD_ROBOT": "robot/boot.robot robot/echo.robot",
                     "LAB_BOARD_INJECTION": "tests/injection/test_first.py",
                     "LAB_BOARD_SUITES": "injection,robot", "LAB_BOARD_EACH": "2"}  # fmt: skip
        with LabBoard(**variables) as run:
            assert run.finish() == 1
        assert "has no firmware it can start; FLASH=1 writes the pinned one" in run.output
        with LabBoard(**variables, FLASH="1") as run:
            assert run.finish() == 1
        assert "hold BOOT (IO0 to ground), press and let go RESET (EN)" in run.output
        standin.press("boot")
        with LabBoard(**variables, FLASH="1") as run:
            run.read_until("press its RESET button")
            standin.press("reset")
            status = run.finish()
    assert status == 0, run.output
    assert "files sent" in run.output
    assert "4 tests, 3 passed, 0 failed, 1 skipped" in run.output  # Robot
    assert "DTR and RTS of its port do not lead to EN and IO0" in run.output
    assert PASSWORD not in run.output and secret_in(tmp_path) == []

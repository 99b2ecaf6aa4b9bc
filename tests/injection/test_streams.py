"""The tables of stream cases on a physical board, through a socket of this machine.

On the emulated board they run inside the simulation (test_tables.py).
"""

import pytest

from lab.inject import catalog
from lab.inject.physical import PhysicalRig
from lab.pytest_board import target_of

CASES = [case.case() for case in catalog.stream_cases() if "board" in case.targets]
ELSEWHERE = pytest.mark.skip(reason="the emulated board's run is in test_tables.py")


def pytest_generate_tests(metafunc):
    if metafunc.config.getoption("--target") == "board":
        metafunc.parametrize("case", [pytest.param(case, id=case.id) for case in CASES])
    else:
        metafunc.parametrize("case", [pytest.param(None, marks=ELSEWHERE)])


class Running:
    """One rig as long as all is well; another, from a reset, after a case that failed."""

    def __init__(self, board):
        self._board = board
        self._rig = None

    def run(self, case):
        if self._rig is None:
            self._rig = PhysicalRig(self._board)
        outcome = self._rig.run(case)
        if outcome.why:
            self._rig = None
        return outcome


@pytest.fixture(scope="module")
def running(target, request):
    return Running(target_of(request.config).board())


def test_the_board_survives(running, case):
    outcome = running.run(case)
    assert outcome.why == "", outcome.console

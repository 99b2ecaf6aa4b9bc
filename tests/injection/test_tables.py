"""The tables of stream cases: all on the emulated board, some of each group on other targets."""

import itertools

import pytest

from lab.inject import catalog
from lab.inject.board_rig import open_rig
from lab.inject.socket_rig import open_cpython, open_unix
from lab.pinned import PackageError

CASES = [case.case() for case in catalog.stream_cases()]
GROUPS = {
    group: list(cases) for group, cases in itertools.groupby(
        sorted(CASES, key=lambda case: case.group), key=lambda case: case.group
    )
}  # fmt: skip
ONE_OF = 12  # cases, on other targets; drips take their time on the wall clock
OPENERS = {"unix": open_unix, "cpython": open_cpython}


@pytest.fixture(scope="module")
def board_rig():
    with open_rig() as rig:
        yield rig


def failures(rig, cases):
    return {case.id: why for case in cases if (why := rig.run(case).why)}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("group", GROUPS)
def test_the_board_survives(board_rig, group):
    assert failures(board_rig, GROUPS[group]) == {}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("server", OPENERS)
def test_other_servers_survive(server):
    cases = [case for case in CASES if server in case.targets and case.group != "drip"]
    try:
        rig = OPENERS[server]()
    except PackageError as error:
        pytest.skip(str(error))
    try:
        assert failures(rig, cases[::ONE_OF]) == {}
    finally:
        rig.close()

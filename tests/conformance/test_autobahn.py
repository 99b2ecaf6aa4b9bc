"""Autobahn|Testsuite, fuzzingclient: cases 1 to 7, 9.1.1 to 9.1.3, 9.2.1 to 9.2.3 (252).

Those that send no fragment must be OK; those that do end in our 1003. (kosoku drives the
suite's own case files; the suite itself is for Python 2.)
"""

import contextlib

import pytest
import targets
from case import BOARD, CPYTHON, TARGETS, UNIX
from engine import Control

from lab.autobahn import run_cases
from lab.pinned import PackageError
from lab.renode import RenodeError

SECONDS = 100
PARTS = {
    "1 to 5": ["1.*", "2.*", "3.*", "4.*", "5.*"],
    "6.1 to 6.9": ["6.1.*", "6.2.*", "6.3.*", "6.4.*", "6.5.*", "6.6.*", "6.7.*", "6.8.*", "6.9.*"],
    "6.10 to 6.17": [f"6.{n}.*" for n in range(10, 18)],
    "6.18 to 6.23": [f"6.{n}.*" for n in range(18, 24)],
    "7 and 9": ["7.*", "9.1.1", "9.1.2", "9.1.3", "9.2.1", "9.2.2", "9.2.3"],
}
COUNTS = {"1 to 5": 64, "6.1 to 6.9": 39, "6.10 to 6.17": 40, "6.18 to 6.23": 66, "7 and 9": 43}
# they begin with a fragment, which we refuse
FRAGMENTS = {
    *[f"5.{n}" for n in (3, 4, 5, 6, 7, 8, 15, 18, 19, 20)],
    *["6.1.2", "6.1.3", "6.2.2", "6.2.3", "6.2.4", "6.3.2", "6.4.1", "6.4.2", "7.1.5"],
}
# one frame whose text turns bad early: we say so at its end, the suite would like it sooner
LATE = {"6.4.3", "6.4.4"}
# a continuation of nothing: OK to the suite but for the code, 1002 there, 1003 here
CONTINUATIONS = {f"5.{n}" for n in (9, 10, 11, 12, 13, 14, 16, 17)}
# messages of 64 KB and more: not with the memory of the board
LARGE = {
    *["1.1.6", "1.1.7", "1.1.8", "1.2.6", "1.2.7", "1.2.8"],
    *["9.1.1", "9.1.2", "9.1.3", "9.2.1", "9.2.2", "9.2.3"],
}
# ten times that and more: nothing but its close frame could be seen, slowly
TOO_LARGE = {"9.1.2", "9.1.3", "9.2.2", "9.2.3"}


def expected(case, where):
    """(behavior, closing, close code) with None for any."""
    if where == BOARD and case in LARGE:
        return None, None, 1009
    if case in FRAGMENTS:
        return None, None, 1003
    if case in LATE:
        return "NON-STRICT", "OK", 1007
    if case in CONTINUATIONS:
        return "OK", "WRONG CODE", 1003
    return "OK", "OK", None


def as_expected(verdict, where):
    behavior, closing, code = expected(verdict.case, where)
    if behavior is None:
        return verdict.code == code
    if verdict.behavior == "INFORMATIONAL":  # the suite does not judge these
        return verdict.ok
    return (verdict.behavior, verdict.closing) == (behavior, closing) and (
        code is None or verdict.code == code
    )


@pytest.fixture(params=[CPYTHON, UNIX, BOARD])
def where(request):
    return request.param


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_autobahn(part, where):
    with contextlib.ExitStack() as stack:
        try:
            target = stack.enter_context(targets.OPENERS[where]())
            host, port = target.address
            cases = PARTS[part]
            if where == BOARD:
                cases = [case for case in cases if case not in TOO_LARGE]
            limit = "" if where == BOARD else "?limit=1048576"
            verdicts = run_cases(
                f"ws://{host}:{port}/echo{limit}", cases, concurrency=2, seconds=SECONDS
            )
        except (PackageError, RenodeError) as error:
            pytest.skip(str(error))
        control = Control(target.address)
        assert target.output(control.mark()) == ""
        control.close()
    assert [v for v in verdicts if not as_expected(v, where)] == []
    left_out = len(TOO_LARGE) if where == BOARD and "9.1.3" in PARTS[part] else 0
    assert len(verdicts) == COUNTS[part] - left_out


def test_the_parts_are_all_of_them():
    assert sum(COUNTS.values()) == 252
    assert len(FRAGMENTS | LATE) == 21
    assert set(TARGETS) == {CPYTHON, UNIX, BOARD}

"""The same table on every target: fixtures."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

import pytest
from case import BOARD, TARGETS
from engine import Control, differences, run
from targets import OPENERS, board, serial

from lab.pinned import PackageError
from lab.pytest_board import target_of
from lab.renode import RenodeError


def pytest_configure(config):
    target = config.getoption("--target")
    if target == "board":
        OPENERS[BOARD] = lambda: serial(target_of(config))
    elif target == "renode":
        OPENERS[BOARD] = lambda: board(target)


def pytest_collection_modifyitems(config, items):
    """A physical board, or one in Renode: its cases alone."""
    if config.getoption("--target") == "embedded":
        return
    here = [item for item in items if item.path.parent == Path(__file__).parent]
    others = [item for item in here if _where(item) != BOARD]
    items[:] = [item for item in items if item not in others]
    config.hook.pytest_deselected(items=others)


def _where(item):
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("where") if callspec else None


class Running:
    """Targets and their control channels: started when first wanted, and anew after a failure.

    A board is a fresh one, from a snapshot, every BOARD_CASES cases: who closes TCP first keeps
    the connection in TIME-WAIT for two minutes (RFC 9293, 3.6.1), on the ESP32 in some 250 bytes
    of what little memory lwIP has.
    """

    BOARD_CASES = 25

    def __init__(self) -> None:
        self._open = {}
        self._cases = 0

    def get(self, name):
        if name == BOARD:
            self._cases += 1
            if self._cases % self.BOARD_CASES == 0:
                self.drop(name)
        if name not in self._open:
            stack = contextlib.ExitStack()
            target = stack.enter_context(OPENERS[name]())
            control = Control(target.address)
            stack.callback(control.close)
            self._open[name] = stack, target, control
        return self._open[name][1:]

    def drop(self, name):
        if name in self._open:
            self._open.pop(name)[0].close()

    def close(self):
        for name in list(self._open):
            self.drop(name)


@pytest.fixture(scope="session")
def running():
    running = Running()
    yield running
    running.close()


@pytest.fixture
def conforms(running, target, request):
    """conforms(case, target name): have the conversation; fails with every difference."""

    def patient(case):
        """With a slow link's own deadline."""
        if target != "board":
            return case
        factor = target_of(request.config).settings.patience
        return dataclasses.replace(case, seconds=case.seconds * factor)

    def check(case, name):
        shown = "renode" if request.config.getoption("--target") == "renode" else name
        request.node.user_properties.append(("conformance", [case.rfc, case.name, shown]))
        try:
            app, control = running.get(name)
        except (PackageError, RenodeError) as error:
            pytest.skip(str(error))
        try:
            outcome = run(patient(case), app, control)
            found = differences(case, outcome)
        except BaseException:
            running.drop(name)
            raise
        if found:
            running.drop(name)
            pytest.fail("\n".join(found), pytrace=False)

    return check


def pytest_generate_tests(metafunc):
    """`case` and `where` from the module's table CASES."""
    if "case" not in metafunc.fixturenames or not hasattr(metafunc.module, "CASES"):
        return
    pairs = [(case, name) for case in metafunc.module.CASES for name in TARGETS if name in case.on]
    pairs.sort(key=lambda pair: TARGETS.index(pair[1]))
    metafunc.parametrize("case, where", pairs, ids=[f"{case.name}-{name}" for case, name in pairs])

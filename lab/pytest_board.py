"""pytest on a physical board (`--target board`): one for the whole run, one test at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.boardfile import each, load, results, spread
from lab.capabilities import CannotDo
from lab.deploy import Identity, identify
from lab.flash import board_files
from lab.redact import redact
from lab.targets.port import BoardGone
from lab.targets.serial import SerialBoard

TEST_SECONDS = 120
LOG = "console.log"


class BoardTarget:
    """The board of board.toml and the variables: opened when first wanted."""

    def __init__(self) -> None:
        self.settings = load()
        self._board: SerialBoard | None = None
        self._identity: Identity | None = None

    def board(self) -> SerialBoard:
        """Open. Raises LabError."""
        if self._board is None:
            self._board = SerialBoard(self.settings)
        self._board.check()
        return self._board

    def identity(self) -> Identity:
        """What it says of itself. Raises LabError."""
        if self._identity is None:
            self._identity = identify(self.board())
        return self._identity

    @property
    def gone(self) -> BoardGone | None:
        """Why there is no use in going on."""
        return self._board.failure if self._board else None

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        if self.gone and self._session:
            self._session.shouldstop = str(self.gone)

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self._session: pytest.Session | None = session

    @pytest.hookimpl(trylast=True)  # behind those of conftest.py
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """A test that never asks for the target would pass without a look at the board."""
        files: dict[Path, list[pytest.Item]] = {}
        for item in items:
            if "target" in getattr(item, "fixturenames", ()):
                files.setdefault(item.path, []).append(item)
        chosen = {item for of_file in files.values() for item in spread(of_file, each())}
        others = [item for item in items if item not in chosen]
        items[:] = [item for item in items if item in chosen]
        config.hook.pytest_deselected(items=others)

    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """What the console showed goes into the report of a test that failed."""
        if call.excinfo and self._board and not call.excinfo.errisinstance(pytest.skip.Exception):
            item.add_report_section(call.when, "board console", self._board.console.tail)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._board is None:
            return
        self._board.close()
        path = session.config.rootpath / results() / LOG
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(self._board.log))

    def pytest_report_header(self) -> str:
        return redact(f"board: {self.settings}", self.settings.password)


def target_of(config: pytest.Config) -> BoardTarget:
    """The plug-in that holds the board."""
    found = config.pluginmanager.get_plugin("board")
    assert isinstance(found, BoardTarget)
    return found


def alone(config: pytest.Config) -> None:
    """A board is one: no workers beside each other (xdist), and more time for each test."""
    if hasattr(config.option, "numprocesses"):
        config.option.numprocesses, config.option.dist, config.option.tx = 0, "no", []
    if hasattr(config.option, "timeout") and config.option.timeout is None:
        config.option.timeout = TEST_SECONDS * load().patience


def fresh_board(config: pytest.Config) -> SerialBoard:
    """The board with the camera app on it, started anew. Raises LabError."""
    target = target_of(config)
    board = target.board()
    board.serve(board_files(target.identity()), read_only=True)
    return board


@contextlib.contextmanager
def skipping() -> Iterator[None]:
    """What the target can't do is skipped, with the reason."""
    try:
        yield
    except CannotDo as error:
        pytest.skip(str(error))

"""Fixtures for tests of what runs on a board.

`repl_board`: at the prompt, no network, stepped in virtual time. `board`: the app serves, own
switch and gateway; with it `url` and `ws_url`. Both are fresh for each test, from the state of a
booted board that the lab keeps in its cache (`lab.booted`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from hw.camera.sensor import Vc0706
from lab import targets
from lab.board import Board
from lab.booted import Booted, booted
from lab.capabilities import Capability, require
from lab.firmware import resolve
from lab.flash import board_files, build_image
from lab.net.gateway import Gateway, HostForward
from lab.net.switch import Switch
from lab.pytest_board import BoardTarget, alone, fresh_board, skipping
from lab.pytest_matrix import Collector
from lab.renode import RenodeError
from lab.targets.embedded import EmbeddedBoard
from lab.targets.serial import SerialBoard

TARGETS = ("embedded", "renode", "unix", "board")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits goes first, so that with xdist the other workers do all else meanwhile."""
    items.sort(key=lambda item: item.get_closest_marker("waits") is None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--target",
        default=os.environ.get("TARGET") or "embedded",
        choices=TARGETS,
        help="where the board under test runs (default: $TARGET, else embedded)",
    )


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # the controller, or the only process
        config.pluginmanager.register(Collector(), "conformance")
    target = config.getoption("--target")
    if target == "board":
        config.pluginmanager.register(BoardTarget(), "board")
    elif target not in targets.EMULATED:
        raise pytest.UsageError(
            f"--target {target}: only {', '.join(targets.EMULATED)} and board run the suites"
        )


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    if config.getoption("--target") == "board":
        alone(config)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    with skipping():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    with skipping():
        return (yield)


@pytest.fixture(scope="session")
def board_class(request: pytest.FixtureRequest) -> type[EmbeddedBoard]:
    """Of --target; the test is skipped where there is no Renode that fits."""
    try:
        return targets.emulated_board(request.config.getoption("--target"))
    except RenodeError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def app_image() -> bytes:
    """Flash with the default firmware ($FIRMWARE), microdot and the app."""
    firmware = resolve()
    return build_image(firmware, board_files(firmware))


@pytest.fixture(scope="session")
def repl_image() -> bytes:
    """Flash with the default firmware ($FIRMWARE) and an empty filesystem."""
    return build_image(resolve(), {})


@pytest.fixture(scope="session")
def booted_repl(repl_image: bytes) -> Booted:
    return booted(repl_image, "prompt")


@pytest.fixture(scope="session")
def booted_app(app_image: bytes) -> Booted:
    return booted(app_image, "serving")


@pytest.fixture
def repl_board(
    target: str, booted_repl: Booted, board_class: type[EmbeddedBoard]
) -> Iterator[EmbeddedBoard]:
    """A fresh board at its prompt; time moves only while the test waits."""
    require(target, Capability.CLOCK)
    with board_class(booted_repl.image, snapshot=booted_repl.snapshot) as board:
        yield board


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest) -> str:
    """Where the board under test runs: one of TARGETS."""
    return str(request.config.getoption("--target"))


@pytest.fixture
def switch(target: str) -> Switch:
    """The switch that `board` is plugged into."""
    require(target, Capability.FRAMES)
    return Switch()


@pytest.fixture
def gateway(switch: Switch) -> Iterator[Gateway]:
    """The gateway of `board`, port 80 forwarded to a free port of loopback."""
    gateway = Gateway(switch, [HostForward(80)])
    yield gateway
    gateway.stop()


@pytest.fixture
def emulated_board(
    booted_app: Booted, switch: Switch, gateway: Gateway, board_class: type[EmbeddedBoard]
) -> Iterator[EmbeddedBoard]:
    """A fresh board on `switch` whose app serves."""
    with board_class(
        booted_app.image, switch, "eager", snapshot=booted_app.snapshot, camera=Vc0706()
    ) as board:  # fmt: skip
        yield board


@pytest.fixture
def board(target: str, request: pytest.FixtureRequest) -> Board:
    """A board whose app serves, started anew; of the target's kind."""
    if target == "board":
        return fresh_board(request.config)
    found: Board = request.getfixturevalue("emulated_board")
    return found


@pytest.fixture
def address(board: Board, request: pytest.FixtureRequest) -> tuple[str, int]:
    """Where this machine reaches the board's HTTP."""
    if isinstance(board, SerialBoard):
        return board.address
    gateway: Gateway = request.getfixturevalue("gateway")
    return gateway.forwards[80]


@pytest.fixture
def url(address: tuple[str, int]) -> str:
    """Of the board's page."""
    return "http://{}:{}/".format(*address)


@pytest.fixture
def ws_url(url: str) -> str:
    """Of the board's WebSocket echo."""
    return url.replace("http", "ws") + "echo"

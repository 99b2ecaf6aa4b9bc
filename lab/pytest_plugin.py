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
from lab.booted import Booted, booted
from lab.firmware import resolve
from lab.flash import board_files, build_image
from lab.net.gateway import Gateway, HostForward
from lab.net.switch import Switch
from lab.pytest_matrix import Collector
from lab.renode import RenodeError
from lab.targets import EMULATED, emulated_board
from lab.targets.embedded import EmbeddedBoard

TARGETS = ("embedded", "renode", "unix", "board")


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
    if config.getoption("--target") not in EMULATED:
        raise pytest.UsageError(
            f"--target {config.getoption('--target')}: only {' and '.join(EMULATED)} can run the "
            "suites yet"
        )


@pytest.fixture(scope="session")
def board_class(request: pytest.FixtureRequest) -> type[EmbeddedBoard]:
    """Of --target; the test is skipped where there is no Renode that fits."""
    try:
        return emulated_board(request.config.getoption("--target"))
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
def repl_board(booted_repl: Booted, board_class: type[EmbeddedBoard]) -> Iterator[EmbeddedBoard]:
    """A fresh board at its prompt; time moves only while the test waits."""
    with board_class(booted_repl.image, snapshot=booted_repl.snapshot) as board:
        yield board


@pytest.fixture
def switch() -> Switch:
    """The switch that `board` is plugged into."""
    return Switch()


@pytest.fixture
def gateway(switch: Switch) -> Iterator[Gateway]:
    """The gateway of `board`, port 80 forwarded to a free port of loopback."""
    gateway = Gateway(switch, [HostForward(80)])
    yield gateway
    gateway.stop()


@pytest.fixture
def board(
    booted_app: Booted, switch: Switch, gateway: Gateway, board_class: type[EmbeddedBoard]
) -> Iterator[EmbeddedBoard]:
    """A fresh board whose app serves."""
    with board_class(
        booted_app.image, switch, "eager", snapshot=booted_app.snapshot, camera=Vc0706()
    ) as board:  # fmt: skip
        yield board


@pytest.fixture
def url(board: EmbeddedBoard, gateway: Gateway) -> str:
    """Of the board's page."""
    return "http://{}:{}/".format(*gateway.forwards[80])


@pytest.fixture
def ws_url(url: str) -> str:
    """Of the board's WebSocket echo."""
    return url.replace("http", "ws") + "echo"

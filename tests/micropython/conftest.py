"""A module of these tests names DIRECTORIES of the suite; each file there becomes a test."""

import functools

import pytest
from oracle import Oracle
from suite import HANG_SECONDS, SECONDS, everything, known, outcome

from lab.firmware import resolve
from lab.flash import build_image
from lab.targets.embedded import EmbeddedBoard
from lab.upstream import UpstreamError, micropython_tests

BOOT_SECONDS = 60
# a board's clock starts at 0; tests want a time of day that is not
UPTIME_SECONDS = 2
# directories whose tests import or read what lies beside them
WITH_FILES = {"import", "io", "unicode"}


def pytest_generate_tests(metafunc):
    if "upstream" not in metafunc.fixturenames:
        return
    try:
        suite = micropython_tests()
    except UpstreamError as error:
        skip = pytest.param("", marks=pytest.mark.skip(reason=str(error)), id="suite")
        metafunc.parametrize("upstream", [skip])
        return
    names = [
        path.relative_to(suite).as_posix()
        for directory in metafunc.module.DIRECTORIES
        for path in sorted((suite / directory).glob("*.py"))
    ]
    metafunc.parametrize("upstream", names, ids=[name[:-3] for name in names])


@pytest.fixture(scope="session")
def oracle():
    oracle = Oracle()
    yield oracle
    oracle.close()


@pytest.fixture(scope="session")
def booted():
    """booted(directory): the flash image and snapshot of a board whose files these are."""

    @functools.cache
    def boot(directory):
        files = {}
        if directory.name in WITH_FILES:
            for path in directory.rglob("*"):
                if path.is_file() and path.suffix != ".exp":
                    files[path.relative_to(directory).as_posix()] = path.read_bytes()
        image = build_image(resolve(), files)
        with EmbeddedBoard(image) as board:
            board.console.wait_for_prompt(BOOT_SECONDS)
            board.run_for(UPTIME_SECONDS)
            return image, board.snapshot()

    return boot


@pytest.fixture
def check(booted, oracle):
    """check(name): run one test of the suite, and hold it against the table."""

    def run(name):
        difference = known().get(name)
        if difference and difference.kind == "not run" and not everything():
            pytest.skip(difference.why)
        path = micropython_tests() / name
        image, snapshot = booted(path.parent)
        seconds = HANG_SECONDS if difference and difference.kind == "hangs" else SECONDS
        with EmbeddedBoard(image, snapshot=snapshot) as board:
            found = outcome(board, path, name, oracle, seconds)
        if found.kind == "skips":
            pytest.skip("the test itself skips on this firmware")
        if difference is None or difference.kind == "not run":
            assert found.kind == "passes", f"{name} {found.kind}:\n{found.detail}"
        elif found.kind == "passes":
            pytest.fail(f"{name} passes now: remove it from known.toml")
        else:
            assert found.kind == difference.kind, f"{name} {found.kind}:\n{found.detail}"
            pytest.xfail(difference.why)

    return run

"""The stand-in itself: its buttons and its pace; and what a rig of injected cases makes of it."""

import pytest

from lab import esptool
from lab.board import BoardError
from lab.boardfile import BoardFileError, BoardSettings, each, spread
from lab.firmware import resolve
from lab.inject import catalog
from lab.inject.case import Case, CaseFailed
from lab.inject.physical import PhysicalRig
from lab.standin import StandIn
from lab.targets import serial
from lab.targets.serial import SerialBoard

SECONDS = 60
pytestmark = pytest.mark.timeout(600)  # files go over a serial port


@pytest.fixture(scope="module")
def standin():
    with StandIn() as standin:
        yield standin


@pytest.fixture
def board(standin):
    settings = BoardSettings(standin.url, net="lan", address=standin.address)
    with SerialBoard(settings) as board:
        yield board


# --- the stand-in ---------------------------------------------------------------------------------


def test_a_blank_one_and_its_buttons():
    with StandIn(blank=True) as blank:
        console = blank.board.console
        console.wait_for(b"invalid header: 0xffffffff", SECONDS)
        blank.press(boot=True)
        console.wait_for(b"waiting for download", SECONDS)
        blank.press()
        console.wait_for(b"invalid header: 0xffffffff", SECONDS)
        with SerialBoard(BoardSettings(blank.url, net="lan")) as board:
            with pytest.raises(BoardError, match="no firmware it can start; FLASH=1") as caught:
                board.prompt()
            assert len(str(caught.value).splitlines()) <= 1 + serial.BLANK_LINES


def test_idle_time_hurries_until_somebody_speaks(standin, board):
    board.prompt()
    assert standin.board.pace == "eager"
    standin.board.console.mark()
    standin.press()
    standin.board.console.wait_for(b"entry 0x", SECONDS)
    standin.board.call(lambda: None)  # all listeners have heard it
    assert standin.board.pace == "hasty"


# --- a board on it --------------------------------------------------------------------------------


def test_keys_wait_for_a_boot(board):
    board.prompt()
    board.put({"main.py": b"print('lab: up')\nwhile True:\n    pass\n"})
    board.press()
    board.prompt()  # the first key that the firmware takes ends the program
    assert board.console.eval("6 * 7") == "42"
    board.put({})


def test_injected_cases(board):
    streams = [c.case() for c in catalog.stream_cases() if "board" in c.targets]
    rig = PhysicalRig(board)
    chosen = spread([case for case in streams if case.group != "drip"], 6)
    assert {case.id: why for case in chosen if (why := rig.run(case).why)} == {}

    def crash(rig):
        board.console.write(b"\x03\x03import machine; machine.reset()\r")
        raise CaseFailed("on purpose")

    outcome = rig.run(Case("test", "a reset", "", crash))
    assert outcome.problems == ["on purpose"] and outcome.harm


def test_a_board_that_serves_goes_on_for_some_tests(board):
    wanted = PhysicalRig(board)._wanted
    assert [board.serves_on(wanted) for _ in range(serial.GOINGS_ON + 1)] == [
        *[True] * serial.GOINGS_ON, False,
    ]  # fmt: skip
    board.serve(wanted, read_only=True)
    assert not board.serves_on({})
    assert board.serves_on(wanted)
    board.prompt()
    assert not board.serves_on(wanted)


# --- choices --------------------------------------------------------------------------------------


def test_a_part_of_a_suite_file():
    assert spread("abcdefgh", None) == list("abcdefgh")
    assert spread("abcdefgh", 3) == ["a", "c", "f"]
    assert spread("ab", 3) == ["a", "b"]
    assert (each({}), each({"LAB_BOARD_EACH": "2"})) == (None, 2)
    with pytest.raises(BoardFileError, match="LAB_BOARD_EACH is a number of tests, not 'few'"):
        each({"LAB_BOARD_EACH": "few"})


@pytest.mark.parametrize(
    "error, tries",
    [
        ("Serial data stream stopped", 2),
        ("This chip is ESP32-S3, not ESP32. Wrong chip argument?", 1),
        ("Failed to connect to Espressif device" + esptool.HOW_TO_LOADER, 1),
    ],
)
def test_a_slower_rate_where_that_may_help(monkeypatch, error, tries):
    bauds, said = [], []

    def fail(port, arguments, seconds, configuration):
        bauds.append(int(arguments[arguments.index("--baud") + 1]))
        assert "timeout = 30\n" in configuration.read_text()
        raise esptool.EsptoolError(error)

    monkeypatch.setattr(esptool, "_run", fail)
    with pytest.raises(esptool.EsptoolError, match=error[:20]):
        esptool.flash("/dev/ttyUSB0", resolve(), said.append, patience=3)
    assert bauds == list(esptool.BAUDS)[:tries]
    assert len(said) == tries

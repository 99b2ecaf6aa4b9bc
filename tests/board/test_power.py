"""The supply and the clock of the emulated board: off, on, sagging, paused; its peers go on."""

import time

import pytest

from hw.camera.sensor import Vc0706
from lab.board import BoardError
from lab.net.host import Host
from lab.net.router import Router
from lab.net.switch import Switch
from lab.targets.embedded import TICKS_PER_SECOND, EmbeddedBoard

BOARD = "10.0.2.15"


@pytest.fixture
def inside(booted_app):
    """A board that serves, stepped, with a host and a router inside the simulation."""
    switch = Switch()
    with EmbeddedBoard(
        booted_app.image, switch, snapshot=booted_app.snapshot, camera=Vc0706()
    ) as board:  # fmt: skip
        Router(switch, board.clock)
        yield board, Host(switch, board.clock)


def seconds(board):
    return board.now / TICKS_PER_SECOND


def test_without_power_time_goes_on_and_nothing_else(repl_board):
    instructions, before = repl_board.chip.instructions(), seconds(repl_board)
    repl_board.power_off()
    repl_board.console.write(b"1 + 1\r")
    repl_board.run_for(3600)
    assert seconds(repl_board) - before == pytest.approx(3600)
    assert repl_board.chip.instructions() == instructions
    repl_board.power_on()
    assert "POWERON_RESET" in repl_board.console.wait_for_prompt()
    assert repl_board.console.eval("1 + 1") == "2"


def test_calls_on_the_clock_come_at_their_time_with_and_without_power(repl_board):
    board, heard = repl_board, []
    start = board.now
    for ms in (30, 10, 20):
        board.clock.call_later(ms / 1000, lambda ms=ms: heard.append((ms, board.now - start)))
    board.run_for(0.015)
    board.power_off()
    board.run_for(1)
    assert [ms for ms, _ in heard] == [10, 20, 30]
    for ms, ticks in heard:
        assert ticks / TICKS_PER_SECOND == pytest.approx(ms / 1000, abs=1e-5)


def test_brown_out_has_its_own_cause(repl_board):
    repl_board.brown_out()
    assert "BROWN_OUT" in repl_board.console.wait_for_prompt()


def test_power_fails_in_the_middle_of_a_write(repl_board):
    repl_board.power_off(flash_bytes=1000)
    repl_board.console.write(b"open('x', 'w').write('x' * 20000)\r")
    assert repl_board.step_until(lambda: not repl_board.powered, 10)
    repl_board.power_on()
    repl_board.console.wait_for_prompt()


def test_a_paused_board_can_not_be_waited_for(repl_board):
    before = repl_board.now
    repl_board.paused = True
    with pytest.raises(BoardError, match="paused"):
        repl_board.run_for(1)
    assert repl_board.now == before
    repl_board.paused = False
    assert repl_board.console.eval("1") == "1"


def test_a_host_inside_is_served_and_a_run_repeats(inside, booted_app):
    def served(board, host):
        connection = host.connect(BOARD, 80)
        assert board.step_until(lambda: connection.established, 10)
        connection.send(b"GET /status HTTP/1.0\r\n\r\n")
        assert board.step_until(lambda: connection.ended, 10)
        return board.now, bytes(connection.received)

    first = served(*inside)
    switch = Switch()
    with EmbeddedBoard(
        booted_app.image, switch, snapshot=booted_app.snapshot, camera=Vc0706()
    ) as board:  # fmt: skip
        Router(switch, board.clock)
        assert served(board, Host(switch, board.clock)) == first


def test_a_host_inside_sees_a_board_without_power_as_silence_then_as_reset(inside):
    board, host = inside
    connection = host.connect(BOARD, 80)
    assert board.step_until(lambda: connection.established, 10)
    board.power_off()
    connection.send(b"GET / HTTP/1.0\r\n\r\n")
    assert not board.step_until(lambda: bool(connection.received or connection.failure), 5)
    board.power_on()
    board.console.wait_for("lab: http on", 60)
    assert board.step_until(lambda: connection.failure == "reset", 20)


def test_a_closed_port_refuses(inside):
    board, host = inside
    connection = host.connect(BOARD, 81)
    assert board.step_until(lambda: connection.failure == "refused", 10)


def test_eager_board_without_power_rests_and_comes_back(board):
    board.power_off()
    assert not board.powered
    board.console.mark()
    board.power_on()
    board.console.wait_for("lab: http on", 60)


def test_the_pace_changes_while_the_board_runs(board):
    board.set_pace("real")
    start, begin = seconds(board), time.monotonic()
    board.console.interrupt()
    board.console.eval("sum(range(300000))")
    assert seconds(board) - start <= time.monotonic() - begin + 0.01  # not ahead of the wall clock
    board.set_pace("hasty")
    start, begin = seconds(board), time.monotonic()
    board.console.run("import time; time.sleep(5)")
    assert seconds(board) - start >= 5 > time.monotonic() - begin  # idle time passes faster
    board.set_pace("eager")
    assert board.console.eval("1 + 1") == "2"


def test_a_stepped_board_keeps_its_pace(repl_board):
    with pytest.raises(BoardError, match="stepped"):
        repl_board.set_pace("real")

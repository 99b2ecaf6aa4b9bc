"""RenodeBoard over a stand-in for Renode: all but Renode itself, in the default run."""

import sys
from pathlib import Path

import pytest

from lab.net.host import Host
from lab.net.router import Router
from lab.net.switch import Switch
from lab.renode import RenodeError
from lab.targets import renode as target
from lab.targets.embedded import EmbeddedBoard
from lab.targets.renode import RenodeBoard

FAKE = Path(__file__).with_name("fake_renode.py")


@pytest.fixture(autouse=True)
def fake(monkeypatch, tmp_path):
    program = tmp_path / "renode"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -P {FAKE} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("RENODE", str(program))
    monkeypatch.setattr(target, "_idle", [])
    yield
    while target._idle:
        target._idle.pop().close()


@pytest.fixture
def at_prompt(booted_repl):
    with RenodeBoard(booted_repl.image, snapshot=booted_repl.snapshot) as board:
        yield board


def test_boots_and_evaluates(repl_image):
    with RenodeBoard(repl_image) as board:
        board.console.wait_for("POWERON_RESET", 5)
        board.console.wait_for_prompt(5)
        assert board.console.eval("6 * 7") == "42"


def test_a_state_goes_from_engine_to_engine(booted_repl, at_prompt):
    at_prompt.console.run("x = 41\n")
    state = at_prompt.snapshot()
    at_prompt.console.run("x = 0\n")
    at_prompt.restore(state)
    assert at_prompt.console.eval("x") == "41"
    with EmbeddedBoard(booted_repl.image, snapshot=state) as other:
        assert other.console.eval("x + 1") == "42"


def test_resets_and_their_events(at_prompt):
    at_prompt.console.write(b"import machine; machine.reset()\r")
    at_prompt.console.wait_for("SW_CPU_RESET", 5)
    at_prompt.console.wait_for_prompt(5)
    assert [event.kind for event in at_prompt.events] == ["reset"]
    at_prompt.brown_out()
    at_prompt.console.wait_for("BROWN_OUT", 5)
    at_prompt.console.wait_for_prompt(5)


def test_a_power_cut_is_told_once(at_prompt):
    at_prompt.power_off(100)
    at_prompt.console.write(b"open('new', 'w').write('x' * 20000)\r")
    assert at_prompt.step_until(lambda: not at_prompt.powered, 10)
    at_prompt.power_on()
    at_prompt.console.wait_for("POWERON_RESET", 5)
    at_prompt.console.wait_for_prompt(5)
    assert at_prompt.powered


def test_time_passes_as_it_is_told_to(at_prompt):
    before = at_prompt.seconds
    at_prompt.run_for(20)
    assert at_prompt.seconds - before == pytest.approx(20, abs=0.001)


def test_pins(at_prompt):
    at_prompt.console.run("import machine\nled = machine.Pin(2, machine.Pin.OUT)\nled.on()\n")
    at_prompt.wait_for_gpio(2, True)
    at_prompt.console.run("led.off()\n")
    at_prompt.wait_for_gpio(2, False)


def test_frames_pass_both_ways(booted_app):
    switch = Switch()
    with RenodeBoard(booted_app.image, switch, snapshot=booted_app.snapshot) as board:
        Router(switch, board.clock)
        connection = Host(switch, board.clock).connect("10.0.2.15", 80)
        assert board.step_until(lambda: connection.established, 5)


def test_two_runs_are_the_same_run(booted_app):
    """Who waits for whom at the cables does not depend on the machine's load."""

    def once():
        switch, seen = Switch(clock=lambda: 0), []
        with RenodeBoard(booted_app.image, switch, snapshot=booted_app.snapshot) as board:
            switch.taps.append(lambda now, name, way, frame: seen.append((board.now, frame)))
            Router(switch, board.clock)
            connection = Host(switch, board.clock).connect("10.0.2.15", 80)
            assert board.step_until(lambda: connection.established, 5)
            return seen

    assert once() == once()


def test_one_process_serves_boards_one_after_another(booted_repl, at_prompt):
    pid = at_prompt.link.process.pid
    at_prompt.console.run("x = 1\n")
    at_prompt.close()
    at_prompt.close()  # harmless twice
    with RenodeBoard(booted_repl.image, snapshot=booted_repl.snapshot) as board:
        assert board.link.process.pid == pid
        assert board.console.eval("'x' in globals()") == "False"
        with RenodeBoard(booted_repl.image, snapshot=booted_repl.snapshot) as second:
            assert second.link.process.pid != pid


def test_renode_that_dies_is_told_with_what_it_said(at_prompt):
    with pytest.raises(RenodeError, match=r"Renode has ended; it said:\na fake Renode begins"):
        at_prompt.link.command("die")
    assert at_prompt.link.process.wait(10) == 3
    with pytest.raises(RenodeError, match="Renode has ended"):
        at_prompt.run_for(1)


def test_a_process_that_died_while_idle_is_replaced(booted_repl, at_prompt):
    link = at_prompt.link
    at_prompt.close()
    link.process.kill()
    link.process.wait()
    with RenodeBoard(booted_repl.image, snapshot=booted_repl.snapshot) as board:
        assert board.link is not link
        assert board.console.eval("1") == "1"


def test_a_renode_that_does_not_come_up_is_told(monkeypatch, tmp_path, repl_image):
    program = tmp_path / "broken"
    program.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "Renode v1.16.1" && exit\n'
        "echo there were compilation errors; exit 1\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("RENODE", str(program))
    with pytest.raises(RenodeError, match="it said:\nthere were compilation errors"):
        RenodeBoard(repl_image)


def test_a_refused_command_is_told_and_the_line_goes_on(at_prompt):
    with pytest.raises(RenodeError, match=r"Renode refuses: .*No such command"):
        at_prompt.link.command("nonsense")
    assert at_prompt.console.eval("1") == "1"


def test_other_seeds_are_refused(repl_image):
    with pytest.raises(RenodeError, match="says which MAC address and seed"):
        RenodeBoard(repl_image, seed=2)


def test_nothing_is_left_behind(booted_repl, at_prompt):
    link = at_prompt.link
    at_prompt.close()
    link.close()
    link.close()
    assert link.process.returncode is not None
    assert not link.folder.exists()

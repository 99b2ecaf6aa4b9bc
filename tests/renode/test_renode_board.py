"""RenodeBoard over a stand-in for Renode: all but Renode itself, in the default run."""

import both
import pytest
from stand_in import fake  # noqa: F401  (a fixture)

from hw.esp32.chip import ChipError
from lab.net.host import Host
from lab.net.router import Router
from lab.net.switch import Switch
from lab.renode import RenodeError
from lab.targets.embedded import EmbeddedBoard
from lab.targets.renode import RenodeBoard

DRAM = 0x3FFB0000
MAC = b"\x24\x0a\xc4\x00\x00\x20"

pytestmark = pytest.mark.usefixtures("fake")


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


def random_and_mac(board):
    board.console.wait_for_prompt(5)
    return board.console.eval("__import__('os').urandom(8)"), board.console.eval(
        "__import__('machine').unique_id()"
    )


def test_mac_and_seed_are_those_of_the_other_engine(repl_image):
    seen = {}
    for kind in (EmbeddedBoard, RenodeBoard):
        for seed in (1, 2):
            with kind(repl_image, mac=MAC, seed=seed) as board:
                seen[kind, seed] = random_and_mac(board)
    assert seen[RenodeBoard, 1][1] == repr(MAC)
    assert seen[RenodeBoard, 1] == seen[EmbeddedBoard, 1]
    assert seen[RenodeBoard, 2] == seen[EmbeddedBoard, 2]
    assert seen[RenodeBoard, 1] != seen[RenodeBoard, 2]


def test_the_next_board_has_its_own_mac(repl_image):
    for mac in (MAC, MAC[:5] + b"\x30"):
        with RenodeBoard(repl_image, mac=mac) as board:
            assert random_and_mac(board)[1] == repr(mac)


def test_the_inside_is_as_the_other_engine_has_it(booted_repl, at_prompt):
    with EmbeddedBoard(booted_repl.image, snapshot=booted_repl.snapshot) as other:
        for chip in (at_prompt.chip, other.chip):
            chip.write_memory(DRAM, b"written")
            chip.set_register("a5", 0x12345678)
        size = 0x50000
        assert at_prompt.chip.read_memory(DRAM, size) == other.chip.read_memory(DRAM, size)
        assert at_prompt.chip.register("a5") == other.chip.register("a5") == 0x12345678
        assert at_prompt.chip.flash_read(0x8000, 96) == other.chip.flash_read(0x8000, 96)
        assert at_prompt.chip.instructions() == other.chip.instructions()
        for chip in (at_prompt.chip, other.chip):
            for _ in range(5):
                chip.step(0)
        assert at_prompt.chip.register("pc") == other.chip.register("pc")
        assert at_prompt.chip.instructions(0) == other.chip.instructions(0)
        assert at_prompt.chip.now == other.chip.now
    for looked in (
        lambda: at_prompt.chip.read_memory(0, 4),
        lambda: at_prompt.chip.write_memory(0x400C2000, b"read only"),
    ):
        with pytest.raises(ChipError):
            looked()
    with pytest.raises(KeyError):
        at_prompt.chip.set_register("a99", 1)


def test_a_run_ends_in_the_quantum_of_what_is_listened_for(booted_repl, at_prompt):
    """What the board says is here within a millisecond, not at the end of the wait."""

    def when(board):
        board.console.write(b"import time; time.sleep_ms(40); print('wo' + 'ken')\r")
        assert board.step_until(lambda: "woken" in board.console.text, 1)
        return board.seconds

    with EmbeddedBoard(booted_repl.image, snapshot=booted_repl.snapshot) as other:
        assert 0 <= when(at_prompt) - when(other) <= 0.002


def test_a_break_on_the_line_is_told_to_the_chip(booted_repl, at_prompt):
    before = bytes(at_prompt.snapshot().chip)
    with EmbeddedBoard(booted_repl.image, snapshot=booted_repl.snapshot) as other:
        for board in (at_prompt, other):
            board.chip.uart_error(0, True)
        after = bytes(at_prompt.snapshot().chip)
        assert after == bytes(other.snapshot().chip) != before


def test_a_chip_that_cant_go_on(repl_image, booted_repl):
    both.a_chip_that_cant_go_on_says_so_each_time_and_the_next_one_can(repl_image, booted_repl)


def test_nothing_is_left_behind(booted_repl, at_prompt):
    link = at_prompt.link
    at_prompt.close()
    link.close()
    link.close()
    assert link.process.returncode is not None
    assert not link.folder.exists()

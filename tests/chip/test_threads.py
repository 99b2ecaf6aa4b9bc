"""Two busy Python threads share the interpreter by timer ticks alone: the lock is free for a few
hundred cycles at a time, and v1.23 does not yield there. Where ticks and loops keep step, one
thread never runs; on a chip, cache misses see to it that they don't."""

import pytest

from hw.esp32.chip import Stop
from lab.targets.embedded import TICKS_PER_SECOND, EmbeddedBoard

USER_VECTOR = 0x40080340  # where level 1 interrupts go, in the firmware's vectors
TIMER0 = 1 << 6  # FreeRTOS's tick

BUSY = """
import _thread
turns = [0]
def spin():
    while True:
        turns[0] += 1
_thread.start_new_thread(spin, ())
while not turns[0]:
    pass
print('a turn')
"""


@pytest.mark.parametrize("seed", range(1, 7))
def test_neither_of_two_busy_threads_starves(repl_image, seed):
    with EmbeddedBoard(repl_image, seed=seed) as board:
        board.console.wait_for_prompt(60)
        assert board.console.run(BUSY, 60) == "a turn\n"


def tick_latencies(board, count):
    """Cycles from when core 1's tick timer fires to its handler, while a Python loop runs."""
    board.console.write(b"while True: pass\r\r")
    board.run_for(0.1)
    chip, found = board.chip, []
    chip.breakpoint(USER_VECTOR)
    for _ in range(10 * count):
        chip.run(chip.now + TICKS_PER_SECOND, Stop.BREAK)
        lines = chip.register("interrupt", 1) & chip.register("intenable", 1)
        if chip.register("pc", 1) == USER_VECTOR and lines == TIMER0:
            late = chip.register("ccount", 1) - chip.register("ccompare0", 1)
            found.append(late & 0xFFFFFFFF)
        if len(found) == count:
            return found
    raise AssertionError("the tick does not tick")


def test_interrupts_stall_for_some_cache_lines(repl_board):
    latencies = tick_latencies(repl_board, 64)
    assert max(latencies) > 512
    assert max(latencies) < 1024 + 256  # the stall, and critical sections
    assert len(set(latencies)) > 32


def test_noise_is_the_machine_s_own(booted_repl):
    """The same from the same snapshot: instruction for instruction."""
    counts = set()
    for _ in range(2):
        with EmbeddedBoard(booted_repl.image, snapshot=booted_repl.snapshot) as board:
            board.console.run(BUSY, 60)
            counts.add(board.chip.instructions())
    assert len(counts) == 1

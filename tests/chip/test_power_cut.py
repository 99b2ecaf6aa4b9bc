"""The supply fails in the middle of a flash operation, to the byte."""

import pytest

from hw.esp32.chip import FOREVER, ResetCause, Stop

WRITE = """
import os
with open("log.txt", "w") as file:
    for n in range(200):
        file.write("line %d\\n" % n)
os.sync()
"""


def run(board):
    """Start WRITE; the chip stops when the power fails, or at a prompt."""
    board.console.mark()
    board.console.write(b"\x05" + WRITE.encode() + b"\x04")


def work_of_one_write(board, start):
    run(board)
    board.console.wait_for_prompt()
    done = board.chip.flash_work - start
    assert done > 4096  # a sector erased, at least
    return done


def test_nothing_is_written_after_the_cut(repl_board):
    chip = repl_board.chip
    start, snapshot = chip.flash_work, repl_board.snapshot()
    whole = work_of_one_write(repl_board, start)
    repl_board.restore(snapshot)
    begun = chip.flash_work
    chip.power_cut(whole // 2)
    run(repl_board)
    repl_board._feed()
    while not chip.run(FOREVER, Stop.POWER) & Stop.POWER:
        pass
    assert chip.flash_work - begun == whole // 2
    now = chip.now
    assert chip.run(now + 1000) == Stop.POWER  # dead until a reset
    assert chip.now == now


@pytest.mark.parametrize("part", range(7))
def test_filesystem_survives(repl_board, part):
    chip = repl_board.chip
    start, snapshot = chip.flash_work, repl_board.snapshot()
    whole = work_of_one_write(repl_board, start)
    repl_board.restore(snapshot)
    chip.power_cut(1 + whole * part // 7)
    run(repl_board)
    repl_board._feed()
    while not chip.run(FOREVER, Stop.POWER) & Stop.POWER:
        pass
    chip.reset(ResetCause.POWERON)
    repl_board.console.mark()
    boot = repl_board.console.wait_for_prompt(30)
    assert "corrupted" not in boot and "Traceback" not in boot
    assert repl_board.console.eval("__import__('os').listdir()") in ("[]", "['log.txt']")
    repl_board.console.run("with open('after.txt', 'w') as f: f.write('ok')")
    assert repl_board.console.eval("open('after.txt').read()") == "'ok'"

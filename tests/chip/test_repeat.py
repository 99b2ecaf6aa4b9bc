"""The same run twice is the same run: bit for bit, however the host cuts it."""

import hashlib

import pytest

from hw.esp32.chip import Chip, ChipError, Snapshot, Stop
from lab.targets.embedded import BoardSnapshot, EmbeddedBoard

SCRIPT = """
import gc, os
data = {str(i): [j * i for j in range(20)] for i in range(50)}
with open('out', 'w') as f:
    for k in sorted(data):
        f.write('%s %r\\n' % (k, sum(data[k]) / 7))
gc.collect()
print(len(data), os.stat('out')[6])
"""


def flash_digest(chip):
    return hashlib.sha256(chip.flash_read(0, 0x400000)).hexdigest()


def run_once(image):
    with EmbeddedBoard(image) as board:
        board.console.wait_for_prompt(60)
        printed = board.console.run(SCRIPT)
        return printed, board.chip.instructions(0), board.chip.instructions(1), flash_digest(
            board.chip
        )  # fmt: skip


def test_two_runs_give_the_same_instruction_count_and_flash(repl_image):
    first, second = run_once(repl_image), run_once(repl_image)
    assert first[0].startswith("50 ")
    assert first == second


def boot(image, slice_ticks):
    with Chip() as chip:
        chip.flash_write(0, image)
        output = b""
        end = 480 * 400_000
        while chip.now < end:
            chip.run(min(end, chip.now + slice_ticks), Stop.UART)
            output += chip.uart_receive()
        # both cores' time grid may end up to a slice behind `end`: look at a common point
        chip.run(end + 480 * 1000)
        return output, chip.register("ccount", 0) >> 12, flash_digest(chip)


@pytest.mark.parametrize("slice_ticks", [481, 48_001, 10**9])
def test_slices_of_the_host_change_nothing(repl_image, slice_ticks):
    assert boot(repl_image, slice_ticks) == boot(repl_image, 7 * 480_000)


def test_restored_board_goes_on_bit_for_bit(repl_board):
    start = repl_board.snapshot()
    first = repl_board.console.run(SCRIPT)
    after = (repl_board.chip.instructions(0), repl_board.chip.instructions(1))
    end = bytes(repl_board.snapshot().chip)
    repl_board.restore(start)
    assert repl_board.console.run(SCRIPT) == first
    assert (repl_board.chip.instructions(0), repl_board.chip.instructions(1)) == after
    assert bytes(repl_board.snapshot().chip) == end


def test_snapshot_moves_to_another_chip(booted_repl):
    with EmbeddedBoard(booted_repl.image, snapshot=booted_repl.snapshot) as one:
        first = one.console.run(SCRIPT), one.chip.instructions()
    kept = BoardSnapshot(Snapshot.from_bytes(bytes(booted_repl.snapshot.chip)), None)
    with EmbeddedBoard(booted_repl.image, snapshot=kept) as other:
        assert (other.console.run(SCRIPT), other.chip.instructions()) == first


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda b: b"", "no snapshot"),
        (lambda b: b[:-1], "truncated"),
        (lambda b: b + b"x", "bytes behind its end"),
        (lambda b: b"x" + b[1:], "no snapshot"),
        (lambda b: b[:8] + b"\xff" + b[9:], "another version"),
    ],
)
def test_damaged_snapshot_is_refused_and_changes_nothing(repl_board, damage, message):
    good = bytes(repl_board.snapshot().chip)
    with pytest.raises(ChipError, match=message):
        repl_board.chip.restore(Snapshot.from_bytes(damage(good)))
    assert bytes(repl_board.snapshot().chip) == good
    assert repl_board.console.eval("1+1") == "2"


def test_snapshot_of_another_flash_is_refused(booted_repl):
    with Chip() as chip, pytest.raises(ChipError, match="another flash image"):
        chip.restore(booted_repl.snapshot.chip)

"""Blocks as code of the host's do what the interpreter does, bit for bit, wherever a run is cut.

`eager` translates every block before its first run, so that programs of a few instructions are
translated too.
"""

import platform

import pytest
from calltree import MEMORY, CallTree
from control_programs import windows
from directed import Directed
from test_oracle import KINDS, on_our_chip
from test_oracle_steps import PROGRAMS
from test_oracle_windows import chip_state, image, start_chip
from test_repeat import SCRIPT, boot
from xtensa_asm import Sequence
from xtensa_code import PS_UM, PS_WOE

from hw.esp32.chip import Chip, Stop
from lab.targets.embedded import EmbeddedBoard

pytestmark = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="the JIT makes code for x86-64 alone"
)
INTERPRETED, TRANSLATED, EAGER = "0", "1", "eager"
SLICES = (7, 1000)  # cycles


def outcome(program, slice_cycles):
    """Registers and memory of the chip at the program's end."""
    memory, at = image(program), program.code.labels
    with Chip() as chip:
        start_chip(chip, memory, at)
        chip.breakpoint(at["end"])
        while not chip.run(chip.now + 12 * slice_cycles) & Stop.BREAK:
            assert chip.now < 10**10, hex(chip.register("pc"))
        data = chip.read_memory(MEMORY, len(memory[MEMORY]))
        return chip_state(chip), data, chip.instructions()


def the_same_both_ways(monkeypatch, run):
    monkeypatch.setenv("ESP32_JIT", INTERPRETED)
    expected = run()
    monkeypatch.setenv("ESP32_JIT", EAGER)
    assert run() == expected


@pytest.mark.parametrize("kind", [*KINDS, "float"])
def test_instructions(kind, monkeypatch):
    sequences = [Sequence(kind, seed) for seed in range(300)]
    the_same_both_ways(monkeypatch, lambda: [on_our_chip(sequences, n) for n in (None, *SLICES)])


PROGRAM_NAMES = [*PROGRAMS, "windows"]


@pytest.mark.parametrize("name", PROGRAM_NAMES)
def test_programs(name, monkeypatch):
    program = Directed(windows, PS_WOE | PS_UM) if name == "windows" else Directed(PROGRAMS[name])
    the_same_both_ways(monkeypatch, lambda: [outcome(program, n) for n in SLICES])


@pytest.mark.parametrize("sizes", [(1,), (2,), (3,), (1, 2, 3)])
def test_windows_that_overflow(sizes, monkeypatch):
    tree = CallTree(5, 24, sizes)
    the_same_both_ways(monkeypatch, lambda: [outcome(tree, n) for n in SLICES])


def test_the_firmware(repl_image, monkeypatch):
    """Boot, filesystem, garbage collection: down to the last byte of the chip's state."""

    def run():
        with EmbeddedBoard(repl_image) as board:
            board.console.wait_for_prompt(60)
            printed = board.console.run(SCRIPT)
            cores = board.chip.instructions(0), board.chip.instructions(1)
            return printed, cores, bytes(board.snapshot().chip)

    results = []
    for way in (INTERPRETED, TRANSLATED, EAGER):
        monkeypatch.setenv("ESP32_JIT", way)
        results.append(run())
    assert results[0][0].startswith("50 ")
    assert results[1] == results[0]
    assert results[2] == results[0]


def test_runs_that_are_cut_anywhere(repl_image, monkeypatch):
    monkeypatch.setenv("ESP32_JIT", INTERPRETED)
    expected = boot(repl_image, 7 * 480_000)
    monkeypatch.setenv("ESP32_JIT", EAGER)
    assert boot(repl_image, 481) == expected

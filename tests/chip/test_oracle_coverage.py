"""Which operations of the interpreter the oracle has seen: every name in opcodes.def is executed
by a program that is compared with QEMU, or stands in `OTHERWISE` with the reason and its test."""

import ast
from pathlib import Path

import pytest
from calltree import CallTree
from control_programs import windows
from decoder import decode, opcodes
from directed import Directed
from qemu import needs_qemu
from test_oracle import KINDS, OUR_CODE, OUR_DATA
from test_oracle_steps import PROGRAMS
from test_oracle_windows import TREES, image, start_chip
from xtensa_asm import Program, Sequence
from xtensa_code import PS_UM, PS_WOE

from hw.esp32.chip import Chip

HERE = Path(__file__).parent
STEPS_MOST = 200_000
# operation: (why the oracle can't tell, the test that does)
OTHERWISE = {
    "MULUH": ("de233_fpu has no high products", "test_cpu.py::test_high_products"),
    "MULSH": ("de233_fpu has no high products", "test_cpu.py::test_high_products"),
    "RECIP0_S": ("QEMU 7.2 takes it for illegal", "test_cpu.py::test_seeds_of_the_fpu"),
    "RSQRT0_S": ("QEMU 7.2 takes it for illegal", "test_cpu.py::test_seeds_of_the_fpu"),
    "RSR_CCOUNT": ("QEMU counts by the host's clock", "test_cpu.py::test_cycle_counter"),
    "WAITI": ("QEMU's timer runs on the host's clock", "test_cpu.py::test_waiting_for_a_timer"),
    "RER": ("the debug module's registers differ", "test_cpu.py::test_external_registers"),
    "WER": ("the debug module's registers differ", "test_cpu.py::test_external_registers"),
    "TLB_READ": ("an MMU there, region protection here", "test_cpu.py::test_external_registers"),
    "P_FALL": ("made by the translator", "test_oracle_steps.py::test_programs"),
    "P_LOOPEND": ("made by the translator", "test_oracle_steps.py::test_programs"),
    "P_FETCH": ("made by the translator", "test_oracle_steps.py::test_programs"),
    "P_BREAK": ("made by the translator", "test_oracle_steps.py::test_programs"),
    "P_CUT": ("made by the translator", "test_oracle_steps.py::test_programs"),
    "P_HEAT": ("made by the translator", "test_jit.py::test_programs"),
    "P_NATIVE": ("made by the translator", "test_jit.py::test_programs"),
    "P_ROM": ("a ROM service of ours", "test_boot.py"),
}


def executed(chip, memory, end):
    """Names of the operations on the way to `end`, one step at a time."""
    pcs = set()
    for _ in range(STEPS_MOST):
        pc = chip.register("pc")
        if pc == end:
            break
        pcs.add(pc)
        chip.step()
    else:
        raise AssertionError(f"did not come to {end:#x}")
    for pc in pcs:
        for base, data in memory.items():
            if base <= pc < base + len(data):
                yield decode(pc, bytes(data[pc - base : pc - base + 3]))[0]


def of_sequences(kind):
    program = Program([Sequence(kind, seed) for seed in range(60)], OUR_CODE, OUR_DATA)
    with Chip() as chip:
        chip.write_memory(OUR_CODE, program.code)
        chip.write_memory(OUR_DATA, program.data)
        chip.set_register("ps", 0x1F)
        chip.set_register("pc", OUR_CODE)
        return set(executed(chip, {OUR_CODE: program.code}, program.end))


def of_program(program):
    memory = image(program)
    with Chip() as chip:
        start_chip(chip, memory, program.code.labels)
        return set(executed(chip, memory, program.code.labels["end"]))


@pytest.fixture(scope="module")
def seen():
    """Every operation that a compared program executes."""
    names = set()
    for kind in (*KINDS, "float"):
        names |= of_sequences(kind)
    for body in PROGRAMS.values():
        names |= of_program(Directed(body))
    names |= of_program(Directed(windows, PS_WOE | PS_UM))
    for seed, depth, sizes in TREES[:6]:
        names |= of_program(CallTree(seed, depth, sizes))
    return names


@needs_qemu  # without it nothing is compared
def test_every_operation_is_compared_or_named(seen):
    every = set(opcodes())
    assert every - seen == set(OTHERWISE), (
        f"not compared and not named: {every - seen - set(OTHERWISE)}, "
        f"named for no reason: {set(OTHERWISE) & seen}"
    )


@pytest.mark.parametrize("name", OTHERWISE)
def test_the_named_test_exists(name):
    file, _, function = OTHERWISE[name][1].partition("::")
    tree = ast.parse((HERE / file).read_text())
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert not function or function in functions

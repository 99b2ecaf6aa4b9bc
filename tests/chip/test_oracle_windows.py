"""Register windows against QEMU, step by step (see window_model.py for how 32 registers vouch
for 64): random call trees that overflow and underflow through vectors of our own."""

import struct

import pytest
from calltree import LOG, LOG_POINTER, MEMORY, CallTree
from qemu import SIMCALL, needs_qemu, run, start_at, steps
from window_model import SPECIAL, WindowModel
from xtensa_code import Code, movi

from hw.esp32.chip import Chip, Stop

STEPS_MOST = 20_000
COMPARED = [name for name in SPECIAL.values() if name not in ("VECBASE", "EXCVADDR")]

AR = [f"ar{n}" for n in range(64)]


def image(tree):
    """The tree's memory, with the end that QEMU needs: write the memory out, exit."""
    memory = tree.memory()
    base = next(iter(memory))
    tail = Code(base + len(memory[base]))
    tail.emit(movi(2, 4), movi(3, 1))
    tail.l32r(4, MEMORY)
    tail.l32r(5, len(memory[MEMORY]))
    tail.emit(SIMCALL, movi(2, 1), movi(3, 0), SIMCALL)
    memory[base] += tail.finish()
    return memory


def model_of(memory, registers, state):
    return WindowModel(registers, {a: bytearray(d) for a, d in memory.items()}, state)


def the_same(model, pc, ar, special, where):
    if model.pc == pc and model.ar == ar and all(getattr(model, n) == special[n] for n in COMPARED):
        return
    found = [f"pc {model.pc:08x} here {pc:08x}"] if model.pc != pc else []
    for n, (a, b) in enumerate(zip(model.ar, ar, strict=True)):
        if a != b:
            found.append(f"ar{n}: model {a:08x}, here {b:08x}")
    for name in COMPARED:
        if getattr(model, name) != special[name]:
            found.append(f"{name}: model {getattr(model, name):08x}, here {special[name]:08x}")
    assert not found, f"{where} at pc {pc:#x}: {found}"


def against_qemu(tree, directory):
    """The model with 32 registers and QEMU in lock step; returns the model at its end."""
    memory, at = image(tree), tree.code.labels
    entry = start_at(at["start"])
    output, log = run([entry, *memory.items()], "de233_fpu", directory, trace=True)
    model = None
    for count, state in enumerate(steps(log, at["begin"], at["end"])):
        ar = [state[f"AR{n:02}"] for n in range(32)]
        if model is None:
            model = model_of(memory, 32, state | {"AR": ar})
        else:
            model.step()
        the_same(model, state["PC"], ar, state, f"QEMU, step {count}")
        assert count < STEPS_MOST
    model.step()
    assert model.pc == at["end"]
    assert bytes(model.memory[MEMORY]) == output
    return model


def start_chip(chip, memory, at):
    for address, data in memory.items():
        chip.write_memory(address, data)
    chip.set_register("ps", 0x1F)
    chip.set_register("pc", at["start"])
    chip.breakpoint(at["begin"])
    assert chip.run(chip.now + 10**6) & Stop.BREAK
    chip.breakpoint(at["begin"], False)


def chip_state(chip):
    state = {name: chip.register(name.lower()) for name in SPECIAL.values()}
    return state | {"AR": [chip.register(n) for n in AR], "PC": chip.register("pc")}


def against_chip(tree):
    """The model with 64 registers and our chip in lock step; returns the model at its end."""
    memory, at = image(tree), tree.code.labels
    with Chip() as chip:
        start_chip(chip, memory, at)
        model = model_of(memory, 64, chip_state(chip))
        for count in range(STEPS_MOST):
            state = chip_state(chip)
            the_same(model, state["PC"], state["AR"], state, f"our chip, step {count}")
            if model.pc == at["end"]:
                break
            chip.step()
            model.step()
        assert model.pc == at["end"]
        assert bytes(model.memory[MEMORY]) == chip.read_memory(MEMORY, len(memory[MEMORY]))
    return model


def at_speed(tree, model, slice_cycles):
    """Our chip in slices, not steps: at its end it is what the model is."""
    memory, at = image(tree), tree.code.labels
    with Chip() as chip:
        start_chip(chip, memory, at)
        chip.breakpoint(at["end"])
        for _ in range(STEPS_MOST):
            if chip.run(chip.now + 12 * slice_cycles) & Stop.BREAK:
                break
        state = chip_state(chip)
        the_same(model, state["PC"], state["AR"], state, f"slices of {slice_cycles}")
        assert bytes(model.memory[MEMORY]) == chip.read_memory(MEMORY, len(memory[MEMORY]))


def logged(model):
    memory = model.memory[MEMORY]
    end = struct.unpack_from("<I", memory, LOG_POINTER - MEMORY)[0]
    return bytes(memory[LOG - MEMORY : end - MEMORY])


ALL = (1, 2, 3)
SHAPES = [(3, ALL), (20, ALL), (20, (1,)), (20, (2,)), (20, (3,)), (24, (1, 3))]
TREES = [(seed, depth, sizes) for seed in range(3) for depth, sizes in SHAPES]


@needs_qemu
@pytest.mark.parametrize("seed, depth, sizes", TREES)
def test_call_trees(seed, depth, sizes, tmp_path):
    tree = CallTree(seed, depth, sizes)
    theirs = against_qemu(tree, tmp_path)
    ours = against_chip(tree)
    # what the program itself sees is the same on 32 registers and on 64
    assert logged(ours) == logged(theirs)
    for slice_cycles in (1, 7, 1000):
        at_speed(tree, ours, slice_cycles)

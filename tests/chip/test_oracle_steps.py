"""Our LX6 and QEMU in lock step on programs written by hand (directed.py): after each step all
registers of both are the same, at the end the memory too."""

import pytest
from control_programs import exceptions, loops, windows
from data_programs import booleans, divide_and_root, float_memory, mac16
from directed import MEMORY, Directed
from qemu import needs_qemu, run, start_at, steps
from test_oracle import is_nan
from test_oracle_windows import (
    STEPS_MOST,
    against_chip,
    against_qemu,
    at_speed,
    image,
    start_chip,
)
from xtensa_code import PS_UM, PS_WOE

from hw.esp32.chip import Chip, Stop

SPECIAL = [
    "LBEG", "LEND", "LCOUNT", "SAR", "ACCLO", "ACCHI", "M0", "M1", "M2", "M3", "EPC1", "EPC2",
    "EPC6", "DEPC", "EPS2", "EPS6", "EXCSAVE1", "EXCSAVE2", "PS", "EXCCAUSE", "EXCVADDR",
    "WINDOWBASE", "WINDOWSTART", "CPENABLE", "SCOMPARE1", "BR", "THREADPTR", "FCR", "FSR",
    "MISC0", "MISC1",
]  # fmt: skip
PROGRAMS = {
    "loops": loops, "exceptions": exceptions, "booleans": booleans,
    "divide_and_root": divide_and_root, "float_memory": float_memory, "mac16": mac16,
}  # fmt: skip
FETCH_PROHIBITED = 20
NAMES = {"PC": "pc"} | {name: name.lower() for name in SPECIAL}
NAMES |= {f"AR{n:02}": f"ar{n}" for n in range(32)} | {f"F{n:02}": f"f{n}" for n in range(16)}


def differences(theirs, chip):
    for name, ours in NAMES.items():
        a, b = theirs[name], chip.register(ours)
        if a != b and not (name[0] == "F" and name[1].isdigit() and is_nan(a) and is_nan(b)):
            yield f"{name}: QEMU {a:08x}, ours {b:08x}"


@needs_qemu
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name, tmp_path):
    program = Directed(PROGRAMS[name])
    memory, at = image(program), program.code.labels
    output, log = run([start_at(at["start"]), *memory.items()], "de233_fpu", tmp_path, trace=True)
    with Chip() as chip:
        start_chip(chip, memory, at)
        before = at["begin"]
        for count, state in enumerate(steps(log, at["begin"], at["end"])):
            if count:
                chip.step()
            if state["EXCCAUSE"] == FETCH_PROHIBITED and chip.register("pc") == state["EXCVADDR"]:
                chip.step()  # QEMU's log has no line for an instruction that can't be fetched
            found = list(differences(state, chip))
            assert not found, f"step {count}, after {before:#x}: {found}"
            before = state["PC"]
            assert count < STEPS_MOST
        chip.step()
        assert chip.register("pc") == at["end"]
        assert chip.read_memory(MEMORY, len(memory[MEMORY])) == output
        final = {ours: chip.register(ours) for ours in NAMES.values()}
    for cycles in (1, 7, 1000):
        with Chip() as chip:
            start_chip(chip, memory, at)
            chip.breakpoint(at["end"])
            for _ in range(STEPS_MOST):
                if chip.run(chip.now + 12 * cycles) & Stop.BREAK:
                    break
            assert {ours: chip.register(ours) for ours in NAMES.values()} == final


@needs_qemu
def test_windows_one_by_one(tmp_path):
    program = Directed(windows, PS_WOE | PS_UM)
    against_qemu(program, tmp_path)
    model = against_chip(program)
    assert all(model.overflows[1:]) and all(model.underflows[1:]) and model.allocas
    for cycles in (1, 7, 1000):
        at_speed(program, model, cycles)

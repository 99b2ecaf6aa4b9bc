"""Our LX6 against an independent oracle: QEMU's Xtensa cores run the same sequences.

`de233_fpu` shares the integer, loop and FPU instructions. Where QEMU 7.2 is no oracle, the ISA
manual is tested by hand below: SRL with SAR = 32, and the boolean register (QEMU keeps it in three
variables that it does not keep in step: a WSR.BR changes the result of a MOVT before it). Which
of two NaNs an operation hands on is a matter of configuration, so NaNs compare equal.
"""

import struct

import pytest
from qemu import SIMCALL, needs_qemu, run, start_at
from xtensa_asm import (
    SCRATCH_SIZE,
    SLOT,
    STATE_WORDS,
    Program,
    Sequence,
    movi,
    rrr,
)

from hw.esp32.chip import Chip, Stop

QEMU_CODE, QEMU_DATA = 0x00010000, 0x00200000
OUR_CODE, OUR_DATA = 0x40080000, 0x3FFB0000
BATCH = 150
NAMES = [f"a{n}" for n in range(16)] + ["sar", "br", "lcount", "scompare1"]
NAMES += [f"f{n}" for n in range(16)]
SCRATCH_POINTER = 15


def on_qemu(sequences, cpu, directory):
    """All slots as they are afterwards, by way of simcall write to stdout."""
    size = SLOT * len(sequences)
    # simcall: a2 the call (4 write, 1 exit), a3.. its arguments
    end = [(2, 4), (3, 1), (4, QEMU_DATA), (5, size), SIMCALL, movi(2, 1), movi(3, 0), SIMCALL]
    program = Program(sequences, QEMU_CODE, QEMU_DATA, end)
    sections = [(QEMU_CODE, program.code), (QEMU_DATA, program.data)]
    output, _ = run([start_at(QEMU_CODE, cpu), *sections], cpu, directory)
    assert len(output) == size
    return output


def on_our_chip(sequences, slice_cycles=None):
    """The same on our core 0, in batches that fit into IRAM."""
    out = b""
    for at in range(0, len(sequences), BATCH):
        part = sequences[at : at + BATCH]
        program = Program(part, OUR_CODE, OUR_DATA, [bytes.fromhex("06ffff")])
        with Chip() as chip:
            chip.write_memory(OUR_CODE, program.code)
            chip.write_memory(OUR_DATA, program.data)
            chip.breakpoint(program.end)
            chip.set_register("ps", 0x1F)
            chip.set_register("pc", OUR_CODE)
            why = Stop.DEADLINE
            while not why & Stop.BREAK:
                step = slice_cycles * 12 if slice_cycles else 10**9
                why = chip.run(chip.now + step)
                assert chip.now < 10**10, hex(chip.register("pc"))
            out += chip.read_memory(OUR_DATA, SLOT * len(part))
    return out


def states(memory):
    for at in range(0, len(memory), SLOT):
        words = list(struct.unpack_from(f"<{STATE_WORDS}I", memory, at))
        words[SCRATCH_POINTER] = 0  # an address: differs between the targets
        yield words, memory[at + SLOT - SCRATCH_SIZE : at + SLOT]


def is_nan(word):
    return word & 0x7FFFFFFF > 0x7F800000


def compare(sequences, theirs, ours):
    for sequence, (a, scratch_a), (b, scratch_b) in zip(
        sequences, states(theirs), states(ours), strict=True
    ):
        different = [
            f"{name}: QEMU {x:08x}, ours {y:08x}"
            for name, x, y in zip(NAMES, a, b, strict=True)
            if x != y and not (sequence.fpu and is_nan(x) and is_nan(y))
        ]
        assert not different and scratch_a == scratch_b, (
            f"{sequence.name}: {different} scratch {scratch_a == scratch_b}\n"
            f"code {sequence.code.hex()}\nfrom {[hex(w) for w in sequence.words]}"
        )


KINDS = ["alu", "shift", "memory", "branch", "divide", "loop", "compare_and_swap"]


@needs_qemu
@pytest.mark.parametrize("kind", KINDS)
def test_integer_instructions(kind, tmp_path):
    sequences = [Sequence(kind, seed) for seed in range(300)]
    compare(sequences, on_qemu(sequences, "de233_fpu", tmp_path), on_our_chip(sequences))


@needs_qemu
def test_fpu_instructions(tmp_path):
    sequences = [Sequence("float", seed) for seed in range(600)]
    compare(sequences, on_qemu(sequences, "de233_fpu", tmp_path), on_our_chip(sequences))


def run_one(code, **registers):
    """A few instructions on our chip; returns its registers by name."""
    with Chip() as chip:
        chip.write_memory(OUR_CODE, code + bytes.fromhex("06ffff"))
        chip.set_register("ps", 0x1F)
        for name, value in registers.items():
            chip.set_register(name, value)
        chip.set_register("pc", OUR_CODE)
        chip.breakpoint(OUR_CODE + len(code))
        assert chip.run(chip.now + 10**7) & Stop.BREAK
        return {name: chip.register(name) for name in NAMES}


@pytest.mark.parametrize("sar, srl, sra", [(0, 0x80000001, 0x80000001), (31, 1, 0xFFFFFFFF),
                                           (32, 0, 0xFFFFFFFF)])  # fmt: skip
def test_right_shifts_at_their_ends(sar, srl, sra):
    done = run_one(rrr(9, 1, 2, 0, 4) + rrr(11, 1, 3, 0, 4), sar=sar, a4=0x80000001)
    assert (done["a2"], done["a3"]) == (srl, sra)


@pytest.mark.parametrize("group", range(16))
def test_any_and_all_of_booleans(group):
    """ANY4, ALL4 (r = 8, 9) of b4..b7 and ANY8, ALL8 of b8..b15 into b0..b3 (ISA RM)."""
    br = group << 4 | (0xFF00 if group == 15 else group << 12)
    code = rrr(0, 0, 8, 4, 0) + rrr(0, 0, 9, 4, 1) + rrr(0, 0, 10, 8, 2) + rrr(0, 0, 11, 8, 3)
    found = run_one(code, br=br)["br"]
    four, eight = br >> 4 & 15, br >> 8 & 255
    expected = bool(four) | (four == 15) << 1 | bool(eight) << 2 | (eight == 255) << 3
    assert found == br | expected


@pytest.mark.parametrize("slice_cycles", [1, 7, 1000])
def test_slices_change_nothing(slice_cycles):
    sequences = [Sequence(kind, seed) for kind in KINDS for seed in range(5)]
    assert on_our_chip(sequences, slice_cycles) == on_our_chip(sequences)


@pytest.mark.parametrize("br, taken", [(0x0000, False), (0x0020, True), (0xFFDF, False)])
def test_moves_on_a_boolean(br, taken):
    code = rrr(13, 3, 2, 4, 5) + rrr(12, 3, 3, 4, 5)  # movt a2, a4, b5; movf a3, a4, b5
    done = run_one(code, br=br, a2=1, a3=1, a4=7)
    assert (done["a2"], done["a3"]) == ((7, 1) if taken else (1, 7))

"""Single operations that QEMU is no oracle for, see test_oracle_coverage.py: by arithmetic, and
by the Xtensa ISA reference manual."""

import random
import struct

import pytest
from xtensa_asm import interesting, movi, rrr, rsr, three, wsr
from xtensa_code import Code

from hw.esp32.chip import Chip, CoreStatus, Stop

CODE = 0x40080000
CCOUNT, CCOMPARE0, INTENABLE, CPENABLE = 234, 240, 228, 224
TIMER0, LEVEL1 = 1 << 6, 0x340


def run(code, read, **registers):
    """Run to the end of `code`; the registers `read` afterwards."""
    with Chip() as chip:
        chip.write_memory(CODE, code + bytes.fromhex("06ffff"))  # j .
        chip.set_register("ps", 0x1F)
        for name, value in registers.items():
            chip.set_register(name, value)
        chip.set_register("pc", CODE)
        chip.breakpoint(CODE + len(code))
        assert chip.run(chip.now + 10**7) & Stop.BREAK
        return [chip.register(name) for name in read]


def signed(value):
    return value - (value >> 31 << 32)


@pytest.mark.parametrize("seed", range(20))
def test_high_products(seed):
    r = random.Random(seed)
    a, b = interesting(r), interesting(r)
    code = three("muluh")(5, 3, 4) + three("mulsh")(6, 3, 4)
    unsigned_high, signed_high = run(code, ["a5", "a6"], a3=a, a4=b)
    assert unsigned_high == a * b >> 32
    assert signed_high == signed(a) * signed(b) >> 32 & 0xFFFFFFFF


def bits(value):
    return struct.unpack("<I", struct.pack("<f", value))[0]


@pytest.mark.parametrize("value", [1.0, -2.0, 0.75, 1e20, 3e-20, 9.0])
def test_seeds_of_the_fpu(value):
    """RECIP0.S and RSQRT0.S: a first guess, which ours makes exact (see fpu.h)."""
    code = rrr(15, 10, 1, 0, 8) + rrr(15, 10, 2, 0, 10)
    reciprocal, root = run(code, ["f1", "f2"], cpenable=1, f0=bits(value))
    x = struct.unpack("<f", struct.pack("<f", value))[0]
    assert reciprocal == bits(1 / x)
    if value > 0:
        single_root = struct.unpack("<f", struct.pack("<f", x**0.5))[0]
        assert root == bits(1 / single_root)
    else:
        assert root == 0x7FC00000


def test_cycle_counter():
    """One cycle an instruction, and a write sets it (ISA RM, CCOUNT)."""
    code = rsr(CCOUNT, 2) + rsr(CCOUNT, 3) + movi(4, 100) + movi(4, 100) + rsr(CCOUNT, 4)
    code += wsr(CCOUNT, 5) + rsr(CCOUNT, 6)
    first, second, third, written = run(code, ["a2", "a3", "a4", "a6"], a5=0xFFFFFFFF)
    assert (second - first, third - second) == (1, 3)
    assert written == 0  # one instruction later, over the end


def test_waiting_for_a_timer():
    """WAITI sets PS.INTLEVEL and sleeps; CCOMPARE0's interrupt (level 1) ends it: EPC1 is the
    instruction behind."""
    code = Code(CODE)
    code.at(LEVEL1)
    code.emit(rsr(CCOUNT, 9), movi(8, 1), bytes.fromhex("06ffff"))
    code.at(0x400)
    code.emit(rsr(CCOUNT, 2), movi(3, 1000), rrr(8, 0, 3, 2, 3), wsr(CCOMPARE0, 3))
    code.emit(movi(4, TIMER0), wsr(INTENABLE, 4))
    waiting = code.here
    code.emit(rrr(0, 0, 7, 0, 0), movi(8, 2))  # waiti 0
    with Chip() as chip:
        chip.write_memory(CODE, code.finish())
        chip.set_register("ps", 0x2F)
        chip.set_register("vecbase", CODE)
        chip.set_register("pc", CODE + 0x400)
        chip.breakpoint(CODE + LEVEL1)
        chip.run(chip.now + 12 * 500)
        assert chip.core_status(0) == CoreStatus.WAITING
        assert chip.register("ps") == 0x20
        assert chip.run(chip.now + 10**6) & Stop.BREAK
        assert chip.register("epc1") == waiting + 3
        assert chip.register("ps") == 0x30
        assert chip.register("exccause") == 4
        assert chip.register("a8") == 0
        late = chip.register("ccount") - chip.register("a3") & 0xFFFFFFFF
        assert late < 1024 + 100  # an interrupt may stall for cache lines, see exception.c


def test_external_registers():
    """RER, WER and the TLB's read-outs find nothing and harm nothing."""
    code = rrr(4, 0, 6, 3, 2) + rrr(4, 0, 7, 3, 2)  # rer a2, a3; wer
    code += b"".join(rrr(5, 0, r, 3, 4) for r in (3, 5, 7, 11, 13, 15))
    assert run(code, ["a2", "a4", "a3"], a2=7, a3=0x10200C, a4=9) == [0, 0, 0x10200C]

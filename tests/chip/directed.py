"""Programs written by hand for the lock step with QEMU: loops, exceptions, booleans, windows.

Each is a list of cases laid out one behind the other. General exceptions go to a handler that
leaves the state alone but for a0 and the return: it goes on behind the instruction that raised,
or where EXCSAVE2 points to.
"""

from xtensa_asm import movi, rrr, rsr, wsr
from xtensa_code import (
    DEPC,
    EPC1,
    EXCSAVE1,
    ISYNC,
    NOP_N,
    PS,
    PS_UM,
    RFDE,
    RFE,
    RFWO,
    RFWU,
    RSYNC,
    VECBASE,
    WINDOWBASE,
    WINDOWSTART,
    Code,
    addi,
    rfi,
)

BASE, MEMORY, MEMORY_SIZE = 0x40080000, 0x3FFB0000, 0x1000
EXCSAVE2, EPC2, EPS2, BR, SAR, SCOMPARE1, CPENABLE, MISC0 = 210, 178, 194, 4, 3, 12, 224, 244
EPC6, EXCSAVE6 = 182, 214
NULL_REGION = 0x00000006  # way 6 of the MMU, virtual 0: QEMU's TLB; the ESP32 has no memory there
NO_ACCESS = 0x0000000F  # attribute 15


def wdtlb(t, s):
    return rrr(5, 0, 14, s, t)


def witlb(t, s):
    return rrr(5, 0, 6, s, t)


def bz(s):  # beqz.n over nothing: a narrow branch
    return (s << 8 | 0x8C).to_bytes(2, "little")


class Directed:
    """One program; `body(program)` lays down what stands between begin and end."""

    def __init__(self, body, ps=PS_UM):
        self.code = code = Code(BASE)
        self.cases = 0
        self._vectors()
        code.at(0x400)
        code.label("start")
        code.emit(movi(1, 0x15), wsr(99, 1))  # ATOMCTL
        code.l32r(1, NULL_REGION)
        code.l32r(2, NO_ACCESS)
        code.emit(wdtlb(2, 1), witlb(2, 1), ISYNC)
        code.emit(movi(2, 0), wsr(WINDOWBASE, 2), movi(2, 1), wsr(WINDOWSTART, 2))
        code.emit(wsr(CPENABLE, 2))
        code.l32r(2, BASE)
        code.emit(wsr(VECBASE, 2), movi(2, 0), wsr(SAR, 2), wsr(SCOMPARE1, 2))
        code.emit(*(wsr(number, 2) for number in (EXCSAVE1, EXCSAVE2, BR, DEPC, EPC1)))
        code.emit(*(movi(n, 16 * n) for n in (0, *range(3, 16))))
        code.l32r(1, MEMORY + 0x800)
        code.l32r(2, ps)
        code.emit(wsr(PS, 2), RSYNC, movi(2, 32))
        code.label("begin")
        body(self)
        code.j("end")
        code.align()
        code.label("end")
        code.emit(NOP_N, NOP_N)

    def _vectors(self):
        code = self.code
        for n in range(6):  # windows: no memory, back at once; the steps show the rest
            code.at(0x40 * n)
            code.emit(RFWU if n & 1 else RFWO)
        code.at(0x280)  # debug, level 6: on behind BREAK
        code.emit(wsr(EXCSAVE6, 0), rsr(EPC6, 0), addi(0, 0, 3), wsr(EPC6, 0))
        code.emit(rsr(EXCSAVE6, 0), rfi(6))
        for offset in (0x300, 0x340):
            code.at(offset)
            code.emit(wsr(EXCSAVE1, 0))
            code.j("general")
        code.at(0x3C0)  # double: DEPC on behind
        code.emit(wsr(EXCSAVE1, 0), rsr(DEPC, 0), addi(0, 0, 3), wsr(DEPC, 0))
        code.emit(rsr(EXCSAVE1, 0), RFDE)
        code.at(0x400 - 0x24)
        code.label("general")
        code.emit(rsr(EXCSAVE2, 0))
        code.bnez(0, "given")
        code.emit(rsr(EPC1, 0), addi(0, 0, 3))
        code.label("given")
        code.emit(wsr(EPC1, 0), movi(0, 0), wsr(EXCSAVE2, 0), rsr(EXCSAVE1, 0), RFE)

    def label(self, name=""):
        """A fresh label of this name."""
        self.cases += 1
        return f"{name}{self.cases}"

    def value(self, register, value):
        self.code.l32r(register, value)

    def memory(self):
        data = bytes(n * 7 + 3 & 255 for n in range(MEMORY_SIZE))
        return {BASE: self.code.finish(), MEMORY: data}

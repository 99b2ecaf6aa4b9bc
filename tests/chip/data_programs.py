"""Hand-written programs for the lock step: booleans, FPU, MAC16 (see directed.py)."""

from directed import BR, MEMORY
from xtensa_asm import lsi, movi, rri8, rrr, rsr, ssi, three, wsr
from xtensa_code import (
    RSYNC,
    addi,
)

# --- booleans and the FPU ---------------------------------------------------------------------

FLOATS = [0x00000000, 0x80000000, 0x3F800000, 0xBF800000, 0x7F800000, 0xFF800000, 0x7FC00000,
          0x00000001, 0x4B7FFFFF, 0x7F7FFFFF]  # fmt: skip


def booleans(p):
    """Comparisons into a boolean, then BT/BF, MOVT/MOVF and their .S forms on it."""
    code, emit = p.code, p.code.emit
    for n, bits in enumerate(FLOATS):
        p.value(4, bits)
        emit(rrr(15, 10, n, 4, 5))  # wfr
    for a in range(0, len(FLOATS), 2):
        for b in range(len(FLOATS)):
            for op in range(1, 8):  # un oeq ueq olt ult ole ule
                bit = (a + b + op) % 16
                emit(rrr(op, 11, bit, a, b))
                taken = p.label("taken")
                code.boolean_branch(op & 1, bit, taken)
                emit(addi(5, 5, 1))
                code.label(taken)
                emit(three("movt")(6, 5, bit), three("movf")(7, 5, bit))
                emit(rrr(13, 11, 14, a, bit), rrr(12, 11, 15, b, bit))  # movt.s, movf.s
    for bits in (0x0000, 0xFFFF, 0x1234, 0x00F0, 0x0F00, 0xA5A5):
        p.value(4, bits)
        emit(wsr(BR, 4), RSYNC)
        for op in range(5):
            emit(rrr(op, 2, 3, 5, 9), rrr(op, 2, 12, 0, 15), rrr(op, 2, 7, 7, 7))
        for group in (0, 4, 8, 12):
            emit(rrr(0, 0, 8, group, 1), rrr(0, 0, 9, group, 2))  # any4, all4
        for group in (0, 8):
            emit(rrr(0, 0, 10, group, 3), rrr(0, 0, 11, group, 4))  # any8, all8
    for value in (0, 1, 0x80000000):  # moveqz.s movnez.s movltz.s movgez.s
        p.value(4, value)
        for op in range(8, 12):
            emit(rrr(op, 11, 13, 2 + op - 8, 4))


def divide_and_root(p):
    """The documented sequences: QEMU too puts the result into MKDADJ/MKSADJ and hands it on.

    Not RECIP0.S and RSQRT0.S: QEMU 7.2 takes them for illegal."""
    emit = p.code.emit

    def one(r, s, t):
        return rrr(15, 10, r, s, t)

    def step(op2, r, s, t):
        return rrr(op2, 10, r, s, t)

    div0, nexp01, sqrt0 = 7, 11, 9
    mksadj, mkdadj, addexp, addexpm, const = 12, 13, 14, 15, 3
    maddn, divn = 6, 7
    for n in range(4):
        emit(one(5, n, const))
    for a in [*FLOATS, 1078530011, 1123477881]:
        p.value(4, a)
        for b in [*FLOATS[:3], 1077936128, 3270961529]:
            p.value(5, b)
            emit(one(0, 4, 5), one(1, 5, 5))  # f0 / f1
            emit(one(2, 1, div0), one(3, 1, nexp01), one(4, 1, const), step(maddn, 4, 3, 2))
            emit(one(5, 2, 0), one(6, 1, 0), one(6, 0, mkdadj), one(7, 0, nexp01))
            emit(step(maddn, 5, 4, 5), one(8, 0, const), step(maddn, 8, 7, 5))
            emit(one(5, 6, addexp), one(8, 6, addexpm), step(divn, 8, 4, 5))
        emit(one(0, 4, 5), one(1, 0, sqrt0), one(2, 0, nexp01), one(3, 0, mksadj))
        emit(one(4, 3, addexp), one(5, 3, addexpm), step(divn, 5, 1, 4))


def float_memory(p):
    """Indexed loads and stores of the FPU, with update and without."""
    emit = p.code.emit
    for offset in (0, 4, 64, 252):
        p.value(4, MEMORY + 0x100 + offset)
        emit(movi(5, 8))
        emit(lsi(1, 4, 8), rri8(8, 2, 4, 3, 3), rrr(0, 8, 3, 4, 5), rrr(1, 8, 4, 4, 5))
        emit(ssi(1, 4, 16), rri8(12, 2, 4, 5, 3), rrr(4, 8, 3, 4, 5), rrr(5, 8, 4, 4, 5))
        emit(rri8(2, 6, 4, 0), rri8(2, 7, 4, 4))
        emit(rri8(11, 8, 4, 4), rri8(15, 8, 4, 6))  # l32ai, s32ri
    emit(movi(4, 3), rrr(15, 3, 14, 8, 4), rrr(14, 3, 5, 14, 8))  # wur.fcr, rur.fcr
    emit(movi(4, 0), rrr(15, 3, 14, 8, 4), rrr(15, 3, 14, 9, 4), rrr(14, 3, 6, 14, 9))


def mac16(p):
    """Every operand form of MAC16, the loads with it, and the accumulator at its ends."""
    emit = p.code.emit

    def op(op2, op1, r, s, t):
        return (op2 << 20 | op1 << 16 | r << 12 | s << 8 | t << 4 | 4).to_bytes(3, "little")

    for n, value in enumerate((0x7FFF8000, 0x80007FFF, 0x12345678, 0xFFFF0001)):
        p.value(4, value)
        emit(wsr(32 + n, 4))
    p.value(4, 0x8000FFFF)
    p.value(5, 0x7FFF1234)
    for low, high in ((0, 0), (0xFFFFFFFF, 0x7F), (0, 0x80), (0x12345678, 0xFF)):
        p.value(6, low)
        p.value(7, high)
        emit(wsr(16, 6), wsr(17, 7))
        for half in range(4):
            for kind in (1, 2, 3):  # mul, mula, muls
                emit(op(7, kind << 2 | half, 0, 4, 5), op(3, kind << 2 | half, 0, 4, 0x4))
                emit(op(6, kind << 2 | half, 4, 0, 5), op(2, kind << 2 | half, 4, 0, 4))
                emit(rsr(16, 8), rsr(17, 9))
            emit(op(7, half, 0, 4, 5))  # umul
    p.value(4, MEMORY + 0x200)
    for half in range(4):
        for w in range(4):
            emit(op(0, 8 | half, w | 4, 4, 4), op(1, 8 | half, w, 4, 0))  # mula.dd.ldinc, lddec
            emit(op(4, 8 | half, w, 4, 5), op(5, 8 | half, w, 4, 5))  # mula.da..
    for w in range(4):
        emit(op(8, 0, w, 4, 0), op(9, 0, w, 4, 0), op(8, 0, w, 4, 0))  # ldinc, lddec
        emit(rsr(32 + w, 8))
    emit(movi(4, 0), op(8, 0, 1, 4, 0), op(0, 8, 1, 4, 4))  # prohibited: nothing changes

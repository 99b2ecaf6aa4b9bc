"""Programs written by hand for the lock step with QEMU: loops, exceptions, booleans, windows.

Each is a list of cases laid out one behind the other. General exceptions go to a handler that
leaves the state alone but for a0 and the return: it goes on behind the instruction that raised,
or where EXCSAVE2 points to.
"""

from xtensa_asm import lsi, movi, rri8, rrr, rsr, ssi, three, wsr, xsr
from xtensa_code import (
    DEPC,
    EPC1,
    EXCSAVE1,
    ILL,
    ISYNC,
    LCOUNT,
    LEND,
    NOP,
    NOP_N,
    PS,
    PS_EXCM,
    PS_UM,
    PS_WOE,
    RET,
    RET_N,
    RETW,
    RETW_N,
    RFDE,
    RFE,
    RFWO,
    RFWU,
    RSYNC,
    SYSCALL,
    VECBASE,
    WINDOWBASE,
    WINDOWSTART,
    Code,
    addi,
    break_,
    callx,
    entry,
    jx,
    l32e,
    mov,
    movsp,
    or_,
    rfi,
    rotw,
    rsil,
    s32e,
    xor,
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


# --- loops ------------------------------------------------------------------------------------


def loops(p):
    code, emit = p.code, p.code.emit
    for kind in range(3):
        for count in (0, 1, 2, 3, 7, -1, -(2**31)):
            if kind == 0 and not 0 < count < 9:
                continue  # LOOP with 0 runs 2**32 times
            if kind == 1 and not 0 <= count < 9:
                continue
            end = p.label("end")
            p.value(4, count)
            code.loop(kind, 4, end)
            emit(addi(5, 5, 1), xor(6, 6, 5))
            code.label(end)
            emit(addi(7, 7, 1))
    # LOOP of 0 is 2**32 rounds: out of it by a branch
    out, end = p.label("out"), p.label("end")
    emit(movi(4, 0), movi(5, 3))
    code.loop(0, 4, end)
    emit(addi(5, 5, -1))
    code.beqz(5, out)
    code.label(end)
    code.label(out)
    emit(rsr(LCOUNT, 8))
    # a branch to the end of the body leaves the loop; one to its last instruction goes on
    end = p.label("end")
    emit(movi(4, 5), movi(5, 2))
    code.loop(0, 4, end)
    emit(addi(5, 5, -1))
    code.beqz(5, end)
    emit(addi(6, 6, 1))
    code.label(end)
    emit(rsr(LCOUNT, 8), addi(7, 7, 1))
    last, end = p.label("last"), p.label("end")
    emit(movi(4, 5), movi(5, 2))
    code.loop(0, 4, end)
    emit(addi(5, 5, -1))
    code.beqz(5, last)
    emit(addi(6, 6, 1))
    code.label(last)
    emit(addi(7, 7, 1))
    code.label(end)
    # the last instruction is a branch: not taken it loops, taken it leaves
    end, out = p.label("end"), p.label("out")
    emit(movi(4, 5), movi(5, 3))
    code.loop(0, 4, end)
    emit(addi(5, 5, -1))
    code.beqz(5, out)
    code.label(end)
    emit(addi(6, 6, 1))
    code.label(out)
    # .. or a narrow one
    end = p.label("end")
    emit(movi(4, 3))
    code.loop(0, 4, end)
    emit(addi(5, 5, 1), bz(4))
    code.label(end)
    emit(NOP)
    # a branch into a body with a count left: LEND is met there again
    inside, end, over = p.label("inside"), p.label("end"), p.label("over")
    emit(movi(4, 3), movi(8, 1))
    code.loop(0, 4, end)
    emit(addi(5, 5, 1))
    code.bnez(8, over)
    code.label(inside)
    emit(addi(6, 6, 1))
    code.label(end)
    code.beqz(8, p.label("on"))
    code.label(over)
    emit(movi(8, 0), rsr(LCOUNT, 9))
    code.j(inside)
    code.label(f"on{p.cases}")
    # one loop after another in the same place of memory order; nested by hand (LCOUNT saved)
    inner, outer = p.label("inner"), p.label("outer")
    emit(movi(9, 3))
    code.label(outer)
    emit(movi(4, 2))
    code.loop(0, 4, inner)
    emit(addi(5, 5, 3))
    code.label(inner)
    emit(addi(9, 9, -1))
    code.bnez(9, outer)
    # an exception in the body, at its last instruction too: no way back while EXCM is set
    for where in range(2):
        end = p.label("end")
        emit(movi(4, 3))
        code.loop(0, 4, end)
        emit(SYSCALL if where == 0 else addi(5, 5, 1), addi(6, 6, 1))
        if where:
            emit(SYSCALL)
        code.label(end)
        emit(addi(7, 7, 1))
    # EXCM set: the body runs once, LCOUNT stays
    end = p.label("end")
    emit(rsr(PS, 8), movi(9, PS_EXCM), or_(9, 9, 8), movi(4, 3), wsr(PS, 9), RSYNC)
    code.loop(0, 4, end)
    emit(addi(5, 5, 1))
    code.label(end)
    emit(rsr(LCOUNT, 10), wsr(PS, 8), RSYNC)
    # registers written by hand: LCOUNT inside a loop, LEND moved
    end = p.label("end")
    emit(movi(4, 2), movi(6, 0))
    code.loop(0, 4, end)
    emit(addi(5, 5, 1), NOP, NOP)
    code.label(end)
    emit(movi(4, 0), wsr(LCOUNT, 4), wsr(LEND, 4))
    # calls from a body
    end, sub, on = p.label("end"), p.label("sub"), p.label("on")
    emit(movi(4, 3))
    code.loop(0, 4, end)
    code.call(0, sub)
    code.label(end)
    code.j(on)
    code.align()
    code.label(sub)
    emit(addi(5, 5, 1), RET)
    code.label(on)
    emit(NOP)


# --- exceptions -------------------------------------------------------------------------------


def exceptions(p):
    code, emit = p.code, p.code.emit
    emit(SYSCALL, ILL, break_(1, 2))
    # what raises at level 6 is passed over at level 6 and above
    emit(rsil(3, 6), break_(0, 1), wsr(PS, 3), RSYNC)
    # divide by zero leaves the target alone
    emit(movi(4, 0), movi(5, 7))
    for name in ("quou", "quos", "remu", "rems"):
        emit(three(name)(5, 6, 4))
    # kernel and double exceptions
    emit(rsr(PS, 3), movi(4, 0), wsr(PS, 4), RSYNC, SYSCALL, ILL)
    emit(movi(4, PS_EXCM | PS_UM), wsr(PS, 4), RSYNC, SYSCALL, ILL, three("quou")(5, 6, 8))
    emit(movi(8, 0), three("quou")(5, 6, 8), wsr(PS, 3), RSYNC)
    # nothing may be read or written at 0
    emit(movi(4, 0), movi(5, 0x20))
    for make in (
        lambda t, s: rri8(0, t, s, 5), lambda t, s: rri8(1, t, s, 2), lambda t, s: rri8(9, t, s, 2),
        lambda t, s: rri8(2, t, s, 3), lambda t, s: rri8(11, t, s, 3),
        lambda t, s: rri8(4, t, s, 5), lambda t, s: rri8(5, t, s, 2), lambda t, s: rri8(6, t, s, 3),
        lambda t, s: rri8(15, t, s, 3), lambda t, s: lsi(t, s, 8), lambda t, s: ssi(t, s, 8),
        lambda t, s: rri8(8, t, s, 2, 3), lambda t, s: rri8(12, t, s, 2, 3),  # lsip, ssip
        lambda t, s: rrr(0, 8, t, s, 4), lambda t, s: rrr(1, 8, t, s, 4),  # lsx, lsxp
        lambda t, s: rrr(4, 8, t, s, 4), lambda t, s: rrr(5, 8, t, s, 4),  # ssx, ssxp
    ):  # fmt: skip
        emit(make(6, 4), make(7, 5))
    # words on the instruction bus must be aligned, and a compare-and-swap everywhere
    for low in (1, 2, 3):
        p.value(4, BASE + 0x3F00 + low)
        emit(rri8(2, 6, 4, 0), rri8(6, 6, 4, 0))
        p.value(4, MEMORY + 0x40 + low)
        emit(movi(6, 1), rri8(14, 6, 4, 0))
    # L32R's word is read like any other; a wide jump to where nothing may be fetched
    back = p.label("back")
    code.l32r(6, back)
    emit(wsr(EXCSAVE2, 6), movi(4, 0x100), jx(4))
    code.label(back)
    back = p.label("back")
    code.l32r(6, back)
    emit(wsr(EXCSAVE2, 6), movi(4, 0x200), callx(0, 4))
    code.label(back)
    # the coprocessor is off
    emit(movi(4, 0), wsr(CPENABLE, 4), RSYNC)
    emit(rrr(0, 10, 1, 2, 3), lsi(1, 1, 0), ssi(1, 1, 0), rrr(15, 10, 6, 1, 4))
    emit(rrr(1, 11, 1, 2, 3), rrr(9, 11, 1, 2, 3))
    emit(movi(4, 1), wsr(CPENABLE, 4), RSYNC)
    # levels: RSIL, RFI with EPC2/EPS2 set by hand, RFE with EPC1
    on = p.label("on")
    emit(rsil(4, 3), rsil(5, 0), wsr(PS, 4), RSYNC)
    code.l32r(6, on)
    emit(wsr(EPC2, 6), rsr(PS, 4), wsr(EPS2, 4), rfi(2), movi(7, 99))
    code.label(on)
    on = p.label("on")
    code.l32r(6, on)
    emit(wsr(EPC1, 6), RFE, movi(7, 99))
    code.label(on)
    on = p.label("on")
    code.l32r(6, on)
    emit(rsr(PS, 3), movi(4, PS_EXCM | PS_UM), wsr(PS, 4), RSYNC, wsr(DEPC, 6), RFDE, movi(7, 99))
    code.label(on)
    emit(wsr(PS, 3), RSYNC)
    # special registers there and back
    for number in (EXCSAVE1, EXCSAVE2, MISC0, MISC0 + 1, SCOMPARE1, BR, SAR, EPC2, DEPC):
        p.value(4, 0x12345678 + number)
        emit(wsr(number, 4), RSYNC, rsr(number, 5), xsr(number, 6), RSYNC, rsr(number, 7))
        emit(xsr(number, 5))
    emit(movi(4, 0), wsr(EXCSAVE2, 4), wsr(BR, 4))
    p.value(4, 0xCAFE0001)
    emit(rrr(15, 3, 14, 7, 4))  # wur.threadptr a4
    emit(rrr(14, 3, 5, 14, 7))  # rur a5, threadptr
    emit(movi(4, 3), ISYNC, movi(9, 0))
    # user register 231 through both, then calls without windows
    sub, on = p.label("sub"), p.label("on")
    code.call(0, sub)
    code.l32r(6, sub)
    emit(callx(0, 6))
    code.j(on)
    code.align()
    code.label(sub)
    emit(addi(5, 5, 1), RET_N)
    code.label(on)
    emit(mov(6, 5))


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


# --- windows ----------------------------------------------------------------------------------


def windows(p):
    """Every overflow, underflow and refusal, one by one. Vectors only return, see above."""
    code, emit = p.code, p.code.emit
    ps = PS_WOE | PS_UM
    for pattern in range(0, 128, 2):  # frames above: bits 1..6 of WINDOWSTART
        emit(movi(2, pattern | 1), wsr(WINDOWSTART, 2), RSYNC)
        for group in (1, 2, 3):
            emit(mov(4 * group, 4 * group))
    for inc in range(4):  # ENTRY checks what it moves up by
        for pattern in (1, 3, 5, 9, 17, 33):
            p.value(3, ps | inc << 16)
            emit(movi(2, pattern), wsr(WINDOWSTART, 2), wsr(PS, 3), RSYNC)
            emit(entry(1, 64))
            emit(movi(2, 0), wsr(WINDOWBASE, 2), RSYNC)
            p.value(1, MEMORY + 0x800)
    # ENTRY refused: s > 3, WOE off, EXCM on
    p.value(3, ps)
    emit(movi(2, 1), wsr(WINDOWSTART, 2), wsr(PS, 3), RSYNC, entry(5, 32))
    emit(movi(3, PS_UM), wsr(PS, 3), RSYNC, entry(1, 32), RETW, RETW_N + b"\0")
    p.value(3, ps | PS_EXCM)
    emit(wsr(PS, 3), RSYNC, entry(1, 32), RETW)
    # RETW and MOVSP from window 4 with every set of frames below it
    for below in range(8):
        for n in range(4):
            on = p.label("on")
            p.value(3, ps)
            emit(movi(2, 4), movi(4, below << 1 | 1 << 4), wsr(PS, 3), wsr(WINDOWSTART, 4))
            emit(wsr(WINDOWBASE, 2), RSYNC)
            code.l32r(2, on)
            p.value(3, 0x3FFFFFFF)
            emit(rrr(1, 0, 2, 2, 3), movi(3, n), rrr(0, 1, 3, 3, 2))  # and; slli 30
            emit(or_(0, 2, 3), movi(5, 0), movsp(6, 7))
            emit(RETW if below & 1 else RETW_N + b"\0")  # refused: on behind three bytes
            code.label(on)
            emit(movi(0, 0), wsr(WINDOWBASE, 0), RSYNC)
    # ROTW both ways round, and RFWO, RFWU with owner windows set by hand
    p.value(3, ps)
    emit(movi(2, 1), wsr(WINDOWSTART, 2), wsr(PS, 3), RSYNC)
    for n in (1, 3, -2, 7, -8, -1, 5, -5):
        emit(rotw(n))
    emit(movi(2, 0), wsr(WINDOWBASE, 2), RSYNC)
    for ret in (RFWO, RFWU):
        for owner in (0, 2, 5):
            on = p.label("on")
            code.l32r(4, on)
            p.value(3, ps | PS_EXCM | owner << 8)
            emit(wsr(EPC1, 4), movi(2, 3), wsr(WINDOWSTART, 2), wsr(PS, 3), RSYNC, ret)
            code.label(on)
            emit(movi(2, 0), wsr(WINDOWBASE, 2), movi(2, 1), wsr(WINDOWSTART, 2), RSYNC)
    # L32E, S32E at all their offsets
    p.value(3, ps)
    emit(wsr(PS, 3), RSYNC)
    p.value(4, MEMORY + 0x400)
    for offset in range(-64, 0, 4):
        emit(s32e(4 + (offset >> 2 & 3), 4, offset), l32e(5, 4, offset))


PROGRAMS = {
    "loops": loops, "exceptions": exceptions, "booleans": booleans,
    "divide_and_root": divide_and_root, "float_memory": float_memory, "mac16": mac16,
}  # fmt: skip

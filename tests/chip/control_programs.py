"""Hand-written programs for the lock step: loops, exceptions, windows (see directed.py)."""

from directed import BASE, BR, CPENABLE, EPC2, EPS2, EXCSAVE2, MEMORY, MISC0, SAR, SCOMPARE1, bz
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
    WINDOWBASE,
    WINDOWSTART,
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

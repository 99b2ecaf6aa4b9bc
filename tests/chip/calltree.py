"""Random trees of windowed calls, from a seed: programs that run at the ESP32's addresses.

Functions of mixed CALL4/8/12 and CALLX, with frames, locals, loops over high registers, alloca
(MOVSP) and calls of their own until the depth in a2 is used up; each logs what it returns.
"""

import random

from xtensa_asm import l32i, movi, rrr, s32i, three, wsr
from xtensa_code import (
    EXCSAVE1,
    ILL,
    NOP,
    NOP_N,
    PS,
    PS_UM,
    PS_WOE,
    RETW,
    RETW_N,
    RFE,
    RSYNC,
    SYSCALL,
    VECBASE,
    WINDOWBASE,
    WINDOWSTART,
    Code,
    addi,
    callx,
    entry,
    mov,
    movsp,
    or_,
    rsr,
    vectors,
    xor,
)

BASE = 0x40080000
MEMORY, MEMORY_SIZE = 0x3FFB0000, 0x8000
STACK, LOG = MEMORY + 0x7F00, MEMORY + 0x100  # the word before the log points behind its end
LOG_POINTER = LOG - 4
MAX = 5


class CallTree:
    """One program. `code`, and the labels begin and end between which it is compared."""

    def __init__(self, seed, depth, sizes=(1, 2, 3), functions=5, exceptions=True):
        self.random = random.Random(f"calltree {seed} {depth} {sizes}")
        self.code = code = Code(BASE)
        self.sizes = sizes
        vectors(code, "user")
        code.align()
        self._handler()
        code.align()
        code.label("start")
        code.emit(movi(1, 0x15), wsr(99, 1))  # ATOMCTL
        code.l32r(1, PS_WOE | PS_UM)
        code.emit(movi(2, 0), wsr(WINDOWBASE, 2), movi(2, 1), wsr(WINDOWSTART, 2))
        code.l32r(2, BASE)
        code.emit(wsr(VECBASE, 2), movi(2, 0), wsr(3, 2), wsr(EXCSAVE1, 2), wsr(PS, 1), RSYNC)
        code.l32r(1, STACK)
        code.emit(movi(0, 0), movi(2, 0), movi(3, 0))
        size = self.random.choice(sizes)
        code.label("begin")
        code.emit(movi(4 * size + 2, depth), movi(4 * size + 3, seed % 1000))
        code.call(size, "f0")
        code.emit(mov(2, 4 * size + 2))
        code.j("end")
        for n in range(functions):
            self._function(n, functions, exceptions)
        code.j("end")
        code.align()
        code.label("end")
        code.emit(NOP_N, NOP_N)

    def _handler(self):
        """SYSCALL and ILL: log EXCCAUSE, go on behind (EPC1 + 3)."""
        code = self.code
        code.label("user")
        # a0 is in EXCSAVE1; a2, a3 are saved below the stack's limit
        code.l32r(0, MEMORY)
        code.emit(s32i(2, 0, 0), s32i(3, 0, 4), rsr(232, 2))
        code.emit(l32i(3, 0, LOG_POINTER - MEMORY), s32i(2, 3, 0), rsr(177, 2), s32i(2, 3, 4))
        code.emit(addi(3, 3, 8), s32i(3, 0, LOG_POINTER - MEMORY), addi(2, 2, 3), wsr(177, 2))
        code.emit(l32i(2, 0, 0), l32i(3, 0, 4), rsr(EXCSAVE1, 0), RFE)

    def _mix(self, registers, count):
        r = self.random
        names = ("add", "sub", "xor", "or", "addx4")
        for _ in range(count):
            pick = [r.choice(registers) for _ in range(3)]
            self.code.emit(three(r.choice(names))(*pick))

    def _function(self, n, functions, exceptions):
        code, r = self.code, self.random
        size = r.choice(self.sizes)
        kept = list(range(2, 4 * size))  # what the callee does not see
        argument = 4 * size
        frame = 16 + 16 * (size - 1) + 16 * r.randrange(1, 4)
        code.align()
        code.label(f"f{n}")
        code.emit(entry(1, frame))
        done = f"done{n}"
        if len(kept) > 2:
            for k in kept[2:]:
                code.emit(addi(k, r.choice((2, 3)), r.randrange(-128, 128)))
            self._mix([*kept[2:], 3], 2)
        code.emit(s32i(3, 1, 0))
        if r.random() < 0.5:  # high registers, first touched inside a loop
            high = r.choice((11, 15)) if size < 3 else 15
            code.emit(movi(3, r.randrange(0, 4)))
            code.loop(r.choice((1, 2)), 3, f"loop{n}")
            code.emit(addi(high, 2, r.randrange(16)), xor(3, 3, high))
            code.label(f"loop{n}")
            code.emit(NOP)
        if exceptions and r.random() < 0.3:
            code.emit(r.choice((SYSCALL, ILL)))
        code.beqz(2, done)
        for call in range(r.choice((1, 1, 2))):
            last = f"skip{n}_{call}"
            code.emit(addi(argument + 2, 2, -1 if call == 0 else -r.randrange(5, 9)))
            if call:  # a second call is shallower, so that the tree ends
                code.emit(movi(argument + 3, 0))
                code.emit(rrr(MAX, 3, argument + 2, argument + 2, argument + 3))
                code.beqz(argument + 2, last)
            code.emit(xor(argument + 3, 3, 2))
            target = f"f{r.randrange(functions)}"
            if r.random() < 0.3:
                scratch = argument + 1
                code.l32r(scratch, target)
                code.emit(callx(size, scratch))
            else:
                code.call(size, target)
            code.emit(l32i(3, 1, 0), xor(3, 3, argument + 2))
            if r.random() < 0.4:  # alloca: the caller's registers may be spilled by now
                code.emit(addi(argument, 1, -16 * r.randrange(1, 3)), movsp(1, argument))
            code.emit(s32i(3, 1, 0))
            code.label(last)
        code.label(done)
        code.emit(or_(2, 3, 3))
        if len(kept) > 2:
            code.emit(xor(2, 2, kept[-1]))
        # into the log: the result
        code.l32r(3, LOG_POINTER)
        high = 7 if size > 1 else 3
        if high == 7:
            code.emit(l32i(7, 3, 0), s32i(2, 7, 0), addi(7, 7, 4), s32i(7, 3, 0))
        code.emit(r.choice((RETW, RETW_N)))

    def memory(self):
        """Guest memory as it is before: {address: bytes}."""
        data = bytearray(MEMORY_SIZE)
        data[LOG_POINTER - MEMORY : LOG - MEMORY] = LOG.to_bytes(4, "little")
        above = STACK - 12 - MEMORY  # where an overflow looks for the stack pointer above the first
        data[above : above + 4] = (STACK + 0x40).to_bytes(4, "little")
        return {BASE: self.code.finish(), MEMORY: bytes(data)}

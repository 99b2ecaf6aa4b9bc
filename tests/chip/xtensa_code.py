"""Programs with labels for the CPU tests, and the window handlers (Xtensa ISA RM, 4.7.1)."""

from __future__ import annotations

import struct

from xtensa_asm import movi, rri8, rrr, rsr, wsr

EXCCAUSE, EXCVADDR, EPC1, EXCSAVE1, PS, VECBASE = 232, 238, 177, 209, 230, 231
WINDOWBASE, WINDOWSTART, DEPC, LBEG, LEND, LCOUNT = 72, 73, 192, 0, 1, 2
PS_WOE, PS_UM, PS_EXCM = 0x40000, 0x20, 0x10
CAUSE_ALLOCA = 5

NOP, NOP_N = bytes.fromhex("f02000"), bytes.fromhex("3df0")
RETW, RETW_N = bytes.fromhex("900000"), bytes.fromhex("1df0")
RET, RET_N = bytes.fromhex("800000"), bytes.fromhex("0df0")
RFE, RFDE, RFWO, RFWU = (rrr(0, 0, 3, n, 0) for n in (0, 2, 4, 5))
SYSCALL, ILL = rrr(0, 0, 5, 0, 0), bytes(3)
ISYNC, RSYNC = rrr(0, 0, 2, 0, 0), rrr(0, 0, 2, 0, 1)


def rfi(level):
    return rrr(0, 0, 3, level, 1)


def rsil(t, level):
    return rrr(0, 0, 6, level, t)


def break_(s, t):
    return rrr(0, 0, 4, s, t)


def entry(s, frame):
    return (frame // 8 << 12 | s << 8 | 0x36).to_bytes(3, "little")


def movsp(t, s):
    return rrr(0, 0, 1, s, t)


def rotw(n):
    return rrr(4, 0, 8, 0, n & 15)


def l32e(t, s, offset):
    return rrr(0, 9, 16 + offset // 4, s, t)


def s32e(t, s, offset):
    return rrr(4, 9, 16 + offset // 4, s, t)


def callx(size, s):
    """CALLX0, 4, 8, 12: size 0..3."""
    return rrr(0, 0, 0, s, 12 | size)


def jx(s):
    return rrr(0, 0, 0, s, 10)


def mov(r, s):
    return rrr(2, 0, r, s, s)


def or_(r, s, t):
    return rrr(2, 0, r, s, t)


def xor(r, s, t):
    return rrr(3, 0, r, s, t)


def slli(r, s, by):
    return rrr(32 - by >> 4, 1, r, s, 32 - by & 15)


def addi(t, s, imm):
    return rri8(0xC, t, s, imm)


class Code:
    """Instructions at `base`; labels may be used before they are set."""

    def __init__(self, base):
        assert base % 4 == 0
        self.base = base
        self.data = bytearray()
        self.labels = {}
        self._fixups = []

    @property
    def here(self):
        return self.base + len(self.data)

    def label(self, name):
        assert name not in self.labels, name
        self.labels[name] = self.here

    def emit(self, *parts):
        for part in parts:
            self.data += part

    def align(self, to=4):
        while len(self.data) % to:
            self.data += b"\0"

    def at(self, offset):
        """Go on at base + offset (vectors)."""
        assert len(self.data) <= offset, hex(len(self.data))
        self.data += bytes(offset - len(self.data))

    def _later(self, size, make):
        """`size` bytes that need the labels: make(pc, labels)."""
        self._fixups.append((len(self.data), size, make))
        self.data += bytes(size)

    def j(self, target):
        self._later(3, lambda pc, at: (at[target] - pc - 4 & 0x3FFFF) << 6 | 6)

    def call(self, size, target):
        """CALL0, 4, 8, 12."""
        self._later(
            3, lambda pc, at: ((at[target] - (pc & ~3) - 4) // 4 & 0x3FFFF) << 6 | size << 4 | 5
        )

    def l32r(self, t, value):
        """A literal from before this place: the word is laid down and jumped over."""
        while len(self.data) % 4:
            self.data += NOP
        self.data += (4 << 6 | 6).to_bytes(3, "little") + b"\0"
        here = len(self.data)
        if isinstance(value, str):
            self._later(4, lambda pc, at: at[value])
        else:
            self.data += struct.pack("<I", value & 0xFFFFFFFF)
        offset = (here - ((len(self.data) + 3) & ~3)) >> 2
        self.data += ((offset & 0xFFFF) << 8 | t << 4 | 1).to_bytes(3, "little")

    def branch_zero(self, kind, s, target):
        """beqz, bnez, bltz, bgez: kind 0..3."""
        self._later(
            3, lambda pc, at: (at[target] - pc - 4 & 0xFFF) << 12 | s << 8 | kind << 6 | 0x16
        )

    def beqz(self, s, target):
        self.branch_zero(0, s, target)

    def bnez(self, s, target):
        self.branch_zero(1, s, target)

    def _near(self, word, target):
        def make(pc, at):
            offset = at[target] - pc - 4
            assert -128 <= offset < 128, target
            return (offset & 255) << 16 | word

        self._later(3, make)

    def branch(self, kind, s, t, target):
        """BNONE BEQ BLT .. BBSI: kind is the r field."""
        self._near(kind << 12 | s << 8 | t << 4 | 7, target)

    def beqi(self, s, index, target):
        """Equal to b4const[index]."""
        self._near(index << 12 | s << 8 | 0x26, target)

    def boolean_branch(self, taken_if, s, target):
        """BF, BT"""
        self._near(taken_if << 12 | s << 8 | 0x76, target)

    def loop(self, kind, s, target):
        """loop, loopnez, loopgtz: kind 0..2; the body ends at the label."""

        def make(pc, at):
            assert 0 <= at[target] - pc - 4 < 256, target
            return (at[target] - pc - 4) << 16 | 8 + kind << 12 | s << 8 | 0x76

        self._later(3, make)

    def finish(self):
        """The bytes, all labels known."""
        for offset, size, make in self._fixups:
            word = make(self.base + offset, self.labels) & ((1 << 8 * size) - 1)
            self.data[offset : offset + size] = word.to_bytes(size, "little")
        self._fixups = []
        return bytes(self.data)


def window_vectors(code):
    """Overflow and underflow of 4, 8 and 12 at their places from `code.base` on."""
    for n in (1, 2, 3):
        sp = 4 * n + 1  # the callee's stack pointer, seen from the caller's window
        code.at(0x80 * (n - 1))  # overflow
        code.emit(s32e(0, sp, -16))
        if n > 1:
            code.emit(l32e(0, 1, -12))
        code.emit(*(s32e(i, sp, 4 * i - 16) for i in (1, 2, 3)))
        code.emit(*(s32e(i, 0, 4 * i - 16 * n - 16) for i in range(4, 4 * n)))
        code.emit(RFWO)
        code.at(0x80 * (n - 1) + 0x40)  # underflow
        code.label(f"underflow{4 * n}")
        last = 4 * n - 1
        code.emit(*(l32e(i, sp, 4 * i - 16) for i in (0, 1, 2)))
        if n > 1:
            code.emit(l32e(last, 1, -12))
        code.emit(l32e(3, sp, -4))
        code.emit(*(l32e(i, last, 4 * i - 16 * n - 16) for i in range(4, 4 * n)))
        code.emit(RFWU)


def alloca_handler(code):
    """MOVSP with the caller spilled: bring the caller's registers back as its RETW would, then do
    it again (ISA RM, MOVSP). a0 of the function is in EXCSAVE1."""
    code.label("alloca")
    code.emit(rsr(WINDOWBASE, 0), rotw(-1))  # the function's a0 is a4 now: its WINDOWBASE
    code.emit(rsr(PS, 2), movi(3, 15), slli(3, 3, 8))  # into PS.OWB, where RFWU takes it from
    code.emit(or_(2, 2, 3), xor(2, 2, 3), slli(3, 4, 8), or_(2, 2, 3))
    code.emit(rsr(EXCSAVE1, 4), wsr(PS, 2), RSYNC)
    code.branch(7, 4, 15, "alloca8")  # bbci a4, 31
    code.j("alloca812")
    code.label("alloca8")
    code.j("underflow4")
    code.label("alloca812")
    code.emit(rotw(-1))
    code.branch(7, 8, 14, "alloca_is_8")  # bbci a8, 30
    code.emit(rotw(-1))
    code.j("underflow12")
    code.label("alloca_is_8")
    code.j("underflow8")


def vectors(code, user):
    """Window vectors and alloca; other exceptions go to the label `user`, a0 in EXCSAVE1."""
    window_vectors(code)
    code.at(0x300)
    code.emit(wsr(EXCSAVE1, 0))
    code.j("general")
    code.at(0x340)
    code.emit(wsr(EXCSAVE1, 0))
    code.label("general")
    code.emit(rsr(EXCCAUSE, 0))
    code.beqi(0, 5, "to_alloca")  # b4const[5] = 5
    code.j(user)
    code.label("to_alloca")
    code.j("alloca")
    code.at(0x400)
    alloca_handler(code)

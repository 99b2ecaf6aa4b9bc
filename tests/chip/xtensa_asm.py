"""A small Xtensa assembler for the CPU tests, and programs of many short sequences.

Encodings: Xtensa ISA reference manual, chapter "Instruction Formats". A sequence starts from
given registers, and its registers and scratch memory are stored behind it, so that the same
blob runs on QEMU's cores and on ours; only its two base addresses differ.
"""

from __future__ import annotations

import random
import struct

B4CONST = [-1, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 32, 64, 128, 256]
SCRATCH = 15  # address register that points to the sequence's scratch memory
SCRATCH_SIZE = 64
STATE_WORDS = 16 + 4 + 16  # a0..a15, SAR, BR, LCOUNT, SCOMPARE1, f0..f15
SLOT = 4 * STATE_WORDS + SCRATCH_SIZE


def rrr(op2, op1, r, s, t):
    return (op2 << 20 | op1 << 16 | r << 12 | s << 8 | t << 4).to_bytes(3, "little")


def rri8(r, t, s, imm, op0=2):
    return ((imm & 0xFF) << 16 | r << 12 | s << 8 | t << 4 | op0).to_bytes(3, "little")


def three(name):
    """Three-register instructions: r, s, t."""
    op2, op1 = {
        "and": (1, 0), "or": (2, 0), "xor": (3, 0), "add": (8, 0), "addx2": (9, 0),
        "addx4": (10, 0), "addx8": (11, 0), "sub": (12, 0), "subx2": (13, 0), "subx4": (14, 0),
        "subx8": (15, 0), "mull": (8, 2), "muluh": (10, 2), "mulsh": (11, 2), "mul16u": (12, 1),
        "mul16s": (13, 1), "min": (4, 3), "max": (5, 3), "minu": (6, 3), "maxu": (7, 3),
        "moveqz": (8, 3), "movnez": (9, 3), "movltz": (10, 3), "movgez": (11, 3), "src": (8, 1),
        "quou": (12, 2), "quos": (13, 2), "remu": (14, 2), "rems": (15, 2),
        "movf": (12, 3), "movt": (13, 3),
    }[name]  # fmt: skip
    return lambda r, s, t: rrr(op2, op1, r, s, t)


def sr(op, number, t):
    """rsr (0), wsr (1)"""
    return ({0: 0x03, 1: 0x13}[op] << 16 | number << 8 | t << 4).to_bytes(3, "little")


SAR, BR, SCOMPARE1, LCOUNT, EXCSAVE1, CPENABLE, ATOMCTL = 3, 4, 12, 2, 209, 224, 99


def rsr(number, t):
    return sr(0, number, t)


def wsr(number, t):
    return sr(1, number, t)


def xsr(number, t):
    return rrr(6, 1, number >> 4, number & 15, t)


def l32i(t, s, offset):
    return rri8(2, t, s, offset // 4)


def s32i(t, s, offset):
    return rri8(6, t, s, offset // 4)


def lsi(t, s, offset):
    return rri8(0, t, s, offset // 4, 3)


def ssi(t, s, offset):
    return rri8(4, t, s, offset // 4, 3)


def movi(t, imm):
    return rri8(0xA, t, imm >> 8 & 15, imm)


class Generator:
    """Random instructions of one kind from one seed."""

    THREE = (
        "and", "or", "xor", "add", "addx2", "addx4", "addx8", "sub", "subx2", "subx4", "subx8",
        "mull", "mul16u", "mul16s", "min", "max", "minu", "maxu",
        "moveqz", "movnez", "movltz", "movgez",
    )  # fmt: skip

    def __init__(self, seed):
        self.random = random.Random(seed)

    def reg(self):
        return self.random.randrange(15)

    def alu(self):
        r = self.random
        kind = r.randrange(12)
        if kind < 5:
            return three(r.choice(self.THREE))(self.reg(), self.reg(), self.reg())
        if kind == 5:
            return rri8(0xC, self.reg(), self.reg(), r.randrange(256))  # addi
        if kind == 6:
            return movi(self.reg(), r.randrange(4096))
        if kind == 7:  # extui
            low, width = r.randrange(32), r.randrange(16)
            return rrr(width, 4 | low >> 4, self.reg(), low & 15, self.reg())
        if kind == 8:  # neg, abs
            return rrr(6, 0, self.reg(), r.randrange(2), self.reg())
        if kind == 9:  # nsa, nsau
            return rrr(4, 0, 14 + r.randrange(2), self.reg(), self.reg())
        if kind == 10:  # sext, clamps
            return rrr(r.choice([2, 3]), 3, self.reg(), self.reg(), r.randrange(16))
        return self.narrow()

    def narrow(self):
        r = self.random
        kind = r.randrange(3)
        if kind == 0:  # add.n
            word = self.reg() << 12 | self.reg() << 8 | self.reg() << 4 | 0xA
        elif kind == 1:  # mov.n
            word = self.reg() << 8 | self.reg() << 4 | 0xD
        else:  # movi.n
            word = r.randrange(16) << 12 | self.reg() << 8 | r.randrange(8) << 4 | 0xC
        return word.to_bytes(2, "little")

    def shift(self):
        r = self.random
        kind = r.randrange(9)
        if kind == 0:  # ssl, ssr, ssa8l, ssa8b
            return rrr(4, 0, r.randrange(4), self.reg(), 0)
        if kind == 1:  # ssai
            n = r.randrange(32)
            return rrr(4, 0, 4, n & 15, n >> 4)
        if kind == 2:
            return rrr(10, 1, self.reg(), self.reg(), 0)  # sll
        if kind in (3, 4):  # srl, sra; behind ssr, because QEMU 7.2 shifts by 0 when SAR is 32
            return rrr(4, 0, 0, self.reg(), 0) + rrr(9 if kind == 3 else 11, 1, self.reg(), 0,
                                                     self.reg())  # fmt: skip
        if kind == 5:
            return three("src")(self.reg(), self.reg(), self.reg())
        if kind == 6:  # slli
            n = 32 - r.randrange(1, 32)
            return rrr(n >> 4, 1, self.reg(), self.reg(), n & 15)
        if kind == 7:
            return rrr(4, 1, self.reg(), r.randrange(16), self.reg())  # srli
        n = r.randrange(32)
        return rrr(2 | n >> 4, 1, self.reg(), n & 15, self.reg())  # srai

    def memory(self):
        r = self.random
        kind = r.randrange(6)
        if kind == 0:
            return rri8(0, self.reg(), SCRATCH, r.randrange(SCRATCH_SIZE))  # l8ui
        if kind == 1:
            return rri8(1, self.reg(), SCRATCH, r.randrange(SCRATCH_SIZE // 2))  # l16ui
        if kind == 2:
            return rri8(9, self.reg(), SCRATCH, r.randrange(SCRATCH_SIZE // 2))  # l16si
        if kind == 3:
            return rri8(r.choice([2, 6]), self.reg(), SCRATCH, r.randrange(SCRATCH_SIZE // 4))
        if kind == 4:
            return rri8(4, self.reg(), SCRATCH, r.randrange(SCRATCH_SIZE))  # s8i
        return rri8(5, self.reg(), SCRATCH, r.randrange(SCRATCH_SIZE // 2))  # s16i

    def branch(self):
        """A conditional branch over one instruction."""
        r = self.random
        over = self.alu()
        offset = len(over) - 1
        kind = r.randrange(5)
        if kind == 0:  # beqz bnez bltz bgez
            word = (offset & 0xFFF) << 12 | self.reg() << 8 | r.randrange(4) << 6 | 0x16
        elif kind == 1:  # beqi bnei blti bgei
            word = offset << 16 | r.randrange(16) << 12 | self.reg() << 8 | r.randrange(4) << 6
            word |= 0x26
        elif kind == 2:  # bltui bgeui
            word = offset << 16 | r.randrange(16) << 12 | self.reg() << 8 | r.choice([0xB6, 0xF6])
        elif kind == 3:  # beq.. ball.. bbc.. bbsi..
            word = offset << 16 | r.randrange(16) << 12 | self.reg() << 8 | self.reg() << 4 | 7
        else:  # beqz.n, bnez.n
            n = len(over) - 2
            word = (n & 15) << 12 | self.reg() << 8 | r.choice([0x8C, 0xCC]) | n & 0x30
            return word.to_bytes(2, "little") + over
        return word.to_bytes(3, "little") + over

    def divide(self):
        """By a register that is made odd first."""
        r = self.random
        s, t = r.randrange(14), 14
        return (
            movi(t, 1) + three("or")(t, t, s)
            + three(r.choice(["quou", "remu", "quos", "rems"]))(self.reg(), self.reg(), t)
        )  # fmt: skip

    def boolean(self):
        r = self.random
        kind = r.randrange(3)
        if kind == 0:
            return wsr(BR, self.reg())
        if kind == 1:  # andb andbc orb orbc xorb
            return rrr(r.randrange(5), 2, r.randrange(16), r.randrange(16), r.randrange(16))
        return three(r.choice(["movf", "movt"]))(self.reg(), self.reg(), r.randrange(16))

    def loop(self):
        """A zero-overhead loop round up to three instructions."""
        r = self.random
        body = b"".join(self.alu() for _ in range(r.randrange(1, 4)))
        count = r.randrange(15)
        kind = r.choice([8, 9, 10])  # loop, loopnez, loopgtz
        limit = movi(count, r.choice([-1, 0, 1, 2, 7]) if kind != 8 else r.choice([1, 2, 7]))
        word = (len(body) - 1) << 16 | kind << 12 | count << 8 | 0x76
        return limit + word.to_bytes(3, "little") + body

    def compare_and_swap(self):
        r = self.random
        offset = 4 * r.randrange(SCRATCH_SIZE // 4)
        load = l32i(3, SCRATCH, offset) if r.random() < 0.5 else movi(3, 5)
        return load + wsr(SCOMPARE1, 3) + rri8(14, self.reg(), SCRATCH, offset // 4)

    def float(self):
        r = self.random
        f = [r.randrange(16) for _ in range(3)]
        kind = r.randrange(8)
        if kind < 3:  # add.s sub.s mul.s madd.s msub.s
            return rrr(r.choice([0, 1, 2, 4, 5]), 10, *f)
        if kind == 3:  # un oeq ueq olt ult ole ule
            return rrr(r.randrange(1, 8), 11, *f)
        if kind == 4:  # mov.s abs.s neg.s
            return rrr(15, 10, f[0], f[1], r.choice([0, 1, 6]))
        if kind == 5:  # float.s ufloat.s
            return rrr(r.choice([12, 13]), 10, f[0], self.reg(), r.randrange(16))
        if kind == 6:  # round trunc floor ceil utrunc
            return rrr(r.choice([8, 9, 10, 11, 14]), 10, self.reg(), f[0], r.randrange(16))
        return rrr(15, 10, self.reg(), f[0], 4) if r.random() < 0.5 else rrr(
            15, 10, f[0], self.reg(), 5
        )  # fmt: skip


def interesting(r):
    """A 32-bit value, often an edge."""
    edges = [0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]
    return r.choice(edges) if r.random() < 0.4 else r.getrandbits(32)


def interesting_float(r):
    """Single-precision bits: small numbers, zeros, infinities, NaN, denormals."""
    edges = [0, 0x80000000, 0x7F800000, 0xFF800000, 0x3F800000, 0xBF800000, 1, 0x807FFFFF,
             0x7F7FFFFF, 0x4F000000, 0xCF000000, 0x7FC00000]  # fmt: skip
    if r.random() < 0.4:
        return r.choice(edges)
    return struct.unpack("<I", struct.pack("<f", r.uniform(-1e4, 1e4)))[0]


class Sequence:
    """Instructions, and the registers and scratch memory they start from."""

    def __init__(self, kind, seed, length=24, code=None):
        generator = Generator(f"{kind} {seed}")
        r = generator.random
        self.name = f"{kind} {seed}"
        self.fpu = kind == "float"
        self.words = [interesting(r) for _ in range(20)]
        self.words[16] = r.randrange(33)  # SAR
        self.words[17] &= 0xFFFF  # BR
        self.words[18] = 0  # LCOUNT
        self.words += [interesting_float(r) for _ in range(16)]
        self.scratch = bytes(r.randrange(256) for _ in range(SCRATCH_SIZE))
        if code is not None:
            self.code = code
            return
        parts = []
        for _ in range(length):
            parts.append(generator.alu() if r.random() < 0.3 else getattr(generator, kind)())
        self.code = b"".join(parts)


def load_literal(code, register, value):
    """Append L32R of a word that is jumped over; `code` will stand at an aligned address."""
    while len(code) % 4:
        code += bytes.fromhex("f02000")  # nop
    code += (4 << 6 | 6).to_bytes(3, "little") + b"\0" + struct.pack("<I", value)  # j behind it
    offset = (len(code) - 4 - ((len(code) + 3) & ~3)) >> 2
    code += ((offset & 0xFFFF) << 8 | register << 4 | 1).to_bytes(3, "little")


class Program:
    """Sequences laid out for one target: `code` at `code_base`, `data` at `data_base`.

    end: what comes behind: code, or (register, value) to be loaded."""

    def __init__(self, sequences, code_base, data_base, end=None):
        self.data = b""
        # S32C1I writes in the CPU, whatever the bus can do (ATOMCTL, one field a cache mode)
        code = bytearray(movi(1, 0x15) + wsr(ATOMCTL, 1))
        for n, sequence in enumerate(sequences):
            slot = data_base + n * SLOT
            words = list(sequence.words)
            words[SCRATCH] = slot + 4 * STATE_WORDS
            self.data += struct.pack(f"<{STATE_WORDS}I", *words) + sequence.scratch
            load_literal(code, 0, slot)
            code += self._prologue(sequence.fpu) + sequence.code + self._epilogue(sequence.fpu)
        self.end = code_base + len(code)
        for part in end or []:
            if isinstance(part, tuple):
                load_literal(code, *part)
            else:
                code += part
        self.code = bytes(code)

    @staticmethod
    def _prologue(fpu):
        out = b""
        if fpu:
            out += movi(1, 1) + wsr(CPENABLE, 1) + bytes.fromhex("102000")  # rsync
            out += b"".join(lsi(f, 0, 80 + 4 * f) for f in range(16))
        for number, word in ((SAR, 16), (BR, 17), (LCOUNT, 18), (SCOMPARE1, 19)):
            out += l32i(1, 0, 4 * word) + wsr(number, 1)
        out += wsr(EXCSAVE1, 0)
        out += b"".join(l32i(n, 0, 4 * n) for n in range(1, 16))
        return out + l32i(0, 0, 0)

    @staticmethod
    def _epilogue(fpu):
        out = xsr(EXCSAVE1, 0)
        out += b"".join(s32i(n, 0, 4 * n) for n in range(1, 16))
        out += rsr(EXCSAVE1, 1) + s32i(1, 0, 0)
        for number, word in ((SAR, 16), (BR, 17), (LCOUNT, 18), (SCOMPARE1, 19)):
            out += rsr(number, 1) + s32i(1, 0, 4 * word)
        if fpu:
            out += b"".join(ssi(f, 0, 80 + 4 * f) for f in range(16))
        return out

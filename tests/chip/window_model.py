"""The Xtensa ISA reference manual's windowed registers, exceptions and loops, in Python.

QEMU's cores have 32 address registers, an LX6 has 64, so their windows overflow at different
calls. This model takes the number as its one parameter: with 32 it must agree with QEMU step by
step, and the same model with 64 must agree with our chip. Only the instructions that the call
trees use are here. Sections named are the manual's.
"""

from decoder import decode
from xtensa_asm import B4CONST

WOE, EXCM, UM, OWB, CALLINC = 0x40000, 0x10, 0x20, 0xF00, 0x30000
CAUSE_ILLEGAL, CAUSE_SYSCALL, CAUSE_ALLOCA = 0, 1, 5
OVERFLOW = {1: 0x00, 2: 0x80, 3: 0x100}
UNDERFLOW = {1: 0x40, 2: 0xC0, 3: 0x140}
KERNEL, USER, DOUBLE = 0x300, 0x340, 0x3C0
SPECIAL = {
    0: "LBEG", 1: "LEND", 2: "LCOUNT", 3: "SAR", 72: "WINDOWBASE", 73: "WINDOWSTART",
    177: "EPC1", 192: "DEPC", 209: "EXCSAVE1", 210: "EXCSAVE2", 230: "PS",
    231: "VECBASE", 232: "EXCCAUSE", 238: "EXCVADDR",
}  # fmt: skip
MASK = 0xFFFFFFFF


def signed(value):
    return value - (value >> 31 << 32)


class Raised(Exception):
    """The instruction ended in an exception: the state is set already."""


class WindowModel:
    """One core with `registers` address registers; `memory` is {address: bytearray}."""

    def __init__(self, registers, memory, state):
        self.ar = list(state["AR"])[:registers]
        self.panes = registers // 4
        self.memory = memory
        self.pc = state["PC"]
        for name in SPECIAL.values():
            setattr(self, name, state[name])
        self.overflows = [0, 0, 0, 0]
        self.underflows = [0, 0, 0, 0]
        self.allocas = 0

    # --- registers and memory ---

    def __getitem__(self, n):
        return self.ar[(4 * self.WINDOWBASE + n) % len(self.ar)]

    def __setitem__(self, n, value):
        self.ar[(4 * self.WINDOWBASE + n) % len(self.ar)] = value & MASK

    def _started(self, pane):
        return self.WINDOWSTART >> pane % self.panes & 1

    def _place(self, address):
        for base, data in self.memory.items():
            if base <= address < base + len(data):
                return data, address - base
        raise AssertionError(f"no memory at {address:#x}, pc {self.pc:#x}")

    def load(self, address):
        data, at = self._place(address)
        return int.from_bytes(data[at : at + 4], "little")

    def store(self, address, value):
        data, at = self._place(address)
        data[at : at + 4] = value.to_bytes(4, "little")

    # --- exceptions ---

    def _raise(self, cause):
        """4.4.1: "Exception" procedure of the Exception Option."""
        self.EXCCAUSE = cause
        if self.PS & EXCM:
            self.DEPC = self.pc
            vector = DOUBLE
        else:
            self.EPC1 = self.pc
            vector = USER if self.PS & UM else KERNEL
        self.PS |= EXCM
        self.pc = self.VECBASE + vector
        raise Raised

    def _to_window_vector(self, offset, old, new):
        self.PS = self.PS & ~OWB | old << 8 | EXCM
        self.EPC1 = self.pc
        self.WINDOWBASE = new % self.panes
        self.pc = self.VECBASE + offset
        raise Raised

    def window_check(self, highest):
        """4.7.1.3: an access to group `highest` (0..3) of the window."""
        if not self.PS & WOE or self.PS & EXCM:
            return
        base = self.WINDOWBASE
        for n in range(1, highest + 1):
            if self._started(base + n):
                m = base + n
                size = 1 if self._started(m + 1) else 2 if self._started(m + 2) else 3
                self.overflows[size] += 1
                self._to_window_vector(OVERFLOW[size], base, m)

    # --- one instruction ---

    def step(self):
        """Execute one instruction or take its exception."""
        data, at = self._place(self.pc)
        name, i = decode(self.pc, bytes(data[at : at + 3]))
        self.next = self.pc + i.length
        try:
            self.window_check(self.PS >> 16 & 3 if name == "ENTRY" else i.window)
            jump = getattr(self, name)(i)
        except Raised:
            return
        if jump is not None:
            self.pc = jump
        elif self.next == self.LEND and self.LCOUNT and not self.PS & EXCM:  # 4.3.2.4
            self.LCOUNT -= 1
            self.pc = self.LBEG
        else:
            self.pc = self.next

    def ADD(self, i):
        self[i.r] = self[i.s] + self[i.t]

    def SUB(self, i):
        self[i.r] = self[i.s] - self[i.t]

    def XOR(self, i):
        self[i.r] = self[i.s] ^ self[i.t]

    def OR(self, i):
        self[i.r] = self[i.s] | self[i.t]

    def AND(self, i):
        self[i.r] = self[i.s] & self[i.t]

    def MAX(self, i):
        self[i.r] = max(self[i.s], self[i.t], key=signed)

    def ADDX4(self, i):
        self[i.r] = self[i.s] * 4 + self[i.t]

    def ADDI(self, i):
        self[i.t] = self[i.s] + i.imm

    def MOVI(self, i):
        self[i.t] = i.imm

    def MOV(self, i):
        self[i.t] = self[i.s]

    def SLLI(self, i):
        self[i.r] = self[i.s] << i.t

    def L32R(self, i):
        self[i.t] = self.load(i.imm)

    def L32I(self, i):  # also L32E
        self[i.t] = self.load(self[i.s] + i.imm & MASK)

    def S32I(self, i):  # also S32E
        self.store(self[i.s] + i.imm & MASK, self[i.t])

    def NOP(self, i):
        pass

    def J(self, i):
        return i.imm

    def JX(self, i):
        return self[i.s]

    def BEQZ(self, i):
        return i.imm if self[i.s] == 0 else None

    def BNEZ(self, i):
        return i.imm if self[i.s] else None

    def BEQI(self, i):
        return i.imm if signed(self[i.s]) == B4CONST[i.r] else None

    def BBCI(self, i):
        return None if self[i.s] >> i.t & 1 else i.imm

    def LOOP(self, i):
        self.LBEG, self.LEND, self.LCOUNT = self.next, i.imm, self[i.s] - 1 & MASK

    def LOOPNEZ(self, i):
        self.LOOP(i)
        return i.imm if self[i.s] == 0 else None

    def LOOPGTZ(self, i):
        self.LOOP(i)
        return i.imm if signed(self[i.s]) <= 0 else None

    def RSR(self, i):
        self[i.t] = getattr(self, SPECIAL[i.imm])

    def WSR(self, i):
        setattr(self, SPECIAL[i.imm], self[i.t])

    def SYSCALL(self, i):
        self._raise(CAUSE_SYSCALL)

    def ILL(self, i):
        self._raise(CAUSE_ILLEGAL)

    # --- calls and windows: 4.7.1, and the instructions' own pages ---

    def _call(self, size, target):
        self.PS = self.PS & ~CALLINC | size << 16
        self[4 * size] = size << 30 | self.next & 0x3FFFFFFF
        return target

    def CALL0(self, i):
        self[0] = self.next
        return i.imm

    def CALL4(self, i):
        return self._call(i.r, i.imm)

    def CALLX0(self, i):
        target = self[i.s]
        self[0] = self.next
        return target

    def CALLX4(self, i):
        return self._call(i.r, self[i.s])

    def RET(self, i):
        return self[0]

    def ENTRY(self, i):
        if i.s > 3 or not self.PS & WOE or self.PS & EXCM:
            self._raise(CAUSE_ILLEGAL)
        size = self.PS >> 16 & 3
        self[4 * size + i.s] = self[i.s] - i.imm
        self.WINDOWBASE = (self.WINDOWBASE + size) % self.panes
        self.WINDOWSTART |= 1 << self.WINDOWBASE

    def RETW(self, i):
        n, base, target = (
            self[0] >> 30,
            self.WINDOWBASE,
            self.pc & 0xC0000000 | self[0] & 0x3FFFFFFF,
        )
        m = next((k for k in (1, 2, 3) if self._started(base - k)), 0)
        if n == 0 or (m and m != n) or not self.PS & WOE or self.PS & EXCM:
            self._raise(CAUSE_ILLEGAL)
        if not self._started(base - n):
            self.underflows[n] += 1
            self._to_window_vector(UNDERFLOW[n], base, base - n)
        self.WINDOWSTART &= ~(1 << base)
        self.WINDOWBASE = (base - n) % self.panes
        return target

    def MOVSP(self, i):
        if not any(self._started(self.WINDOWBASE - k) for k in (1, 2, 3)):
            self.allocas += 1
            self._raise(CAUSE_ALLOCA)
        self[i.t] = self[i.s]

    def ROTW(self, i):
        self.WINDOWBASE = (self.WINDOWBASE + i.imm) % self.panes

    def _window_return(self):
        self.PS &= ~EXCM
        self.WINDOWBASE = (self.PS & OWB) >> 8
        return self.EPC1

    def RFWO(self, i):
        self.WINDOWSTART &= ~(1 << self.WINDOWBASE)
        return self._window_return()

    def RFWU(self, i):
        self.WINDOWSTART |= 1 << self.WINDOWBASE
        return self._window_return()

    def RFE(self, i):
        self.PS &= ~EXCM
        return self.EPC1

    def RFDE(self, i):
        return self.DEPC

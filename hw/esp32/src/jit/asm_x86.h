/* Encoders for the x86-64 instructions that jit_x86.c uses (Intel SDM, volume 2). 32-bit operands
 * unless the name says otherwise. */
#ifndef ASM_X86_H
#define ASM_X86_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum reg { EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI, R8, R9, R10, R11, R12, R13, R14, R15 };
enum alu { X_ADD, X_OR, X_ADC, X_SBB, X_AND, X_SUB, X_XOR, X_CMP };
enum shift { X_ROL, X_ROR, X_SHL = 4, X_SHR, X_SAR = 7 };
enum cc { CC_B = 2, CC_AE, CC_E, CC_NE, CC_BE, CC_A, CC_S, CC_NS, CC_L = 12, CC_GE, CC_LE, CC_G };

typedef struct {
    uint8_t *at;
} asm_t;

/* base + index * scale + disp; no index: R12 as usual in SIB bytes means none, so -1 here */
typedef struct {
    enum reg base;
    int index; /* -1: none */
    int scale; /* 0..3: a power of two */
    int32_t disp;
} mem_t;

static inline mem_t at(enum reg base, int64_t disp)
{
    return (mem_t){base, -1, 0, (int32_t)disp};
}

static inline mem_t indexed(enum reg base, enum reg index, int scale, int64_t disp)
{
    return (mem_t){base, (int)index, scale, (int32_t)disp};
}

static inline void x_byte(asm_t *x, unsigned byte)
{
    *x->at++ = (uint8_t)byte;
}

static inline void x_word(asm_t *x, uint32_t word)
{
    memcpy(x->at, &word, 4);
    x->at += 4;
}

/* Opcode with a register field and a register or memory operand. Opcodes above 0xFF have the 0F
 * prefix. */
static inline void x_rex(asm_t *x, bool wide, unsigned reg, unsigned index, unsigned base)
{
    unsigned rex = (wide ? 8u : 0) | (reg >> 3) << 2 | (index >> 3) << 1 | base >> 3;
    if (rex)
        x_byte(x, 0x40 | rex);
}

static inline void x_opcode(asm_t *x, unsigned opcode)
{
    if (opcode > 0xFF)
        x_byte(x, 0x0F);
    x_byte(x, opcode & 0xFF);
}

static inline void x_rr(asm_t *x, bool wide, unsigned opcode, unsigned reg, unsigned rm)
{
    x_rex(x, wide, reg, 0, rm);
    x_opcode(x, opcode);
    x_byte(x, 0xC0 | (reg & 7) << 3 | (rm & 7));
}

static inline void x_rm(asm_t *x, bool wide, unsigned opcode, unsigned reg, mem_t m)
{
    bool sib = m.index >= 0 || (m.base & 7) == ESP;
    bool small = m.disp >= -128 && m.disp < 128;
    x_rex(x, wide, reg, m.index >= 0 ? (unsigned)m.index : 0, m.base);
    x_opcode(x, opcode);
    x_byte(x, (small ? 0x40u : 0x80u) | (reg & 7) << 3 | (sib ? 4u : m.base & 7));
    if (sib)
        x_byte(x, (unsigned)m.scale << 6 | (m.index >= 0 ? (unsigned)m.index & 7 : 4u) << 3 |
                      (m.base & 7));
    if (small)
        x_byte(x, (uint8_t)m.disp);
    else
        x_word(x, (uint32_t)m.disp);
}

static inline void x_load(asm_t *x, enum reg reg, mem_t m)
{
    x_rm(x, false, 0x8B, reg, m);
}

static inline void x_store(asm_t *x, mem_t m, enum reg reg)
{
    x_rm(x, false, 0x89, reg, m);
}

static inline void x_store_imm(asm_t *x, mem_t m, uint32_t value)
{
    x_rm(x, false, 0xC7, 0, m);
    x_word(x, value);
}

static inline void x_mov(asm_t *x, enum reg to, enum reg from)
{
    x_rr(x, false, 0x8B, to, from);
}

static inline void x_mov_imm(asm_t *x, enum reg reg, uint32_t value)
{
    x_rex(x, false, 0, 0, reg);
    x_byte(x, 0xB8 | (reg & 7));
    x_word(x, value);
}

static inline void x_mov_imm64(asm_t *x, enum reg reg, uint64_t value)
{
    x_rex(x, true, 0, 0, reg);
    x_byte(x, 0xB8 | (reg & 7));
    memcpy(x->at, &value, 8);
    x->at += 8;
}

static inline void x_alu(asm_t *x, enum alu op, enum reg reg, enum reg with)
{
    x_rr(x, false, (unsigned)op << 3 | 3, reg, with);
}

static inline void x_alu_mem(asm_t *x, enum alu op, enum reg reg, mem_t m)
{
    x_rm(x, false, (unsigned)op << 3 | 3, reg, m);
}

static inline void x_alu_imm(asm_t *x, enum alu op, enum reg reg, uint32_t value)
{
    bool small = (int32_t)value >= -128 && (int32_t)value < 128;
    x_rr(x, false, small ? 0x83 : 0x81, (unsigned)op, reg);
    if (small)
        x_byte(x, (uint8_t)value);
    else
        x_word(x, value);
}

/* .. of what is in memory */
static inline void x_alu_mem_imm(asm_t *x, enum alu op, mem_t m, uint32_t value)
{
    bool small = (int32_t)value >= -128 && (int32_t)value < 128;
    x_rm(x, false, small ? 0x83 : 0x81, (unsigned)op, m);
    if (small)
        x_byte(x, (uint8_t)value);
    else
        x_word(x, value);
}

static inline void x_shift(asm_t *x, bool wide, enum shift op, enum reg reg, unsigned by)
{
    x_rr(x, wide, 0xC1, op, reg);
    x_byte(x, by);
}

/* .. by CL */
static inline void x_shift_cl(asm_t *x, bool wide, enum shift op, enum reg reg)
{
    x_rr(x, wide, 0xD3, op, reg);
}

static inline void x_test(asm_t *x, bool wide, enum reg a, enum reg b)
{
    x_rr(x, wide, 0x85, b, a);
}

static inline void x_cmov(asm_t *x, enum cc cc, enum reg to, enum reg from)
{
    x_rr(x, false, 0x140 | (unsigned)cc, to, from);
}

static inline void x_lea(asm_t *x, bool wide, enum reg reg, mem_t m)
{
    x_rm(x, wide, 0x8D, reg, m);
}

/* Jumps whose target comes later: `x_here` puts it there. */
static inline uint8_t *x_jcc(asm_t *x, enum cc cc)
{
    x_byte(x, 0x0F);
    x_byte(x, 0x80 | (unsigned)cc);
    x_word(x, 0);
    return x->at;
}

static inline uint8_t *x_jmp(asm_t *x)
{
    x_byte(x, 0xE9);
    x_word(x, 0);
    return x->at;
}

static inline void x_to(uint8_t *jump, const uint8_t *target)
{
    int32_t distance = (int32_t)(target - jump);
    memcpy(jump - 4, &distance, 4);
}

static inline void x_here(asm_t *x, uint8_t *jump)
{
    x_to(jump, x->at);
}

static inline void x_jmp_mem(asm_t *x, mem_t m)
{
    x_rm(x, false, 0xFF, 4, m);
}

#endif

/* What each operation becomes. */
#include "making.h"

#ifdef __x86_64__

static void two(making_t *m, enum alu op, unsigned shift)
{
    reg_get_and_spoil(m, m->op->s);
    if (shift)
        x_shift(&m->x, false, X_SHL, EAX, shift);
    x_alu_mem(&m->x, op, EAX, GUEST(m->op->t));
    reg_put(m, m->op->r);
}

static void shift_imm(making_t *m, enum shift op, unsigned from, unsigned by)
{
    reg_get_and_spoil(m, from);
    if (by > 31)
        x_alu(&m->x, X_XOR, EAX, EAX);
    else if (by)
        x_shift(&m->x, false, op, EAX, by);
    reg_put(m, m->op->r);
}

/* Of the 64 bits in RAX, by SAR. */
static void shift_sar(making_t *m, enum shift op)
{
    x_load(&m->x, ECX, CPU(sar));
    x_shift_cl(&m->x, true, op, EAX);
    reg_put(m, m->op->r);
}

static void set_sar(making_t *m, uint32_t mask, unsigned shift, bool from_32)
{
    asm_t *x = &m->x;
    reg_get_and_spoil(m, m->op->s);
    x_alu_imm(x, X_AND, EAX, mask);
    if (shift)
        x_shift(x, false, X_SHL, EAX, shift);
    if (from_32) {
        x_rr(x, false, 0xF7, 3, EAX); /* neg */
        x_alu_imm(x, X_ADD, EAX, 32);
    }
    x_store(x, CPU(sar), EAX);
}

static void move_if(making_t *m, enum cc cc)
{
    asm_t *x = &m->x;
    x_load(x, ECX, GUEST(m->op->r));
    x_alu_mem_imm(x, X_CMP, GUEST(m->op->t), 0);
    x_rm(x, false, 0x140 | (unsigned)cc, ECX, GUEST(m->op->s));
    reg_put_from(m, m->op->r, ECX);
}

static void choose(making_t *m, enum cc other)
{
    asm_t *x = &m->x;
    reg_get_and_spoil(m, m->op->s);
    x_load(x, ECX, GUEST(m->op->t));
    x_alu(x, X_CMP, EAX, ECX);
    x_cmov(x, other, EAX, ECX);
    reg_put(m, m->op->r);
}

static void multiply_16(making_t *m, unsigned extend)
{
    reg_spoil(m);
    x_rm(&m->x, false, extend, EAX, GUEST(m->op->s));
    x_rm(&m->x, false, extend, ECX, GUEST(m->op->t));
    x_rr(&m->x, false, 0x1AF, EAX, ECX);
    reg_put(m, m->op->r);
}

static void multiply_high(making_t *m, unsigned kind)
{
    reg_get_and_spoil(m, m->op->s);
    x_rm(&m->x, false, 0xF7, kind, GUEST(m->op->t));
    reg_put_from(m, m->op->r, EDX);
}

static void divide(making_t *m, enum reg result)
{
    asm_t *x = &m->x;
    x_load(x, ECX, GUEST(m->op->t));
    x_test(x, false, ECX, ECX);
    jit_to_interpreter_if(m, CC_E);
    reg_get_and_spoil(m, m->op->s);
    x_alu(x, X_XOR, EDX, EDX);
    x_rr(x, false, 0xF7, 6, ECX);
    reg_put_from(m, m->op->r, result);
}

static void leading_zeros(making_t *m)
{
    asm_t *x = &m->x;
    x_rm(x, false, 0x1BD, ECX, GUEST(m->op->s)); /* bsr */
    x_mov_imm(x, EDX, 63);
    x_cmov(x, CC_E, ECX, EDX);
    x_alu_imm(x, X_XOR, ECX, 31);
    reg_put_from(m, m->op->t, ECX);
}

static void branch_imm(making_t *m, enum cc cc, uint32_t value)
{
    if (m->held == m->op->s)
        x_alu_imm(&m->x, X_CMP, EAX, value);
    else
        x_alu_mem_imm(&m->x, X_CMP, GUEST(m->op->s), value);
    jit_exit_if(m, cc, TAKE_BRANCH, 0);
}

static void branch(making_t *m, enum cc cc)
{
    reg_get(m, EAX, m->op->s);
    x_alu_mem(&m->x, X_CMP, EAX, GUEST(m->op->t));
    jit_exit_if(m, cc, TAKE_BRANCH, 0);
}

static void branch_mask(making_t *m, enum cc cc, bool all)
{
    reg_get(m, ECX, m->op->s);
    if (all)
        x_rr(&m->x, false, 0xF7, 2, ECX); /* not */
    x_rm(&m->x, false, 0x85, ECX, GUEST(m->op->t));
    jit_exit_if(m, cc, TAKE_BRANCH, 0);
}

static void branch_bit(making_t *m, enum cc cc)
{
    reg_get(m, EDX, m->op->s);
    reg_get(m, ECX, m->op->t);
    x_rr(&m->x, false, 0x1A3, ECX, EDX); /* bt */
    jit_exit_if(m, cc, TAKE_BRANCH, 0);
}

static void branch_bit_imm(making_t *m, enum cc cc)
{
    reg_get(m, EDX, m->op->s);
    x_rr(&m->x, false, 0x1BA, 4, EDX);
    x_byte(&m->x, m->op->t & 31u);
    jit_exit_if(m, cc, TAKE_BRANCH, 0);
}

enum outcome jit_make(making_t *m, enum opcode code)
{
    asm_t *x = &m->x;
    const op_t *o = m->op;
    switch (code) {
    case OP_ADD: two(m, X_ADD, 0); break;
    case OP_ADDX2: two(m, X_ADD, 1); break;
    case OP_ADDX4: two(m, X_ADD, 2); break;
    case OP_ADDX8: two(m, X_ADD, 3); break;
    case OP_SUB: two(m, X_SUB, 0); break;
    case OP_SUBX2: two(m, X_SUB, 1); break;
    case OP_SUBX4: two(m, X_SUB, 2); break;
    case OP_SUBX8: two(m, X_SUB, 3); break;
    case OP_AND: two(m, X_AND, 0); break;
    case OP_OR: two(m, X_OR, 0); break;
    case OP_XOR: two(m, X_XOR, 0); break;
    case OP_NEG:
        reg_get_and_spoil(m, o->t);
        x_rr(x, false, 0xF7, 3, EAX);
        reg_put(m, o->r);
        break;
    case OP_ADDI:
        reg_get_and_spoil(m, o->s);
        x_alu_imm(x, X_ADD, EAX, o->imm);
        reg_put(m, o->t);
        break;
    case OP_MOVI:
        x_store_imm(x, GUEST(o->t), o->imm);
        if (m->held == o->t)
            reg_spoil(m);
        break;
    case OP_MOV:
        reg_get(m, EAX, o->s);
        reg_put(m, o->t);
        break;
    case OP_MOVEQZ: move_if(m, CC_E); break;
    case OP_MOVNEZ: move_if(m, CC_NE); break;
    case OP_MOVLTZ: move_if(m, CC_L); break;
    case OP_MOVGEZ: move_if(m, CC_GE); break;
    case OP_MIN: choose(m, CC_G); break;
    case OP_MAX: choose(m, CC_L); break;
    case OP_MINU: choose(m, CC_A); break;
    case OP_MAXU: choose(m, CC_B); break;
    case OP_NSAU: leading_zeros(m); break;
    case OP_SEXT:
        reg_get_and_spoil(m, o->s);
        x_shift(x, false, X_SHL, EAX, 31 - o->imm);
        x_shift(x, false, X_SAR, EAX, 31 - o->imm);
        reg_put(m, o->r);
        break;
    case OP_EXTUI:
        reg_get_and_spoil(m, o->t);
        if (o->s)
            x_shift(x, false, X_SHR, EAX, o->s);
        x_alu_imm(x, X_AND, EAX, o->imm);
        reg_put(m, o->r);
        break;
    case OP_SLLI: shift_imm(m, X_SHL, o->s, o->t); break;
    case OP_SRLI: shift_imm(m, X_SHR, o->t, o->s); break;
    case OP_SRAI: shift_imm(m, X_SAR, o->t, o->s); break;
    case OP_SLL:
        reg_get_and_spoil(m, o->s);
        x_shift(x, true, X_SHL, EAX, 32);
        shift_sar(m, X_SHR);
        break;
    case OP_SRL:
        reg_get_and_spoil(m, o->t);
        x_mov(x, EAX, EAX); /* no bits above */
        shift_sar(m, X_SHR);
        break;
    case OP_SRA:
        reg_spoil(m);
        x_rm(x, true, 0x63, EAX, GUEST(o->t)); /* movsxd */
        shift_sar(m, X_SAR);
        break;
    case OP_SRC:
        reg_get_and_spoil(m, o->s);
        x_shift(x, true, X_SHL, EAX, 32);
        x_load(x, EDX, GUEST(o->t));
        x_rr(x, true, 0x0B, EAX, EDX); /* or */
        shift_sar(m, X_SHR);
        break;
    case OP_SSR: set_sar(m, 31, 0, false); break;
    case OP_SSL: set_sar(m, 31, 0, true); break;
    case OP_SSA8L: set_sar(m, 3, 3, false); break;
    case OP_SSA8B: set_sar(m, 3, 3, true); break;
    case OP_SSAI: x_store_imm(x, CPU(sar), o->imm); break;
    case OP_MUL16U: multiply_16(m, 0x1B7); break;
    case OP_MUL16S: multiply_16(m, 0x1BF); break;
    case OP_MULL:
        reg_get_and_spoil(m, o->s);
        x_rm(x, false, 0x1AF, EAX, GUEST(o->t));
        reg_put(m, o->r);
        break;
    case OP_MULUH: multiply_high(m, 4); break;
    case OP_MULSH: multiply_high(m, 5); break;
    case OP_QUOU: divide(m, EAX); break;
    case OP_REMU: divide(m, EDX); break;
    case OP_L8UI: jit_address(m), jit_load(m, 1, 0x1B6); break;
    case OP_L16UI: jit_address(m), jit_load(m, 2, 0x1B7); break;
    case OP_L16SI: jit_address(m), jit_load(m, 2, 0x1BF); break;
    case OP_L32I: jit_address(m), jit_load(m, 4, 0x8B); break;
    case OP_L32R: x_mov_imm(x, EDX, o->imm), jit_load(m, 4, 0x8B); break;
    case OP_S8I: jit_store(m, 1); break;
    case OP_S16I: jit_store(m, 2); break;
    case OP_S32I: jit_store(m, 4); break;
    case OP_BEQZ: branch_imm(m, CC_E, 0); break;
    case OP_BNEZ: branch_imm(m, CC_NE, 0); break;
    case OP_BLTZ: branch_imm(m, CC_L, 0); break;
    case OP_BGEZ: branch_imm(m, CC_GE, 0); break;
    case OP_BEQI: branch_imm(m, CC_E, (uint32_t)lx6_b4const[o->r]); break;
    case OP_BNEI: branch_imm(m, CC_NE, (uint32_t)lx6_b4const[o->r]); break;
    case OP_BLTI: branch_imm(m, CC_L, (uint32_t)lx6_b4const[o->r]); break;
    case OP_BGEI: branch_imm(m, CC_GE, (uint32_t)lx6_b4const[o->r]); break;
    case OP_BLTUI: branch_imm(m, CC_B, lx6_b4constu[o->r]); break;
    case OP_BGEUI: branch_imm(m, CC_AE, lx6_b4constu[o->r]); break;
    case OP_BEQ: branch(m, CC_E); break;
    case OP_BNE: branch(m, CC_NE); break;
    case OP_BLT: branch(m, CC_L); break;
    case OP_BGE: branch(m, CC_GE); break;
    case OP_BLTU: branch(m, CC_B); break;
    case OP_BGEU: branch(m, CC_AE); break;
    case OP_BANY: branch_mask(m, CC_NE, false); break;
    case OP_BNONE: branch_mask(m, CC_E, false); break;
    case OP_BALL: branch_mask(m, CC_E, true); break;
    case OP_BNALL: branch_mask(m, CC_NE, true); break;
    case OP_BBC: branch_bit(m, CC_AE); break;
    case OP_BBS: branch_bit(m, CC_B); break;
    case OP_BBCI: branch_bit_imm(m, CC_AE); break;
    case OP_BBSI: branch_bit_imm(m, CC_B); break;
    case OP_NOP: break;
    case OP_S32C1I: jit_compare_and_store(m); break;
    case OP_RSR: return jit_read_special(m) ? GO_ON : LEFT;
    case OP_WSR: return jit_write_special(m) ? GO_ON : LEFT;
    case OP_RSIL: jit_set_interrupt_level(m); break;
    case OP_LOOP: jit_loop(m); break;
    case OP_LOOPNEZ:
        jit_loop(m);
        jit_exit_if(m, CC_E, TAKE_JUMP, o->imm);
        break;
    case OP_LOOPGTZ:
        jit_loop(m);
        jit_exit_if(m, CC_LE, TAKE_JUMP, o->imm);
        break;
    case OP_ENTRY:
        if (o->s != 1)
            return LEFT;
        jit_entry(m);
        break;
    case OP_J:
    case OP_P_FALL: jit_follow(m, o); return ENDED;
    case OP_P_LOOPEND: jit_loop_end(m); return ENDED;
    case OP_CALL0:
        x_store_imm(x, GUEST(0), o->imm);
        jit_follow(m, o + 1);
        return ENDED;
    case OP_CALL4:
        jit_link_window(m);
        jit_follow(m, o + 1);
        return ENDED;
    case OP_CALLX0:
        reg_get(m, EDX, o->s);
        x_store_imm(x, GUEST(0), o->imm);
        x_mov(x, EAX, EDX);
        jit_jump(m);
        return ENDED;
    case OP_CALLX4:
        reg_get(m, EDX, o->s);
        jit_link_window(m);
        x_mov(x, EAX, EDX);
        jit_jump(m);
        return ENDED;
    case OP_JX:
        reg_get(m, EAX, o->s);
        jit_jump(m);
        return ENDED;
    case OP_RET:
        reg_get(m, EAX, 0);
        jit_jump(m);
        return ENDED;
    case OP_RETW: jit_retw(m); return ENDED;
    default: return LEFT;
    }
    return GO_ON;
}

#endif

/* Zero-overhead loops and special registers. */
#include "making.h"

#ifdef __x86_64__

/* --- loops --- */

void jit_loop(making_t *m)
{
    asm_t *x = &m->x;
    reg_get_and_spoil(m, m->op->s);
    x_lea(x, false, ECX, at(EAX, -1));
    x_store(x, CPU(lcount), ECX);
    x_store_imm(x, CPU(lbeg), m->op[1].imm);
    x_store_imm(x, CPU(lend), m->op->imm);
    x_test(x, false, EAX, EAX);
}

void jit_loop_end(making_t *m)
{
    asm_t *x = &m->x;
    uint8_t *out[3];
    x_alu_mem_imm(x, X_CMP, CPU(lend), m->op->imm);
    out[0] = x_jcc(x, CC_NE);
    x_load(x, ECX, CPU(lcount));
    x_test(x, false, ECX, ECX);
    out[1] = x_jcc(x, CC_E);
    x_rm(x, false, 0xF7, 0, CPU(ps)); /* test */
    x_word(x, PS_EXCM);
    out[2] = x_jcc(x, CC_NE);
    x_alu_imm(x, X_SUB, ECX, 1);
    x_store(x, CPU(lcount), ECX);
    x_load(x, EAX, CPU(lbeg));
    jit_jump(m);
    for (int i = 0; i < 3; i++)
        x_here(x, out[i]);
    jit_follow(m, m->op);
}

/* --- special registers --- */

bool jit_read_special(making_t *m)
{
    asm_t *x = &m->x;
    if (m->op->imm == SR_PRID) {
        reg_spoil(m);
        x_mov_imm(x, EAX, PRID_PRO);
        x_mov_imm(x, ECX, PRID_APP);
        x_alu_mem_imm(x, X_CMP, CPU(index), 0);
        x_cmov(x, CC_NE, EAX, ECX);
        reg_put(m, m->op->t);
        return true;
    }
    ptrdiff_t offset = lx6_sr_offset(m->op->imm);
    if (offset < 0)
        return false;
    reg_spoil(m);
    x_load(x, EAX, at(R12, offset));
    reg_put(m, m->op->t);
    return true;
}

/* An operation that may let an interrupt through is only done here when none waits. */
static void need_quiet(making_t *m)
{
    asm_t *x = &m->x;
    x_load(x, ECX, CPU(interrupt));
    x_alu_mem(x, X_OR, ECX, CPU(external));
    x_rm(x, false, 0x85, ECX, CPU(intenable)); /* test */
    jit_to_interpreter_if(m, CC_NE);
    x_rm(x, false, 0x80, X_CMP, CACHE(attention)); /* of a byte */
    x_byte(x, 0);
    jit_to_interpreter_if(m, CC_NE);
}

void jit_set_interrupt_level(making_t *m)
{
    asm_t *x = &m->x;
    need_quiet(m);
    reg_spoil(m);
    x_load(x, EAX, CPU(ps));
    x_mov(x, ECX, EAX);
    x_alu_imm(x, X_AND, ECX, ~PS_INTLEVEL);
    x_alu_imm(x, X_OR, ECX, m->op->s);
    x_store(x, CPU(ps), ECX);
    reg_put(m, m->op->t);
}

bool jit_write_special(making_t *m)
{
    asm_t *x = &m->x;
    if (m->op->imm == SR_SCOMPARE1) {
        reg_get(m, EAX, m->op->t);
        x_store(x, CPU(scompare1), EAX);
        return true;
    }
    if (m->op->imm != SR_PS)
        return false;
    need_quiet(m);
    /* with other bits than these the room above the window may be another */
    reg_get(m, ECX, m->op->t);
    x_alu_imm(x, X_AND, ECX, PS_WRITABLE);
    x_mov(x, EDX, ECX);
    x_alu_mem(x, X_XOR, EDX, CPU(ps));
    x_rr(x, false, 0xF7, 0, EDX); /* test */
    x_word(x, PS_WOE | PS_EXCM);
    jit_to_interpreter_if(m, CC_NE);
    x_store(x, CPU(ps), ECX);
    return true;
}

#endif

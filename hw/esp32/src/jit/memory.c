/* Loads and stores by the page tables. */
#include "making.h"

#ifdef __x86_64__

/* Host address of the guest's in EDX: RCX + RDX, by the table at `table`. */
static void jit_to_host(making_t *m, unsigned size, size_t table)
{
    asm_t *x = &m->x;
    unsigned low = size == 4 ? 2 : size - 1;
    x_lea(x, false, ECX, at(EDX, -(int64_t)MAP_BASE));
    if (low)
        x_shift(x, false, X_ROR, ECX, low);
    x_shift(x, false, X_SHR, ECX, MAP_PAGE_SHIFT - low);
    if (size < 4) {
        x_alu_imm(x, X_CMP, ECX, NARROW_PAGES);
        jit_to_interpreter_if(m, CC_AE);
    }
    x_rm(x, true, 0x8B, ECX, indexed(EBX, ECX, 3, (int64_t)table));
    x_test(x, true, ECX, ECX);
    jit_to_interpreter_if(m, CC_E);
}

void jit_address(making_t *m)
{
    const op_t *o = m->op;
    if (m->held == o->s) {
        x_lea(&m->x, false, EDX, at(EAX, (int32_t)o->imm));
        return;
    }
    x_load(&m->x, EDX, GUEST(o->s));
    if (o->imm)
        x_alu_imm(&m->x, X_ADD, EDX, o->imm);
}

void jit_load(making_t *m, unsigned size, unsigned opcode)
{
    jit_to_host(m, size, offsetof(lx6_cache_t, rd));
    reg_spoil(m);
    x_rm(&m->x, false, opcode, EAX, indexed(ECX, EDX, 0, 0));
    reg_put(m, m->op->t);
}

void jit_store(making_t *m, unsigned size)
{
    asm_t *x = &m->x;
    jit_address(m);
    jit_to_host(m, size, offsetof(lx6_cache_t, wr));
    enum reg value = EAX;
    if (m->held != m->op->t)
        x_load(x, value = ESI, GUEST(m->op->t));
    if (size == 2)
        x_byte(x, 0x66);
    if (size == 1 && value == ESI) /* SIL wants a REX prefix */
        x_byte(x, 0x40);
    x_rm(x, false, size == 1 ? 0x88 : 0x89, value, indexed(ECX, EDX, 0, 0));
}

void jit_compare_and_store(making_t *m)
{
    asm_t *x = &m->x;
    jit_address(m);
    jit_to_host(m, 4, offsetof(lx6_cache_t, wr));
    x_load(x, ESI, GUEST(m->op->t));
    reg_spoil(m);
    x_load(x, EAX, indexed(ECX, EDX, 0, 0));
    x_alu_mem(x, X_CMP, EAX, CPU(scompare1));
    uint8_t *other = x_jcc(x, CC_NE);
    x_store(x, indexed(ECX, EDX, 0, 0), ESI);
    x_here(x, other);
    reg_put(m, m->op->t);
}

#endif

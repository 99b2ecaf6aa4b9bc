/* Calls, and the register windows they turn. */
#include "making.h"

#ifdef __x86_64__

static void set_windowbase(lx6_t *cpu, uint32_t base)
{
    lx6_set_windowbase(cpu, base);
}

/* WINDOWBASE from EDI to the one in R14D. */
static void move_window(making_t *m)
{
    asm_t *x = &m->x;
    x_alu_imm(x, X_CMP, EDI, 12);
    uint8_t *old_wraps = x_jcc(x, CC_A);
    x_alu_imm(x, X_CMP, R14, 12);
    uint8_t *new_wraps = x_jcc(x, CC_A);
    x_store(x, CPU(windowbase), R14);
    uint8_t *done = x_jmp(x);
    x_here(x, old_wraps);
    x_here(x, new_wraps);
    x_rr(x, true, 0x8B, EDI, R12);
    x_mov(x, ESI, R14);
    x_mov_imm64(x, EAX, (uint64_t)(uintptr_t)set_windowbase);
    x_rr(x, false, 0xFF, 2, EAX); /* call */
    x_here(x, done);
}

/* RBP and the room for the window R14D, WINDOWSTART being in EAX; leaves the room in EAX. */
static void new_window(making_t *m)
{
    asm_t *x = &m->x;
    x_mov(x, EDX, EAX);
    x_shift(x, false, X_SHL, EDX, 16);
    x_alu(x, X_OR, EAX, EDX);
    x_lea(x, false, ECX, at(R14, 1));
    x_shift_cl(x, false, X_SHR, EAX);
    x_alu_imm(x, X_AND, EAX, 7);
    x_alu_imm(x, X_OR, EAX, 8);
    x_rr(x, false, 0x1BC, EAX, EAX); /* bsf */
    x_store(x, CACHE(room), EAX);
    x_mov(x, ECX, R14);
    x_shift(x, false, X_SHL, ECX, 4);
    x_lea(x, true, EBP, indexed(R12, ECX, 0, offsetof(lx6_t, ar)));
}

static void refuse_if(making_t *m, refusals_t *refusals, enum cc cc)
{
    refusals->from[refusals->count++] = x_jcc(&m->x, cc);
}

static void need_windows(making_t *m, refusals_t *refusals)
{
    x_load(&m->x, ESI, CPU(ps));
    x_mov(&m->x, EAX, ESI);
    x_alu_imm(&m->x, X_AND, EAX, PS_WOE | PS_EXCM);
    x_alu_imm(&m->x, X_CMP, EAX, PS_WOE);
    refuse_if(m, refusals, CC_NE);
}

/* Tell a routine which operation it is, and what to do when it is none of its. */
static void name_operation(making_t *m)
{
    x_lea(&m->x, true, EDX, at(R15, jit_in_arena(m->cache, m->op)));
    x_mov_imm(&m->x, ECX, m->op == m->first ? LEAVE_FIRST : LEAVE_AT_OP);
}

void jit_move_stack(making_t *m, int by)
{
    x_rr(&m->x, true, 0x83, by < 0 ? X_SUB : X_ADD, ESP);
    x_byte(&m->x, by < 0 ? -by : by);
}

/* ENTRY with a1; leaves the room above the new window in EAX. */
void jit_make_entry(making_t *m, refusals_t *refusals)
{
    asm_t *x = &m->x;
    jit_move_stack(m, -8); /* calls want RSP at a multiple of 16 */
    need_windows(m, refusals);
    x_shift(x, false, X_SHR, ESI, PS_CALLINC_SHIFT);
    x_alu_imm(x, X_AND, ESI, 3);
    x_alu_mem(x, X_CMP, ESI, CACHE(room));
    refuse_if(m, refusals, CC_A);
    x_load(x, EAX, GUEST(1));
    x_alu_mem(x, X_SUB, EAX, at(EDX, offsetof(op_t, imm)));
    x_load(x, EDI, CPU(windowbase));
    x_lea(x, false, R14, indexed(EDI, ESI, 0, 0));
    x_alu_imm(x, X_AND, R14, 15);
    x_shift(x, false, X_SHL, ESI, 4);
    x_store(x, indexed(EBP, ESI, 0, 4), EAX);
    move_window(m);
    x_load(x, EAX, CPU(windowstart));
    x_rr(x, false, 0x1AB, R14, EAX); /* bts */
    x_store(x, CPU(windowstart), EAX);
    new_window(m);
    jit_move_stack(m, 8);
    x_byte(x, 0xC3); /* ret */
}

void jit_make_retw(making_t *m, refusals_t *refusals)
{
    asm_t *x = &m->x;
    x_mov(x, R8, ECX);
    need_windows(m, refusals);
    x_load(x, EAX, GUEST(0));
    x_shift(x, false, X_SHR, EAX, 30);
    refuse_if(m, refusals, CC_E);
    x_load(x, EDI, CPU(windowbase));
    x_load(x, ESI, CPU(windowstart));
    x_mov(x, R9, ESI);
    x_shift(x, false, X_SHL, R9, 16);
    x_alu(x, X_OR, R9, ESI);
    x_lea(x, false, ECX, at(EDI, 13));
    x_shift_cl(x, false, X_SHR, R9);
    x_alu_imm(x, X_AND, R9, 7);
    x_mov_imm(x, ECX, 3);
    x_alu(x, X_SUB, ECX, EAX);
    x_shift_cl(x, false, X_SHR, R9);
    x_mov(x, ECX, R8);
    x_alu_imm(x, X_CMP, R9, 1); /* else an error, or the caller's registers are in memory */
    refuse_if(m, refusals, CC_NE);
    x_mov(x, R14, EDI);
    x_alu(x, X_SUB, R14, EAX);
    x_alu_imm(x, X_AND, R14, 15);
    x_rr(x, false, 0x1B3, EDI, ESI); /* btr */
    x_store(x, CPU(windowstart), ESI);
    x_load(x, EAX, at(EDX, offsetof(op_t, pc)));
    x_load(x, EDX, GUEST(0));
    x_alu_imm(x, X_AND, EAX, 0xC0000000);
    x_alu_imm(x, X_AND, EDX, 0x3FFFFFFF);
    x_alu(x, X_OR, EAX, EDX);
    x_store(x, CPU(pc), EAX); /* kept, should a call come between */
    move_window(m);
    x_load(x, EAX, CPU(windowstart));
    new_window(m);
    x_load(x, EAX, CPU(pc));
    jit_jump(m);
}

void jit_entry(making_t *m)
{
    asm_t *x = &m->x;
    name_operation(m);
    reg_spoil(m);
    x_byte(x, 0xE8); /* call */
    x_word(x, 0);
    x_to(x->at, m->jit->entry);
    if (m->op->r) {
        x_alu_imm(x, X_CMP, EAX, m->op->r);
        jit_exit_if(m, CC_B, TAKE_RETRY, m->op->pc + 3);
    }
}

void jit_retw(making_t *m)
{
    name_operation(m);
    jit_leave_to(m, m->jit->retw);
}

void jit_link_window(making_t *m)
{
    asm_t *x = &m->x;
    x_store_imm(x, GUEST(m->op->r * 4), m->op->imm);
    x_load(x, ECX, CPU(ps));
    x_alu_imm(x, X_AND, ECX, ~PS_CALLINC);
    x_alu_imm(x, X_OR, ECX, (uint32_t)m->op->r << PS_CALLINC_SHIFT);
    x_store(x, CPU(ps), ECX);
}

#endif

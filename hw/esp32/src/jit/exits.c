/* Out of a block: to others, or back to the interpreter. */
#include "making.h"

#ifdef __x86_64__

int32_t jit_in_arena(const lx6_cache_t *c, const void *what)
{
    return (int32_t)((const char *)what - (const char *)c->arena);
}

void jit_leave_to(making_t *m, const uint8_t *stub)
{
    x_to(x_jmp(&m->x), stub);
}

void jit_exit_if(making_t *m, enum cc cc, enum exit_kind kind, uint32_t pc)
{
    exit_t *e = m->exits ? &m->exit[m->exits - 1] : NULL;
    if (!e || e->op != m->op || e->kind != kind) {
        e = &m->exit[m->exits++];
        *e = (exit_t){.kind = kind, .op = m->op, .pc = pc};
    }
    e->from[e->froms++] = x_jcc(&m->x, cc);
}

void jit_to_interpreter_if(making_t *m, enum cc cc)
{
    jit_exit_if(m, cc, TAKE_OP, 0);
}

void jit_leave_at(making_t *m, const op_t *op)
{
    x_lea(&m->x, true, EAX, at(R15, jit_in_arena(m->cache, op)));
    jit_leave_to(m, m->jit->leave[op == m->first ? LEAVE_FIRST : LEAVE_AT_OP]);
}

void jit_enter_rcx(making_t *m)
{
    asm_t *x = &m->x;
    x_rm(x, false, 0x1B7, EDX, at(ECX, BLOCK(count))); /* movzx */
    x_alu(x, X_CMP, R13, EDX);
    x_to(x_jcc(x, CC_L), m->jit->leave_enter_rcx);
    x_rm(x, false, 0x1B6, ESI, at(ECX, BLOCK(window)));
    x_alu_mem(x, X_CMP, ESI, CACHE(room));
    x_to(x_jcc(x, CC_A), m->jit->leave_enter_rcx);
    x_alu(x, X_SUB, R13, EDX);
    x_lea(x, true, EAX, at(ECX, BLOCK(op)));
    x_jmp_mem(x, at(ECX, BLOCK(native)));
}

void jit_jump(making_t *m)
{
    jit_leave_to(m, m->jit->jump);
}

void jit_follow(making_t *m, const op_t *o)
{
    asm_t *x = &m->x;
    if (!o->pc) {
        x_lea(x, true, EAX, at(R15, jit_in_arena(m->cache, o)));
        x_load(x, ECX, at(EAX, offsetof(op_t, pc)));
        x_test(x, false, ECX, ECX);
        x_to(x_jcc(x, CC_E), m->jit->leave[LEAVE_FOLLOW]);
        jit_leave_to(m, m->jit->enter_block);
        return;
    }
    const block_t *b = cache_block(m->cache, o->pc);
    uint8_t *no_room = NULL;
    if (b->window) {
        x_alu_mem_imm(x, X_CMP, CACHE(room), b->window);
        no_room = x_jcc(x, CC_B);
    }
    x_alu_imm(x, X_SUB, R13, b->count);
    uint8_t *no_budget = x_jcc(x, CC_L);
    if (b->native != m->cache->native) {
        jit_leave_to(m, (const uint8_t *)(uintptr_t)b->native);
    } else {
        x_lea(x, true, EAX, at(R15, jit_in_arena(m->cache, b->op)));
        x_jmp_mem(x, at(R15, jit_in_arena(m->cache, &b->native)));
    }
    x_here(x, no_budget);
    x_alu_imm(x, X_ADD, R13, b->count);
    if (no_room)
        x_here(x, no_room);
    x_lea(x, true, EAX, at(R15, jit_in_arena(m->cache, b)));
    jit_leave_to(m, m->jit->leave[LEAVE_ENTER]);
}

/* A branch gives back what it skips. */
static void refund(making_t *m, const op_t *o)
{
    if (o->left > 1)
        x_alu_imm(&m->x, X_ADD, R13, o->left - 1u);
}

void jit_out_of_line(making_t *m, const exit_t *e)
{
    for (int i = 0; i < e->froms; i++)
        x_here(&m->x, e->from[i]);
    switch (e->kind) {
    case TAKE_OP: jit_leave_at(m, e->op); break;
    case TAKE_BRANCH:
        refund(m, e->op);
        jit_follow(m, e->op);
        break;
    case TAKE_JUMP:
        x_mov_imm(&m->x, EAX, e->pc);
        jit_jump(m);
        break;
    case TAKE_RETRY:
        refund(m, e->op);
        x_mov_imm(&m->x, EAX, e->pc);
        jit_leave_to(m, m->jit->leave[LEAVE_LOOK_UP]);
        break;
    }
}

#endif

/* Code for x86-64, and the frame around it. Out of line, behind a block's code, is what is rarely
 * taken, and all branches. */
#include "jit.h"

#include <stdlib.h>

#ifdef __x86_64__

#include <sys/mman.h>

#include "making.h"

#define CODE_SIZE    (16u << 20) /* bytes a core at most, touched as used */
#define CODE_A_BLOCK 16384u      /* more than any block takes */

bool jit_compile(lx6_cache_t *c, block_t *block)
{
    struct jit *jit = c->jit;
    if (jit->used + CODE_A_BLOCK > CODE_SIZE) {
        c->flush = true;
        return false;
    }
    uint8_t *start = jit->code + jit->used;
    making_t m = {
        .x = {start}, .cache = c, .jit = jit, .op = block->op, .first = block->op, .held = -1};
    const uint8_t *codes = block_codes(block);
    block->native = (uintptr_t)start;
    for (enum outcome outcome = GO_ON; outcome == GO_ON; m.op++) {
        outcome = m.exits + 4 > EXITS ? LEFT : jit_make(&m, codes[m.op - block->op]);
        if (outcome != LEFT)
            continue;
        if (m.op == block->op) {
            block->native = c->native;
            return false;
        }
        jit_leave_at(&m, m.op);
    }
    for (int i = 0; i < m.exits; i++)
        jit_out_of_line(&m, &m.exit[i]);
    jit->used = (uint32_t)((m.x.at - jit->code) + 15) & ~15u;
    return true;
}

/* The routine for `jit_jump`; the table is searched as by jump_slot(). */
static void make_jump(making_t *m)
{
    asm_t *x = &m->x;
    const uint8_t *unknown = m->jit->leave[LEAVE_LOOK_UP];
    x_mov(x, ECX, EAX);
    x_shift(x, false, X_SHR, ECX, 14);
    x_alu(x, X_XOR, ECX, EAX);
    x_alu_imm(x, X_AND, ECX, JUMP_SLOTS - 1);
    x_alu_mem(x, X_CMP, EAX, indexed(EBX, ECX, 3, offsetof(lx6_cache_t, jump[0].pc)));
    x_to(x_jcc(x, CC_NE), unknown);
    x_load(x, ECX, indexed(EBX, ECX, 3, offsetof(lx6_cache_t, jump[0].block)));
    x_test(x, false, ECX, ECX);
    x_to(x_jcc(x, CC_E), unknown);
    x_shift(x, true, X_SHL, ECX, 4);
    x_rr(x, true, 0x03, ECX, R15);
    jit_enter_rcx(m);
}

/* What all code of a core needs: the way in, the ways out, and what is too long to repeat. */
static void make_frame(lx6_cache_t *c)
{
    static const uint8_t saved[] = {EBX, EBP, R12, R13, R14, R15};
    struct jit *jit = c->jit;
    making_t m = {.x = {jit->code}, .cache = c, .jit = jit};
    asm_t *x = &m.x;
    jit->enter = (jit_enter_t *)(uintptr_t)x->at;
    for (unsigned i = 0; i < sizeof saved; i++) {
        x_rex(x, false, 0, 0, saved[i]);
        x_byte(x, 0x50 | (saved[i] & 7));
    }
    jit_move_stack(&m, -8);
    x_rr(x, true, 0x8B, R12, EDI);
    x_rr(x, true, 0x8B, EBX, ESI);
    x_rr(x, true, 0x8B, EBP, EDX);
    x_mov(x, R13, ECX);
    x_rr(x, true, 0x8B, R15, R9);
    x_rr(x, false, 0xFF, 4, R8); /* jmp */

    uint8_t *out[4];
    jit->leave[LEAVE_FIRST] = x->at;
    x_mov_imm(x, EDX, LEAVE_FIRST);
    out[3] = x_jmp(x);
    jit->leave[LEAVE_LOOK_UP] = x->at;
    x_store(x, CPU(pc), EAX);
    x_mov_imm(x, EDX, LEAVE_LOOK_UP);
    out[0] = x_jmp(x);
    jit->leave_enter_rcx = x->at;
    x_rr(x, true, 0x8B, EAX, ECX);
    jit->leave[LEAVE_ENTER] = x->at;
    x_mov_imm(x, EDX, LEAVE_ENTER);
    out[1] = x_jmp(x);
    jit->leave[LEAVE_FOLLOW] = x->at;
    x_mov_imm(x, EDX, LEAVE_FOLLOW);
    out[2] = x_jmp(x);
    jit->leave[LEAVE_AT_OP] = x->at;
    x_mov_imm(x, EDX, LEAVE_AT_OP);
    for (int i = 0; i < 4; i++)
        x_here(x, out[i]);
    const uint8_t *leave = x->at;
    x_store(x, CACHE(budget), R13);
    jit_move_stack(&m, 8);
    for (unsigned i = sizeof saved; i-- > 0;) {
        x_rex(x, false, 0, 0, saved[i]);
        x_byte(x, 0x58 | (saved[i] & 7));
    }
    x_byte(x, 0xC3);

    jit->enter_block = x->at; /* the arena index in ECX */
    x_shift(x, true, X_SHL, ECX, 4);
    x_rr(x, true, 0x03, ECX, R15);
    jit_enter_rcx(&m);
    jit->jump = x->at;
    make_jump(&m);
    refusals_t refusals = {.count = 0};
    jit->retw = x->at;
    jit_make_retw(&m, &refusals);
    for (int i = 0; i < refusals.count; i++)
        x_here(x, refusals.from[i]);
    uint8_t *refused = x->at;
    x_rr(x, true, 0x8B, EAX, EDX);
    x_mov(x, EDX, ECX);
    jit_leave_to(&m, leave);
    refusals.count = 0;
    jit->entry = x->at;
    jit_make_entry(&m, &refusals);
    for (int i = 0; i < refusals.count; i++)
        x_here(x, refusals.from[i]);
    jit_move_stack(&m, 16); /* no return */
    x_to(x_jmp(x), refused);
    jit->used = (uint32_t)((x->at - jit->code) + 15) & ~15u;
}

void jit_open(lx6_cache_t *c)
{
    const char *wanted = getenv("ESP32_JIT");
    if (wanted && wanted[0] == '0')
        return;
    struct jit *jit = calloc(1, sizeof *jit);
    if (!jit)
        return;
    jit->code = mmap(NULL, CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (jit->code == MAP_FAILED) { /* not allowed here: the interpreter does all */
        free(jit);
        return;
    }
    c->jit = jit;
    c->heat = wanted && !strcmp(wanted, "eager") ? 1 : BLOCK_HEAT;
    make_frame(c);
    c->native = (uintptr_t)jit->leave[LEAVE_AT_OP];
}

void jit_close(lx6_cache_t *c)
{
    if (c->jit)
        munmap(c->jit->code, CODE_SIZE);
    free(c->jit);
}

void jit_flush(lx6_cache_t *c)
{
    if (c->jit)
        make_frame(c);
}

leave_t jit_run(lx6_t *cpu, lx6_cache_t *c, const block_t *block, int32_t budget)
{
    return c->jit->enter(cpu, c, lx6_a(cpu, 0), budget, (const void *)(uintptr_t)block->native,
                         c->arena);
}

#else

void jit_open(lx6_cache_t *c)
{
    (void)c;
}

void jit_close(lx6_cache_t *c)
{
    (void)c;
}

void jit_flush(lx6_cache_t *c)
{
    (void)c;
}

bool jit_compile(lx6_cache_t *c, block_t *block)
{
    (void)c, (void)block;
    return false;
}

leave_t jit_run(lx6_t *cpu, lx6_cache_t *c, const block_t *block, int32_t budget)
{
    (void)cpu, (void)c, (void)block, (void)budget;
    return (leave_t){NULL, LEAVE_AT_OP};
}

#endif

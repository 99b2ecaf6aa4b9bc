/* What the files of the JIT share: a block in the making, and the registers of its code.
 *
 * RBX cache, RBP window (a[0]), R12 core, R13D budget, R15 arena; all else is scratch. Registers of
 * the guest stay in memory, the last result is in EAX as well. An operation that needs more than
 * its fast path is left to the interpreter before anything of it is done. */
#ifndef MAKING_H
#define MAKING_H

#include <stddef.h>

#include "asm_x86.h"
#include "jit.h"

#define EXITS        (4 * BLOCK_MOST)
#define NARROW_PAGES ((ROM0_BASE - MAP_BASE) >> MAP_PAGE_SHIFT)

#define GUEST(n) at(EBP, 4 * (n))
#define CPU(f)   at(R12, offsetof(lx6_t, f))
#define CACHE(f) at(EBX, offsetof(lx6_cache_t, f))
#define BLOCK(f) offsetof(block_t, f)

typedef leave_t jit_enter_t(lx6_t *, lx6_cache_t *, uint32_t *a, int32_t budget, const void *code,
                            op_t *arena);

struct jit {
    uint8_t *code;
    uint32_t used; /* bytes */
    jit_enter_t *enter;
    const uint8_t *leave[5], *leave_enter_rcx;
    const uint8_t *enter_block, *jump, *entry, *retw; /* routines that blocks share */
};

/* What comes out of line, for one operation. */
typedef struct {
    uint8_t *from[5]; /* jumps that lead there */
    int froms;
    enum exit_kind {
        TAKE_OP,     /* the interpreter does the operation */
        TAKE_BRANCH, /* it is a branch, and taken */
        TAKE_JUMP,   /* go on at `pc` .. */
        TAKE_RETRY,  /* .. by way of the interpreter */
    } kind;
    const op_t *op;
    uint32_t pc;
} exit_t;

/* A block in the making. */
typedef struct {
    asm_t x;
    lx6_cache_t *cache;
    struct jit *jit;
    const op_t *op, *first;
    int held; /* guest register whose value is in EAX, -1: none */
    exit_t exit[EXITS];
    int exits;
} making_t;

/* Conditions of a routine that does the operation at RDX, or leaves it to the interpreter, in which
 * way ECX says. */
typedef struct {
    uint8_t *from[8];
    int count;
} refusals_t;

enum outcome { GO_ON, ENDED, LEFT };

static inline void reg_get(making_t *m, enum reg reg, unsigned n)
{
    if (m->held == (int)n) {
        if (reg != EAX)
            x_mov(&m->x, reg, EAX);
        return;
    }
    x_load(&m->x, reg, GUEST(n));
    if (reg == EAX)
        m->held = (int)n;
}

/* EAX is about to be changed */
static inline void reg_spoil(making_t *m)
{
    m->held = -1;
}

static inline void reg_put(making_t *m, unsigned n)
{
    x_store(&m->x, GUEST(n), EAX);
    m->held = (int)n;
}

/* .. from another register than EAX */
static inline void reg_put_from(making_t *m, unsigned n, enum reg reg)
{
    x_store(&m->x, GUEST(n), reg);
    if (m->held == (int)n)
        reg_spoil(m);
}

static inline void reg_get_and_spoil(making_t *m, unsigned n)
{
    reg_get(m, EAX, n);
    reg_spoil(m);
}

/* --- exits.c --- */

int32_t jit_in_arena(const lx6_cache_t *cache, const void *what);
/* Go to a routine of the frame. */
void jit_leave_to(making_t *m, const uint8_t *stub);
/* .. out of line, when `cc` holds. */
void jit_exit_if(making_t *m, enum cc cc, enum exit_kind kind, uint32_t pc);
void jit_to_interpreter_if(making_t *m, enum cc cc);
/* Leave, at `op`. */
void jit_leave_at(making_t *m, const op_t *op);
/* Enter the block in RCX. */
void jit_enter_rcx(making_t *m);
/* Go on at the address in EAX. */
void jit_jump(making_t *m);
/* Follow the link in `o`. */
void jit_follow(making_t *m, const op_t *o);
/* What an exit leads to. */
void jit_out_of_line(making_t *m, const exit_t *e);

/* --- windows.c --- */

void jit_move_stack(making_t *m, int by);
/* The routines for ENTRY (with a1; it leaves the room above the new window in EAX) and RETW. */
void jit_make_entry(making_t *m, refusals_t *refusals);
void jit_make_retw(making_t *m, refusals_t *refusals);
void jit_entry(making_t *m);
void jit_retw(making_t *m);
/* The return address, and PS.CALLINC, of a call that turns the window. */
void jit_link_window(making_t *m);

/* --- memory.c --- */

/* EDX becomes A(s) + imm .. */
void jit_address(making_t *m);
/* .. and from it A(t) is loaded with this opcode of the host's, or stored. */
void jit_load(making_t *m, unsigned size, unsigned opcode);
void jit_store(making_t *m, unsigned size);
/* S32C1I */
void jit_compare_and_store(making_t *m);

/* --- special.c --- */

void jit_loop(making_t *m);
void jit_loop_end(making_t *m);
/* False when that register is for the interpreter. */
bool jit_read_special(making_t *m);
bool jit_write_special(making_t *m);
void jit_set_interrupt_level(making_t *m);

/* --- operations.c --- */

/* Code for one operation; LEFT: there is none. */
enum outcome jit_make(making_t *m, enum opcode code);

#endif

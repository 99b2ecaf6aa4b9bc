/* The interpreter: one function, one label an operation, threaded through pre-decoded blocks.
 *
 * While inside, `budget` counts the instructions left in the slice; a block is paid for as a
 * whole on entry and a side exit gives back what it skipped (op->left). */
#include "cache.h"

#include "../jit/jit.h"
#include "../rom/rom.h"
#include "fpu.h"
#include "mac16.h"

/* narrow loads and stores reach the data bus only; the instruction bus is word-wide */
#define NARROW_PAGES ((ROM0_BASE - MAP_BASE) >> MAP_PAGE_SHIFT)

static inline uint32_t rotate_right(uint32_t value, unsigned n)
{
    return value >> n | value << (32 - n);
}

static bool loop_back(lx6_t *cpu, uint32_t next)
{
    if (next != cpu->lend || !cpu->lcount || (cpu->ps & PS_EXCM))
        return false;
    cpu->lcount--;
    return true;
}

uint32_t lx6_length(esp32_t *chip, int index, uint32_t pc)
{
    uint8_t first = 0;
    int rom = pc - ROM0_BASE < ROM0_SIZE ? rom_code(pc) : -1;
    if (rom >= 0)
        first = (uint8_t)rom;
    else
        bus_fetch(chip, index, pc, &first);
    return (first & 15) >= 8 && (first & 15) < 14 ? 2 : 3;
}

/* Where the instruction after the one at `pc` stands, loops included. */
static COLD uint32_t next_pc(esp32_t *chip, int index, uint32_t pc)
{
    uint32_t next = pc + lx6_length(chip, index, pc);
    lx6_t *cpu = &chip->state.core[index];
    return loop_back(cpu, next) ? cpu->lbeg : next;
}

static uint32_t clamps(uint32_t value, uint32_t bit)
{
    int32_t most = (int32_t)((1u << bit) - 1), v = (int32_t)value;
    return (uint32_t)(v > most ? most : v < -most - 1 ? -most - 1 : v);
}

static uint32_t nsa(uint32_t v)
{
    v ^= (uint32_t)((int32_t)v >> 31);
    return v ? (uint32_t)__builtin_clz(v) - 1 : 31;
}

#define A(n)      a[op->n]
#define F(n)      cpu->f[op->n]
#define SIGNED(x) ((int32_t)(x))

#define DISPATCH_TO(handler) goto *(const void *)((const char *) && base + (handler))
#define DISPATCH()           DISPATCH_TO(op->handler)
#define NEXT()                                                                                     \
    do {                                                                                           \
        op++;                                                                                      \
        DISPATCH();                                                                                \
    } while (0)
#define DO(name, ...)                                                                              \
    L_##name:                                                                                      \
    {                                                                                              \
        __VA_ARGS__;                                                                               \
        NEXT();                                                                                    \
    }

/* go on in the block `b` */
#define ENTER(b)                                                                                   \
    do {                                                                                           \
        block_t *enter_ = (b);                                                                     \
        if (unlikely(budget < enter_->count) || unlikely(enter_->window > c->room)) {              \
            block = enter_;                                                                        \
            goto enter_slowly;                                                                     \
        }                                                                                          \
        budget -= enter_->count;                                                                   \
        op = enter_->op;                                                                           \
        DISPATCH();                                                                                \
    } while (0)
/* follow the link in `o` (its pc field), making it first when it is not there */
#define FOLLOW(o)                                                                                  \
    do {                                                                                           \
        if (unlikely(!(o)->pc)) {                                                                  \
            link = (op_t *)(o);                                                                    \
            goto make_link;                                                                        \
        }                                                                                          \
        ENTER(cache_block(c, (o)->pc));                                                            \
    } while (0)
#define JUMP(address)                                                                              \
    do {                                                                                           \
        uint32_t to_ = (address);                                                                  \
        uint32_t slot_ = jump_slot(to_);                                                           \
        if (unlikely(c->jump[slot_].pc != to_) || unlikely(!c->jump[slot_].block)) {               \
            cpu->pc = to_;                                                                         \
            goto look_up;                                                                          \
        }                                                                                          \
        ENTER(cache_block(c, c->jump[slot_].block));                                               \
    } while (0)
#define BRANCH_IF(condition)                                                                       \
    do {                                                                                           \
        if (condition) {                                                                           \
            budget += op->left - 1;                                                                \
            FOLLOW(op);                                                                            \
        }                                                                                          \
    } while (0)
#define BRANCH(name, condition)                                                                    \
    L_##name : BRANCH_IF(condition);                                                               \
    NEXT();

/* the rest of the chip sees exact time and pc from here on; this instruction is not over */
#define SYNC()                                                                                     \
    do {                                                                                           \
        c->budget = budget + op->left;                                                             \
        cpu->pc = op->pc;                                                                          \
    } while (0)
#define RAISE(cause, vaddr)                                                                        \
    do {                                                                                           \
        SYNC();                                                                                    \
        lx6_raise(chip, index, cause, op->pc, vaddr);                                              \
        goto excepted;                                                                             \
    } while (0)
#define NEED_FPU()                                                                                 \
    if (unlikely(!(cpu->cpenable & 1)))                                                            \
    RAISE(CAUSE_CP0_DISABLED, cpu->excvaddr)

/* `assign` takes the value */
#define LOAD(size, pages, low, type, address, assign)                                              \
    do {                                                                                           \
        uint32_t ad = (address), value;                                                            \
        uint32_t page = rotate_right(ad - MAP_BASE, low) >> (MAP_PAGE_SHIFT - low);                \
        uintptr_t host;                                                                            \
        if (likely(page < pages) && likely(host = c->rd[page])) {                                  \
            value = *(const type *)(host + ad);                                                    \
            assign;                                                                                \
            break;                                                                                 \
        }                                                                                          \
        SYNC();                                                                                    \
        if (!lx6_load(chip, index, ad, size, op->pc, &value))                                      \
            goto excepted;                                                                         \
        assign;                                                                                    \
        if (unlikely(c->attention))                                                                \
            goto leave_after;                                                                      \
    } while (0)
#define STORE(size, pages, low, type, address, value, then)                                        \
    do {                                                                                           \
        uint32_t ad = (address);                                                                   \
        uint32_t page = rotate_right(ad - MAP_BASE, low) >> (MAP_PAGE_SHIFT - low);                \
        uintptr_t host;                                                                            \
        if (likely(page < pages) && likely(host = c->wr[page])) {                                  \
            *(type *)(host + ad) = (type)(value);                                                  \
            then;                                                                                  \
            break;                                                                                 \
        }                                                                                          \
        SYNC();                                                                                    \
        if (!lx6_store(chip, index, ad, size, op->pc, value))                                      \
            goto excepted;                                                                         \
        then;                                                                                      \
        if (unlikely(c->attention))                                                                \
            goto leave_after;                                                                      \
    } while (0)
#define LOAD8(ad, as)        LOAD(1, NARROW_PAGES, 0, uint8_t, ad, as)
#define LOAD16(ad, as)       LOAD(2, NARROW_PAGES, 1, uint16_t, ad, as)
#define LOAD32(ad, as)       LOAD(4, MAP_PAGES, 2, uint32_t, ad, as)
#define STORE32(ad, v, then) STORE(4, MAP_PAGES, 2, uint32_t, ad, v, then)

#define BOOL(n)        ((cpu->br >> (n)) & 1)
#define SET_BOOL(n, v) (cpu->br = (cpu->br & ~(1u << (n))) | (uint32_t)(v) << (n))

static const lx6_handlers_t *execute(esp32_t *chip, int index)
{
#define PASS_R(first, second)    &&PASS_##first##_##second - &&base
#define PASS_T(first, second)    PASS_R(first, second)
#define PASS_NONE(first, second) 0
    /* clang-format off */
    static const lx6_handlers_t handlers = {
        .one = {
#define OP(name, regs) &&L_##name - &&base,
#include "opcodes.def"
#undef OP
        },
        .pair = {
#define PAIR(first, value_in, second)                                                              \
            [PAIR_##first##_##second] = {                                                          \
                &&PAIR_##first##_##second - &&base, PASS_##value_in(first, second),               \
                &&L_##first - &&base},
#include "pairs.def"
#undef PAIR
        },
    };
    /* clang-format on */
#undef PASS_R
#undef PASS_T
#undef PASS_NONE
    if (!chip)
        return &handlers;

    lx6_t *const cpu = &chip->state.core[index];
    lx6_cache_t *const c = chip->cache[index];
    uint32_t *a = lx6_a(cpu, 0);
    int32_t budget = c->budget;
    const op_t *op;
    op_t *link;
    block_t *block;

look_up: /* cpu->pc, by way of the table */
    if (likely(!c->flush)) {
        uint32_t slot = jump_slot(cpu->pc);
        if (likely(c->jump[slot].pc == cpu->pc) && likely(c->jump[slot].block))
            ENTER(cache_block(c, c->jump[slot].block));
    }
    block = cache_block(c, lx6_block_at(chip, index, cpu->pc));
    ENTER(block);

make_link: { /* from link (its imm is the target) */
    uint32_t generation = c->generation;
    uint32_t unit = lx6_block_at(chip, index, cpu->pc = link->imm);
    if (c->generation == generation)
        link->pc = unit;
    ENTER(cache_block(c, unit));
}

enter_slowly: { /* the budget ends inside `block`, or it reaches above the free window */
    cpu->pc = block->pc;
    if (budget <= 0)
        goto out;
    if (block->window > c->room) {
        uint32_t unit = lx6_partial_block(chip, index, cpu->pc, c->room);
        if (!unit) {
            budget--;
            lx6_window_overflow(chip, index, cpu->pc);
            a = lx6_a(cpu, 0);
            goto look_up;
        }
        block = cache_block(c, unit);
    }
    if (budget < block->count)
        lx6_cut(chip, index, block, (uint32_t)budget);
    budget -= block->count;
    op = block->op;
    DISPATCH();
}

excepted: /* lx6_raise() has set the pc; the instruction counts */
    budget += op->left - 1;
    a = lx6_a(cpu, 0);
    goto look_up;

leave_after: /* this instruction is done, the rest of the block is not */
    budget += op->left - 1;
    cpu->pc = next_pc(chip, index, op->pc);
    goto out;

check_interrupt: /* an operation that ends its block may have let one through */
    if (unlikely(c->attention) || unlikely(lx6_interrupt_pending(cpu))) {
        budget += op->left - 1;
        cpu->pc = op[1].imm;
        if (loop_back(cpu, cpu->pc))
            cpu->pc = cpu->lbeg;
        goto out;
    }
    NEXT();

base:
#include "exec_pairs.h"

    DO(ADDX2, A(r) = (A(s) << 1) + A(t))
    DO(ADDX8, A(r) = (A(s) << 3) + A(t))
    DO(SUBX2, A(r) = (A(s) << 1) - A(t))
    DO(SUBX4, A(r) = (A(s) << 2) - A(t))
    DO(SUBX8, A(r) = (A(s) << 3) - A(t))
    DO(AND, A(r) = A(s) & A(t))
    DO(OR, A(r) = A(s) | A(t))
    DO(XOR, A(r) = A(s) ^ A(t))
    DO(NEG, A(r) = 0 - A(t))
    DO(ABS, uint32_t v = A(t); A(r) = SIGNED(v) < 0 ? 0 - v : v)
    DO(MOVEQZ, if (!A(t)) A(r) = A(s))
    DO(MOVNEZ, if (A(t)) A(r) = A(s))
    DO(MOVLTZ, if (SIGNED(A(t)) < 0) A(r) = A(s))
    DO(MOVGEZ, if (SIGNED(A(t)) >= 0) A(r) = A(s))
    DO(MIN, A(r) = SIGNED(A(s)) < SIGNED(A(t)) ? A(s) : A(t))
    DO(MAX, A(r) = SIGNED(A(s)) > SIGNED(A(t)) ? A(s) : A(t))
    DO(MINU, A(r) = A(s) < A(t) ? A(s) : A(t))
    DO(MAXU, A(r) = A(s) > A(t) ? A(s) : A(t))
    DO(NSA, A(t) = nsa(A(s)))
    DO(NSAU, A(t) = A(s) ? (uint32_t)__builtin_clz(A(s)) : 32)
    DO(SEXT, A(r) = (uint32_t)(SIGNED(A(s) << (31 - op->imm)) >> (31 - op->imm)))
    DO(CLAMPS, A(r) = clamps(A(s), op->imm))

    DO(SLLI, A(r) = op->t < 32 ? A(s) << op->t : 0)
    DO(SRLI, A(r) = A(t) >> op->s)
    DO(SRAI, A(r) = (uint32_t)(SIGNED(A(t)) >> op->s))
    DO(SLL, A(r) = (uint32_t)((uint64_t)A(s) << 32 >> cpu->sar))
    DO(SRL, A(r) = cpu->sar < 32 ? A(t) >> cpu->sar : 0)
    DO(SRA, A(r) = (uint32_t)(SIGNED(A(t)) >> (cpu->sar < 32 ? cpu->sar : 31)))
    DO(SRC, A(r) = (uint32_t)(((uint64_t)A(s) << 32 | A(t)) >> cpu->sar))
    DO(SSR, cpu->sar = A(s) & 31)
    DO(SSL, cpu->sar = 32 - (A(s) & 31))
    DO(SSA8L, cpu->sar = (A(s) & 3) << 3)
    DO(SSA8B, cpu->sar = 32 - ((A(s) & 3) << 3))
    DO(SSAI, cpu->sar = op->imm)

    DO(MUL16U, A(r) = (A(s) & 0xFFFF) * (A(t) & 0xFFFF))
    DO(MUL16S, A(r) = (uint32_t)((int32_t)(int16_t)A(s) * (int16_t)A(t)))
    DO(MULL, A(r) = A(s) * A(t))
    DO(MULUH, A(r) = (uint32_t)((uint64_t)A(s) * A(t) >> 32))
    DO(MULSH, A(r) = (uint32_t)((uint64_t)((int64_t)SIGNED(A(s)) * SIGNED(A(t))) >> 32))
L_QUOU:
    if (unlikely(!A(t)))
        RAISE(CAUSE_DIVIDE_BY_ZERO, cpu->excvaddr);
    A(r) = A(s) / A(t);
    NEXT();
L_REMU:
    if (unlikely(!A(t)))
        RAISE(CAUSE_DIVIDE_BY_ZERO, cpu->excvaddr);
    A(r) = A(s) % A(t);
    NEXT();
L_QUOS:
    if (unlikely(!A(t)))
        RAISE(CAUSE_DIVIDE_BY_ZERO, cpu->excvaddr);
    A(r) = A(t) == 0xFFFFFFFF ? 0 - A(s) : (uint32_t)(SIGNED(A(s)) / SIGNED(A(t)));
    NEXT();
L_REMS:
    if (unlikely(!A(t)))
        RAISE(CAUSE_DIVIDE_BY_ZERO, cpu->excvaddr);
    A(r) = A(t) == 0xFFFFFFFF ? 0 : (uint32_t)(SIGNED(A(s)) % SIGNED(A(t)));
    NEXT();
L_MAC16: {
    uint32_t address;
    if (mac16_loads(op->imm, a, &address)) {
        uint32_t value;
        SYNC();
        if (!lx6_load(chip, index, address, 4, op->pc, &value))
            goto excepted;
        mac16_execute(cpu, a, op->imm);
        mac16_load(cpu, a, op->imm, address, value);
    } else {
        mac16_execute(cpu, a, op->imm);
    }
    NEXT();
}

    DO(ANDB, SET_BOOL(op->r, BOOL(op->s) & BOOL(op->t)))
    DO(ANDBC, SET_BOOL(op->r, BOOL(op->s) & ~BOOL(op->t) & 1))
    DO(ORB, SET_BOOL(op->r, BOOL(op->s) | BOOL(op->t)))
    DO(ORBC, SET_BOOL(op->r, BOOL(op->s) | (~BOOL(op->t) & 1)))
    DO(XORB, SET_BOOL(op->r, BOOL(op->s) ^ BOOL(op->t)))
    DO(ANY4, SET_BOOL(op->t, (cpu->br >> (op->s & 12) & 15) != 0))
    DO(ALL4, SET_BOOL(op->t, (cpu->br >> (op->s & 12) & 15) == 15))
    DO(ANY8, SET_BOOL(op->t, (cpu->br >> (op->s & 8) & 255) != 0))
    DO(ALL8, SET_BOOL(op->t, (cpu->br >> (op->s & 8) & 255) == 255))
    DO(MOVF, if (!BOOL(op->t)) A(r) = A(s))
    DO(MOVT, if (BOOL(op->t)) A(r) = A(s))

L_L16UI:
    LOAD16(A(s) + op->imm, A(t) = value);
    NEXT();
L_L16SI:
    LOAD16(A(s) + op->imm, A(t) = (uint32_t)(int32_t)(int16_t)value);
    NEXT();
L_L32R:
    LOAD32(op->imm, A(t) = value);
    NEXT();
L_S8I:
    STORE(1, NARROW_PAGES, 0, uint8_t, A(s) + op->imm, A(t), );
    NEXT();
L_S16I:
    STORE(2, NARROW_PAGES, 1, uint16_t, A(s) + op->imm, A(t), );
    NEXT();
L_S32C1I: {
    uint32_t address = A(s) + op->imm, value;
    if (unlikely(address & 3)) /* the hardware aligns plain loads and stores only */
        RAISE(CAUSE_ALIGNMENT, address);
    SYNC();
    if (!lx6_load(chip, index, address, 4, op->pc, &value))
        goto excepted;
    if (value == cpu->scompare1 && !lx6_store(chip, index, address, 4, op->pc, A(t)))
        goto excepted;
    A(t) = value;
    if (unlikely(c->attention))
        goto leave_after;
    NEXT();
}

    BRANCH(BLTZ, SIGNED(A(s)) < 0)
    BRANCH(BGEZ, SIGNED(A(s)) >= 0)
    BRANCH(BEQI, SIGNED(A(s)) == lx6_b4const[op->r])
    BRANCH(BNEI, SIGNED(A(s)) != lx6_b4const[op->r])
    BRANCH(BLTI, SIGNED(A(s)) < lx6_b4const[op->r])
    BRANCH(BGEI, SIGNED(A(s)) >= lx6_b4const[op->r])
    BRANCH(BLTUI, A(s) < lx6_b4constu[op->r])
    BRANCH(BGEUI, A(s) >= lx6_b4constu[op->r])
    BRANCH(BEQ, A(s) == A(t))
    BRANCH(BLT, SIGNED(A(s)) < SIGNED(A(t)))
    BRANCH(BGE, SIGNED(A(s)) >= SIGNED(A(t)))
    BRANCH(BLTU, A(s) < A(t))
    BRANCH(BGEU, A(s) >= A(t))
    BRANCH(BANY, A(s) & A(t))
    BRANCH(BNONE, !(A(s) & A(t)))
    BRANCH(BALL, !(~A(s) & A(t)))
    BRANCH(BNALL, ~A(s) & A(t))
    BRANCH(BBC, !(A(s) >> (A(t) & 31) & 1))
    BRANCH(BBS, A(s) >> (A(t) & 31) & 1)
    BRANCH(BBCI, !(A(s) >> op->t & 1))
    BRANCH(BBSI, A(s) >> op->t & 1)
    BRANCH(BF, !BOOL(op->s))
    BRANCH(BT, BOOL(op->s))

L_J:
    FOLLOW(op);
L_CALL0:
    a[0] = op->imm;
    op++;
    FOLLOW(op);
L_CALL4:
    a[op->r * 4] = op->imm;
    cpu->ps = (cpu->ps & ~PS_CALLINC) | (uint32_t)op->r << PS_CALLINC_SHIFT;
    op++;
    FOLLOW(op);
L_CALLX0: {
    uint32_t target = A(s);
    a[0] = op->imm;
    JUMP(target);
}
L_RET:
    JUMP(a[0]);
L_RETW: {
    uint32_t ret = a[0], n = ret >> 30, base = cpu->windowbase;
    uint32_t below = (cpu->windowstart | cpu->windowstart << 16) >> (base + 13) & 7;
    if (unlikely(!n) || unlikely((cpu->ps & (PS_WOE | PS_EXCM)) != PS_WOE) ||
        unlikely(below >> (3 - n) > 1) || unlikely(below && !(below >> (3 - n))))
        RAISE(CAUSE_ILLEGAL, cpu->excvaddr);
    lx6_set_windowbase(cpu, (base - n) & 15);
    a = lx6_a(cpu, 0);
    if (unlikely(!below)) { /* the caller's registers are in its stack frame */
        static const uint32_t vector[4] = {0, 0x40, 0xC0, 0x140};
        cpu->epc[1] = op->pc;
        cpu->ps = (cpu->ps & ~PS_OWB) | base << PS_OWB_SHIFT | PS_EXCM;
        cpu->pc = cpu->vecbase + vector[n];
        c->room = 3;
        goto look_up;
    }
    cpu->windowstart &= ~(1u << base);
    c->room = lx6_room(cpu);
    JUMP((op->pc & 0xC0000000) | (ret & 0x3FFFFFFF));
}
L_ENTRY: {
    uint32_t n = cpu->ps >> PS_CALLINC_SHIFT & 3;
    if (unlikely(op->s > 3) || unlikely((cpu->ps & (PS_WOE | PS_EXCM)) != PS_WOE))
        RAISE(CAUSE_ILLEGAL, cpu->excvaddr);
    if (unlikely(n > c->room)) {
        lx6_window_overflow(chip, index, op->pc);
        goto excepted;
    }
    a[n * 4 + op->s] = A(s) - op->imm;
    uint32_t base = (cpu->windowbase + n) & 15;
    lx6_set_windowbase(cpu, base);
    cpu->windowstart |= 1u << base;
    a = lx6_a(cpu, 0);
    c->room = lx6_room(cpu);
    if (unlikely(op->r > c->room)) { /* what follows reaches above the free window */
        budget += op->left - 1;
        cpu->pc = op->pc + 3;
        goto look_up;
    }
    NEXT();
}
L_MOVSP: {
    uint32_t below = (cpu->windowstart | cpu->windowstart << 16) >> (cpu->windowbase + 13) & 7;
    if (unlikely(!below))
        RAISE(CAUSE_ALLOCA, cpu->excvaddr);
    A(t) = A(s);
    NEXT();
}
L_ROTW:
    lx6_set_windowbase(cpu, (cpu->windowbase + op->imm) & 15);
    a = lx6_a(cpu, 0);
    c->room = lx6_room(cpu);
    NEXT();
L_LOOP:
    cpu->lcount = A(s) - 1;
    cpu->lbeg = op[1].imm;
    cpu->lend = op->imm;
    NEXT();
L_LOOPNEZ:
    cpu->lcount = A(s) - 1;
    cpu->lbeg = op[1].imm;
    cpu->lend = op->imm;
    if (!A(s))
        JUMP(op->imm);
    NEXT();
L_LOOPGTZ:
    cpu->lcount = A(s) - 1;
    cpu->lbeg = op[1].imm;
    cpu->lend = op->imm;
    if (SIGNED(A(s)) <= 0)
        JUMP(op->imm);
    NEXT();

L_RSR:
    SYNC();
    if (unlikely(!lx6_sr_read(chip, index, op->imm, &A(t))))
        RAISE(CAUSE_ILLEGAL, cpu->excvaddr);
    NEXT();
L_RSR_CCOUNT:
    SYNC();
    A(t) = lx6_ccount(chip, index);
    NEXT();
L_WSR:
    SYNC();
    if (unlikely(!lx6_sr_write(chip, index, op->imm, A(t))))
        RAISE(CAUSE_ILLEGAL, cpu->excvaddr);
    goto special_written;
L_XSR: {
    uint32_t old, value = A(t);
    SYNC();
    if (unlikely(!lx6_sr_read(chip, index, op->imm, &old)) ||
        unlikely(!lx6_sr_write(chip, index, op->imm, value)))
        RAISE(CAUSE_ILLEGAL, cpu->excvaddr);
    A(t) = old;
}
special_written:
    /* those that do not end the block (insn->ends) have nothing to look after */
    a = lx6_a(cpu, 0);
    if (op->r)
        goto check_interrupt;
    NEXT();
L_RUR:
    if (op->imm == UR_FCR || op->imm == UR_FSR)
        NEED_FPU();
    if (unlikely(!lx6_ur_read(cpu, op->imm, &A(r))))
        RAISE(CAUSE_ILLEGAL, cpu->excvaddr);
    NEXT();
L_WUR:
    if (op->imm == UR_FCR || op->imm == UR_FSR)
        NEED_FPU();
    if (unlikely(!lx6_ur_write(cpu, op->imm, A(t))))
        RAISE(CAUSE_ILLEGAL, cpu->excvaddr);
    NEXT();
L_RSIL: {
    uint32_t old = cpu->ps;
    cpu->ps = (cpu->ps & ~PS_INTLEVEL) | op->s;
    A(t) = old;
    goto check_interrupt;
}
L_WAITI:
    cpu->ps = (cpu->ps & ~PS_INTLEVEL) | op->s;
    cpu->waiting = true;
    budget += op->left - 1;
    cpu->pc = op[1].imm;
    if (loop_back(cpu, cpu->pc))
        cpu->pc = cpu->lbeg;
    goto out;
L_RFE:
    cpu->ps &= ~PS_EXCM;
    cpu->pc = cpu->epc[1];
    goto returned;
L_RFDE:
    cpu->pc = cpu->depc;
    goto returned;
L_RFI:
    if (unlikely(op->s < 2 || op->s > 7))
        RAISE(CAUSE_ILLEGAL, cpu->excvaddr);
    cpu->ps = cpu->eps[op->s];
    cpu->pc = cpu->epc[op->s];
    goto returned;
L_RFWO:
    cpu->windowstart &= ~(1u << cpu->windowbase);
    goto window_returned;
L_RFWU:
    cpu->windowstart |= 1u << cpu->windowbase;
window_returned:
    lx6_set_windowbase(cpu, (cpu->ps & PS_OWB) >> PS_OWB_SHIFT);
    a = lx6_a(cpu, 0);
    cpu->ps &= ~PS_EXCM;
    cpu->pc = cpu->epc[1];
returned:
    c->room = lx6_room(cpu);
    if (unlikely(lx6_interrupt_pending(cpu)))
        goto out;
    goto look_up;
L_SYSCALL:
    RAISE(CAUSE_SYSCALL, cpu->excvaddr);
L_BREAK: /* no debugger on the JTAG: BREAK goes to the level-6 vector when that is above us */
    SYNC();
    lx6_debug_break(chip, index, op->pc);
    goto excepted;
L_ISYNC:
    goto check_interrupt;
    DO(RER, A(t) = 0)
    DO(WER, )
    DO(TLB_READ, A(t) = 0)
L_ILL:
    SYNC();
    lx6_report_illegal(chip, index, op->pc);
    RAISE(CAUSE_ILLEGAL, cpu->excvaddr);

#include "exec_fpu.h"

L_P_FALL:
    FOLLOW(op);
L_P_LOOPEND:
    if (loop_back(cpu, op->imm))
        JUMP(cpu->lbeg);
    FOLLOW(op);
L_P_ROM: {
    SYNC();
    int32_t cost = (int32_t)rom_call(chip, index, (uint32_t)(budget + 1 > 1 ? budget + 1 : 1));
    budget -= cost - 1;
    a = lx6_a(cpu, 0);
    c->room = lx6_room(cpu);
    if (unlikely(c->attention) || unlikely(lx6_interrupt_pending(cpu)))
        goto out;
    goto look_up;
}
L_P_FETCH:
    SYNC();
    lx6_raise(chip, index, CAUSE_IFETCH_PROHIBITED, op->pc, op->pc);
    goto excepted;
L_P_BREAK:
    if (c->resume_pc != op->pc) {
        budget += op->left;
        cpu->pc = op->pc;
        chip->stop_reasons |= ESP32_STOP_BREAK;
        goto out;
    }
    c->resume_pc = 0;
    NEXT();
L_P_CUT: /* or the block was entered anew, with a larger budget than what it was cut for */
    budget += op->left;
    cpu->pc = c->cut.pc;
    lx6_heal(c);
    if (budget > 0) {
        budget -= op->left;
        DISPATCH();
    }
    goto out;
L_P_HEAT:
    block = block_of(op);
    if (--block->heat)
        DISPATCH_TO(block->first);
    block->op->handler = jit_compile(c, block) ? handlers.one[OP_P_NATIVE] : block->first;
    DISPATCH();
L_P_NATIVE: {
    leave_t left = jit_run(cpu, c, block_of(op), budget);
    budget = c->budget;
    a = lx6_a(cpu, 0);
    switch ((enum leave)left.how) {
    case LEAVE_FIRST: op = left.where; DISPATCH_TO(block_of(op)->first);
    case LEAVE_AT_OP: op = left.where; DISPATCH();
    case LEAVE_FOLLOW: op = left.where; FOLLOW(op);
    case LEAVE_ENTER: block = (block_t *)(uintptr_t)left.where; goto enter_slowly;
    case LEAVE_LOOK_UP: goto look_up;
    }
}

out:
    c->budget = budget;
    return NULL;
}

const lx6_handlers_t *lx6_handlers(void)
{
    return execute(NULL, 0);
}

uint32_t lx6_run(esp32_t *chip, int index, uint32_t cycles)
{
    lx6_t *cpu = &chip->state.core[index];
    lx6_cache_t *c = chip->cache[index];
    c->cycles = cycles;
    c->budget = (int32_t)cycles;
    c->attention = false;
    c->room = lx6_room(cpu);
    chip->running_core = index;
    c->stall = 0;
    if (lx6_interrupt_pending(cpu))
        lx6_take_interrupt(chip, index);
    c->budget -= c->stall;
    if (!cpu->waiting)
        execute(chip, index);
    uint32_t done = (uint32_t)((int32_t)cycles - c->budget);
    cpu->tick += (uint64_t)done * chip->state.ticks_per_cycle;
    cpu->instructions += done - (uint32_t)c->stall;
    chip->running_core = -1;
    return done;
}

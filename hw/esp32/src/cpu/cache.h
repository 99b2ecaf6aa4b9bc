/* Translated code of one core: blocks of pre-decoded operations, and page tables.
 *
 * Nothing here is machine state: a chip whose caches are dropped at any moment runs on bit for
 * bit the same. That holds because a run stops after an exact number of instructions: where the
 * budget ends inside a block, it is cut there (cut.c). */
#ifndef CACHE_H
#define CACHE_H

#include "../chip.h"
#include "decode.h"

/* One operation, 16 bytes. Conditional branches carry on into the same block when not taken,
 * so a block is a straight line with side exits. */
typedef struct {
    int32_t handler; /* offset of the handler's label, see exec.c */
    uint8_t r, s, t;
    uint8_t left; /* instructions of the block from this one to the end */
    uint32_t imm;
    uint32_t pc; /* of the instruction; in a branch or jump: link, an index into the arena */
} op_t;

typedef struct {
    uint32_t pc;
    uint16_t count;  /* instructions */
    uint8_t window;  /* highest register group touched before an ENTRY, 0..3 */
    uint8_t heat;    /* how often it runs before it becomes code of the host's, see jit.h .. */
    uint64_t native; /* .. and where that is */
    uint32_t end;    /* pc behind the last instruction */
    int32_t first;   /* handler of the first operation, whatever stands there for now */
    uint32_t units;  /* of the arena */
    uint32_t ops;    /* operations, pseudo ones included; behind them their opcodes, a byte each */
    op_t op[];
} block_t;
_Static_assert(sizeof(block_t) == 2 * sizeof(op_t), "operations lie on units of the arena");

#define BLOCK_MOST    48         /* instructions */
#define BLOCK_HEAT    16         /* runs of a block after which it is worth being translated */
#define ARENA_UNITS   (1u << 19) /* of 16 bytes: 8 MB a core at most, touched as used */
#define JUMP_SLOTS    (1u << 16)
#define PARTIAL_SLOTS (1u << 14)
#define LEND_SLOTS    1024u

/* The page tables have room for all that `rotate_right(address - MAP_BASE, 2) >> 10` can be, so
 * that code needs no check of its range: what was never used takes no memory. */
#define TABLE_PAGES (1u << 22)

struct lx6_cache {
    /* host address of guest byte 0 of each page (pointer minus guest address), 0 when there is
     * no plain memory to read (write); pages that hold translated code are not in `wr` */
    uintptr_t rd[TABLE_PAGES];
    uintptr_t wr[TABLE_PAGES];

    uint32_t room;   /* register groups above the current one that are free: 0..3 */
    bool attention;  /* leave the interpreter after this instruction */
    bool flush;      /* drop all blocks before the next one is looked up */
    uint32_t cycles; /* of the slice in hand */
    int32_t budget;  /* of them left; exact while outside the interpreter loop */
    int32_t stall;   /* of them lost to waiting for memory: no instructions */
    struct {
        uint32_t pc;
        uint32_t block; /* arena index, 0: free */
    } jump[JUMP_SLOTS];
    uint64_t partial_key[PARTIAL_SLOTS];
    uint32_t partial_block[PARTIAL_SLOTS];
    uint32_t lend[LEND_SLOTS]; /* known loop ends, open addressing, 0 free */
    uint32_t lends;
    uint32_t arena_used;
    uint32_t generation; /* counts flushes: arena indices of an older one mean nothing */
    uint32_t resume_pc;  /* do not stop at the breakpoint here; 0: none */
    struct {
        block_t *block; /* NULL: none is cut */
        op_t *op;       /* what was replaced; its handler, the one before, and the block's first */
        int32_t handler, before, entry;
        uint32_t pc;
    } cut;
    struct jit *jit; /* NULL: all is interpreted */
    uint64_t native; /* of blocks that have no code */
    uint8_t heat;    /* of new blocks */
    /* unit 0 is never used: index 0 means none. Part of the struct, so that following a link
     * needs no load of its base */
    _Alignas(16) op_t arena[ARENA_UNITS];
};

/* Empty tables; NULL when memory is short. */
lx6_cache_t *lx6_cache_new(void);
void lx6_cache_free(lx6_cache_t *cache);

enum pair {
    NO_PAIR,
#define PAIR(first, value_in, second) PAIR_##first##_##second,
#include "pairs.def"
#undef PAIR
    PAIR_COUNT
};

/* Where exec.c does an operation, as offsets of labels. */
typedef struct {
    int32_t one[OP_COUNT];
    struct {
        int32_t plain;
        int32_t passing; /* the first's value is the second's operand s; 0: no such handler */
        int32_t first;   /* the first alone */
    } pair[PAIR_COUNT];
} lx6_handlers_t;

const lx6_handlers_t *lx6_handlers(void);

/* The block at `pc` (translated when needed); arena index, never 0. */
uint32_t lx6_block_at(esp32_t *chip, int index, uint32_t pc);
/* A block of instructions that stay within `room` register groups; 0 when not even the first
 * does. */
uint32_t lx6_partial_block(esp32_t *chip, int index, uint32_t pc, uint32_t room);
/* Instruction `instructions` of the block, counted from 0 and not its first, becomes a P_CUT, until
 * `lx6_heal`. One at a time: the one before is healed. */
void lx6_cut(esp32_t *chip, int index, block_t *block, uint32_t instructions);
void lx6_heal(lx6_cache_t *cache);
/* Bytes of the instruction at `pc`, where one can be fetched. */
uint32_t lx6_length(esp32_t *chip, int index, uint32_t pc);
/* A loop may end at `lend`: from now on blocks end there. */
void lx6_note_lend(esp32_t *chip, int index, uint32_t lend);

static inline uint32_t jump_slot(uint32_t pc)
{
    return (pc ^ (pc >> 14)) & (JUMP_SLOTS - 1);
}

static inline block_t *cache_block(lx6_cache_t *cache, uint32_t unit)
{
    return (block_t *)(void *)&cache->arena[unit];
}

static inline block_t *block_of(const op_t *first)
{
    return (block_t *)(void *)((char *)(uintptr_t)first - offsetof(block_t, op));
}

static inline uint8_t *block_codes(block_t *block)
{
    return (uint8_t *)&block->op[block->ops];
}

/* --- exception.c -------------------------------------------------------------------- */

/* Take the pending interrupt if there is one above the current level. */
bool lx6_take_interrupt(esp32_t *chip, int index);
/* Is an enabled interrupt pending above the current level? */
bool lx6_interrupt_pending(const lx6_t *cpu);
/* Raise the window overflow for the nearest occupied group above (room + 1), at `pc`. */
void lx6_window_overflow(esp32_t *chip, int index, uint32_t pc);
/* BREAK: the debug exception, when level 6 is above the current one. Sets pc. */
void lx6_debug_break(esp32_t *chip, int index, uint32_t pc);
/* Tell the log of an instruction LX6 does not have. */
void lx6_report_illegal(esp32_t *chip, int index, uint32_t pc);
/* Put WINDOWBASE at `base`, keeping the mirror of the wrapped window. */
static inline void lx6_set_windowbase(lx6_t *cpu, uint32_t base)
{
    uint32_t old = cpu->windowbase;
    if (unlikely(old > 12))
        __builtin_memcpy(cpu->ar, cpu->ar + 64, (old - 12) * 16);
    if (unlikely(base > 12))
        __builtin_memcpy(cpu->ar + 64, cpu->ar, (base - 12) * 16);
    cpu->windowbase = base;
}
/* Free register groups above the current window (3 when overflow checks are off). */
static inline uint32_t lx6_room(const lx6_t *cpu)
{
    uint32_t ws = cpu->windowstart | cpu->windowstart << 16;
    if ((cpu->ps & (PS_WOE | PS_EXCM)) != PS_WOE)
        return 3;
    return (uint32_t)__builtin_ctz((ws >> (cpu->windowbase + 1) & 7) | 8);
}

#define SR_SCOMPARE1 12 /* the others are in special.c */
#define SR_PS        230
#define SR_PRID      235
#define PS_WRITABLE  0x00070F3Fu
#define PRID_PRO     0xCDCDu
#define PRID_APP     0xABABu

#define UR_THREADPTR 231
#define UR_FCR       232
#define UR_FSR       233
#define UR_F64R_LO   234
#define UR_F64R_HI   235
#define UR_F64S      236

/* --- special.c ---------------------------------------------------------------------- */

/* Special register access; false when LX6 has no such register. Writes with effects outside
 * the core (timers, interrupts) do them. */
bool lx6_sr_read(esp32_t *chip, int index, unsigned sr, uint32_t *value);
bool lx6_sr_write(esp32_t *chip, int index, unsigned sr, uint32_t value);
/* Where in lx6_t a special register is that can be read as a word; -1: it can't. */
ptrdiff_t lx6_sr_offset(unsigned sr);
bool lx6_ur_read(lx6_t *cpu, unsigned ur, uint32_t *value);
bool lx6_ur_write(lx6_t *cpu, unsigned ur, uint32_t value);

/* --- memory.c: what the fast path in exec.c does not do ----------------------------- */

/* Load or store of 1, 2 or 4 bytes anywhere. False when the access raised an exception. */
bool lx6_load(esp32_t *chip, int index, uint32_t addr, unsigned size, uint32_t pc, uint32_t *value);
bool lx6_store(esp32_t *chip, int index, uint32_t addr, unsigned size, uint32_t pc, uint32_t value);

#endif

/* Blocks as code of the host's own. What runs is the same bit for bit: `execute` in exec.c does
 * whatever is not translated, and goes on wherever such code leaves off. */
#ifndef JIT_H
#define JIT_H

#include "../cpu/cache.h"

/* How translated code has come to its end. */
enum leave {
    LEAVE_AT_OP,   /* at an operation, which is for the interpreter .. */
    LEAVE_FIRST,   /* .. in place of what stands in its block's first */
    LEAVE_FOLLOW,  /* at a branch that is taken, paid for: its link is to be made and followed */
    LEAVE_ENTER,   /* before a block that the budget or the window does not let in */
    LEAVE_LOOK_UP, /* at cpu->pc, where no block is known */
};

typedef struct {
    const void *where; /* op_t, or block_t for LEAVE_ENTER */
    uint64_t how;      /* enum leave */
} leave_t;

/* Memory for code, where the host can have it: x86-64. In the environment ESP32_JIT=0 has all
 * interpreted, ESP32_JIT=eager all translated at its first run (for tests). */
void jit_open(lx6_cache_t *cache);
void jit_close(lx6_cache_t *cache);
/* All code is void, as all blocks are. */
void jit_flush(lx6_cache_t *cache);
/* Translate what can be of a block that runs often. False when nothing can. Only
 * for a cache that has a JIT. */
bool jit_compile(lx6_cache_t *cache, block_t *block);
/* Run a block that was translated and paid for; the budget comes back in cache->budget. */
leave_t jit_run(lx6_t *cpu, lx6_cache_t *cache, const block_t *block, int32_t budget);

#endif

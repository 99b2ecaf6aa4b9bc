/* A block that ends early: the budget of a run is spent inside it.
 *
 * For that one time the operation behind the last instruction is replaced by a P_CUT, in place:
 * runs end in the middle of a block far too often to translate a shorter one each time. */
#include "cache.h"

/* The handler that does only the first of two operations when `handler` does both, else itself. */
static int32_t alone(int32_t handler)
{
    const lx6_handlers_t *handlers = lx6_handlers();
    for (int i = NO_PAIR + 1; i < PAIR_COUNT; i++) {
        int32_t plain = handlers->pair[i].plain, passing = handlers->pair[i].passing;
        if (plain == handler || (passing && passing == handler))
            return handlers->pair[i].first;
    }
    return handler;
}

/* Address of the instruction at `op`. A branch that is linked does not know its own: it is found
 * from what stands before it. */
static uint32_t address_of(esp32_t *chip, int index, const block_t *block, const op_t *op)
{
    const op_t *known = op;
    while (known > block->op && known->pc < MAP_BASE)
        known--;
    uint32_t pc = known == block->op ? block->pc : known->pc;
    for (uint32_t left = known->left; left > op->left; left--)
        pc += lx6_length(chip, index, pc);
    return pc;
}

void lx6_cut(esp32_t *chip, int index, block_t *block, uint32_t instructions)
{
    lx6_cache_t *c = chip->cache[index];
    lx6_heal(c);
    op_t *op = block->op + instructions; /* or behind it, as there are pseudo-operations */
    while (op->left != block->count - instructions)
        op++;
    c->cut.block = block;
    c->cut.entry = block->op->handler;
    block->op->handler = block->first;
    c->cut.op = op;
    c->cut.handler = op->handler;
    c->cut.before = op[-1].handler;
    c->cut.pc = address_of(chip, index, block, op);
    op->handler = lx6_handlers()->one[OP_P_CUT];
    op[-1].handler = alone(op[-1].handler);
}

void lx6_heal(lx6_cache_t *c)
{
    if (!c->cut.block)
        return;
    c->cut.op[-1].handler = c->cut.before;
    c->cut.op->handler = c->cut.handler;
    c->cut.block->op->handler = c->cut.entry;
    c->cut.block = NULL;
}

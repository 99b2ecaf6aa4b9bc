/* Translation of guest code into blocks, and their lookup. */
#include "cache.h"

#include <stdlib.h>
#include <string.h>

#include "../jit/jit.h"
#include "../rom/rom.h"

/* arena units before a block's first operation */
#define BLOCK_HEADER ((uint32_t)(sizeof(block_t) / sizeof(op_t)))
#define OPS_MOST     (2 * BLOCK_MOST + 4)

lx6_cache_t *lx6_cache_new(void)
{
    lx6_cache_t *c = calloc(1, sizeof *c); /* large: its pages are touched as they are used */
    if (c) {
        c->arena_used = 1;
        jit_open(c);
    }
    return c;
}

void lx6_cache_free(lx6_cache_t *cache)
{
    if (cache)
        jit_close(cache);
    free(cache);
}

void lx6_flush(esp32_t *chip, int index)
{
    lx6_cache_t *c = chip->cache[index];
    memset(c->jump, 0, sizeof c->jump);
    memset(c->partial_key, 0, sizeof c->partial_key);
    memset(c->partial_block, 0, sizeof c->partial_block);
    c->cut.block = NULL;
    jit_flush(c);
    c->arena_used = 1;
    c->flush = false;
    c->generation++;
}

static bool is_lend(const lx6_cache_t *c, uint32_t pc)
{
    for (uint32_t i = (pc * 2654435761u) >> 22;; i = (i + 1) & (LEND_SLOTS - 1)) {
        if (c->lend[i] == pc)
            return true;
        if (!c->lend[i])
            return false;
    }
}

void lx6_note_lend(esp32_t *chip, int index, uint32_t lend)
{
    lx6_cache_t *c = chip->cache[index];
    if (!lend || is_lend(c, lend))
        return;
    if (c->lends >= LEND_SLOTS * 3 / 4) { /* start over: the ends still in use come back */
        memset(c->lend, 0, sizeof c->lend);
        c->lends = 0;
        c->flush = true;
    }
    uint32_t i = (lend * 2654435761u) >> 22;
    while (c->lend[i])
        i = (i + 1) & (LEND_SLOTS - 1);
    c->lend[i] = lend;
    c->lends++;
    /* a block that runs across the new end would miss the loop's way back */
    for (uint32_t unit = 1; unit < c->arena_used;) {
        const block_t *b = cache_block(c, unit);
        if (b->pc < lend && lend <= b->end)
            c->flush = true;
        unit += b->units;
    }
}

/* Up to 3 bytes of code at `pc`; returns how many could be fetched. Marks RAM as code so that
 * stores to it drop the blocks. */
static unsigned fetch(esp32_t *chip, int index, uint32_t pc, uint8_t *bytes)
{
    unsigned have = 0;
    for (; have < 3; have++) {
        int rom = pc + have - ROM0_BASE < ROM0_SIZE ? rom_code(pc + have) : -1;
        if (rom >= 0)
            bytes[have] = (uint8_t)rom;
        else if (!bus_fetch(chip, index, pc + have, &bytes[have]))
            break;
    }
    return have;
}

/* What can be executed at all: the instruction bus's regions. */
static bool executable(uint32_t pc)
{
    return (pc >= ROM0_BASE && pc < IROM_END) ||
           (pc >= RTC_SLOW_BASE && pc < RTC_SLOW_BASE + RTC_SLOW_SIZE);
}

/* A block in the making, and the opcodes of its operations. */
typedef struct {
    block_t *block;
    uint8_t code[OPS_MOST];
} emitter_t;

static op_t *emit(emitter_t *m, enum opcode op)
{
    block_t *b = m->block;
    m->code[b->ops] = (uint8_t)op;
    op_t *o = &b->op[b->ops++];
    *o = (op_t){.handler = lx6_handlers()->one[op]};
    return o;
}

/* Let one handler do `o` and the operation behind it, when there is one for such a pair. */
static bool pair_up(op_t *o, enum opcode first, enum opcode second)
{
    enum place { NONE, R, T };
    static const uint8_t pair_of[OP_COUNT][OP_COUNT] = {
#define PAIR(first, value_in, second) [OP_##first][OP_##second] = PAIR_##first##_##second,
#include "pairs.def"
#undef PAIR
    };
    static const uint8_t value_in[PAIR_COUNT] = {
#define PAIR(first, value_in, second) [PAIR_##first##_##second] = value_in,
#include "pairs.def"
#undef PAIR
    };
    uint8_t pair = pair_of[first][second];
    if (!pair)
        return false;
    bool passes = value_in[pair] && (value_in[pair] == R ? o->r : o->t) == o[1].s;
    o->handler = passes ? lx6_handlers()->pair[pair].passing : lx6_handlers()->pair[pair].plain;
    return true;
}

static void emit_pseudo(emitter_t *m, enum opcode op, uint32_t pc)
{
    op_t *o = emit(m, op);
    o->imm = pc;
    if (op == OP_P_ROM || op == OP_P_FETCH || op == OP_P_BREAK)
        o->pc = pc;
}

static bool has_breakpoint(const esp32_t *chip, uint32_t pc)
{
    for (int i = 0; i < chip->breakpoints; i++)
        if (chip->breakpoint[i] == pc)
            return true;
    return false;
}

static void emit_insn(esp32_t *chip, int index, emitter_t *m, insn_t *insn, uint32_t pc)
{
    uint32_t next = pc + insn->length;
    uint32_t literal;
    if (insn->op == OP_L32R && bus_fetch_word(chip, index, insn->imm, &literal)) {
        insn->op = OP_MOVI;
        insn->imm = literal;
    }
    op_t *o = emit(m, insn->op);
    o->r = insn->r;
    o->s = insn->s;
    o->t = insn->t;
    o->imm = insn->imm;
    o->pc = pc;
    switch (insn->op) {
    case OP_CALL4:
        o->imm = (uint32_t)insn->r << 30 | ((pc + 3) & 0x3FFFFFFF);
        emit(m, OP_P_FALL)->imm = insn->imm; /* data: target and link */
        break;
    case OP_CALL0:
        o->imm = pc + 3;
        emit(m, OP_P_FALL)->imm = insn->imm;
        break;
    case OP_LOOP:
    case OP_LOOPNEZ:
    case OP_LOOPGTZ:
        lx6_note_lend(chip, index, insn->imm);
        emit(m, OP_P_FALL)->imm = pc + 3;
        break;
    case OP_J:
    case OP_BEQZ:
    case OP_BNEZ:
    case OP_BLTZ:
    case OP_BGEZ:
    case OP_BEQI:
    case OP_BNEI:
    case OP_BLTI:
    case OP_BGEI:
    case OP_BLTUI:
    case OP_BGEUI:
    case OP_BEQ:
    case OP_BNE:
    case OP_BLT:
    case OP_BGE:
    case OP_BLTU:
    case OP_BGEU:
    case OP_BANY:
    case OP_BNONE:
    case OP_BALL:
    case OP_BNALL:
    case OP_BBC:
    case OP_BBS:
    case OP_BBCI:
    case OP_BBSI:
    case OP_BF:
    case OP_BT:
        o->pc = 0; /* not linked yet */
        break;
    case OP_WSR:
    case OP_XSR:
        o->r = insn->ends; /* look for interrupts behind it */
        if (insn->ends)
            emit_pseudo(m, is_lend(chip->cache[index], next) ? OP_P_LOOPEND : OP_P_FALL, next);
        break;
    case OP_RET:
    case OP_RETW:
    case OP_JX: break;
    default:
        if (insn->ends) /* system operations go on behind themselves */
            emit_pseudo(m, is_lend(chip->cache[index], next) ? OP_P_LOOPEND : OP_P_FALL, next);
        break;
    }
}

/* Translate at `start`: instructions none of which (before an ENTRY) reaches above `room` groups.
 */
static uint32_t translate(esp32_t *chip, int index, uint32_t start, uint32_t room)
{
    lx6_cache_t *c = chip->cache[index];
    if (c->arena_used + BLOCK_HEADER + OPS_MOST + OPS_MOST / 16 + 1 > ARENA_UNITS)
        lx6_flush(chip, index);
    uint32_t unit = c->arena_used;
    block_t *b = cache_block(c, unit);
    *b = (block_t){.pc = start, .heat = c->heat, .native = c->native};
    emitter_t making = {.block = b};

    uint32_t pc = start;
    op_t *entry = NULL;             /* its r collects what the new window needs */
    op_t *single = NULL;            /* may yet become the first of a pair .. */
    enum opcode single_op = OP_ILL; /* .. and which operation it is */
    for (;;) {
        uint8_t bytes[3];
        insn_t insn;
        if (b->count && is_lend(c, pc)) {
            emit_pseudo(&making, OP_P_LOOPEND, pc);
            break;
        }
        if (b->count == BLOCK_MOST) {
            emit_pseudo(&making, OP_P_FALL, pc);
            break;
        }
        if (chip->breakpoints && has_breakpoint(chip, pc)) {
            if (b->count)
                emit_pseudo(&making, OP_P_FALL, pc);
            else
                emit_pseudo(&making, OP_P_BREAK, pc);
            if (b->count)
                break;
        }
        if (pc - ROM0_BASE < ROM0_SIZE && rom_code(pc) < 0) {
            if (b->count) {
                emit_pseudo(&making, OP_P_FALL, pc);
            } else {
                emit_pseudo(&making, OP_P_ROM, pc);
                b->count = 1;
            }
            break;
        }
        unsigned have = executable(pc) ? fetch(chip, index, pc, bytes) : 0;
        bool narrow = have && (bytes[0] & 15) >= 8 && (bytes[0] & 15) < 14;
        if (have < (narrow ? 2u : 3u)) {
            if (b->count) {
                emit_pseudo(&making, OP_P_FALL, pc);
            } else {
                emit_pseudo(&making, OP_P_FETCH, pc);
                b->count = 1;
            }
            break;
        }
        lx6_decode(pc, bytes, &insn);
        if (entry) {
            if (insn.window > entry->r)
                entry->r = insn.window;
        } else if (insn.window > room) {
            if (!b->count)
                return 0;
            emit_pseudo(&making, OP_P_FALL, pc);
            break;
        } else if (insn.window > b->window) {
            b->window = insn.window;
        }
        uint32_t first = b->ops;
        emit_insn(chip, index, &making, &insn, pc);
        if (single && &b->op[first] == single + 1 && pair_up(single, single_op, insn.op)) {
            single = NULL;
        } else {
            single = &b->op[first];
            single_op = insn.op;
        }
        b->op[first].left = (uint8_t)b->count; /* turned round below */
        b->count++;
        if (insn.op == OP_ENTRY) {
            entry = &b->op[first];
            entry->r = 0;
        }
        pc += insn.length;
        if (insn.ends)
            break;
    }
    b->end = pc;
    for (uint32_t i = 0; i < b->ops; i++)
        b->op[i].left = (uint8_t)(b->count - b->op[i].left);
    memcpy(block_codes(b), making.code, b->ops);
    b->first = b->op->handler;
    if (c->jit)
        b->op->handler = lx6_handlers()->one[OP_P_HEAT];
    b->units = BLOCK_HEADER + b->ops + (b->ops + 15) / 16;
    c->arena_used += b->units;
    return unit;
}

/* Coverage: code has been reached at `pc`. */
static void note_block(esp32_t *chip, uint32_t pc)
{
    uint32_t at = pc - IRAM_BASE;
    if (at >= IROM_END - IRAM_BASE || chip->block_seen[at / 8] >> (at % 8) & 1)
        return;
    chip->block_seen[at / 8] |= (uint8_t)(1u << (at % 8));
    chip->blocks_seen++;
}

uint32_t lx6_block_at(esp32_t *chip, int index, uint32_t pc)
{
    lx6_cache_t *c = chip->cache[index];
    if (c->flush)
        lx6_flush(chip, index);
    uint32_t slot = jump_slot(pc);
    if (c->jump[slot].pc == pc && c->jump[slot].block)
        return c->jump[slot].block;
    uint32_t unit = translate(chip, index, pc, 3);
    if (c->flush) { /* the block itself closed a loop over an older one */
        lx6_flush(chip, index);
        unit = translate(chip, index, pc, 3);
    }
    c->jump[slot].pc = pc;
    c->jump[slot].block = unit;
    note_block(chip, pc);
    return unit;
}

uint32_t lx6_partial_block(esp32_t *chip, int index, uint32_t pc, uint32_t room)
{
    lx6_cache_t *c = chip->cache[index];
    uint64_t key = (uint64_t)pc << 4 | room | 8;
    uint32_t slot = (uint32_t)((key * 0x9E3779B97F4A7C15ull) >> 50);
    if (c->partial_key[slot] == key)
        return c->partial_block[slot];
    uint32_t unit = translate(chip, index, pc, room);
    if (c->flush) {
        lx6_flush(chip, index);
        unit = translate(chip, index, pc, room);
    }
    c->partial_key[slot] = key;
    c->partial_block[slot] = unit;
    return unit;
}

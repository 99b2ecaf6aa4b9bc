/* tinfl_decompress() of the ROM (miniz): the flasher stub of esptool calls it.
 *
 * Its `struct tinfl_decompressor` is some 11 KB of the caller's, whose first word the caller sets
 * to zero for a fresh start. What stands in it otherwise is ours. */
#include <string.h>

#include "call.h"
#include "inflate.h"

#define FLAG_ZLIB_HEADER  1u
#define FLAG_NON_WRAPPING 4u
#define BAD_PARAM         ((uint32_t) - 3)
#define CYCLES_A_BYTE     30u

typedef struct {
    uint32_t begun; /* the first word, m_state */
    inflate_t inflate;
} tinfl_t;

typedef struct {
    rom_call_t *call;
    uint32_t start, next, size; /* of the output buffer, and bytes of room */
    bool wraps;
} output_t;

static bool put(void *context, uint8_t byte)
{
    output_t *o = context;
    if (!o->size || !rom_store(o->call, o->next, &byte, 1))
        return false;
    o->next++;
    o->size--;
    return true;
}

static bool back(void *context, uint32_t distance, uint8_t *byte)
{
    output_t *o = context;
    uint32_t from = o->next - distance;
    if (distance > o->next - o->start) {
        if (!o->wraps || distance > o->next - o->start + o->size)
            return false;
        from += o->next - o->start + o->size;
    }
    return rom_load(o->call, from, byte, 1);
}

/* tinfl_decompress(state, in, &in size, out start, out next, &out size, flags) */
void rom_tinfl_decompress(rom_call_t *c)
{
    static const inflate_t fresh;
    tinfl_t t;
    uint32_t state = rom_arg(c, 0), in = rom_arg(c, 1), in_left, room, flags = rom_arg(c, 6);
    if (!rom_load(c, state, &t, sizeof t) || !rom_load32(c, rom_arg(c, 2), &in_left) ||
        !rom_load32(c, rom_arg(c, 5), &room))
        return;
    if (!t.begun)
        t.inflate = fresh;
    t.begun = 1;
    output_t out = {c, rom_arg(c, 3), rom_arg(c, 4), room, !(flags & FLAG_NON_WRAPPING)};
    uint32_t whole = out.next - out.start + room, taken = 0;
    if (t.inflate.size > INFLATE_INPUT || t.inflate.at > t.inflate.size || t.inflate.bit > 7 ||
        out.next < out.start || (out.wraps && whole & (whole - 1))) {
        rom_return(c, BAD_PARAM);
        return;
    }
    const inflate_sink_t sink = {&out, put, back};
    enum inflate_result result;
    do {
        uint8_t chunk[256];
        uint32_t n = in_left - taken < sizeof chunk ? in_left - taken : sizeof chunk;
        if (!rom_load(c, in + taken, chunk, n))
            return;
        n = inflate_feed(&t.inflate, chunk, n);
        taken += n;
        result = inflate_run(&t.inflate, &sink, flags & FLAG_ZLIB_HEADER);
        if (!n)
            break;
    } while (result == INFLATE_NEEDS_INPUT);
    c->cost = 100 + (room - out.size) * CYCLES_A_BYTE;
    if (rom_store(c, state, &t, sizeof t) && rom_store32(c, rom_arg(c, 2), taken) &&
        rom_store32(c, rom_arg(c, 5), room - out.size))
        rom_return(c, (uint32_t)result);
}

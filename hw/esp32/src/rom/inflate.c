/* A stretch that cannot be read to its end leaves the position where it was: a block's header or
 * one symbol is decoded again from its first bit when more input has come. */
#include "inflate.h"

#include <string.h>

enum phase { HEADER, BLOCK, STORED, SYMBOLS, MATCH, TRAILER, DONE, BROKEN };

#define ADLER_BASE   65521u
#define END_OF_BLOCK 256u
#define LENGTH_CODES 29u

uint32_t inflate_feed(inflate_t *s, const uint8_t *data, uint32_t size)
{
    memmove(s->input, s->input + s->at, s->size - s->at);
    s->size -= s->at;
    s->at = 0;
    uint32_t n = INFLATE_INPUT - s->size < size ? INFLATE_INPUT - s->size : size;
    memcpy(s->input + s->size, data, n);
    s->size += n;
    return n;
}

/* --- bits, least significant first ------------------------------------------------------------ */

static bool take(inflate_t *s, unsigned bits, uint32_t *value)
{
    uint32_t left = (s->size - s->at) * 8 - s->bit;
    if (left < bits)
        return false;
    *value = 0;
    for (unsigned n = 0; n < bits; n++) {
        *value |= (uint32_t)(s->input[s->at] >> s->bit & 1) << n;
        s->bit++;
        s->at += s->bit >> 3;
        s->bit &= 7;
    }
    return true;
}

static void align(inflate_t *s)
{
    s->at += s->bit != 0;
    s->bit = 0;
}

/* --- Huffman codes (RFC 1951, 3.2.2) ---------------------------------------------------------- */

/* False when the lengths make more codes than there is room for. */
static bool build(inflate_codes_t *codes, const uint8_t *lengths, unsigned n)
{
    uint16_t offset[16];
    int32_t left = 1;
    memset(codes, 0, sizeof *codes);
    for (unsigned i = 0; i < n; i++)
        codes->count[lengths[i]]++;
    codes->count[0] = 0;
    offset[1] = 0;
    for (unsigned length = 1; length < 16; length++) {
        left = left * 2 - codes->count[length];
        if (left < 0)
            return false;
        if (length < 15)
            offset[length + 1] = (uint16_t)(offset[length] + codes->count[length]);
    }
    for (unsigned i = 0; i < n; i++)
        if (lengths[i])
            codes->symbol[offset[lengths[i]]++] = (uint16_t)i;
    return true;
}

/* 1: a symbol; 0: more input needed; -1: no such code */
static int decode(inflate_t *s, const inflate_codes_t *codes, uint32_t *symbol)
{
    uint32_t code = 0, first = 0, index = 0, bit;
    for (unsigned length = 1; length < 16; length++) {
        if (!take(s, 1, &bit))
            return 0;
        code |= bit;
        uint32_t count = codes->count[length];
        if (code < first + count) {
            *symbol = codes->symbol[index + code - first];
            return 1;
        }
        index += count;
        first = (first + count) << 1;
        code <<= 1;
    }
    return -1;
}

static void fixed_codes(inflate_t *s)
{
    uint8_t lengths[288];
    memset(lengths, 8, 144);
    memset(lengths + 144, 9, 112);
    memset(lengths + 256, 7, 24);
    memset(lengths + 280, 8, 8);
    build(&s->literals, lengths, 288);
    memset(lengths, 5, 30);
    build(&s->distances, lengths, 30);
}

/* The codes of a dynamic block (3.2.7); the result as of decode(). */
static int dynamic_codes(inflate_t *s)
{
    static const uint8_t order[19] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                      11, 4,  12, 3, 13, 2, 14, 1, 15};
    static const uint8_t extra[3] = {2, 3, 7}, least[3] = {3, 3, 11};
    uint32_t literals, distances, sizes, value, symbol;
    uint8_t lengths[320] = {0};
    inflate_codes_t codes;
    if (!take(s, 5, &literals) || !take(s, 5, &distances) || !take(s, 4, &sizes))
        return 0;
    literals += 257;
    distances += 1;
    if (literals > 286 || distances > 30)
        return -1;
    for (unsigned i = 0; i < sizes + 4; i++) {
        if (!take(s, 3, &value))
            return 0;
        lengths[order[i]] = (uint8_t)value;
    }
    if (!build(&codes, lengths, 19))
        return -1;
    memset(lengths, 0, sizeof lengths);
    for (unsigned i = 0; i < literals + distances;) {
        int found = decode(s, &codes, &symbol);
        if (found <= 0)
            return found;
        if (symbol < 16) {
            lengths[i++] = (uint8_t)symbol;
            continue;
        }
        if (!take(s, extra[symbol - 16], &value))
            return 0;
        uint32_t repeat = value + least[symbol - 16];
        if (repeat > literals + distances - i || (symbol == 16 && !i))
            return -1;
        memset(lengths + i, symbol == 16 ? lengths[i - 1] : 0, repeat);
        i += repeat;
    }
    return lengths[END_OF_BLOCK] && build(&s->literals, lengths, literals) &&
                   build(&s->distances, lengths + literals, distances)
               ? 1
               : -1;
}

/* --- one stretch each; the result as of decode() ---------------------------------------------- */

static int header(inflate_t *s)
{
    uint32_t method, flags;
    if (!take(s, 8, &method) || !take(s, 8, &flags))
        return 0;
    s->phase = BLOCK;
    return (method & 15) == 8 && (method << 8 | flags) % 31 == 0 && !(flags & 0x20) ? 1 : -1;
}

static int block(inflate_t *s)
{
    uint32_t last, type, length, inverse;
    if (!take(s, 1, &last) || !take(s, 2, &type))
        return 0;
    s->last = last;
    s->phase = SYMBOLS;
    switch (type) {
    case 0:
        align(s);
        if (!take(s, 16, &length) || !take(s, 16, &inverse))
            return 0;
        s->length = length;
        s->phase = STORED;
        return length == (inverse ^ 0xFFFF) ? 1 : -1;
    case 1: fixed_codes(s); return 1;
    case 2: return dynamic_codes(s);
    default: return -1;
    }
}

/* A literal goes to `literal`, else it is 256 or more: the end of the block, or a match. */
static int symbol(inflate_t *s, uint32_t *literal)
{
    static const uint16_t length_base[LENGTH_CODES] = {3,  4,  5,  6,   7,   8,   9,   10,  11, 13,
                                                       15, 17, 19, 23,  27,  31,  35,  43,  51, 59,
                                                       67, 83, 99, 115, 131, 163, 195, 227, 258};
    static const uint8_t length_bits[LENGTH_CODES] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                                      2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
    uint32_t code, bits;
    int found = decode(s, &s->literals, literal);
    if (found <= 0 || *literal <= END_OF_BLOCK)
        return found;
    code = *literal - END_OF_BLOCK - 1;
    if (code >= LENGTH_CODES)
        return -1;
    if (!take(s, length_bits[code], &bits))
        return 0;
    s->length = length_base[code] + bits;
    found = decode(s, &s->distances, &code);
    if (found <= 0)
        return found;
    if (code >= 30)
        return -1;
    unsigned wide = code < 4 ? 0 : code / 2 - 1;
    if (!take(s, wide, &bits))
        return 0;
    s->distance = 1 + (code < 4 ? code : (2 + (code & 1)) << wide) + bits;
    s->phase = MATCH;
    return 1;
}

static int trailer(inflate_t *s, uint32_t *adler)
{
    uint32_t byte;
    align(s);
    *adler = 0;
    for (int i = 0; i < 4; i++) {
        if (!take(s, 8, &byte))
            return 0;
        *adler = *adler << 8 | byte;
    }
    return 1;
}

/* --- all of it -------------------------------------------------------------------------------- */

static bool put(inflate_t *s, const inflate_sink_t *sink, uint8_t byte)
{
    if (!sink->put(sink->context, byte))
        return false;
    s->adler_a = (s->adler_a + byte) % ADLER_BASE;
    s->adler_b = (s->adler_b + s->adler_a) % ADLER_BASE;
    return true;
}

static void end_of_block(inflate_t *s)
{
    s->phase = s->last ? TRAILER : BLOCK;
}

enum inflate_result inflate_run(inflate_t *s, const inflate_sink_t *sink, bool zlib)
{
    uint32_t value;
    uint8_t byte;
    for (;;) {
        uint32_t at = s->at, bit = s->bit, phase = s->phase;
        int found = 1;
        switch (s->phase) {
        case HEADER:
            s->adler_a = 1;
            s->adler_b = 0;
            if (zlib)
                found = header(s);
            else
                s->phase = BLOCK;
            break;
        case BLOCK: found = block(s); break;
        case STORED:
            if (!s->length)
                end_of_block(s);
            else if (s->at == s->size)
                return INFLATE_NEEDS_INPUT;
            else if (!put(s, sink, s->input[s->at]))
                return INFLATE_NEEDS_ROOM;
            else
                s->at++, s->length--;
            break;
        case SYMBOLS:
            found = symbol(s, &value);
            if (found <= 0 || value > END_OF_BLOCK)
                break;
            if (value == END_OF_BLOCK) {
                end_of_block(s);
            } else if (!put(s, sink, (uint8_t)value)) {
                s->at = at;
                s->bit = bit;
                return INFLATE_NEEDS_ROOM;
            }
            break;
        case MATCH:
            if (!sink->back(sink->context, s->distance, &byte)) {
                found = -1;
                break;
            }
            if (!put(s, sink, byte))
                return INFLATE_NEEDS_ROOM;
            if (!--s->length)
                s->phase = SYMBOLS;
            break;
        case TRAILER:
            if (zlib && !(found = trailer(s, &value)))
                break;
            s->phase = DONE;
            if (zlib && value != (s->adler_b << 16 | s->adler_a)) {
                s->phase = BROKEN;
                return INFLATE_BAD_ADLER;
            }
            break;
        case DONE: return INFLATE_DONE;
        default: return INFLATE_FAILED;
        }
        if (found < 0) {
            s->phase = BROKEN;
            return INFLATE_FAILED;
        }
        if (!found) {
            s->at = at;
            s->bit = bit;
            s->phase = phase;
            return INFLATE_NEEDS_INPUT;
        }
    }
}

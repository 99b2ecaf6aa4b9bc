/* MD5 and CRCs of the ROM (RFC 1321; CRC parameters as in ESP-IDF's rom/crc.h). */
#include "hash.h"

#include <string.h>

#include "call.h"

/* --- CRC: the caller's value is inverted on the way in and out ------------------------------- */

static void crc(rom_call_t *c, unsigned bits, uint32_t polynomial, bool little)
{
    uint32_t mask = bits == 32 ? 0xFFFFFFFFu : (1u << bits) - 1, top = 1u << (bits - 1);
    uint32_t value = ~rom_arg(c, 0) & mask, at = rom_arg(c, 1), size = rom_arg(c, 2);
    c->cost = 10 + size * 4;
    for (uint32_t run; size; at += run, size -= run) {
        const uint8_t *bytes = rom_span(c, at, &run);
        if (!bytes)
            return;
        if (run > size)
            run = size;
        for (uint32_t i = 0; i < run; i++) {
            value ^= little ? bytes[i] : (uint32_t)bytes[i] << (bits - 8);
            for (int bit = 0; bit < 8; bit++) {
                if (little)
                    value = value & 1 ? value >> 1 ^ polynomial : value >> 1;
                else
                    value = (value & top ? value << 1 ^ polynomial : value << 1) & mask;
            }
        }
    }
    rom_return(c, ~value & mask);
}

void rom_crc32_le(rom_call_t *c)
{
    crc(c, 32, 0xEDB88320u, true);
}

void rom_crc32_be(rom_call_t *c)
{
    crc(c, 32, 0x04C11DB7u, false);
}

void rom_crc16_le(rom_call_t *c)
{
    crc(c, 16, 0x8408u, true);
}

void rom_crc16_be(rom_call_t *c)
{
    crc(c, 16, 0x1021u, false);
}

void rom_crc8_le(rom_call_t *c)
{
    crc(c, 8, 0xE0u, true);
}

void rom_crc8_be(rom_call_t *c)
{
    crc(c, 8, 0x07u, false);
}

/* esp_crc8(data, size): polynomial 0x31 reflected, starts at 0 and is not inverted */
void rom_esp_crc8(rom_call_t *c)
{
    uint32_t at = rom_arg(c, 0), size = rom_arg(c, 1);
    uint8_t value = 0, byte;
    while (size--) {
        if (!rom_load(c, at++, &byte, 1))
            return;
        value ^= byte;
        for (int bit = 0; bit < 8; bit++)
            value = (uint8_t)(value >> 1 ^ (value & 1 ? 0x8C : 0));
    }
    rom_return(c, value);
}

/* --- MD5
 * ------------------------------------------------------------------------------------------ */

static uint32_t rotate(uint32_t v, unsigned n)
{
    return v << n | v >> (32 - n);
}

/* floor(2^32 * abs(sin(i + 1))) */
static const uint32_t md5_k[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

static void md5_block(md5_t *m)
{
    static const uint8_t shift[4][4] = {
        {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
    uint32_t x[16], a = m->buf[0], b = m->buf[1], d = m->buf[3], cc = m->buf[2];
    memcpy(x, m->in, 64);
    for (unsigned i = 0; i < 64; i++) {
        uint32_t f;
        unsigned g;
        switch (i / 16) {
        case 0: f = (b & cc) | (~b & d), g = i; break;
        case 1: f = (d & b) | (~d & cc), g = (5 * i + 1) % 16; break;
        case 2: f = b ^ cc ^ d, g = (3 * i + 5) % 16; break;
        default: f = cc ^ (b | ~d), g = 7 * i % 16; break;
        }
        uint32_t t = d;
        d = cc;
        cc = b;
        b += rotate(a + f + md5_k[i] + x[g], shift[i / 16][i % 4]);
        a = t;
    }
    m->buf[0] += a;
    m->buf[1] += b;
    m->buf[2] += cc;
    m->buf[3] += d;
}

void md5_init(md5_t *m)
{
    static const md5_t fresh = {.buf = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}};
    *m = fresh;
}

void rom_MD5Init(rom_call_t *c)
{
    md5_t m;
    md5_init(&m);
    rom_store(c, rom_arg(c, 0), &m, sizeof m);
}

void md5_feed(md5_t *m, const uint8_t *bytes, uint32_t size)
{
    uint32_t have = m->bits[0] >> 3 & 63;
    uint64_t bits = (m->bits[0] | (uint64_t)m->bits[1] << 32) + (uint64_t)size * 8;
    m->bits[0] = (uint32_t)bits;
    m->bits[1] = (uint32_t)(bits >> 32);
    while (size) {
        uint32_t n = 64 - have < size ? 64 - have : size;
        memcpy(m->in + have, bytes, n);
        bytes += n;
        size -= n;
        have += n;
        if (have == 64) {
            md5_block(m);
            have = 0;
        }
    }
}

void rom_MD5Update(rom_call_t *c)
{
    md5_t m;
    uint32_t context = rom_arg(c, 0), at = rom_arg(c, 1), size = rom_arg(c, 2);
    if (!rom_load(c, context, &m, sizeof m))
        return;
    c->cost = 20 + size * 8;
    for (uint32_t run; size; at += run, size -= run) {
        const uint8_t *bytes = rom_span(c, at, &run);
        if (!bytes)
            return;
        if (run > size)
            run = size;
        md5_feed(&m, bytes, run);
    }
    rom_store(c, context, &m, sizeof m);
}

void md5_final(md5_t *m)
{
    static const uint8_t padding[64] = {0x80};
    uint32_t length[2], have = m->bits[0] >> 3 & 63;
    memcpy(length, m->bits, 8);
    md5_feed(m, padding, have < 56 ? 56 - have : 120 - have);
    md5_feed(m, (const uint8_t *)length, 8);
}

/* MD5Final(digest, context) */
void rom_MD5Final(rom_call_t *c)
{
    md5_t m;
    uint32_t context = rom_arg(c, 1);
    if (!rom_load(c, context, &m, sizeof m))
        return;
    md5_final(&m);
    c->cost = 1000;
    if (rom_store(c, rom_arg(c, 0), m.buf, 16)) {
        memset(&m, 0, sizeof m);
        rom_store(c, context, &m, sizeof m);
    }
}

/* --- accelerators are always clocked
 * --------------------------------------------------------------- */

#define NOTHING(name)                                                                              \
    void rom_##name(rom_call_t *c)                                                                 \
    {                                                                                              \
        (void)c;                                                                                   \
    }
NOTHING(ets_sha_enable)
NOTHING(ets_sha_disable)
NOTHING(ets_aes_enable)
NOTHING(ets_aes_disable)
NOTHING(ets_bigint_enable)
NOTHING(ets_bigint_disable)

/* AES accelerator, single blocks (ESP32 TRM, chapter "AES Accelerator"; FIPS 197). */
#include <string.h>

#include "parts.h"

#define START  0x00
#define IDLE   0x04
#define MODE   0x08 /* 0..2: encrypt with 128, 192, 256 bits; 4..6: decrypt */
#define KEY    0x10
#define TEXT   0x30
#define ENDIAN 0x40

static uint8_t times2(uint8_t v)
{
    return (uint8_t)(v << 1 ^ (v & 0x80 ? 0x1B : 0));
}

static uint8_t multiply(uint8_t a, uint8_t b)
{
    uint8_t product = 0;
    for (; b; b >>= 1, a = times2(a))
        if (b & 1)
            product ^= a;
    return product;
}

/* The S-box from its definition: inverse in GF(2^8), then the affine map. */
static void make_sbox(uint8_t sbox[256], uint8_t inverse[256])
{
    uint8_t p = 1, q = 1;
    do {
        p = (uint8_t)(p ^ times2(p));
        q = (uint8_t)(q ^ q << 1);
        q = (uint8_t)(q ^ q << 2);
        q = (uint8_t)(q ^ q << 4);
        if (q & 0x80)
            q ^= 0x09;
        uint8_t x = (uint8_t)(q ^ (q << 1 | q >> 7) ^ (q << 2 | q >> 6) ^ (q << 3 | q >> 5) ^
                              (q << 4 | q >> 4));
        sbox[p] = (uint8_t)(x ^ 0x63);
    } while (p != 1);
    sbox[0] = 0x63;
    for (int i = 0; i < 256; i++)
        inverse[sbox[i]] = (uint8_t)i;
}

/* 16 bytes a round key, 11, 13 or 15 of them. */
static unsigned expand(const uint8_t *key, unsigned words, const uint8_t *sbox, uint8_t *round)
{
    unsigned rounds = words + 6;
    uint8_t rcon = 1;
    memcpy(round, key, words * 4);
    for (unsigned i = words; i < 4 * (rounds + 1); i++) {
        uint8_t t[4];
        memcpy(t, round + 4 * (i - 1), 4);
        if (i % words == 0) {
            uint8_t first = t[0];
            t[0] = (uint8_t)(sbox[t[1]] ^ rcon);
            t[1] = sbox[t[2]];
            t[2] = sbox[t[3]];
            t[3] = sbox[first];
            rcon = times2(rcon);
        } else if (words > 6 && i % words == 4) {
            for (int n = 0; n < 4; n++)
                t[n] = sbox[t[n]];
        }
        for (int n = 0; n < 4; n++)
            round[4 * i + (unsigned)n] = round[4 * (i - words) + (unsigned)n] ^ t[n];
    }
    return rounds;
}

static void add_key(uint8_t *s, const uint8_t *key)
{
    for (int i = 0; i < 16; i++)
        s[i] ^= key[i];
}

static void shift_and_substitute(uint8_t *s, const uint8_t *box, int direction)
{
    uint8_t t[16];
    for (int column = 0; column < 4; column++)
        for (int row = 0; row < 4; row++)
            t[4 * column + row] = box[s[4 * ((column + direction * row) & 3) + row]];
    memcpy(s, t, 16);
}

static void mix(uint8_t *s, const uint8_t factor[4])
{
    for (int column = 0; column < 16; column += 4) {
        uint8_t t[4] = {0};
        for (int row = 0; row < 4; row++)
            for (int n = 0; n < 4; n++)
                t[row] ^= multiply(s[column + n], factor[(n - row) & 3]);
        memcpy(s + column, t, 4);
    }
}

static void run(aes_t *a)
{
    static const uint8_t forward[4] = {2, 3, 1, 1}, backward[4] = {14, 11, 13, 9};
    uint8_t sbox[256], inverse[256], round[240], *s = (uint8_t *)a->text;
    make_sbox(sbox, inverse);
    unsigned rounds = expand((const uint8_t *)a->key, 4 + (a->mode & 3) * 2, sbox, round);
    if (a->mode < 4) {
        add_key(s, round);
        for (unsigned n = 1; n <= rounds; n++) {
            shift_and_substitute(s, sbox, 1);
            if (n < rounds)
                mix(s, forward);
            add_key(s, round + 16 * n);
        }
    } else {
        add_key(s, round + 16 * rounds);
        for (unsigned n = rounds; n-- > 0;) {
            shift_and_substitute(s, inverse, -1);
            add_key(s, round + 16 * n);
            if (n)
                mix(s, backward);
        }
    }
}

static uint32_t aes_read(esp32_t *chip, int core, uint32_t offset)
{
    const aes_t *a = &chip->state.soc.aes;
    (void)core;
    if (offset >= KEY && offset < KEY + 32)
        return a->key[(offset - KEY) / 4];
    if (offset >= TEXT && offset < TEXT + 16)
        return a->text[(offset - TEXT) / 4];
    switch (offset) {
    case IDLE: return 1;
    case MODE: return a->mode;
    case ENDIAN: return a->endian;
    default: return 0;
    }
}

static void aes_write(esp32_t *chip, int core, uint32_t offset, uint32_t value)
{
    aes_t *a = &chip->state.soc.aes;
    (void)core;
    if (offset >= KEY && offset < KEY + 32)
        a->key[(offset - KEY) / 4] = value;
    else if (offset >= TEXT && offset < TEXT + 16)
        a->text[(offset - TEXT) / 4] = value;
    else if (offset == MODE)
        a->mode = value & 7;
    else if (offset == ENDIAN)
        a->endian = value;
    else if (offset == START && (a->mode & 3) < 3)
        run(a);
}

const peripheral_t aes = {"AES", 0x3FF01000, 0x1000, NULL, aes_read, aes_write};

/* SHA accelerator: SHA-1 and SHA-256 (ESP32 TRM, chapter "SHA Accelerator"; FIPS 180-4). */
#include <string.h>

#include "parts.h"

#define TEXT_SIZE 0x80
#define SHA1      0x80 /* START, CONTINUE, LOAD, BUSY; then SHA-256, 384, 512 */
#define SHA256    0x90
#define SHA384    0xA0

static uint32_t left(uint32_t v, unsigned n)
{
    return v << n | v >> (32 - n);
}

static uint32_t right(uint32_t v, unsigned n)
{
    return v >> n | v << (32 - n);
}

static void sha1_block(sha_t *s)
{
    uint32_t w[80], a[5];
    memcpy(w, s->text, 64);
    for (int i = 16; i < 80; i++)
        w[i] = left(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    memcpy(a, s->state, sizeof a);
    for (int i = 0; i < 80; i++) {
        uint32_t f, k;
        if (i < 20)
            f = (a[1] & a[2]) | (~a[1] & a[3]), k = 0x5A827999;
        else if (i < 40)
            f = a[1] ^ a[2] ^ a[3], k = 0x6ED9EBA1;
        else if (i < 60)
            f = (a[1] & a[2]) | (a[1] & a[3]) | (a[2] & a[3]), k = 0x8F1BBCDC;
        else
            f = a[1] ^ a[2] ^ a[3], k = 0xCA62C1D6;
        uint32_t t = left(a[0], 5) + f + a[4] + k + w[i];
        a[4] = a[3];
        a[3] = a[2];
        a[2] = left(a[1], 30);
        a[1] = a[0];
        a[0] = t;
    }
    for (int i = 0; i < 5; i++)
        s->state[i] += a[i];
}

/* first 32 bits of the fractional parts of the cube roots of the first 64 primes */
static const uint32_t k256[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static void sha256_block(sha_t *s)
{
    uint32_t w[64], a[8];
    memcpy(w, s->text, 64);
    for (int i = 16; i < 64; i++) {
        uint32_t s0 = right(w[i - 15], 7) ^ right(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t s1 = right(w[i - 2], 17) ^ right(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    memcpy(a, s->state, sizeof a);
    for (int i = 0; i < 64; i++) {
        uint32_t s1 = right(a[4], 6) ^ right(a[4], 11) ^ right(a[4], 25);
        uint32_t t1 = a[7] + s1 + ((a[4] & a[5]) ^ (~a[4] & a[6])) + k256[i] + w[i];
        uint32_t s0 = right(a[0], 2) ^ right(a[0], 13) ^ right(a[0], 22);
        uint32_t t2 = s0 + ((a[0] & a[1]) ^ (a[0] & a[2]) ^ (a[1] & a[2]));
        memmove(a + 1, a, 7 * sizeof *a);
        a[4] += t1;
        a[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++)
        s->state[i] += a[i];
}

static const uint32_t start1[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
static const uint32_t start256[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static uint32_t sha_read(esp32_t *chip, int core, uint32_t offset)
{
    (void)core;
    return offset < TEXT_SIZE ? chip->state.soc.sha.text[offset / 4] : 0; /* never busy */
}

static void sha_write(esp32_t *chip, int core, uint32_t offset, uint32_t value)
{
    sha_t *s = &chip->state.soc.sha;
    (void)core;
    if (offset < TEXT_SIZE) {
        s->text[offset / 4] = value;
        return;
    }
    if (!(value & 1))
        return;
    switch (offset) {
    case SHA1:
        memcpy(s->state, start1, sizeof start1);
        sha1_block(s);
        break;
    case SHA1 + 4: sha1_block(s); break;
    case SHA1 + 8: memcpy(s->text, s->state, 20); break;
    case SHA256:
        memcpy(s->state, start256, sizeof start256);
        sha256_block(s);
        break;
    case SHA256 + 4: sha256_block(s); break;
    case SHA256 + 8: memcpy(s->text, s->state, 32); break;
    default:
        if (offset >= SHA384 && offset < 0xC0)
            chip_log_once(chip, 0x3FF030A0, "SHA-384/512 of the accelerator are not modelled");
    }
}

const peripheral_t sha = {"SHA", 0x3FF03000, 0x1000, NULL, sha_read, sha_write};

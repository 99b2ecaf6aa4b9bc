/* SHA accelerator (ESP32 TRM, chapter "SHA Accelerator"; FIPS 180-4). One text memory, but each
 * algorithm keeps a state of its own: a hash goes on after another one has used the text. */
#include <string.h>

#include "parts.h"

#define TEXT_SIZE 0x80
#define SHA1      0x80 /* START, CONTINUE, LOAD, BUSY; then SHA-256, 384, 512 */
#define SHA256    0x90
#define SHA384    0xA0
#define SHA512    0xB0

static uint32_t left(uint32_t v, unsigned n)
{
    return v << n | v >> (32 - n);
}

static uint32_t right(uint32_t v, unsigned n)
{
    return v >> n | v << (32 - n);
}

static uint64_t right64(uint64_t v, unsigned n)
{
    return v >> n | v << (64 - n);
}

static void sha1_block(sha_t *s)
{
    uint32_t w[80], a[5];
    memcpy(w, s->text, 64);
    for (int i = 16; i < 80; i++)
        w[i] = left(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    memcpy(a, s->sha1, sizeof a);
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
        s->sha1[i] += a[i];
}

/* Fractional parts of the cube roots of the first 80 primes; SHA-256 takes the upper halves. */
static const uint64_t k512[80] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
    0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
    0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
    0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
    0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
    0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
    0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
    0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
    0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
    0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
    0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
    0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
    0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
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
    memcpy(a, s->sha256, sizeof a);
    for (int i = 0; i < 64; i++) {
        uint32_t s1 = right(a[4], 6) ^ right(a[4], 11) ^ right(a[4], 25);
        uint32_t t1 =
            a[7] + s1 + ((a[4] & a[5]) ^ (~a[4] & a[6])) + (uint32_t)(k512[i] >> 32) + w[i];
        uint32_t s0 = right(a[0], 2) ^ right(a[0], 13) ^ right(a[0], 22);
        uint32_t t2 = s0 + ((a[0] & a[1]) ^ (a[0] & a[2]) ^ (a[1] & a[2]));
        memmove(a + 1, a, 7 * sizeof *a);
        a[4] += t1;
        a[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++)
        s->sha256[i] += a[i];
}

static void sha512_block(sha_t *s)
{
    uint64_t w[80], a[8];
    for (int i = 0; i < 16; i++)
        w[i] = (uint64_t)s->text[2 * i] << 32 | s->text[2 * i + 1];
    for (int i = 16; i < 80; i++) {
        uint64_t s0 = right64(w[i - 15], 1) ^ right64(w[i - 15], 8) ^ w[i - 15] >> 7;
        uint64_t s1 = right64(w[i - 2], 19) ^ right64(w[i - 2], 61) ^ w[i - 2] >> 6;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    memcpy(a, s->sha512, sizeof a);
    for (int i = 0; i < 80; i++) {
        uint64_t s1 = right64(a[4], 14) ^ right64(a[4], 18) ^ right64(a[4], 41);
        uint64_t t1 = a[7] + s1 + ((a[4] & a[5]) ^ (~a[4] & a[6])) + k512[i] + w[i];
        uint64_t s0 = right64(a[0], 28) ^ right64(a[0], 34) ^ right64(a[0], 39);
        uint64_t t2 = s0 + ((a[0] & a[1]) ^ (a[0] & a[2]) ^ (a[1] & a[2]));
        memmove(a + 1, a, 7 * sizeof *a);
        a[4] += t1;
        a[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++)
        s->sha512[i] += a[i];
}

static const uint32_t start1[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
/* fractional parts of the square roots: of the 9th to the 16th prime, and of the first eight, whose
 * upper halves are SHA-256's */
static const uint64_t start384[8] = {
    0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939,
    0x67332667ffc00b31, 0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4,
};
static const uint64_t start512[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

/* The state of SHA-384 and SHA-512 as big-endian pairs in the text memory. */
static void load512(sha_t *s)
{
    for (int i = 0; i < 8; i++) {
        s->text[2 * i] = (uint32_t)(s->sha512[i] >> 32);
        s->text[2 * i + 1] = (uint32_t)s->sha512[i];
    }
}

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
    case SHA1: memcpy(s->sha1, start1, sizeof start1); /* fall through */
    case SHA1 + 4: sha1_block(s); break;
    case SHA1 + 8: memcpy(s->text, s->sha1, sizeof s->sha1); break;
    case SHA256:
        for (int i = 0; i < 8; i++)
            s->sha256[i] = (uint32_t)(start512[i] >> 32); /* fall through */
    case SHA256 + 4: sha256_block(s); break;
    case SHA256 + 8: memcpy(s->text, s->sha256, sizeof s->sha256); break;
    case SHA384:
    case SHA512:
        memcpy(s->sha512, offset == SHA384 ? start384 : start512, sizeof s->sha512);
        /* fall through */
    case SHA384 + 4:
    case SHA512 + 4: sha512_block(s); break;
    case SHA384 + 8:
    case SHA512 + 8: load512(s); break;
    }
}

const peripheral_t sha = {"SHA", 0x3FF03000, 0x1000, NULL, sha_read, sha_write};

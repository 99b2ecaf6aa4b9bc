/* MD5 (RFC 1321), for the services that need one beside the guest. */
#ifndef ROM_HASH_H
#define ROM_HASH_H

#include <stdint.h>

typedef struct { /* as the guest has it: struct MD5Context */
    uint32_t buf[4];
    uint32_t bits[2];
    uint8_t in[64];
} md5_t;

void md5_init(md5_t *m);
void md5_feed(md5_t *m, const uint8_t *bytes, uint32_t size);
/* The digest is in `buf` then. */
void md5_final(md5_t *m);

#endif

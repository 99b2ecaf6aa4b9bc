/* Inflate (RFC 1950, RFC 1951) that can stop anywhere for want of input or of room, and go on. */
#ifndef ROM_INFLATE_H
#define ROM_INFLATE_H

#include <stdbool.h>
#include <stdint.h>

enum inflate_result {
    INFLATE_DONE = 0,
    INFLATE_NEEDS_INPUT = 1,
    INFLATE_NEEDS_ROOM = 2,
    INFLATE_FAILED = -1,
    INFLATE_BAD_ADLER = -2,
};

#define INFLATE_INPUT 2048u /* more than the largest header of a block (some 320 bytes) */

typedef struct {
    uint16_t count[16]; /* of the codes of each length */
    uint16_t symbol[288];
} inflate_codes_t;

/* Plain words, no pointers: part of a snapshot. All zero is a fresh start. */
typedef struct {
    uint32_t phase;
    uint32_t size, at, bit;    /* of `input`: bytes held, where to go on */
    uint32_t length, distance; /* of a match or a stored block in hand */
    uint32_t last;             /* this is the last block */
    uint32_t adler_a, adler_b;
    inflate_codes_t literals, distances;
    uint8_t input[INFLATE_INPUT];
} inflate_t;

/* Where the output goes. put: false when there is no room now. back: the byte `distance` before
 * the next one, false when there is none. */
typedef struct {
    void *context;
    bool (*put)(void *context, uint8_t byte);
    bool (*back)(void *context, uint32_t distance, uint8_t *byte);
} inflate_sink_t;

/* Take what fits of `data`; returns the count. */
uint32_t inflate_feed(inflate_t *s, const uint8_t *data, uint32_t size);
/* Go on as far as input and room reach. */
enum inflate_result inflate_run(inflate_t *s, const inflate_sink_t *sink, bool zlib);

#endif

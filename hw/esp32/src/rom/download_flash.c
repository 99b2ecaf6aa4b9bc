/* The flash commands of the ROM's serial loader. */
#include <stdio.h>
#include <string.h>

#include "call.h"
#include "download.h"
#include "hash.h"

#define SECTOR    0x1000u
#define READ_MOST 64u

static download_t *state(rom_call_t *c)
{
    return &c->chip->state.download;
}

static bool inside(uint32_t addr, uint32_t size)
{
    return addr <= ESP32_FLASH_SIZE && size <= ESP32_FLASH_SIZE - addr;
}

/* BEGIN(bytes to erase, blocks, bytes of a block, address) */
uint8_t download_flash_begin(rom_call_t *c, const uint32_t *word)
{
    download_t *d = state(c);
    uint32_t size = word[0], addr = word[3];
    if (!inside(addr, size) || !word[2])
        return ERROR_FLASH_WRITE;
    if (size) {
        uint32_t first = addr & ~(SECTOR - 1), end = (addr + size + SECTOR - 1) & ~(SECTOR - 1);
        flash_erase(c->chip, first, end - first);
    }
    memset(&d->inflate, 0, sizeof d->inflate);
    d->address = addr;
    d->block = word[2];
    d->end = addr + size;
    d->filled = 0;
    return 0;
}

/* DATA(size, number of the block, 0, 0, data) */
uint8_t download_flash_data(rom_call_t *c, const uint32_t *word, const uint8_t *data)
{
    const download_t *d = state(c);
    uint64_t at = d->address + (uint64_t)word[1] * d->block;
    if (!d->block || at > ESP32_FLASH_SIZE || !inside((uint32_t)at, word[0]))
        return ERROR_FLASH_WRITE;
    flash_program(c->chip, (uint32_t)at, data, word[0]);
    return 0;
}

/* --- deflated: what is written is its own dictionary --------------------------------------------
 */

static void flush(rom_call_t *c)
{
    download_t *d = state(c);
    flash_program(c->chip, d->address, d->page, d->filled);
    d->address += d->filled;
    d->filled = 0;
}

static bool put(void *context, uint8_t byte)
{
    download_t *d = state(context);
    if (d->address + d->filled >= d->end)
        return false;
    d->page[d->filled++] = byte;
    if (d->filled == DOWNLOAD_PAGE)
        flush(context);
    return true;
}

static bool back(void *context, uint32_t distance, uint8_t *byte)
{
    rom_call_t *c = context;
    const download_t *d = state(c);
    if (distance <= d->filled)
        *byte = d->page[d->filled - distance];
    else if (distance - d->filled <= d->address)
        flash_read(c->chip, d->address - (distance - d->filled), byte, 1);
    else
        return false;
    return true;
}

uint8_t download_flash_deflated(rom_call_t *c, const uint32_t *word, const uint8_t *data)
{
    const inflate_sink_t sink = {c, put, back};
    download_t *d = state(c);
    enum inflate_result result = INFLATE_NEEDS_INPUT;
    for (uint32_t done = 0; done < word[0] && result == INFLATE_NEEDS_INPUT;) {
        done += inflate_feed(&d->inflate, data + done, word[0] - done);
        result = inflate_run(&d->inflate, &sink, true);
    }
    if (result == INFLATE_DONE)
        flush(c);
    if (result == INFLATE_NEEDS_ROOM)
        return ERROR_FLASH_WRITE;
    return result < 0 ? ERROR_DEFLATE : 0;
}

/* --- reading ------------------------------------------------------------------------------------
 */

/* READ_FLASH_SLOW(address, size): always 64 bytes of answer */
uint8_t download_flash_read(rom_call_t *c, const uint32_t *word, reply_t *r)
{
    if (word[1] > READ_MOST)
        return ERROR_LENGTH;
    if (!inside(word[0], word[1]))
        return ERROR_FLASH_READ;
    flash_read(c->chip, word[0], r->data, word[1]);
    r->size = READ_MOST;
    return 0;
}

/* SPI_FLASH_MD5(address, size): in hexadecimal digits, where a stub says bytes */
uint8_t download_flash_md5(rom_call_t *c, const uint32_t *word, reply_t *r)
{
    uint8_t bytes[256];
    char digit[3];
    md5_t m;
    if (!inside(word[0], word[1]))
        return ERROR_FLASH_READ;
    md5_init(&m);
    for (uint32_t n, done = 0; done < word[1]; done += n) {
        n = word[1] - done < sizeof bytes ? word[1] - done : sizeof bytes;
        flash_read(c->chip, word[0] + done, bytes, n);
        md5_feed(&m, bytes, n);
    }
    md5_final(&m);
    for (unsigned i = 0; i < 16; i++) {
        snprintf(digit, sizeof digit, "%02x", ((const uint8_t *)m.buf)[i]);
        memcpy(r->data + 2 * i, digit, 2);
    }
    r->size = 32;
    return 0;
}

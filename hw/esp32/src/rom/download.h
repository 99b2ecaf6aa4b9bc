/* The serial loader of the ROM: what waits on UART0 when GPIO0 is low at reset. */
#ifndef ROM_DOWNLOAD_H
#define ROM_DOWNLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "inflate.h"

#define DOWNLOAD_PACKET 0x2000u /* esptool sends at most 0x1800 bytes of RAM at a time */
#define DOWNLOAD_PAGE   256u

/* Part of a snapshot: plain words, no pointers. */
typedef struct {
    bool waiting;                        /* the core sleeps until a byte comes */
    bool in_packet, escaped, overflowed; /* SLIP */
    uint32_t size;                       /* bytes of `packet` */
    uint32_t address, block;             /* of the MEM_ or FLASH_ transfer in hand */
    uint32_t end;                        /* where it must not go beyond */
    uint32_t filled;                     /* bytes of `page`, not in flash yet */
    inflate_t inflate;
    uint8_t page[DOWNLOAD_PAGE];
    uint8_t packet[DOWNLOAD_PACKET];
} download_t;

/* What a command answers: the words of its reply. */
typedef struct {
    uint32_t value;
    uint8_t data[64];
    uint32_t size;
    uint8_t error; /* 0: done */
} reply_t;

/* Error codes of the ROM (esptool documentation, "Serial Protocol") */
enum download_error {
    ERROR_INVALID_MESSAGE = 0x05,
    ERROR_FAILED = 0x06,
    ERROR_CHECKSUM = 0x07,
    ERROR_FLASH_WRITE = 0x08,
    ERROR_FLASH_READ = 0x09,
    ERROR_LENGTH = 0x0A,
    ERROR_DEFLATE = 0x0B,
};

/* Commands of download_flash.c: `word` are the first words of the data; 0 or an error code. */
struct rom_call;
uint8_t download_flash_begin(struct rom_call *c, const uint32_t *word);
uint8_t download_flash_data(struct rom_call *c, const uint32_t *word, const uint8_t *data);
uint8_t download_flash_deflated(struct rom_call *c, const uint32_t *word, const uint8_t *data);
uint8_t download_flash_read(struct rom_call *c, const uint32_t *word, reply_t *r);
uint8_t download_flash_md5(struct rom_call *c, const uint32_t *word, reply_t *r);

#endif

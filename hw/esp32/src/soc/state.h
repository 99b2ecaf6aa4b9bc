/* State of the peripherals: plain words, no pointers, one struct a file of soc/. */
#ifndef SOC_STATE_H
#define SOC_STATE_H

#include <stdbool.h>
#include <stdint.h>

#define DPORT_WORDS 0x400u
typedef struct {
    uint32_t reg[DPORT_WORDS];
    uint32_t flash_mmu[2][256]; /* per core: 64 KB page number, bit 8: invalid */
    uint32_t irq[3];            /* level of each interrupt source, as the status registers show */
} dport_t;

/* A watchdog: RTC_CNTL's and those of the timer groups count in their own units. */
typedef struct {
    uint64_t stage_start; /* tick */
    uint8_t stage;        /* 0..3, 4: all over */
    bool running;
} wdt_t;

typedef struct {
    uint32_t reg[0x100];
    uint64_t time_latch;
    wdt_t wdt;
} rtc_cntl_t;

/* A counter of a timer group: T0, T1 or LACT */
typedef struct {
    uint32_t config;
    uint64_t base;      /* count at .. */
    uint64_t base_tick; /* .. this tick, on a step of the prescaler */
    uint64_t latch;     /* what LO and HI show since UPDATE */
    uint64_t alarm, load;
} timer_counter_t;

typedef struct {
    uint32_t reg[0x40];
    timer_counter_t timer[3];
    wdt_t wdt;
    uint32_t int_ena, int_raw;
} timg_t;

typedef struct {
    uint32_t ctrl, load, alarm;
    uint32_t base;
    uint64_t base_tick;
    bool raised;
} frc_t;

#define UART_FIFO_SIZE 128u
typedef struct {
    uint32_t reg[0x40];
    uint32_t int_raw;
    uint8_t fifo[UART_FIFO_SIZE];
    uint32_t head, tail; /* free running; head - tail bytes wait for the guest */
} uart_t;

typedef struct {
    uint32_t reg[0x200];
    uint64_t out, enable, status;
    uint64_t driven, driven_level; /* pads that something outside drives */
    uint64_t in;                   /* levels as last looked at, for edges */
    uint32_t strap;                /* the strapping pins at the last reset of the chip */
} gpio_t;

typedef struct {
    uint32_t reg[0x40];
    bool write_enabled; /* WEL of the flash part; only SPI1's is used */
} spi_flash_t;

typedef struct {
    uint32_t text[32];
    uint32_t sha1[5], sha256[8]; /* so far */
    uint64_t sha512[8];          /* of SHA-384 too */
} sha_t;

typedef struct {
    uint32_t mode, endian;
    uint32_t key[8], text[4];
} aes_t;

typedef struct {
    uint32_t dma[0x40], ext[0x40], mac[0x400];
    uint32_t rx_desc, tx_desc; /* where the DMA engine is in its rings */
    uint32_t rx_missed;
    uint16_t phy[32];
    bool link;
} emac_t;

/* Registers of peripherals that only have to remember, see storage.c */
#define STORAGE_WORDS 0x3000u

typedef struct {
    dport_t dport;
    rtc_cntl_t rtc;
    timg_t timg[2];
    frc_t frc[2];
    uart_t uart[3];
    gpio_t gpio;
    spi_flash_t spi[2];
    sha_t sha;
    aes_t aes;
    emac_t emac;
    uint64_t rng;
    uint32_t sens[0x100];
    uint32_t storage[STORAGE_WORDS];
} soc_t;

#endif

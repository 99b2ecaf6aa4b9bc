/* What the parts of the chip share: the chip struct, bus, events, interrupts, log.
 *
 * All state that a snapshot must carry lives in plain structs inside
 * `esp32_state_t` (no pointers); everything else in `struct esp32` is a cache
 * that can be rebuilt, or belongs to the host. */
#ifndef CHIP_H
#define CHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../include/esp32.h"
#include "cpu/lx6.h"
#include "rom/download.h"
#include "rom/isr.h"
#include "soc/soc.h"

#if defined(__GNUC__)
#define likely(x)         __builtin_expect(!!(x), 1)
#define unlikely(x)       __builtin_expect(!!(x), 0)
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define COLD              __attribute__((cold, noinline))
#else
#define likely(x)   (x)
#define unlikely(x) (x)
#define PRINTF_LIKE(f, a)
#define COLD
#endif

/* --- address map (ESP32 TRM, chapter "System and Memory") ------------------------ */

#define DROM_BASE     0x3F400000u /* flash through the data cache, 64 KB MMU pages */
#define DROM_SIZE     0x400000u
#define MMIO_BASE     0x3FF00000u
#define MMIO_SIZE     0x80000u
#define RTC_FAST_BASE 0x3FF80000u /* 8 KB, also at 0x400C0000 on the instruction bus */
#define RTC_FAST_IBUS 0x400C0000u
#define RTC_FAST_SIZE 0x2000u
#define ROM1_BASE     0x3FF90000u /* data of the mask ROM */
#define ROM1_SIZE     0x10000u
#define DRAM_BASE     0x3FFAE000u /* SRAM2 (200 KB) and SRAM1 (128 KB), one run of bytes */
#define DRAM_SIZE     0x52000u
#define SRAM1_BASE    0x3FFE0000u
#define SRAM1_SIZE    0x20000u
#define ROM0_BASE     0x40000000u /* mask ROM; calls into it are served by rom/ */
#define ROM0_SIZE     0x70000u
#define IRAM_BASE     0x40070000u /* SRAM0: 64 KB cache, then 128 KB of IRAM */
#define IRAM_SIZE     0x30000u
#define SRAM1_IBUS    0x400A0000u /* SRAM1 again, its words in reverse order */
#define IROM_BASE     0x400C2000u /* flash through the instruction cache */
#define IROM_END      0x40C00000u
#define RTC_SLOW_BASE 0x50000000u
#define RTC_SLOW_SIZE 0x2000u

/* The window of guest addresses that has a page table: everything but RTC_SLOW. */
#define MAP_BASE       0x3F400000u
#define MAP_PAGE_SHIFT 12
#define MAP_PAGE_SIZE  0x1000u
#define MAP_PAGES      ((IROM_END - MAP_BASE) >> MAP_PAGE_SHIFT)

#define FLASH_PAGE_SIZE 0x1000u
#define FLASH_PAGES     (ESP32_FLASH_SIZE / FLASH_PAGE_SIZE)
#define MMU_ENTRIES     256u /* of 64 KB each: 0..63 data bus, 64..255 instruction bus */

/* All RAM in a row as in esp32_state_t, in lines: the grain of self-modifying code. */
#define RAM_SIZE        (DRAM_SIZE + IRAM_SIZE + RTC_FAST_SIZE + RTC_SLOW_SIZE)
#define CODE_LINE_SHIFT 6
#define CODE_LINES      (RAM_SIZE >> CODE_LINE_SHIFT)

/* A bit for every place where an instruction may begin, from IRAM to the end of flash. */
#define BLOCK_SEEN_SIZE ((IROM_END - IRAM_BASE) / 8)

/* --- events ------------------------------------------------------------------------ */

/* One slot per source: an event is scheduled, moved or cancelled by its slot. */
enum event {
    EV_CCOMPARE0, /* core 0: CCOMPARE0..2, then core 1 */
    EV_CCOMPARE5 = EV_CCOMPARE0 + 5,
    EV_TIMG0_T0,
    EV_TIMG0_T1,
    EV_TIMG0_LACT,
    EV_TIMG0_WDT,
    EV_TIMG1_T0,
    EV_TIMG1_T1,
    EV_TIMG1_LACT,
    EV_TIMG1_WDT,
    EV_RTC_WDT,
    EV_RTC_SLEEP,
    EV_FRC1,
    EV_FRC2,
    EV_UART0_RX,
    EV_UART1_RX,
    EV_UART2_RX,
    EV_UART0_TOUT,
    EV_UART1_TOUT,
    EV_UART2_TOUT,
    EV_EMAC_RX,
    EV_EMAC_TX,
    EV_COUNT
};
#define EVENT_NEVER UINT64_MAX

typedef struct {
    uint64_t when[EV_COUNT]; /* tick, EVENT_NEVER when idle */
    uint64_t next;           /* the smallest of them */
} event_queue_t;

/* --- state ---------------------------------------------------------------------------- */

typedef struct {
    uint64_t now;  /* tick all cores have reached */
    uint64_t mono; /* latest tick any device access has seen, see chip_time() */
    uint32_t reset_count;
    uint32_t reset_cause[ESP32_CORES]; /* TRM codes, per core */
    uint32_t ticks_per_cycle;          /* 2 at 240 MHz .. 12 at 40 MHz */
    uint32_t next_ticks_per_cycle;     /* takes over when the slice in hand ends */
    event_queue_t events;
    lx6_t core[ESP32_CORES];
    soc_t soc; /* one struct per peripheral, see soc/soc.h */
    uint8_t dram[DRAM_SIZE];
    uint8_t iram[IRAM_SIZE];
    uint8_t rtc_fast[RTC_FAST_SIZE];
    uint8_t rtc_slow[RTC_SLOW_SIZE];
    uint8_t rom1[ROM1_SIZE];    /* tables of rom/, and the few words the ROM "owns" */
    download_t download;        /* the ROM's serial loader .. */
    rom_isr_t isr[ESP32_CORES]; /* .. and interrupt handlers */
} esp32_state_t;

/* Bounded byte queues between guest and host. Power-of-two sizes. */
#define UART_QUEUE_SIZE 0x10000u
typedef struct {
    uint32_t head, tail; /* free running; head - tail bytes are queued */
    uint8_t data[UART_QUEUE_SIZE];
} byte_queue_t;

#define ETH_QUEUE_FRAMES 256u
typedef struct {
    uint32_t head, tail;
    struct {
        uint16_t size;
        uint8_t data[ESP32_ETH_FRAME_MAX + 2];
    } frame[ETH_QUEUE_FRAMES];
} frame_queue_t;

struct esp32 {
    esp32_state_t state;
    esp32_config_t config;

    /* flash page n: what the host programmed (base) until the guest changed it (own) */
    const uint8_t *flash_page[FLASH_PAGES]; /* where the bytes are; never NULL */
    uint8_t *flash_base[FLASH_PAGES];       /* heap, NULL while erased */
    uint8_t *flash_own[FLASH_PAGES];        /* heap, NULL while untouched; in a snapshot */
    uint64_t flash_fingerprint;             /* of all base pages */
    uint64_t flash_work;                    /* bytes programmed or erased; host side .. */
    uint64_t flash_work_most;               /* .. as is where the power fails */

    /* queues: part of a snapshot, saved by snapshot.c */
    byte_queue_t uart_rx[ESP32_UARTS]; /* host -> guest */
    byte_queue_t uart_tx[ESP32_UARTS]; /* guest -> host */
    frame_queue_t eth_rx, eth_tx;

    /* caches, rebuilt after a snapshot is loaded */
    lx6_cache_t *cache[ESP32_CORES];             /* page tables and translated blocks */
    uint8_t code_line[CODE_LINES];               /* RAM that was translated */
    uint16_t mmu_seen[ESP32_CORES][MMU_ENTRIES]; /* entries the page tables were made from */
    bool mmu_code[ESP32_CORES][MMU_ENTRIES];     /* code was translated from there */
    uint8_t block_seen[BLOCK_SEEN_SIZE];         /* by pc, a bit each: a block began there .. */
    uint64_t blocks_seen;                        /* .. and how many: not part of a snapshot */
    int running_core;                            /* core inside lx6_run(), -1 outside */
    uint64_t slice_end;                          /* an event before it cuts the slice in hand */
    int reset_core;                              /* of the reset that waits to be done .. */
    enum esp32_reset_cause reset_pending;        /* .. and its cause, 0 when none does */

    /* host side */
    int stop_reasons;        /* collected during esp32_run() */
    int stop_mask;           /* what ends the run in hand */
    volatile int stop_asked; /* set by esp32_stop() */
    uint32_t breakpoint[16];
    int breakpoints;
    char error[512];
    struct log *log;
};

/* --- chip.c: time, events, reset ---------------------------------------------------- */

/* Time for whoever asks now: the running core's own tick inside a slice, never less than
 * any earlier answer. Every device must take its time from here and nowhere else, so that
 * no reference time lies ahead of a later reader (see esp32-facts: time across cores). */
uint64_t chip_time(esp32_t *chip);

/* (Re)schedule event `ev` at tick `when` (EVENT_NEVER cancels). A time in the past fires at
 * the end of the current slice. Called by devices; ends the running slice early if needed. */
void chip_schedule(esp32_t *chip, enum event ev, uint64_t when);

/* Reset from inside (RTC_CNTL, watchdogs): takes effect when the running instruction ends;
 * esp32_run() then returns ESP32_STOP_RESET. `core` < 0: whole chip, else that core only. */
void chip_request_reset(esp32_t *chip, int core, enum esp32_reset_cause cause);

/* Tell the host: sets a stop reason and, when the run wants it, ends the slice. */
void chip_notify(esp32_t *chip, enum esp32_stop reason);

/* The CPU clock changed: MHz is one of 240, 160, 80, 40, 20, 10, 5, 2 (ticks stay whole). */
void chip_set_cpu_mhz(esp32_t *chip, uint32_t mhz);

/* --- log.c ---------------------------------------------------------------------------- */

/* One line to the host's log. */
void chip_log(esp32_t *chip, const char *format, ...) PRINTF_LIKE(2, 3);
/* The same, once per `key` (the address of what is unknown) for the life of the chip, with
 * the running core's pc and backtrace appended. */
void chip_log_once(esp32_t *chip, uint32_t key, const char *format, ...) PRINTF_LIKE(3, 4);
/* The model cannot go on: sets esp32_error() and ends the run with ESP32_STOP_FATAL. */
void chip_fatal(esp32_t *chip, const char *format, ...) PRINTF_LIKE(2, 3);

/* --- bus.c ------------------------------------------------------------------------------ */

/* Guest memory from the host side, any alignment, crossing pages, as `core` sees it. False
 * (and nothing done) when a byte of it is not memory. Writes may hit RAM only and
 * invalidate translated code. MMIO is refused. */
bool bus_read(esp32_t *chip, int core, uint32_t addr, void *data, uint32_t size);
bool bus_write(esp32_t *chip, int core, uint32_t addr, const void *data, uint32_t size);
/* The longest run of plain bytes at `addr` (for memcpy and friends): host pointer and how many
 * bytes follow contiguously; NULL when `addr` is not readable (writable) memory. A writer must
 * call bus_written() afterwards. */
const uint8_t *bus_span(esp32_t *chip, int core, uint32_t addr, uint32_t *size);
uint8_t *bus_span_writable(esp32_t *chip, int core, uint32_t addr, uint32_t *size);
void bus_written(esp32_t *chip, uint32_t addr, uint32_t size);
/* One byte of code, or an aligned literal, for the translator: from then on a store to that
 * line of RAM drops translated code. False when nothing is there. */
bool bus_fetch(esp32_t *chip, int core, uint32_t addr, uint8_t *byte);
bool bus_fetch_word(esp32_t *chip, int core, uint32_t addr, uint32_t *word);
/* DMA engines see DRAM only. */
bool bus_dma_read(esp32_t *chip, uint32_t addr, void *data, uint32_t size);
bool bus_dma_write(esp32_t *chip, uint32_t addr, const void *data, uint32_t size);

/* Page tables of a core (both when `core` < 0) from its flash MMU; called when an entry changed.
 * Drops translated code of what was mapped there. */
void bus_remap_flash(esp32_t *chip, int core);
/* Flash page `page` has other bytes, or they lie elsewhere. */
void bus_flash_changed(esp32_t *chip, uint32_t page);
/* Everything but the flash, once for a new chip. */
void bus_init(esp32_t *chip);
/* Forget all translated code of both cores. */
void bus_drop_code(esp32_t *chip);

/* MMIO: dispatched by soc.c to the peripheral that owns the address. 32 bits wide; narrower
 * loads take their part of the word, narrower stores are merged by the CPU. */
uint32_t soc_read(esp32_t *chip, int core, uint32_t addr);
void soc_write(esp32_t *chip, int core, uint32_t addr, uint32_t value);

/* --- flash.c ---------------------------------------------------------------------------- */

/* SPI NOR semantics for the controller and the ROM: program clears bits, erase sets them. */
void flash_program(esp32_t *chip, uint32_t addr, const uint8_t *data, uint32_t size);
void flash_erase(esp32_t *chip, uint32_t addr, uint32_t size);
void flash_read(const esp32_t *chip, uint32_t addr, uint8_t *data, uint32_t size);

/* Point every page at the bytes it has now; free all pages at the end of a chip's life. */
void flash_init(esp32_t *chip);
void flash_free(esp32_t *chip);
/* For a snapshot: the guest's own copy of a page, and how to put it back (NULL: back to base). */
bool flash_set_own(esp32_t *chip, uint32_t page, const uint8_t *data);

/* --- log.c ------------------------------------------------------------------------------ */

struct log *log_new(void);
void log_free(struct log *log);

#endif

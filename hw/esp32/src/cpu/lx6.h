/* One Xtensa LX6 core as the rest of the chip sees it: its registers and what may be asked
 * of it. Names follow the Xtensa ISA reference manual. */
#ifndef LX6_H
#define LX6_H

#include <stdbool.h>
#include <stdint.h>

#include "../../include/esp32.h"

typedef struct lx6_cache lx6_cache_t; /* page tables and translated blocks, see cpu/cache.h */

/* PS fields */
#define PS_INTLEVEL      0x0000000Fu
#define PS_EXCM          0x00000010u
#define PS_UM            0x00000020u
#define PS_RING          0x000000C0u
#define PS_OWB_SHIFT     8
#define PS_OWB           0x00000F00u
#define PS_CALLINC_SHIFT 16
#define PS_CALLINC       0x00030000u
#define PS_WOE           0x00040000u

/* EXCCAUSE values (ISA RM, table "Exception Causes") */
enum lx6_cause {
    CAUSE_ILLEGAL = 0,
    CAUSE_SYSCALL = 1,
    CAUSE_IFETCH_ERROR = 2,
    CAUSE_LOAD_STORE_ERROR = 3,
    CAUSE_LEVEL1_INTERRUPT = 4,
    CAUSE_ALLOCA = 5,
    CAUSE_DIVIDE_BY_ZERO = 6,
    CAUSE_PRIVILEGED = 8,
    CAUSE_ALIGNMENT = 9,
    CAUSE_IFETCH_PROHIBITED = 20,
    CAUSE_LOAD_PROHIBITED = 28,
    CAUSE_STORE_PROHIBITED = 29,
    CAUSE_CP0_DISABLED = 32,
};

/* Internal interrupts of the ESP32's LX6 (core-isa: interrupt types) */
#define INT_TIMER0    6
#define INT_SW0       7
#define INT_PROFILING 11
#define INT_TIMER1    15
#define INT_TIMER2    16
#define INT_SW1       29

typedef struct {
    /* 64 physical address registers; the last 12 places mirror ar[0..11] while the current
     * window wraps round the end, so that a window is always 16 words in a row */
    uint32_t ar[80];
    uint32_t f[16]; /* single-precision registers, as bits */
    uint32_t pc;
    uint32_t windowbase, windowstart;
    uint32_t ps, sar, br;
    uint32_t lbeg, lend, lcount;
    uint32_t scompare1, acclo, acchi, mr[4];
    uint32_t epc[8], eps[8], excsave[8]; /* by level; [1] is EPC1 .. ; eps[1] unused */
    uint32_t depc, exccause, excvaddr, vecbase, debugcause;
    uint32_t misc[4], cpenable, threadptr, fcr, fsr, f64r_lo, f64r_hi, f64s;
    uint32_t interrupt; /* latched: timers, software, edge */
    uint32_t external;  /* level lines from the interrupt matrix, one bit per CPU interrupt */
    uint32_t intenable;
    uint32_t ccompare[3];
    uint32_t ibreakenable, ibreaka[2], dbreakc[2], dbreaka[2];
    uint32_t icount, icountlevel, ddr, memctl, atomctl;
    uint32_t ccount_base;  /* CCOUNT was this .. */
    uint64_t ccount_tick;  /* .. at this tick */
    uint64_t tick;         /* this core's own time */
    uint64_t instructions; /* executed so far */
    bool waiting;          /* in WAITI */
    bool stalled;          /* held by RTC_CNTL/DPORT or not out of reset */
    uint32_t index;        /* 0 PRO_CPU, 1 APP_CPU */
    uint32_t noise;        /* state of a xorshift generator, never 0: how long interrupts stall */
} lx6_t;

/* Core registers to their reset values, pc at `vector`. Time and instruction count go on. */
void lx6_reset(lx6_t *cpu, uint32_t vector);

/* Run core `index` for at most `cycles` cycles from its own tick on, an instruction each; returns
 * how many went by. Comes back early on WAITI, on a stall, and when a device asked for it. */
uint32_t lx6_run(esp32_t *chip, int index, uint32_t cycles);
/* End the running slice after the current instruction (devices, stores to MMIO). */
void lx6_break_slice(esp32_t *chip, int index);

/* Level lines from the interrupt matrix: bit n is CPU interrupt n. */
void lx6_set_external(esp32_t *chip, int index, uint32_t lines);
/* Hold or release a core (DPORT APPCPU_CTRL, RTC_CNTL SW_STALL). */
void lx6_set_stalled(esp32_t *chip, int index, bool stalled);
/* An EV_CCOMPARE event fired: latch the timer interrupt. */
void lx6_timer_fired(esp32_t *chip, int index, int timer);
/* The clock's tick length is about to change: keep CCOUNT continuous. */
void lx6_rebase_ccount(esp32_t *chip, int index);
/* .. and an EV_CCOMPARE event of it in the new ticks, or again after it fired. */
void lx6_reschedule_timer(esp32_t *chip, int index, int timer);
/* The core's own time: exact within its slice. */
uint64_t lx6_time(const esp32_t *chip, int index);

/* CCOUNT as this core would read it now. */
uint32_t lx6_ccount(esp32_t *chip, int index);

/* Register an in the current window of the core (n 0..15) and arguments of a call in progress. */
static inline uint32_t *lx6_a(lx6_t *cpu, unsigned n)
{
    return &cpu->ar[cpu->windowbase * 4 + n];
}

/* Register n of the window at `base`, wherever it is now (the mirror of a wrapped window). */
uint32_t *lx6_ar(lx6_t *cpu, uint32_t base, unsigned n);

/* Raise a general exception at `pc` (EPC1) with `vaddr` as EXCVADDR: sets pc to the vector. */
void lx6_raise(esp32_t *chip, int index, enum lx6_cause cause, uint32_t pc, uint32_t vaddr);

/* Windows of the callers to their stack frames (what ROM setjmp and spills need): all live
 * frames but the current one are written out and WINDOWSTART is left with one bit. False when
 * a frame's stack pointer is no memory. */
bool lx6_spill_windows(esp32_t *chip, int index);
/* The caller's registers back from the stack, as a window underflow does; nothing when they are
 * there. False when there is no caller, or a stack pointer is no memory. */
bool lx6_fill_caller(esp32_t *chip, int index);

/* Return addresses up the call chain, innermost first: count of entries written. */
int lx6_backtrace(esp32_t *chip, int index, uint32_t *pcs, int most);

/* Forget every translated block / those that touch [addr, addr+size) of RAM. */
void lx6_flush(esp32_t *chip, int index);

#endif

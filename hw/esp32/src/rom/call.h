/* What the services of rom/ are given: a call in progress, its arguments and guest memory. */
#ifndef ROM_CALL_H
#define ROM_CALL_H

#include "data.h"
#include "rom.h"

typedef struct rom_call {
    esp32_t *chip;
    int core;
    uint32_t pc;    /* address of the function */
    unsigned n;     /* PS.CALLINC: the callee's registers start at a(4n) */
    uint32_t cost;  /* cycles, to be set by the service when it is not small */
    bool elsewhere; /* the pc is set: a jump, an exception or the same call again */
} rom_call_t;

/* Addresses of all ROM symbols as AT_name */
enum rom_address {
#define ROM(address, name) AT_##name = address,
#include "symbols.def"
#undef ROM
    AT_sfp_link = 0x4006F200,        /* our own, see guest.c */
    AT_isr_return = 0x4006F400,      /* our own, see isr.c */
    AT_longjmp_patched = 0x400562e0, /* where the longjmp of IDF >= 4.4 enters ROM's */
};

/* Register n of the callee's window, before it is rotated; 0 is the return address. */
uint32_t *rom_reg(rom_call_t *c, unsigned n);
/* Argument i (0..): in registers, then on the caller's stack. */
uint32_t rom_arg(rom_call_t *c, unsigned i);
void rom_return(rom_call_t *c, uint32_t value);
void rom_return64(rom_call_t *c, uint64_t value);
/* Leave the guest in its exception handler, as if the function had touched `vaddr`. */
void rom_fault(rom_call_t *c, enum lx6_cause cause, uint32_t vaddr);
/* Go on in guest function `pc` in place of this one, with its arguments. */
void rom_jump(rom_call_t *c, uint32_t pc);
/* The same call again, `cycles` later. */
void rom_again(rom_call_t *c, uint32_t cycles);

/* Registers, to which the functions for memory reach as well. */
bool rom_is_mmio(uint32_t addr);
/* Guest memory; false (and the guest in its handler) when the address is bad. */
bool rom_load(rom_call_t *c, uint32_t addr, void *data, uint32_t size);
bool rom_store(rom_call_t *c, uint32_t addr, const void *data, uint32_t size);
bool rom_load32(rom_call_t *c, uint32_t addr, uint32_t *value);
bool rom_store32(rom_call_t *c, uint32_t addr, uint32_t value);
/* Length of the string at `addr`, at most `most`. */
bool rom_length(rom_call_t *c, uint32_t addr, uint32_t most, uint32_t *length);
/* A run of bytes in host memory; NULL when the guest is in its handler. */
const uint8_t *rom_span(rom_call_t *c, uint32_t addr, uint32_t *run);
uint8_t *rom_span_writable(rom_call_t *c, uint32_t addr, uint32_t *run);

uint32_t rom_reg_read(rom_call_t *c, uint32_t addr);
void rom_reg_write(rom_call_t *c, uint32_t addr, uint32_t value);

/* printf to UART0 with arguments `first`.. of the call (console.c). */
void rom_console(rom_call_t *c, const char *text);

/* A level-1 interrupt with the ROM's vectors: into its handler, false when none is attached. */
bool rom_interrupt(rom_call_t *c);

#define SERVICE(name) void rom_##name(rom_call_t *c);
#include "services.def"
#undef SERVICE

#endif

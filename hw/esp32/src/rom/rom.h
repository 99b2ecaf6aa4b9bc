/* The mask ROM by high-level emulation: no ROM bytes exist, a call into ROM0 is served here.
 *
 * The CPU calls rom_call() when a core fetches from ROM0_BASE..+ROM0_SIZE at an address that
 * holds none of our own guest code (rom_code). The window is NOT rotated at that moment: with
 * n = PS.CALLINC the return address is in a(4n), arguments are a(4n+2)..a(4n+7), further ones
 * on the caller's stack at a1+0, +4, ..; the result goes to a(4n+2) (and a(4n+3)); the next pc is
 * 0x40000000 | (a(4n) & 0x3FFFFFFF). */
#ifndef ROM_H
#define ROM_H

#include "../chip.h"

/* Serve the ROM function at the core's pc. Sets pc (to the caller, to a vector after
 * lx6_raise(), or leaves it: then the call is repeated, with time gone on).
 * Returns the cycles it took, at least 1. */
uint32_t rom_call(esp32_t *chip, int core, uint32_t budget);

/* Our own guest code that stands at ROM addresses (vectors, callbacks into the guest such as
 * qsort's): the byte there, or -1 when the address is served by rom_call(). */
int rom_code(uint32_t addr);

/* Fill rom1[] (tables of the C library, flash chip descriptor..) and the RAM words the ROM
 * initialises, as the ROM's start-up code leaves them before the bootloader; load the second-stage
 * bootloader from flash 0x1000 to RAM and return its entry point; 0 when there is no image (the
 * console says so), or with chip_fatal() said (bad segment, bad checksum). For a `core` 1: entry
 * from DPORT's boot address. */
uint32_t rom_boot(esp32_t *chip, int core, enum esp32_reset_cause cause);

/* UART0 has a byte: wakes the ROM's serial loader when it waits for one. */
void rom_uart_input(esp32_t *chip);

/* Name of the ROM symbol that holds `addr`, with its offset; NULL when unknown. */
const char *rom_symbol(uint32_t addr, uint32_t *offset);
/* Address of a ROM symbol by name; 0 when unknown. */
uint32_t rom_address(const char *name);

#endif

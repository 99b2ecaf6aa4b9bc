/* Parts of the ROM's start-up that its serial loader shares. */
#ifndef ROM_BOOT_H
#define ROM_BOOT_H

#include "call.h"

/* Load the second-stage bootloader; its entry point, or 0 when flash holds none: then it has said
 * so and a watchdog will end the boot. */
uint32_t boot_from_flash(rom_call_t *c);

/* The serial loader: say that it is there, then call download_poll() again and again; an entry
 * point when it is to end. */
void download_begin(rom_call_t *c);
uint32_t download_poll(rom_call_t *c);

#endif

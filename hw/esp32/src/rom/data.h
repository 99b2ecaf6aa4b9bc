/* Addresses of what the ROM keeps in memory, and how it is filled at reset. */
#ifndef ROM_DATA_H
#define ROM_DATA_H

#include "../chip.h"

#define ROM_TICKS_PER_US_PRO 0x3FFE01E0u
#define ROM_TICKS_PER_US_APP 0x3FFE40F0u
#define ROM_FLASHCHIP        0x3FFAE270u
#define ROM_LCONV            0x3FF9E000u /* a place of our own in ROM1: the "C" locale */

void rom_data_init(esp32_t *chip);

#endif

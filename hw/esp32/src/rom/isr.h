/* Interrupt handlers that the guest has attached through the ROM. */
#ifndef ROM_ISR_H
#define ROM_ISR_H

#include "../cpu/lx6.h"

#define ROM_ISR_LINES 32u

/* Part of a snapshot: plain words, no pointers. */
typedef struct {
    uint32_t handler[ROM_ISR_LINES], argument[ROM_ISR_LINES];
    lx6_t interrupted; /* registers of whom the running handler has interrupted */
} rom_isr_t;

#endif

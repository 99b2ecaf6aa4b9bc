/* Interrupt handlers by the ROM (ets_isr_attach), while VECBASE is its own: what runs without an
 * operating system uses them, such as the flasher stub of esptool. Level 1 alone, as there. */
#include <string.h>

#include "../cpu/cache.h"
#include "call.h"

#define HANDLER_LEVEL 3u  /* of PS while a handler runs: it is not interrupted by its like */
#define FRAME         64u /* bytes below the interrupted frame that a handler leaves alone */
#define BASE_SAVE     16u

static rom_isr_t *isr_of(rom_call_t *c)
{
    return &c->chip->state.isr[c->core];
}

/* ets_isr_attach(line, handler, argument) */
void rom_ets_isr_attach(rom_call_t *c)
{
    uint32_t line = rom_arg(c, 0);
    if (line >= ROM_ISR_LINES)
        return;
    isr_of(c)->handler[line] = rom_arg(c, 1);
    isr_of(c)->argument[line] = rom_arg(c, 2);
}

/* Into the handler of the lowest line that asks and has one: as if the interrupted function had
 * called it, with its window's registers kept aside. False when there is none. */
bool rom_interrupt(rom_call_t *c)
{
    rom_isr_t *isr = isr_of(c);
    lx6_t *cpu = &c->chip->state.core[c->core];
    uint32_t lines = (cpu->interrupt | cpu->external) & cpu->intenable, save[BASE_SAVE / 4];
    unsigned line = 0;
    while (line < ROM_ISR_LINES && !(lines >> line & 1 && isr->handler[line]))
        line++;
    uint32_t ps = cpu->ps;
    cpu->ps &= ~PS_EXCM;
    if (line == ROM_ISR_LINES || !lx6_spill_windows(c->chip, c->core)) {
        cpu->ps = ps;
        return false;
    }
    memcpy(&isr->interrupted, cpu, sizeof isr->interrupted);
    isr->interrupted.pc = cpu->epc[1];
    uint32_t sp = *lx6_a(cpu, 1);
    if (!bus_read(c->chip, c->core, sp - BASE_SAVE, save, sizeof save) ||
        !bus_write(c->chip, c->core, sp - FRAME - BASE_SAVE, save, sizeof save)) {
        cpu->ps = ps;
        return false;
    }
    *lx6_a(cpu, 1) = sp - FRAME;
    cpu->ps = (ps & PS_RING) | PS_WOE | PS_UM | HANDLER_LEVEL | 2u << PS_CALLINC_SHIFT;
    *lx6_a(cpu, 8) = 2u << 30 | (AT_isr_return & 0x3FFFFFFF);
    *lx6_a(cpu, 10) = isr->argument[line];
    rom_jump(c, isr->handler[line]);
    return true;
}

/* A handler is back: everything as it was, but what it did to the interrupts themselves. */
void rom_isr_return(rom_call_t *c)
{
    const lx6_t *then = &isr_of(c)->interrupted;
    lx6_t *cpu = &c->chip->state.core[c->core];
    memcpy(cpu->ar, then->ar, sizeof cpu->ar);
    cpu->windowbase = then->windowbase;
    cpu->windowstart = then->windowstart;
    cpu->ps = then->ps;
    cpu->sar = then->sar;
    cpu->br = then->br;
    cpu->lbeg = then->lbeg;
    cpu->lend = then->lend;
    cpu->lcount = then->lcount;
    cpu->acclo = then->acclo;
    cpu->acchi = then->acchi;
    lx6_note_lend(c->chip, c->core, cpu->lend);
    rom_jump(c, then->pc);
}

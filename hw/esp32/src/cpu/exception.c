/* Exceptions, interrupts and register windows outside the fast path (ISA RM, chapters
 * "Exception Option", "Interrupt Option", "Windowed Register Option"). */
#include "cache.h"

#include <string.h>

#define VECTOR_LEVEL2    0x180u /* then 0x40 a level up to NMI */
#define VECTOR_DEBUG     0x280u
#define VECTOR_KERNEL    0x300u
#define VECTOR_USER      0x340u
#define VECTOR_DOUBLE    0x3C0u
#define STALL_MOST       1024u /* 6.4 us at 160 MHz: a few lines of flash */
#define EXCM_LEVEL       3u
#define DEBUG_LEVEL      6u
#define DEBUGCAUSE_BREAK 0x08u

/* Interrupts of each level, core-isa of the ESP32 */
static const uint32_t level_mask[8] = {
    [1] = 0x000637FF, [2] = 0x00380000, [3] = 0x28C08800, [4] = 0x53000000,
    [5] = 0x84010000, [6] = 0,          [7] = 0x00004000,
};
/* external lines that latch their rising edge: 10, 22, 28, 30 and the NMI */
#define EDGE_MASK 0x50404400u

static unsigned current_level(const lx6_t *cpu)
{
    unsigned level = cpu->ps & PS_INTLEVEL;
    return (cpu->ps & PS_EXCM) && level < EXCM_LEVEL ? EXCM_LEVEL : level;
}

static uint32_t pending(const lx6_t *cpu)
{
    return (cpu->interrupt | (cpu->external & ~EDGE_MASK)) & cpu->intenable;
}

bool lx6_interrupt_pending(const lx6_t *cpu)
{
    uint32_t lines = pending(cpu);
    if (likely(!lines))
        return false;
    for (unsigned level = 7; level > current_level(cpu); level--)
        if (lines & level_mask[level])
            return true;
    return false;
}

/* Cycles that an interrupt costs beyond its instructions, where a chip fetches cache lines. A
 * little noise of the machine's own: without it, loops and timers can keep step for ever, and of
 * two busy threads one never gets the interpreter lock. */
static int32_t interrupt_stall(lx6_t *cpu)
{
    cpu->noise ^= cpu->noise << 13;
    cpu->noise ^= cpu->noise >> 17;
    cpu->noise ^= cpu->noise << 5;
    return (int32_t)(cpu->noise % STALL_MOST);
}

bool lx6_take_interrupt(esp32_t *chip, int index)
{
    lx6_t *cpu = &chip->state.core[index];
    uint32_t lines = pending(cpu);
    unsigned level = 7, current = current_level(cpu);
    while (level > current && !(lines & level_mask[level]))
        level--;
    if (level <= current)
        return false;
    cpu->waiting = false;
    if (level == 1) {
        lx6_raise(chip, index, CAUSE_LEVEL1_INTERRUPT, cpu->pc, cpu->excvaddr);
    } else {
        cpu->epc[level] = cpu->pc;
        cpu->eps[level] = cpu->ps;
        cpu->ps = (cpu->ps & ~PS_INTLEVEL) | level | PS_EXCM;
        cpu->pc = cpu->vecbase + VECTOR_LEVEL2 + (level - 2) * 0x40;
        if (level == 7)
            cpu->interrupt &= ~level_mask[7];
    }
    chip->cache[index]->room = 3;
    chip->cache[index]->stall = interrupt_stall(cpu);
    return true;
}

void lx6_raise(esp32_t *chip, int index, enum lx6_cause cause, uint32_t pc, uint32_t vaddr)
{
    lx6_t *cpu = &chip->state.core[index];
    cpu->exccause = cause;
    cpu->excvaddr = vaddr;
    if (cpu->ps & PS_EXCM) {
        cpu->depc = pc;
        cpu->pc = cpu->vecbase + VECTOR_DOUBLE;
    } else {
        cpu->epc[1] = pc;
        cpu->pc = cpu->vecbase + (cpu->ps & PS_UM ? VECTOR_USER : VECTOR_KERNEL);
        cpu->ps |= PS_EXCM;
    }
    chip->cache[index]->room = 3;
}

void lx6_debug_break(esp32_t *chip, int index, uint32_t pc)
{
    lx6_t *cpu = &chip->state.core[index];
    if (current_level(cpu) >= DEBUG_LEVEL) {
        cpu->pc = pc + 3;
        return;
    }
    cpu->debugcause = DEBUGCAUSE_BREAK;
    cpu->epc[DEBUG_LEVEL] = pc;
    cpu->eps[DEBUG_LEVEL] = cpu->ps;
    cpu->ps = (cpu->ps & ~PS_INTLEVEL) | DEBUG_LEVEL | PS_EXCM;
    cpu->pc = cpu->vecbase + VECTOR_DEBUG;
    chip->cache[index]->room = 3;
}

void lx6_report_illegal(esp32_t *chip, int index, uint32_t pc)
{
    uint8_t bytes[3] = {0};
    bus_read(chip, index, pc, bytes, 3);
    /* all zeros is ILL itself: firmware's own way to stop */
    if (bytes[0] | bytes[1] | bytes[2])
        chip_log_once(chip, pc, "instruction %02x %02x %02x at 0x%08x is not one of LX6's",
                      bytes[0], bytes[1], bytes[2], pc);
}

void lx6_window_overflow(esp32_t *chip, int index, uint32_t pc)
{
    lx6_t *cpu = &chip->state.core[index];
    uint32_t base = cpu->windowbase, above, ws = cpu->windowstart | cpu->windowstart << 16;
    for (above = 1; above < 3 && !(ws >> (base + above) & 1);)
        above++;
    cpu->ps = (cpu->ps & ~PS_OWB) | base << PS_OWB_SHIFT | PS_EXCM;
    cpu->epc[1] = pc;
    base += above;
    lx6_set_windowbase(cpu, base & 15);
    ws >>= base & 15;
    cpu->pc = cpu->vecbase + (ws & 2 ? 0x00 : ws & 4 ? 0x80 : 0x100);
    chip->cache[index]->room = 3;
}

void lx6_set_external(esp32_t *chip, int index, uint32_t lines)
{
    lx6_t *cpu = &chip->state.core[index];
    cpu->interrupt |= lines & ~cpu->external & EDGE_MASK;
    cpu->external = lines;
    if (lx6_interrupt_pending(cpu))
        lx6_break_slice(chip, chip->running_core);
}

void lx6_timer_fired(esp32_t *chip, int index, int timer)
{
    static const uint8_t line[3] = {INT_TIMER0, INT_TIMER1, INT_TIMER2};
    chip->state.core[index].interrupt |= 1u << line[timer];
}

void lx6_set_stalled(esp32_t *chip, int index, bool stalled)
{
    chip->state.core[index].stalled = stalled;
    lx6_break_slice(chip, chip->running_core);
}

void lx6_break_slice(esp32_t *chip, int index)
{
    if (index >= 0)
        chip->cache[index]->attention = true;
}

void lx6_reset(lx6_t *cpu, uint32_t vector)
{
    uint64_t tick = cpu->tick, instructions = cpu->instructions, ccount_tick = cpu->ccount_tick;
    uint32_t index = cpu->index, noise = cpu->noise;
    memset(cpu, 0, sizeof *cpu);
    cpu->tick = tick;
    cpu->instructions = instructions;
    cpu->ccount_tick = ccount_tick;
    cpu->index = index;
    cpu->noise = noise;
    cpu->pc = vector;
    cpu->ps = PS_EXCM | 15;
    cpu->windowstart = 1;
    cpu->vecbase = 0x40000000;
}

/* --- stack walking ------------------------------------------------------------------- */

uint32_t *lx6_ar(lx6_t *cpu, uint32_t base, unsigned n)
{
    uint32_t i = (base * 4 + n) & 63;
    uint32_t current = cpu->windowbase * 4;
    return current + 16 > 64 && i < current + 16 - 64 ? &cpu->ar[64 + i] : &cpu->ar[i];
}

bool lx6_spill_windows(esp32_t *chip, int index)
{
    lx6_t *cpu = &chip->state.core[index];
    uint32_t base = cpu->windowbase;
    /* oldest first: going up from the current window finds the frames in calling order */
    for (unsigned up = 1; up < 16; up++) {
        uint32_t w = (base + up) & 15;
        if (!(cpu->windowstart >> w & 1))
            continue;
        unsigned size = 1; /* groups to the callee's window */
        while (size < 4 && !(cpu->windowstart >> ((w + size) & 15) & 1))
            size++;
        if (size == 4)
            return false;
        uint32_t callee_sp = *lx6_ar(cpu, (w + size) & 15, 1), regs[12];
        for (unsigned n = 0; n < size * 4; n++)
            regs[n] = *lx6_ar(cpu, w, n);
        if (!bus_write(chip, index, callee_sp - 16, regs, 16))
            return false;
        if (size > 1) {
            /* a4.. go below the caller's own base save area: its sp is at *(a1 - 12) */
            uint32_t caller_sp;
            if (!bus_read(chip, index, regs[1] - 12, &caller_sp, 4) ||
                !bus_write(chip, index, caller_sp - 16 * size, &regs[4], 16 * (size - 1)))
                return false;
        }
    }
    cpu->windowstart = 1u << base;
    chip->cache[index]->room = lx6_room(cpu);
    return true;
}

bool lx6_fill_caller(esp32_t *chip, int index)
{
    lx6_t *cpu = &chip->state.core[index];
    uint32_t size = *lx6_ar(cpu, cpu->windowbase, 0) >> 30; /* groups from the caller's window */
    uint32_t sp = *lx6_ar(cpu, cpu->windowbase, 1), caller = (cpu->windowbase - size) & 15;
    uint32_t regs[12], caller_sp;
    if (!size)
        return false;
    if (cpu->windowstart >> caller & 1)
        return true;
    if (!bus_read(chip, index, sp - 16, regs, 16))
        return false;
    if (size > 1 && (!bus_read(chip, index, regs[1] - 12, &caller_sp, 4) ||
                     !bus_read(chip, index, caller_sp - 16 * size, &regs[4], 16 * (size - 1))))
        return false;
    for (unsigned n = 0; n < size * 4; n++)
        *lx6_ar(cpu, caller, n) = regs[n];
    cpu->windowstart |= 1u << caller;
    return true;
}

int lx6_backtrace(esp32_t *chip, int index, uint32_t *pcs, int most)
{
    lx6_t *cpu = &chip->state.core[index];
    uint32_t base = cpu->windowbase;
    uint32_t ret = *lx6_ar(cpu, base, 0), sp = *lx6_ar(cpu, base, 1);
    bool in_registers = true;
    int count = 0;
    if (most > 0)
        pcs[count++] = cpu->pc;
    while (count < most && ret >> 30) {
        unsigned size = ret >> 30;
        uint32_t pc = (ret & 0x3FFFFFFF) | 0x40000000, save[2];
        if (pc < ROM0_BASE || pc >= IROM_END)
            break;
        pcs[count++] = pc - 3;
        base = (base - size) & 15;
        in_registers = in_registers && (cpu->windowstart >> base & 1);
        if (in_registers) {
            save[0] = *lx6_ar(cpu, base, 0);
            save[1] = *lx6_ar(cpu, base, 1);
        } else if (!bus_read(chip, index, sp - 16, save, sizeof save)) {
            break;
        }
        ret = save[0];
        sp = save[1];
    }
    return count;
}

/* Dispatch of ROM calls to the services, and what they share. */
#include <stdio.h>
#include <string.h>

#include "../cpu/cache.h"
#include "call.h"

#define UNKNOWN_COST 1u
#define DEFAULT_COST 12u

/* --- symbols ------------------------------------------------------------------------------ */

static const struct {
    uint32_t address;
    const char *name;
} symbols[] = {
#define ROM(address, name) {address, #name},
#include "symbols.def"
#undef ROM
};
#define SYMBOLS (sizeof symbols / sizeof *symbols)

const char *rom_symbol(uint32_t addr, uint32_t *offset)
{
    size_t low = 0, high = SYMBOLS;
    if (addr < symbols[0].address || addr >= ROM0_BASE + ROM0_SIZE)
        return NULL;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (symbols[middle].address <= addr)
            low = middle;
        else
            high = middle;
    }
    *offset = addr - symbols[low].address;
    return symbols[low].name;
}

uint32_t rom_address(const char *name)
{
    for (size_t i = 0; i < SYMBOLS; i++)
        if (!strcmp(symbols[i].name, name))
            return symbols[i].address;
    return 0;
}

/* --- calls --------------------------------------------------------------------------------- */

static lx6_t *cpu_of(rom_call_t *c)
{
    return &c->chip->state.core[c->core];
}

uint32_t *rom_reg(rom_call_t *c, unsigned n)
{
    return lx6_ar(cpu_of(c), cpu_of(c)->windowbase + c->n, n);
}

uint32_t rom_arg(rom_call_t *c, unsigned i)
{
    uint32_t value = 0;
    if (i < 6)
        return *rom_reg(c, 2 + i);
    bus_read(c->chip, c->core, *lx6_a(cpu_of(c), 1) + (i - 6) * 4, &value, 4);
    return value;
}

void rom_return(rom_call_t *c, uint32_t value)
{
    *rom_reg(c, 2) = value;
}

void rom_return64(rom_call_t *c, uint64_t value)
{
    *rom_reg(c, 2) = (uint32_t)value;
    *rom_reg(c, 3) = (uint32_t)(value >> 32);
}

void rom_fault(rom_call_t *c, enum lx6_cause cause, uint32_t vaddr)
{
    lx6_t *cpu = cpu_of(c);
    uint32_t ws = cpu->windowstart | cpu->windowstart << 16, sp = *lx6_a(cpu, 1);
    if (c->elsewhere)
        return; /* one fault a call */
    c->elsewhere = true;
    /* the frame the function would have, when its window is free: backtraces show the caller */
    if (c->n && !(ws >> (cpu->windowbase + 1) & ((1u << c->n) - 1))) {
        lx6_set_windowbase(cpu, (cpu->windowbase + c->n) & 15);
        cpu->windowstart |= 1u << cpu->windowbase;
        *lx6_a(cpu, 1) = sp - 32;
    }
    lx6_raise(c->chip, c->core, cause, c->pc, vaddr);
}

void rom_jump(rom_call_t *c, uint32_t pc)
{
    c->elsewhere = true;
    cpu_of(c)->pc = pc;
}

void rom_again(rom_call_t *c, uint32_t cycles)
{
    c->elsewhere = true;
    c->cost = cycles;
}

/* --- guest memory ---------------------------------------------------------------------------- */

const uint8_t *rom_span(rom_call_t *c, uint32_t addr, uint32_t *run)
{
    const uint8_t *bytes = bus_span(c->chip, c->core, addr, run);
    if (!bytes)
        rom_fault(c, CAUSE_LOAD_PROHIBITED, addr);
    return bytes;
}

uint8_t *rom_span_writable(rom_call_t *c, uint32_t addr, uint32_t *run)
{
    uint8_t *bytes = bus_span_writable(c->chip, c->core, addr, run);
    if (!bytes)
        rom_fault(c, CAUSE_STORE_PROHIBITED, addr);
    return bytes;
}

bool rom_is_mmio(uint32_t addr)
{
    return addr - MMIO_BASE < MMIO_SIZE || addr - 0x60000000u < MMIO_SIZE;
}

bool rom_load(rom_call_t *c, uint32_t addr, void *data, uint32_t size)
{
    uint8_t *to = data;
    for (uint32_t run; size; addr += run, to += run, size -= run) {
        if (rom_is_mmio(addr)) { /* firmware copies out of registers, too */
            uint32_t word = soc_read(c->chip, c->core, addr & ~3u) >> (addr & 3) * 8;
            run = 4 - (addr & 3) < size ? 4 - (addr & 3) : size;
            memcpy(to, &word, run);
            continue;
        }
        const uint8_t *from = rom_span(c, addr, &run);
        if (!from)
            return false;
        if (run > size)
            run = size;
        memcpy(to, from, run);
    }
    return true;
}

bool rom_store(rom_call_t *c, uint32_t addr, const void *data, uint32_t size)
{
    const uint8_t *from = data;
    for (uint32_t run; size; addr += run, from += run, size -= run) {
        if (rom_is_mmio(addr)) {
            uint32_t word, at = addr & 3;
            run = 4 - at < size ? 4 - at : size;
            word = run < 4 ? soc_read(c->chip, c->core, addr & ~3u) : 0;
            memcpy((uint8_t *)&word + at, from, run);
            soc_write(c->chip, c->core, addr & ~3u, word);
            continue;
        }
        uint8_t *to = rom_span_writable(c, addr, &run);
        if (!to)
            return false;
        if (run > size)
            run = size;
        memcpy(to, from, run);
        bus_written(c->chip, addr, run);
    }
    return true;
}

bool rom_load32(rom_call_t *c, uint32_t addr, uint32_t *value)
{
    return rom_load(c, addr, value, 4);
}

bool rom_store32(rom_call_t *c, uint32_t addr, uint32_t value)
{
    return rom_store(c, addr, &value, 4);
}

bool rom_length(rom_call_t *c, uint32_t addr, uint32_t most, uint32_t *length)
{
    uint32_t n = 0, run;
    while (n < most) {
        const uint8_t *bytes = rom_span(c, addr + n, &run);
        if (!bytes)
            return false;
        if (run > most - n)
            run = most - n;
        const uint8_t *end = memchr(bytes, 0, run);
        if (end) {
            *length = n + (uint32_t)(end - bytes);
            return true;
        }
        n += run;
    }
    *length = most;
    return true;
}

uint32_t rom_reg_read(rom_call_t *c, uint32_t addr)
{
    return soc_read(c->chip, c->core, addr);
}

void rom_reg_write(rom_call_t *c, uint32_t addr, uint32_t value)
{
    soc_write(c->chip, c->core, addr, value);
}

/* --- dispatch ------------------------------------------------------------------------------------
 */

static void unknown(rom_call_t *c)
{
    uint32_t offset = 0;
    const char *name = rom_symbol(c->pc, &offset);
    chip_log_once(c->chip, c->pc,
                  "ROM function %s+%u at 0x%08x is unknown; called with (0x%x, 0x%x, 0x%x, 0x%x)",
                  name ? name : "?", offset, c->pc, rom_arg(c, 0), rom_arg(c, 1), rom_arg(c, 2),
                  rom_arg(c, 3));
    rom_fault(c, CAUSE_ILLEGAL, c->pc);
}

uint32_t rom_call(esp32_t *chip, int core, uint32_t budget)
{
    lx6_t *cpu = &chip->state.core[core];
    rom_call_t call = {
        .chip = chip,
        .core = core,
        .pc = cpu->pc,
        .n = (cpu->ps & PS_CALLINC) >> PS_CALLINC_SHIFT,
        .cost = DEFAULT_COST,
    };
    (void)budget;
    switch (cpu->pc) {
#define SERVICE(name)                                                                              \
    case AT_##name: rom_##name(&call); break;
#include "services.def"
#undef SERVICE
    default: unknown(&call); break;
    }
    if (!call.elsewhere)
        cpu->pc = ROM0_BASE | (*rom_reg(&call, 0) & 0x3FFFFFFF);
    return call.cost;
}

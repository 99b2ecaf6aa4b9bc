/* Guest memory: where each address lies, the page tables of the cores, and which lines of RAM
 * hold code that was translated. */
#include <string.h>

#include "chip.h"
#include "cpu/cache.h"
#include "rom/rom.h"

#define PAGE_OF(addr) (((addr) - MAP_BASE) >> MAP_PAGE_SHIFT)
#define MMU_PAGE      0x10000u
#define MMU_INVALID   0x100u
#define MMU_IBUS      0x40000000u /* of entry 64; 4 MB more are served by each 64 that follow */

/* --- places ------------------------------------------------------------------------------ */

/* RAM in the order of esp32_state_t, with every window the data and instruction bus have. */
static const struct {
    uint32_t base, size, offset;
    bool mapped; /* has pages in the tables: in the window and not reversed */
} windows[] = {
    {DRAM_BASE, DRAM_SIZE, 0, true},
    {IRAM_BASE, IRAM_SIZE, DRAM_SIZE, true},
    {RTC_FAST_BASE, RTC_FAST_SIZE, DRAM_SIZE + IRAM_SIZE, true},
    {RTC_FAST_IBUS, RTC_FAST_SIZE, DRAM_SIZE + IRAM_SIZE, true},
    {RTC_SLOW_BASE, RTC_SLOW_SIZE, DRAM_SIZE + IRAM_SIZE + RTC_FAST_SIZE, false},
};
#define WINDOWS (sizeof windows / sizeof *windows)

_Static_assert(offsetof(esp32_state_t, iram) == offsetof(esp32_state_t, dram) + DRAM_SIZE &&
                   offsetof(esp32_state_t, rtc_fast) == offsetof(esp32_state_t, iram) + IRAM_SIZE &&
                   offsetof(esp32_state_t, rtc_slow) ==
                       offsetof(esp32_state_t, rtc_fast) + RTC_FAST_SIZE,
               "RAM lies in a row");

static uint8_t *ram(esp32_t *chip)
{
    return (uint8_t *)&chip->state + offsetof(esp32_state_t, dram);
}

/* Offset of `addr` in RAM and how many bytes follow in a row; -1 when it is no RAM. */
static int32_t ram_offset(uint32_t addr, uint32_t *run)
{
    for (unsigned i = 0; i < WINDOWS; i++) {
        if (addr - windows[i].base < windows[i].size) {
            *run = windows[i].size - (addr - windows[i].base);
            return (int32_t)(windows[i].offset + (addr - windows[i].base));
        }
    }
    if (addr - SRAM1_IBUS < SRAM1_SIZE) { /* the last word of SRAM1 comes first */
        uint32_t word = SRAM1_SIZE - 4 - ((addr - SRAM1_IBUS) & ~3u);
        *run = 4 - (addr & 3);
        return (int32_t)(SRAM1_BASE - DRAM_BASE + word + (addr & 3));
    }
    return -1;
}

/* Number of the flash MMU entry that serves `addr`; -1 outside the cached windows. */
static int mmu_entry(uint32_t addr)
{
    if (addr - DROM_BASE < DROM_SIZE)
        return (int)((addr - DROM_BASE) / MMU_PAGE);
    if (addr >= IROM_BASE && addr < IROM_END)
        return (int)(64 + (addr - MMU_IBUS) / MMU_PAGE);
    return -1;
}

static uint32_t mmu_base(int entry)
{
    return entry < 64 ? DROM_BASE + (uint32_t)entry * MMU_PAGE
                      : MMU_IBUS + (uint32_t)(entry - 64) * MMU_PAGE;
}

/* Flash page behind `addr` as `core` sees it; -1 when none is mapped. */
static int flash_page_at(const esp32_t *chip, int core, uint32_t addr)
{
    int entry = mmu_entry(addr);
    if (entry < 0 || (chip->mmu_seen[core][entry] & MMU_INVALID))
        return -1;
    uint32_t flash = chip->mmu_seen[core][entry] * MMU_PAGE + addr % MMU_PAGE;
    return (int)(flash % ESP32_FLASH_SIZE / FLASH_PAGE_SIZE);
}

const uint8_t *bus_span(esp32_t *chip, int core, uint32_t addr, uint32_t *size)
{
    int32_t offset = ram_offset(addr, size);
    if (offset >= 0)
        return ram(chip) + offset;
    if (addr - ROM1_BASE < ROM1_SIZE) {
        *size = ROM1_SIZE - (addr - ROM1_BASE);
        return chip->state.rom1 + (addr - ROM1_BASE);
    }
    int page = flash_page_at(chip, core, addr);
    if (page < 0)
        return NULL;
    *size = FLASH_PAGE_SIZE - addr % FLASH_PAGE_SIZE;
    return chip->flash_page[page] + addr % FLASH_PAGE_SIZE;
}

uint8_t *bus_span_writable(esp32_t *chip, int core, uint32_t addr, uint32_t *size)
{
    (void)core; /* RAM looks the same to both */
    int32_t offset = ram_offset(addr, size);
    return offset < 0 ? NULL : ram(chip) + offset;
}

/* --- code lines ------------------------------------------------------------------------------ */

/* Make the pages that show RAM at `offset` writable by the fast path, or not. */
static void set_writable(esp32_t *chip, uint32_t offset, bool writable)
{
    for (unsigned i = 0; i < WINDOWS; i++) {
        if (!windows[i].mapped || offset - windows[i].offset >= windows[i].size)
            continue;
        uint32_t addr = windows[i].base + (offset - windows[i].offset);
        addr &= ~(MAP_PAGE_SIZE - 1);
        for (int core = 0; core < ESP32_CORES; core++) {
            lx6_cache_t *c = chip->cache[core];
            c->wr[PAGE_OF(addr)] = writable ? c->rd[PAGE_OF(addr)] : 0;
        }
    }
}

static void mark_code(esp32_t *chip, uint32_t offset)
{
    uint8_t *line = &chip->code_line[offset >> CODE_LINE_SHIFT];
    if (*line)
        return;
    *line = 1;
    set_writable(chip, offset, false);
}

void bus_drop_code(esp32_t *chip)
{
    for (uint32_t line = 0; line < CODE_LINES; line++) {
        if (!chip->code_line[line])
            continue;
        chip->code_line[line] = 0;
        set_writable(chip, line << CODE_LINE_SHIFT, true);
    }
    memset(chip->mmu_code, 0, sizeof chip->mmu_code);
    for (int core = 0; core < ESP32_CORES; core++)
        chip->cache[core]->flush = true;
    lx6_break_slice(chip, chip->running_core);
}

void bus_written(esp32_t *chip, uint32_t addr, uint32_t size)
{
    while (size) {
        uint32_t run;
        int32_t offset = ram_offset(addr, &run);
        if (offset < 0)
            return;
        if (run > size)
            run = size;
        uint32_t last = ((uint32_t)offset + run - 1) >> CODE_LINE_SHIFT;
        for (uint32_t line = (uint32_t)offset >> CODE_LINE_SHIFT; line <= last; line++) {
            if (unlikely(chip->code_line[line])) {
                bus_drop_code(chip);
                return;
            }
        }
        addr += run;
        size -= run;
    }
}

/* --- access ---------------------------------------------------------------------------------- */

bool bus_read(esp32_t *chip, int core, uint32_t addr, void *data, uint32_t size)
{
    uint32_t run, done = 0;
    for (uint32_t n = 0; n < size; n += run < size - n ? run : size - n) {
        if (addr + n < addr)
            return false;
        if (addr + n - ROM0_BASE < ROM0_SIZE)
            run = 1;
        else if (!bus_span(chip, core, addr + n, &run))
            return false;
    }
    uint8_t *to = data;
    for (; done < size; done += run) {
        if (addr + done - ROM0_BASE < ROM0_SIZE) { /* no ROM bytes exist but our own vectors */
            int byte = rom_code(addr + done);
            to[done] = byte < 0 ? 0 : (uint8_t)byte;
            run = 1;
            continue;
        }
        const uint8_t *from = bus_span(chip, core, addr + done, &run);
        if (run > size - done)
            run = size - done;
        memcpy(to + done, from, run);
    }
    return true;
}

bool bus_write(esp32_t *chip, int core, uint32_t addr, const void *data, uint32_t size)
{
    uint32_t run;
    for (uint32_t n = 0; n < size; n += run < size - n ? run : size - n)
        if (addr + n < addr || !bus_span_writable(chip, core, addr + n, &run))
            return false;
    const uint8_t *from = data;
    for (uint32_t done = 0; done < size; done += run) {
        uint8_t *to = bus_span_writable(chip, core, addr + done, &run);
        if (run > size - done)
            run = size - done;
        memcpy(to, from + done, run);
    }
    bus_written(chip, addr, size);
    return true;
}

/* Where `addr` holds code or a literal, marked as such; NULL when nothing is there. */
static const uint8_t *code_at(esp32_t *chip, int core, uint32_t addr, uint32_t *run)
{
    int32_t offset = ram_offset(addr, run);
    if (offset >= 0)
        mark_code(chip, (uint32_t)offset);
    int entry = mmu_entry(addr);
    if (entry >= 0)
        chip->mmu_code[core][entry] = true;
    return bus_span(chip, core, addr, run);
}

bool bus_fetch(esp32_t *chip, int core, uint32_t addr, uint8_t *byte)
{
    uint32_t run;
    const uint8_t *code = code_at(chip, core, addr, &run);
    if (code)
        *byte = *code;
    return code != NULL;
}

bool bus_fetch_word(esp32_t *chip, int core, uint32_t addr, uint32_t *word)
{
    uint32_t run;
    const uint8_t *code = code_at(chip, core, addr, &run);
    if (code)
        memcpy(word, code, 4);
    return code != NULL;
}

static bool dma_reach(uint32_t addr, uint32_t size)
{
    return addr >= DRAM_BASE && size <= DRAM_SIZE && addr - DRAM_BASE <= DRAM_SIZE - size;
}

bool bus_dma_read(esp32_t *chip, uint32_t addr, void *data, uint32_t size)
{
    return dma_reach(addr, size) && bus_read(chip, 0, addr, data, size);
}

bool bus_dma_write(esp32_t *chip, uint32_t addr, const void *data, uint32_t size)
{
    return dma_reach(addr, size) && bus_write(chip, 0, addr, data, size);
}

int esp32_mem_read(esp32_t *chip, uint32_t addr, void *data, uint32_t size)
{
    return bus_read(chip, 0, addr, data, size) ? 0 : -1;
}

int esp32_mem_write(esp32_t *chip, uint32_t addr, const void *data, uint32_t size)
{
    return bus_write(chip, 0, addr, data, size) ? 0 : -1;
}

/* --- page tables ------------------------------------------------------------------------------ */

static void map_page(lx6_cache_t *c, uint32_t addr, const uint8_t *bytes, bool writable)
{
    uintptr_t bias = bytes ? (uintptr_t)bytes - addr : 0;
    c->rd[PAGE_OF(addr)] = bias;
    c->wr[PAGE_OF(addr)] = writable ? bias : 0;
}

void bus_init(esp32_t *chip)
{
    for (int core = 0; core < ESP32_CORES; core++) {
        lx6_cache_t *c = chip->cache[core];
        for (unsigned i = 0; i < WINDOWS; i++)
            for (uint32_t at = 0; windows[i].mapped && at < windows[i].size; at += MAP_PAGE_SIZE)
                map_page(c, windows[i].base + at, ram(chip) + windows[i].offset + at, true);
        for (uint32_t at = 0; at < ROM1_SIZE; at += MAP_PAGE_SIZE)
            map_page(c, ROM1_BASE + at, chip->state.rom1 + at, false);
        for (unsigned entry = 0; entry < MMU_ENTRIES; entry++)
            chip->mmu_seen[core][entry] = MMU_INVALID;
    }
}

static void map_entry(esp32_t *chip, int core, int entry)
{
    uint32_t base = mmu_base(entry);
    for (uint32_t at = 0; at < MMU_PAGE; at += MAP_PAGE_SIZE) {
        if (mmu_entry(base + at) != entry)
            continue; /* that part of the window belongs to IRAM or RTC memory */
        int page = flash_page_at(chip, core, base + at);
        map_page(chip->cache[core], base + at, page < 0 ? NULL : chip->flash_page[page], false);
    }
}

void bus_remap_flash(esp32_t *chip, int core)
{
    if (core < 0) {
        bus_remap_flash(chip, 0);
        core = 1;
    }
    for (unsigned entry = 0; entry < MMU_ENTRIES; entry++) {
        uint16_t now = (uint16_t)(chip->state.soc.dport.flash_mmu[core][entry] & 0x1FF);
        if (chip->mmu_seen[core][entry] == now)
            continue;
        chip->mmu_seen[core][entry] = now;
        map_entry(chip, core, (int)entry);
        if (chip->mmu_code[core][entry])
            bus_drop_code(chip);
    }
}

void bus_flash_changed(esp32_t *chip, uint32_t page)
{
    uint32_t block = page * FLASH_PAGE_SIZE / MMU_PAGE;
    for (int core = 0; core < ESP32_CORES; core++) {
        for (int entry = 0; entry < (int)MMU_ENTRIES; entry++) {
            uint16_t seen = chip->mmu_seen[core][entry];
            if ((seen & MMU_INVALID) || seen % (ESP32_FLASH_SIZE / MMU_PAGE) != block)
                continue;
            map_entry(chip, core, entry);
            if (chip->mmu_code[core][entry])
                bus_drop_code(chip);
        }
    }
}

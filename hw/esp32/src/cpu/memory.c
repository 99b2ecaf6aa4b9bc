/* Loads and stores that the interpreter's page table does not answer: MMIO, unaligned words,
 * RTC memory, the reversed view of SRAM1, lines that hold code, and bad addresses. */
#include "cache.h"

/* The instruction bus is word-wide: narrower or unaligned accesses to it are errors (ESP32 TRM,
 * "Internal SRAM": IRAM must be accessed by aligned words). */
static bool on_instruction_bus(uint32_t addr)
{
    return addr >= ROM0_BASE && addr < IROM_END;
}

bool lx6_load(esp32_t *chip, int index, uint32_t addr, unsigned size, uint32_t pc, uint32_t *value)
{
    if (addr - MMIO_BASE < MMIO_SIZE || addr - 0x60000000u < MMIO_SIZE) {
        uint32_t word = soc_read(chip, index, addr & ~3u);
        *value = word >> (addr & 3) * 8;
        if (size < 4)
            *value &= (1u << size * 8) - 1;
        return true;
    }
    if (on_instruction_bus(addr) && (size < 4 || (addr & 3))) {
        lx6_raise(chip, index, size < 4 ? CAUSE_LOAD_STORE_ERROR : CAUSE_ALIGNMENT, pc, addr);
        return false;
    }
    *value = 0;
    if (bus_read(chip, index, addr, value, size))
        return true;
    lx6_raise(chip, index, CAUSE_LOAD_PROHIBITED, pc, addr);
    return false;
}

bool lx6_store(esp32_t *chip, int index, uint32_t addr, unsigned size, uint32_t pc, uint32_t value)
{
    if (addr - MMIO_BASE < MMIO_SIZE || addr - 0x60000000u < MMIO_SIZE) {
        uint32_t word = addr & ~3u;
        if (size < 4) {
            uint32_t mask = ((1u << size * 8) - 1) << (addr & 3) * 8;
            value = (soc_read(chip, index, word) & ~mask) | (value << (addr & 3) * 8 & mask);
        }
        soc_write(chip, index, word, value);
        return true;
    }
    if (on_instruction_bus(addr) && (size < 4 || (addr & 3))) {
        lx6_raise(chip, index, size < 4 ? CAUSE_LOAD_STORE_ERROR : CAUSE_ALIGNMENT, pc, addr);
        return false;
    }
    if (bus_write(chip, index, addr, &value, size))
        return true;
    lx6_raise(chip, index, CAUSE_STORE_PROHIBITED, pc, addr);
    return false;
}

/* Flash and flash cache functions of the ROM. */
#include "call.h"

#define MMU_PRO     0x3FF10000u
#define MMU_APP     0x3FF12000u
#define MMU_INVALID 0x100u
#define PAGE        0x10000u
#define OK          0u
#define FAILED      1u
#define STATUS_WEL  2u

/* --- cache ------------------------------------------------------------------------------------ */

static uint32_t table(uint32_t core)
{
    return core ? MMU_APP : MMU_PRO;
}

void rom_mmu_init(rom_call_t *c)
{
    uint32_t base = table(rom_arg(c, 0));
    for (uint32_t entry = 0; entry < MMU_ENTRIES; entry++)
        rom_reg_write(c, base + 4 * entry, MMU_INVALID);
    c->cost = 2000;
}

/* cache_flash_mmu_set_rom(core, pid, virtual, physical, page KB, pages); entries per pid: the
 * first 256 are those of pid 0 and 1 */
void rom_cache_flash_mmu_set_rom(rom_call_t *c)
{
    uint32_t core = rom_arg(c, 0), virtual_addr = rom_arg(c, 2), physical = rom_arg(c, 3);
    uint32_t kilobytes = rom_arg(c, 4), pages = rom_arg(c, 5), entry;
    if (virtual_addr % PAGE || physical % PAGE) {
        rom_return(c, 1);
        return;
    }
    if (kilobytes != 64) {
        rom_return(c, 3);
        return;
    }
    if (virtual_addr >= DROM_BASE && virtual_addr < DROM_BASE + DROM_SIZE) {
        entry = (virtual_addr - DROM_BASE) / PAGE;
    } else if (virtual_addr >= ROM0_BASE && virtual_addr < IROM_END) {
        entry = 64 + (virtual_addr - ROM0_BASE) / PAGE;
    } else {
        rom_return(c, 4);
        return;
    }
    for (uint32_t n = 0; n < pages && entry + n < MMU_ENTRIES; n++)
        rom_reg_write(c, table(core) + 4 * (entry + n), physical / PAGE + n);
    c->cost = 40 + 4 * pages;
    rom_return(c, 0);
}

/* The cache is never stale and never off: what it is told has no effect. */
void rom_Cache_Read_Init_rom(rom_call_t *c)
{
    (void)c;
}

void rom_Cache_Flush_rom(rom_call_t *c)
{
    (void)c;
}

void rom_Cache_Read_Enable_rom(rom_call_t *c)
{
    (void)c;
}

void rom_Cache_Read_Disable_rom(rom_call_t *c)
{
    (void)c;
}

/* --- flash
 * ----------------------------------------------------------------------------------------- */

/* config_param(device id, chip size, block size, sector size, page size, status mask) */
void rom_esp_rom_spiflash_config_param(rom_call_t *c)
{
    uint32_t words[6];
    for (unsigned i = 0; i < 6; i++)
        words[i] = rom_arg(c, i);
    if (rom_store(c, ROM_FLASHCHIP, words, sizeof words))
        rom_return(c, OK);
}

#define ALWAYS_OK(name)                                                                            \
    void rom_##name(rom_call_t *c)                                                                 \
    {                                                                                              \
        rom_return(c, OK);                                                                         \
    }
ALWAYS_OK(esp_rom_spiflash_config_clk)
ALWAYS_OK(esp_rom_spiflash_config_readmode)
ALWAYS_OK(esp_rom_spiflash_attach)
ALWAYS_OK(esp_rom_spiflash_write_status)
ALWAYS_OK(esp_rom_spiflash_wait_idle)
ALWAYS_OK(esp_rom_spiflash_lock)

/* The status register of the part, by a real command on SPI1. */
static uint32_t status(rom_call_t *c)
{
    return c->chip->state.soc.spi[1].write_enabled ? STATUS_WEL : 0;
}

/* read_user_cmd(&status, command) */
void rom_esp_rom_spiflash_read_user_cmd(rom_call_t *c)
{
    uint32_t value = (rom_arg(c, 1) & 0xFF) == 0x05 ? status(c) : 0;
    if (rom_store32(c, rom_arg(c, 0), value))
        rom_return(c, OK);
}

/* read_status(chip, &status) */
void rom_esp_rom_spiflash_read_status(rom_call_t *c)
{
    if (rom_store32(c, rom_arg(c, 1), status(c)))
        rom_return(c, OK);
}

void rom_esp_rom_spiflash_read_statushigh(rom_call_t *c)
{
    if (rom_store32(c, rom_arg(c, 1), 0))
        rom_return(c, OK);
}

void rom_SPI_write_enable(rom_call_t *c)
{
    c->chip->state.soc.spi[1].write_enabled = true;
    rom_return(c, OK);
}

/* No key is burnt in eFuse. */
void rom_esp_rom_spiflash_write_encrypted(rom_call_t *c)
{
    rom_return(c, FAILED);
}

static bool inside(uint32_t addr, uint32_t size)
{
    return addr <= ESP32_FLASH_SIZE && size <= ESP32_FLASH_SIZE - addr;
}

static void erase(rom_call_t *c, uint32_t addr, uint32_t size)
{
    if (!inside(addr, size)) {
        rom_return(c, FAILED);
        return;
    }
    flash_erase(c->chip, addr, size);
    c->cost = 1000;
    rom_return(c, OK);
}

void rom_esp_rom_spiflash_erase_chip(rom_call_t *c)
{
    erase(c, 0, ESP32_FLASH_SIZE);
}

void rom_esp_rom_spiflash_erase_block(rom_call_t *c)
{
    uint32_t block = rom_arg(c, 0);
    erase(c, block < ESP32_FLASH_SIZE / 0x10000 ? block * 0x10000 : UINT32_MAX, 0x10000);
}

void rom_esp_rom_spiflash_erase_sector(rom_call_t *c)
{
    uint32_t sector = rom_arg(c, 0);
    erase(c, sector < ESP32_FLASH_SIZE / 0x1000 ? sector * 0x1000 : UINT32_MAX, 0x1000);
}

void rom_esp_rom_spiflash_erase_area(rom_call_t *c)
{
    uint32_t start = rom_arg(c, 0) & ~0xFFFu;
    uint32_t end = rom_arg(c, 0) + rom_arg(c, 1);
    erase(c, start, ((end + 0xFFF) & ~0xFFFu) - start);
}

/* write(flash address, data, bytes) and read(flash address, buffer, bytes) */
void rom_esp_rom_spiflash_write(rom_call_t *c)
{
    uint32_t addr = rom_arg(c, 0), from = rom_arg(c, 1), size = rom_arg(c, 2);
    if (!inside(addr, size)) {
        rom_return(c, FAILED);
        return;
    }
    c->cost = 100 + size;
    for (uint32_t run; size; addr += run, from += run, size -= run) {
        const uint8_t *bytes = rom_span(c, from, &run);
        if (!bytes)
            return;
        if (run > size)
            run = size;
        flash_program(c->chip, addr, bytes, run);
    }
    rom_return(c, OK);
}

void rom_esp_rom_spiflash_read(rom_call_t *c)
{
    uint32_t addr = rom_arg(c, 0), to = rom_arg(c, 1), size = rom_arg(c, 2);
    if (!inside(addr, size)) {
        rom_return(c, FAILED);
        return;
    }
    c->cost = 100 + size / 2;
    for (uint32_t run; size; addr += run, to += run, size -= run) {
        uint8_t *bytes = rom_span_writable(c, to, &run);
        if (!bytes)
            return;
        if (run > size)
            run = size;
        flash_read(c->chip, addr, bytes, run);
        bus_written(c->chip, to, run);
    }
    rom_return(c, OK);
}

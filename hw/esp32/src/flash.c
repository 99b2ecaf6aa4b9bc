/* The SPI NOR flash array: 4 KB pages, shared with the host's image until the guest changes one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chip.h"

static const uint8_t erased[FLASH_PAGE_SIZE] = {[0 ... FLASH_PAGE_SIZE - 1] = 0xFF};

static void settle(esp32_t *chip, uint32_t page)
{
    const uint8_t *base = chip->flash_base[page] ? chip->flash_base[page] : erased;
    const uint8_t *bytes = chip->flash_own[page] ? chip->flash_own[page] : base;
    chip->flash_page[page] = bytes;
    bus_flash_changed(chip, page);
}

void flash_init(esp32_t *chip)
{
    for (uint32_t page = 0; page < FLASH_PAGES; page++)
        chip->flash_page[page] = erased;
}

void flash_free(esp32_t *chip)
{
    for (uint32_t page = 0; page < FLASH_PAGES; page++) {
        free(chip->flash_own[page]);
        free(chip->flash_base[page]);
    }
}

/* The guest's own copy of a page, made when it has none; NULL when memory is short. */
static uint8_t *own(esp32_t *chip, uint32_t page)
{
    if (!chip->flash_own[page]) {
        uint8_t *copy = malloc(FLASH_PAGE_SIZE);
        if (!copy) {
            chip_fatal(chip, "no memory for a copy of flash page 0x%06x", page * FLASH_PAGE_SIZE);
            return NULL;
        }
        memcpy(copy, chip->flash_page[page], FLASH_PAGE_SIZE);
        chip->flash_own[page] = copy;
    }
    return chip->flash_own[page];
}

bool flash_set_own(esp32_t *chip, uint32_t page, const uint8_t *data)
{
    if (data) {
        uint8_t *copy = own(chip, page);
        if (!copy)
            return false;
        memcpy(copy, data, FLASH_PAGE_SIZE);
    } else {
        free(chip->flash_own[page]);
        chip->flash_own[page] = NULL;
    }
    settle(chip, page);
    return true;
}

/* How much of [addr, addr + size) lies in the page of `addr`. */
static uint32_t in_page(uint32_t addr, uint32_t size)
{
    uint32_t room = FLASH_PAGE_SIZE - addr % FLASH_PAGE_SIZE;
    return size < room ? size : room;
}

/* How many of `size` bytes get done before the power fails. */
static uint32_t powered(esp32_t *chip, uint32_t size)
{
    uint64_t left = chip->flash_work_most - chip->flash_work;
    uint32_t done = size < left ? size : (uint32_t)left;
    chip->flash_work += done;
    if (chip->flash_work == chip->flash_work_most)
        chip_notify(chip, ESP32_STOP_POWER);
    return done;
}

uint64_t esp32_flash_work(const esp32_t *chip)
{
    return chip->flash_work;
}

void esp32_power_cut(esp32_t *chip, uint64_t after)
{
    chip->flash_work_most = chip->flash_work + after;
    if (!after)
        chip_notify(chip, ESP32_STOP_POWER);
}

void flash_program(esp32_t *chip, uint32_t addr, const uint8_t *data, uint32_t size)
{
    size = powered(chip, size);
    while (size) {
        addr %= ESP32_FLASH_SIZE; /* the part ignores address bits it does not have */
        uint32_t n = in_page(addr, size), page = addr / FLASH_PAGE_SIZE;
        uint8_t *bytes = own(chip, page);
        if (!bytes)
            return;
        for (uint32_t i = 0; i < n; i++)
            bytes[addr % FLASH_PAGE_SIZE + i] &= data[i];
        settle(chip, page);
        addr += n;
        data += n;
        size -= n;
    }
}

void flash_erase(esp32_t *chip, uint32_t addr, uint32_t size)
{
    size = powered(chip, size);
    while (size) {
        addr %= ESP32_FLASH_SIZE;
        uint32_t n = in_page(addr, size), page = addr / FLASH_PAGE_SIZE;
        uint8_t *bytes = own(chip, page);
        if (!bytes)
            return;
        memset(bytes + addr % FLASH_PAGE_SIZE, 0xFF, n);
        settle(chip, page);
        addr += n;
        size -= n;
    }
}

void flash_read(const esp32_t *chip, uint32_t addr, uint8_t *data, uint32_t size)
{
    while (size) {
        addr %= ESP32_FLASH_SIZE;
        uint32_t n = in_page(addr, size);
        memcpy(data, chip->flash_page[addr / FLASH_PAGE_SIZE] + addr % FLASH_PAGE_SIZE, n);
        addr += n;
        data += n;
        size -= n;
    }
}

/* --- the host's side ------------------------------------------------------------------ */

/* FNV-1a over a page and its place; the fingerprint of the image is the XOR of all pages. */
static uint64_t page_hash(const uint8_t *bytes, uint32_t page)
{
    uint64_t hash = 0xCBF29CE484222325ull ^ page;
    for (uint32_t i = 0; i < FLASH_PAGE_SIZE; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, 8);
        hash = (hash ^ word) * 0x100000001B3ull;
        hash ^= hash >> 29;
    }
    return hash;
}

static bool in_range(uint32_t addr, uint32_t size)
{
    return addr <= ESP32_FLASH_SIZE && size <= ESP32_FLASH_SIZE - addr;
}

int esp32_flash_read(const esp32_t *chip, uint32_t addr, void *data, uint32_t size)
{
    if (!in_range(addr, size))
        return -1;
    flash_read(chip, addr, data, size);
    return 0;
}

static bool all_erased(const uint8_t *bytes)
{
    return !memcmp(bytes, erased, FLASH_PAGE_SIZE);
}

/* Programming from outside makes what stands in the page then its base. */
static int rebase(esp32_t *chip, uint32_t page, uint32_t offset, const uint8_t *data, uint32_t n)
{
    uint8_t *base = chip->flash_base[page], bytes[FLASH_PAGE_SIZE];
    memcpy(bytes, chip->flash_page[page], FLASH_PAGE_SIZE);
    memcpy(bytes + offset, data, n);
    if (base)
        chip->flash_fingerprint ^= page_hash(base, page);
    if (all_erased(bytes)) {
        free(base);
        base = NULL;
    } else {
        if (!base && !(base = malloc(FLASH_PAGE_SIZE)))
            return -1;
        memcpy(base, bytes, FLASH_PAGE_SIZE);
        chip->flash_fingerprint ^= page_hash(base, page);
    }
    chip->flash_base[page] = base;
    free(chip->flash_own[page]);
    chip->flash_own[page] = NULL;
    settle(chip, page);
    return 0;
}

int esp32_flash_write(esp32_t *chip, uint32_t addr, const void *data, uint32_t size)
{
    const uint8_t *bytes = data;
    if (!in_range(addr, size)) {
        snprintf(chip->error, sizeof chip->error,
                 "flash write of %u bytes at 0x%06x: beyond the %u bytes of the part", size, addr,
                 ESP32_FLASH_SIZE);
        return -1;
    }
    while (size) {
        uint32_t n = in_page(addr, size);
        if (rebase(chip, addr / FLASH_PAGE_SIZE, addr % FLASH_PAGE_SIZE, bytes, n) < 0) {
            snprintf(chip->error, sizeof chip->error, "no memory for flash page 0x%06x",
                     addr & ~(FLASH_PAGE_SIZE - 1));
            return -1;
        }
        addr += n;
        bytes += n;
        size -= n;
    }
    return 0;
}

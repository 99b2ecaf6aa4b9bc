/* The ROM's tables and the RAM words it owns (addresses: the linker scripts of ESP-IDF). */
#include "data.h"

#include <string.h>

#define CTYPE_PTR     0x3FF96350u
#define CTYPE         0x3FF96354u /* 257 bytes: one for EOF, then by character */
#define MB_CUR_MAX_AT 0x3FF96530u
#define POPCOUNT      0x3FF96544u
#define ONE_BITS      0x3FF971F8u

enum {
    UPPER = 1,
    LOWER = 2,
    DIGIT = 4,
    SPACE = 8,
    PUNCT = 16,
    CONTROL = 32,
    HEX = 64,
    BLANK = 128
};

static uint8_t *at(esp32_t *chip, uint32_t addr)
{
    return &chip->state.rom1[addr - ROM1_BASE];
}

static void put32(esp32_t *chip, uint32_t addr, uint32_t value)
{
    memcpy(at(chip, addr), &value, 4);
}

static uint8_t class_of(int c)
{
    if (c >= '0' && c <= '9')
        return DIGIT;
    if ((c >= 'A' && c <= 'F'))
        return UPPER | HEX;
    if (c >= 'a' && c <= 'f')
        return LOWER | HEX;
    if (c >= 'G' && c <= 'Z')
        return UPPER;
    if (c >= 'g' && c <= 'z')
        return LOWER;
    if (c == ' ')
        return SPACE | BLANK;
    if (c >= 9 && c <= 13)
        return CONTROL | SPACE;
    if (c < 32 || c == 127)
        return CONTROL;
    return c < 127 ? PUNCT : 0;
}

/* struct lconv of the "C" locale: "." for the decimal point, "" for every other string */
static void put_lconv(esp32_t *chip)
{
    uint32_t dot = ROM_LCONV + 0x80, empty = ROM_LCONV + 0x84;
    memcpy(at(chip, dot), ".", 2);
    put32(chip, ROM_LCONV, dot);
    for (uint32_t field = 1; field < 10; field++)
        put32(chip, ROM_LCONV + 4 * field, empty);
    memset(at(chip, ROM_LCONV + 40), 127, 14); /* CHAR_MAX: not available */
}

void rom_data_init(esp32_t *chip)
{
    static const struct {
        uint32_t device_id, size, block, sector, page, status_mask;
    } flashchip = {0x1640EF, ESP32_FLASH_SIZE, 0x10000, 0x1000, 0x100, 0xFFFF};
    uint32_t mhz = ESP32_TICKS_PER_US / chip->state.ticks_per_cycle, zero = 0;

    put32(chip, CTYPE_PTR, CTYPE);
    *at(chip, CTYPE) = 0;
    for (int c = 0; c < 256; c++)
        *at(chip, CTYPE + 1 + (uint32_t)c) = class_of(c);
    put32(chip, MB_CUR_MAX_AT, 1);
    for (uint32_t n = 0; n < 256; n++)
        *at(chip, POPCOUNT + n) = (uint8_t)__builtin_popcount(n);
    for (uint32_t n = 0; n < 16; n++)
        *at(chip, ONE_BITS + n) = (uint8_t)__builtin_popcount(n);
    put_lconv(chip);

    bus_write(chip, 0, ROM_FLASHCHIP, &flashchip, sizeof flashchip);
    bus_write(chip, 0, ROM_TICKS_PER_US_PRO, &mhz, 4);
    bus_write(chip, 0, ROM_TICKS_PER_US_APP, &mhz, 4);
    bus_write(chip, 0, 0x3FFAE020, &zero, 4); /* syscall tables: the firmware's to set */
    bus_write(chip, 0, 0x3FFAE024, &zero, 4);
    bus_write(chip, 0, 0x3FFAE0B0, &zero, 4); /* _global_impure_ptr */
}

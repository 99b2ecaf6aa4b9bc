/* Three peripherals of a few registers: random numbers, eFuse, ADC control. */
#include <string.h>

#include "parts.h"

/* --- RNG (ESP32 TRM, "Random Number Generator"): seeded, so that a run can be repeated --- */

#define RNG_DATA 0x144

static uint32_t rng_read(esp32_t *chip, int core, uint32_t offset)
{
    uint64_t *s = &chip->state.soc.rng;
    (void)core;
    if (offset != RNG_DATA)
        return 0;
    *s ^= *s << 13; /* xorshift64*: a constant or a counter hangs boot */
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return (uint32_t)(*s * 0x2545F4914F6CDD1Dull >> 32);
}

static void rng_write(esp32_t *chip, int core, uint32_t offset, uint32_t value)
{
    (void)chip, (void)core, (void)offset, (void)value;
}

static void rng_reset(esp32_t *chip, enum esp32_reset_cause cause)
{
    if (cause == ESP32_RESET_POWERON && !chip->state.soc.rng)
        chip->state.soc.rng = 0x9E3779B97F4A7C15ull ^ ((uint64_t)chip->config.seed << 20);
}

const peripheral_t rng = {"RNG", 0x3FF75000, 0x1000, rng_reset, rng_read, rng_write};

/* --- eFuse (ESP32 TRM, "eFuse Controller"): block 0 of a revision 3 chip --- */

#define BLK0_RDATA1          0x04 /* MAC, low word */
#define BLK0_RDATA2          0x08 /* MAC, high half; CRC8 in [23:16] */
#define BLK0_RDATA3          0x0C
#define RDATA3_CHIP_VER_REV1 0x8000u
#define BLK0_RDATA5          0x14
#define RDATA5_CHIP_VER_REV2 0x100000u

/* CRC-8, polynomial 0x31 reflected (0x8C), as the firmware checks it. */
static uint8_t mac_crc(const uint8_t *mac)
{
    uint8_t crc = 0;
    for (int i = 0; i < 6; i++) {
        crc ^= mac[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (uint8_t)(crc >> 1 ^ (crc & 1 ? 0x8C : 0));
    }
    return crc;
}

static uint32_t efuse_read(esp32_t *chip, int core, uint32_t offset)
{
    const uint8_t *mac = chip->config.mac;
    (void)core;
    switch (offset) {
    case BLK0_RDATA1:
        return (uint32_t)mac[2] << 24 | (uint32_t)mac[3] << 16 | (uint32_t)mac[4] << 8 | mac[5];
    case BLK0_RDATA2: return (uint32_t)mac_crc(mac) << 16 | (uint32_t)mac[0] << 8 | mac[1];
    case BLK0_RDATA3: return RDATA3_CHIP_VER_REV1;
    case BLK0_RDATA5: return RDATA5_CHIP_VER_REV2;
    default: return 0;
    }
}

static void efuse_write(esp32_t *chip, int core, uint32_t offset, uint32_t value)
{
    (void)core;
    if (offset == 0x104 && (value & 2))
        chip_log_once(chip, 0x3FF5A104, "eFuse programming is not modelled");
}

const peripheral_t efuse = {"EFUSE", 0x3FF5A000, 0x1000, NULL, efuse_read, efuse_write};

/* --- SENS: SAR ADC conversions are done at once and measure 0 V --- */

#define SAR_MEAS_START1 0x54
#define SAR_MEAS_START2 0x94
#define MEAS_DONE       0x10000u
#define SENS_WORDS      0x100u

static uint32_t sens_read(esp32_t *chip, int core, uint32_t offset)
{
    uint32_t word = chip->state.soc.sens[offset / 4];
    (void)core;
    return offset == SAR_MEAS_START1 || offset == SAR_MEAS_START2 ? (word & ~0xFFFFu) | MEAS_DONE
                                                                  : word;
}

static void sens_write(esp32_t *chip, int core, uint32_t offset, uint32_t value)
{
    (void)core;
    chip->state.soc.sens[offset / 4] = value;
}

const peripheral_t sens = {"SENS", 0x3FF48800, SENS_WORDS * 4, NULL, sens_read, sens_write};

/* SPI0 and SPI1 with the flash part behind them (ESP32 TRM, "SPI Controller"; commands as in
 * the data sheets of W25Q32-like parts). Only SPI1 takes commands; SPI0 is the cache's. */
#include <string.h>

#include "parts.h"

#define CMD       0x00
#define ADDR      0x04
#define RD_STATUS 0x10
#define USER      0x1C /* COMMAND 31, ADDR 30, DUMMY 29, MISO 28, MOSI 27 */
#define USER1     0x20 /* ADDR_BITLEN [31:26] */
#define USER2     0x24 /* COMMAND_VALUE [15:0] */
#define MOSI_DLEN 0x28
#define MISO_DLEN 0x2C
#define W0        0x80
#define W_SIZE    64u
#define EXT2      0xF8

#define CMD_USR    (1u << 18)
#define JEDEC_ID   0x1640EFu /* W25Q32: EF 40 16 on the wire */
#define STATUS_WEL 2u

static spi_flash_t *spi_of(esp32_t *chip)
{
    return &chip->state.soc.spi[1];
}

static uint8_t *data_of(spi_flash_t *s)
{
    return (uint8_t *)&s->reg[W0 / 4];
}

static void program(esp32_t *chip, uint32_t addr, uint32_t size)
{
    spi_flash_t *s = spi_of(chip);
    if (size > W_SIZE)
        size = W_SIZE;
    if (!s->write_enabled)
        return;
    /* a page program wraps within its 256 bytes */
    const uint8_t *data = data_of(s);
    for (uint32_t n = 0; n < size; n++)
        flash_program(chip, (addr & ~0xFFu) | ((addr + n) & 0xFF), data + n, 1);
    s->write_enabled = false;
}

static void erase(esp32_t *chip, uint32_t addr, uint32_t size)
{
    spi_flash_t *s = spi_of(chip);
    if (!s->write_enabled)
        return;
    flash_erase(chip, addr & ~(size - 1) & (ESP32_FLASH_SIZE - 1), size);
    s->write_enabled = false;
}

static void answer(spi_flash_t *s, uint32_t value, uint32_t size)
{
    memset(data_of(s), 0, W_SIZE);
    memcpy(data_of(s), &value, size);
}

static void command(esp32_t *chip, uint32_t opcode, uint32_t addr, uint32_t in, uint32_t out)
{
    spi_flash_t *s = spi_of(chip);
    switch (opcode) {
    case 0x03:
    case 0x0B:
    case 0x3B:
    case 0x6B:
    case 0xBB:
    case 0xEB: flash_read(chip, addr, data_of(s), in < W_SIZE ? in : W_SIZE); break;
    case 0x05: answer(s, s->write_enabled ? STATUS_WEL : 0, 1); break;
    case 0x35:
    case 0x15: answer(s, 0, 1); break;
    case 0x9F: answer(s, JEDEC_ID, 3); break;
    case 0x06: s->write_enabled = true; break;
    case 0x04: s->write_enabled = false; break;
    case 0x01:
    case 0x31: s->write_enabled = false; break; /* status bits are all volatile here */
    case 0x02:
    case 0x32:
    case 0x38: program(chip, addr, out); break;
    case 0x20: erase(chip, addr, 0x1000); break;
    case 0x52: erase(chip, addr, 0x8000); break;
    case 0xD8: erase(chip, addr, 0x10000); break;
    case 0x60:
    case 0xC7: erase(chip, 0, ESP32_FLASH_SIZE); break;
    case 0x5A: memset(data_of(s), 0xFF, W_SIZE); break; /* no SFDP table */
    case 0x66:
    case 0x99:
    case 0xAB:
    case 0xB9:
    case 0xFF: break; /* reset, power */
    default: chip_log_once(chip, 0x3FF42000 + opcode, "flash command 0x%02x is unknown", opcode);
    }
}

/* A transaction put together by the user registers. */
static void user_command(esp32_t *chip)
{
    spi_flash_t *s = spi_of(chip);
    uint32_t user = s->reg[USER / 4];
    uint32_t bits = (s->reg[USER1 / 4] >> 26) + 1, addr = s->reg[ADDR / 4];
    if (!(user & 1u << 30))
        addr = 0;
    else if (bits >= 24) /* left-aligned; what follows 24 bits are mode bits */
        addr >>= 8;
    uint32_t in = user & 1u << 28 ? ((s->reg[MISO_DLEN / 4] & 0xFFFFFF) + 1) / 8 : 0;
    uint32_t out = user & 1u << 27 ? ((s->reg[MOSI_DLEN / 4] & 0xFFFFFF) + 1) / 8 : 0;
    command(chip, user & 1u << 31 ? s->reg[USER2 / 4] & 0xFF : 0xFF, addr, in, out);
}

/* One of the bits of CMD that stand for a whole command. */
static void fixed_command(esp32_t *chip, unsigned bit)
{
    static const uint8_t opcode[] = {
        [20] = 0xAB, [21] = 0xB9, [22] = 0xC7, [23] = 0xD8, [24] = 0x20, [25] = 0x02,
        [26] = 0x01, [27] = 0x05, [28] = 0x9F, [29] = 0x04, [30] = 0x06, [31] = 0x03};
    spi_flash_t *s = spi_of(chip);
    uint32_t addr = s->reg[ADDR / 4] & 0xFFFFFF, size = s->reg[ADDR / 4] >> 24;
    if (bit == 27)
        s->reg[RD_STATUS / 4] = s->write_enabled ? STATUS_WEL : 0;
    else if (bit >= 20)
        command(chip, opcode[bit], addr, size, size);
}

static uint32_t read1(esp32_t *chip, int core, uint32_t offset)
{
    const spi_flash_t *s = spi_of(chip);
    (void)core;
    if (offset == CMD || offset == EXT2 || offset >= sizeof s->reg)
        return 0; /* commands are over before the guest can look */
    return s->reg[offset / 4];
}

static void write1(esp32_t *chip, int core, uint32_t offset, uint32_t value)
{
    spi_flash_t *s = spi_of(chip);
    (void)core;
    if (offset >= sizeof s->reg)
        return;
    if (offset != CMD) {
        s->reg[offset / 4] = value;
        return;
    }
    if (value & CMD_USR)
        user_command(chip);
    for (unsigned bit = 19; bit < 32; bit++)
        if (value >> bit & 1)
            fixed_command(chip, bit);
}

static uint32_t read0(esp32_t *chip, int core, uint32_t offset)
{
    const spi_flash_t *s = &chip->state.soc.spi[0];
    (void)core;
    return offset == CMD || offset == EXT2 || offset >= sizeof s->reg ? 0 : s->reg[offset / 4];
}

static void write0(esp32_t *chip, int core, uint32_t offset, uint32_t value)
{
    spi_flash_t *s = &chip->state.soc.spi[0];
    (void)core;
    if (offset < sizeof s->reg)
        s->reg[offset / 4] = value;
}

static void reset(esp32_t *chip, enum esp32_reset_cause cause)
{
    if (cause >= ESP32_RESET_TGWDT_CPU && cause <= ESP32_RESET_EXT_CPU)
        return;
    memset(chip->state.soc.spi, 0, sizeof chip->state.soc.spi);
}

const peripheral_t spi1 = {"SPI1", 0x3FF42000, 0x1000, reset, read1, write1};
const peripheral_t spi0 = {"SPI0", 0x3FF43000, 0x1000, NULL, read0, write0};

/* The serial loader of the ROM (esptool documentation, "Serial Protocol"): SLIP packets on UART0,
 * registers and RAM. What it does to the flash is in download_flash.c. */
#include "download.h"

#include <string.h>

#include "boot.h"
#include "call.h"

#define UART0_FIFO    0x3FF40000u
#define UART0_CLKDIV  0x3FF40014u
#define UART0_STATUS  0x3FF4001Cu
#define XTAL_HZ       40000000u
#define FIRST_BAUD    115200u
#define POLL_CYCLES   64u
#define CYCLES_A_BYTE 10u

/* SLIP (RFC 1055) */
#define END     0xC0u
#define ESC     0xDBu
#define ESC_END 0xDCu
#define ESC_ESC 0xDDu

#define HEAD          8u /* of a packet: direction, opcode, size, checksum or value */
#define DATA_HEAD     16u
#define CHECKSUM_SEED 0xEFu
#define SYNC_REPLIES  8
#define SYNC_VALUE    0x20120707u /* any but 0, by which esptool knows its stub */
/* A word of the ROM by which esptool tells one chip from another. */
#define CHIP_MAGIC_AT 0x40001000u
#define CHIP_MAGIC    0x00F01D83u

enum opcode {
    FLASH_BEGIN = 0x02,
    FLASH_DATA = 0x03,
    FLASH_END = 0x04,
    MEM_BEGIN = 0x05,
    MEM_END = 0x06,
    MEM_DATA = 0x07,
    SYNC = 0x08,
    WRITE_REG = 0x09,
    READ_REG = 0x0A,
    SPI_SET_PARAMS = 0x0B,
    SPI_ATTACH = 0x0D,
    READ_FLASH_SLOW = 0x0E,
    CHANGE_BAUDRATE = 0x0F,
    FLASH_DEFL_BEGIN = 0x10,
    FLASH_DEFL_DATA = 0x11,
    FLASH_DEFL_END = 0x12,
    SPI_FLASH_MD5 = 0x13,
};

/* Words of data that a command has at least. */
static const uint8_t words_of[] = {
    [FLASH_BEGIN] = 4,
    [FLASH_DATA] = 4,
    [FLASH_END] = 1,
    [MEM_BEGIN] = 4,
    [MEM_END] = 2,
    [MEM_DATA] = 4,
    [SYNC] = 9,
    [WRITE_REG] = 4,
    [READ_REG] = 1,
    [SPI_SET_PARAMS] = 6,
    [SPI_ATTACH] = 1,
    [READ_FLASH_SLOW] = 2,
    [CHANGE_BAUDRATE] = 2,
    [FLASH_DEFL_BEGIN] = 4,
    [FLASH_DEFL_DATA] = 4,
    [FLASH_DEFL_END] = 1,
    [SPI_FLASH_MD5] = 4,
};

/* --- the UART's parameters, where the ROM keeps them -------------------------------------------
 */

#define UART_DEVICE                                                                                \
    0x3FFE019Cu /* UartDevice of ESP-IDF's rom/uart.h: its first word is the rate                  \
                 */

static void set_baud(rom_call_t *c, uint32_t baud)
{
    uint32_t divider = (uint32_t)(((uint64_t)XTAL_HZ << 4) / baud);
    rom_reg_write(c, UART0_CLKDIV, divider >> 4 | (divider & 15) << 20);
    bus_write(c->chip, c->core, UART_DEVICE, &baud, 4);
}

/* The ROM's own loader is driven by this interrupt, ours is not; a stub expects it there. */
#define PRO_UART_INTR_MAP (0x3FF00104u + 4u * IRQ_UART0)
#define UART_LINE         5u

void rom_GetUartDevice(rom_call_t *c)
{
    rom_return(c, UART_DEVICE);
}

/* --- replies ---------------------------------------------------------------------------------- */

static void put(rom_call_t *c, uint8_t byte)
{
    if (byte == END || byte == ESC) {
        rom_reg_write(c, UART0_FIFO, ESC);
        byte = byte == END ? ESC_END : ESC_ESC;
    }
    rom_reg_write(c, UART0_FIFO, byte);
}

static void send(rom_call_t *c, uint8_t opcode, const reply_t *r)
{
    uint8_t packet[HEAD + sizeof r->data + 4] = {1, opcode};
    uint32_t size = r->size + 4;
    packet[2] = (uint8_t)size;
    memcpy(packet + 4, &r->value, 4);
    memcpy(packet + HEAD, r->data, r->size);
    packet[HEAD + r->size] = r->error != 0;
    packet[HEAD + r->size + 1] = r->error;
    rom_reg_write(c, UART0_FIFO, END);
    for (uint32_t i = 0; i < HEAD + size; i++)
        put(c, packet[i]);
    rom_reg_write(c, UART0_FIFO, END);
}

/* --- registers and RAM ------------------------------------------------------------------------ */

static uint8_t read_word(rom_call_t *c, uint32_t addr, uint32_t *value)
{
    if (addr == CHIP_MAGIC_AT)
        *value = CHIP_MAGIC;
    else if (rom_is_mmio(addr))
        *value = rom_reg_read(c, addr & ~3u);
    else if (!bus_read(c->chip, c->core, addr & ~3u, value, 4))
        return ERROR_FAILED;
    return 0;
}

static uint8_t write_word(rom_call_t *c, uint32_t addr, uint32_t value, uint32_t mask)
{
    uint32_t before = 0;
    if (mask != 0xFFFFFFFF && read_word(c, addr, &before))
        return ERROR_FAILED;
    value = (before & ~mask) | (value & mask);
    if (rom_is_mmio(addr))
        rom_reg_write(c, addr & ~3u, value);
    else if (!bus_write(c->chip, c->core, addr & ~3u, &value, 4))
        return ERROR_FAILED;
    return 0;
}

static uint8_t mem_data(rom_call_t *c, const uint32_t *word, const uint8_t *data)
{
    const download_t *d = &c->chip->state.download;
    uint32_t at = d->address + word[1] * d->block;
    return bus_write(c->chip, c->core, at, data, word[0]) ? 0 : ERROR_FAILED;
}

/* --- commands --------------------------------------------------------------------------------- */

/* Data of the _DATA commands: as long as said, and its bytes add up. */
static uint8_t check_data(const uint32_t *word, const uint8_t *data, uint32_t size, uint32_t sum)
{
    uint8_t found = CHECKSUM_SEED;
    if (word[0] != size - DATA_HEAD)
        return ERROR_LENGTH;
    for (uint32_t i = 0; i < word[0]; i++)
        found ^= data[i];
    return found == (uint8_t)sum ? 0 : ERROR_CHECKSUM;
}

/* What is done after the reply; the guest's entry point when the loader ends with that. */
static uint32_t afterwards(rom_call_t *c, uint8_t opcode, const uint32_t *word)
{
    switch (opcode) {
    case MEM_END: return word[0] ? 0 : word[1];
    case CHANGE_BAUDRATE: set_baud(c, word[0]); return 0;
    case FLASH_END:
    case FLASH_DEFL_END:
        if (word[0])
            return boot_from_flash(c);
        chip_request_reset(c->chip, -1, ESP32_RESET_SW_SYS);
        return 0;
    default: return 0;
    }
}

static void execute(rom_call_t *c, uint8_t opcode, const uint32_t *word, const uint8_t *data,
                    reply_t *r)
{
    download_t *d = &c->chip->state.download;
    switch (opcode) {
    case SYNC: r->value = SYNC_VALUE; break;
    case READ_REG: r->error = read_word(c, word[0], &r->value); break;
    case WRITE_REG: r->error = write_word(c, word[0], word[1], word[2]); break;
    case MEM_BEGIN:
        d->address = word[3];
        d->block = word[2];
        break;
    case MEM_DATA: r->error = mem_data(c, word, data); break;
    case CHANGE_BAUDRATE: r->error = word[0] ? 0 : ERROR_FAILED; break;
    case MEM_END:
    case FLASH_END:
    case FLASH_DEFL_END:
    case SPI_SET_PARAMS: /* the part on the board has the size it has */
    case SPI_ATTACH: break;
    case FLASH_BEGIN:
    case FLASH_DEFL_BEGIN: r->error = download_flash_begin(c, word); break;
    case FLASH_DATA: r->error = download_flash_data(c, word, data); break;
    case FLASH_DEFL_DATA: r->error = download_flash_deflated(c, word, data); break;
    case READ_FLASH_SLOW: r->error = download_flash_read(c, word, r); break;
    case SPI_FLASH_MD5: r->error = download_flash_md5(c, word, r); break;
    default: r->error = ERROR_INVALID_MESSAGE;
    }
}

/* The packet that has come; the guest's entry point when it ends the loader. */
static uint32_t command(rom_call_t *c)
{
    download_t *d = &c->chip->state.download;
    uint32_t word[9] = {0}, sum, size = d->size - HEAD;
    uint8_t opcode = d->packet[1];
    reply_t r = {0};
    if (d->overflowed || d->size < HEAD || d->packet[0] != 0)
        return 0; /* noise, or the echo of a reply */
    memcpy(&sum, d->packet + 4, 4);
    memcpy(word, d->packet + HEAD, size < sizeof word ? size : sizeof word);
    bool known = opcode < sizeof words_of && words_of[opcode];
    if (!known || size != (uint32_t)(d->packet[2] | d->packet[3] << 8) ||
        size < 4u * words_of[opcode])
        r.error = ERROR_INVALID_MESSAGE;
    else if (opcode == MEM_DATA || opcode == FLASH_DATA || opcode == FLASH_DEFL_DATA)
        r.error = check_data(word, d->packet + HEAD + DATA_HEAD, size, sum);
    if (!r.error)
        execute(c, opcode, word, d->packet + HEAD + DATA_HEAD, &r);
    for (int n = opcode == SYNC && !r.error ? SYNC_REPLIES : 1; n; n--)
        send(c, opcode, &r);
    return r.error ? 0 : afterwards(c, opcode, word);
}

/* --- packets ---------------------------------------------------------------------------------- */

/* One byte of SLIP; true when it ends a packet. */
static bool take(download_t *d, uint8_t byte)
{
    if (byte == END) {
        bool ended = d->in_packet && d->size;
        d->in_packet = !ended;
        d->escaped = false;
        if (!ended)
            d->size = 0, d->overflowed = false;
        return ended;
    }
    if (!d->in_packet)
        return false;
    if (byte == ESC) {
        d->escaped = true;
        return false;
    }
    if (d->escaped)
        byte = byte == ESC_END ? END : byte == ESC_ESC ? ESC : byte;
    d->escaped = false;
    if (d->size < DOWNLOAD_PACKET)
        d->packet[d->size++] = byte;
    else
        d->overflowed = true;
    return false;
}

void download_begin(rom_call_t *c)
{
    memset(&c->chip->state.download, 0, sizeof c->chip->state.download);
    set_baud(c, FIRST_BAUD);
    rom_reg_write(c, PRO_UART_INTR_MAP, UART_LINE);
    rom_console(c, "waiting for download\r\n");
}

uint32_t download_poll(rom_call_t *c)
{
    download_t *d = &c->chip->state.download;
    rom_again(c, POLL_CYCLES);
    while (rom_reg_read(c, UART0_STATUS) & 0xFF) {
        c->cost += CYCLES_A_BYTE;
        if (!take(d, (uint8_t)rom_reg_read(c, UART0_FIFO)))
            continue;
        uint32_t entry = command(c);
        d->size = 0;
        return entry;
    }
    d->waiting = true;
    c->chip->state.core[c->core].waiting = true;
    lx6_break_slice(c->chip, c->core);
    return 0;
}

void rom_uart_input(esp32_t *chip)
{
    if (!chip->state.download.waiting)
        return;
    chip->state.download.waiting = false;
    chip->state.core[0].waiting = false;
}

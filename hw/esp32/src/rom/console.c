/* ets_printf() and the UART functions of the ROM; output goes through UART0's FIFO register. */
#include <stdio.h>
#include <string.h>

#include "call.h"

#define UART0_FIFO   0x3FF40000u
#define UART0_STATUS 0x3FF4001Cu
#define UART_CLKDIV  0x14u
#define CHAR_COST    20u
#define WIDTH_MOST   200u /* of one printf field: the guest's format may be hostile */
#define FORMAT_MOST  4096u

static uint32_t uart_base(uint32_t uart)
{
    return uart == 0 ? 0x3FF40000u : uart == 1 ? 0x3FF50000u : 0x3FF6E000u;
}

static void put(rom_call_t *c, char byte)
{
    if (byte == '\n')
        rom_reg_write(c, UART0_FIFO, '\r');
    rom_reg_write(c, UART0_FIFO, (uint8_t)byte);
    c->cost += CHAR_COST;
}

void rom_console(rom_call_t *c, const char *text)
{
    for (; *text; text++) {
        rom_reg_write(c, UART0_FIFO, (uint8_t)*text);
        c->cost += CHAR_COST;
    }
}

/* --- ets_printf ---------------------------------------------------------------------------- */

typedef struct {
    bool left, zero, wide; /* '-', '0', "ll" */
    uint32_t width, precision;
    bool precise;
} format_t;

static uint32_t pad(rom_call_t *c, uint32_t have, uint32_t want, char with)
{
    uint32_t n = 0;
    for (; have < want; have++, n++)
        put(c, with);
    return n;
}

static uint32_t put_field(rom_call_t *c, const format_t *f, const char *text, uint32_t length)
{
    uint32_t n = length;
    char with = f->zero && !f->left ? '0' : ' ';
    if (!f->left) {
        if (with == '0' && length && *text == '-') {
            put(c, *text++);
            length--;
        }
        n += pad(c, n, f->width, with);
    }
    for (uint32_t i = 0; i < length; i++)
        put(c, text[i]);
    return f->left ? n + pad(c, n, f->width, ' ') : n;
}

static uint32_t put_number(rom_call_t *c, const format_t *f, uint64_t value, char kind)
{
    char text[32];
    const char *pattern = kind == 'd'   ? "%lld"
                          : kind == 'x' ? "%llx"
                          : kind == 'X' ? "%llX"
                          : kind == 'o' ? "%llo"
                                        : "%llu";
    if (!f->wide)
        value = kind == 'd' ? (uint64_t)(int64_t)(int32_t)value : (uint32_t)value;
    int length = snprintf(text, sizeof text, pattern, (unsigned long long)value);
    return put_field(c, f, text, (uint32_t)length);
}

/* %s: straight from the guest; false after a fault */
static bool put_string(rom_call_t *c, const format_t *f, uint32_t at, uint32_t *count)
{
    uint32_t length, most = f->precise ? f->precision : FORMAT_MOST;
    if (!at) {
        *count += put_field(c, f, "(null)", 6);
        return true;
    }
    if (!rom_length(c, at, most, &length))
        return false;
    if (!f->left)
        *count += pad(c, length, f->width, ' ');
    for (uint32_t i = 0; i < length; i++) {
        uint8_t byte;
        if (!rom_load(c, at + i, &byte, 1))
            return false;
        put(c, (char)byte);
    }
    *count += length;
    if (f->left)
        *count += pad(c, length, f->width, ' ');
    return true;
}

static bool parse_number(rom_call_t *c, uint32_t *at, uint8_t *byte, uint32_t *argument,
                         uint32_t *value)
{
    *value = 0;
    if (*byte == '*') {
        *value = rom_arg(c, (*argument)++);
        if (!rom_load(c, (*at)++, byte, 1))
            return false;
    }
    while (*byte >= '0' && *byte <= '9') {
        *value = *value * 10 + (*byte - '0');
        if (*value > WIDTH_MOST)
            *value = WIDTH_MOST;
        if (!rom_load(c, (*at)++, byte, 1))
            return false;
    }
    if (*value > WIDTH_MOST)
        *value = WIDTH_MOST;
    return true;
}

/* One conversion; `at` is behind the %. False after a fault. */
static bool convert(rom_call_t *c, uint32_t *at, uint32_t *argument, uint32_t *count)
{
    format_t f = {0};
    uint8_t byte;
    if (!rom_load(c, (*at)++, &byte, 1))
        return false;
    for (; byte == '-' || byte == '0' || byte == '+' || byte == ' ' || byte == '#';) {
        f.left |= byte == '-';
        f.zero |= byte == '0';
        if (!rom_load(c, (*at)++, &byte, 1))
            return false;
    }
    if (!parse_number(c, at, &byte, argument, &f.width))
        return false;
    if (byte == '.') {
        f.precise = true;
        if (!rom_load(c, (*at)++, &byte, 1) || !parse_number(c, at, &byte, argument, &f.precision))
            return false;
    }
    for (unsigned longs = 0; byte == 'l' || byte == 'h' || byte == 'z' || byte == 't';) {
        longs += byte == 'l';
        f.wide = longs > 1;
        if (!rom_load(c, (*at)++, &byte, 1))
            return false;
    }
    switch (byte) {
    case 'd':
    case 'i':
    case 'u':
    case 'x':
    case 'X':
    case 'o': {
        if (f.wide)
            *argument += *argument & 1; /* 64 bits start at an even register */
        uint64_t value = rom_arg(c, (*argument)++);
        if (f.wide)
            value |= (uint64_t)rom_arg(c, (*argument)++) << 32;
        *count += put_number(c, &f, value, byte == 'i' ? 'd' : (char)byte);
        break;
    }
    case 'p':
        put(c, '0');
        put(c, 'x');
        *count += 2 + put_number(c, &f, rom_arg(c, (*argument)++), 'x');
        break;
    case 'c': {
        char text = (char)rom_arg(c, (*argument)++);
        *count += put_field(c, &f, &text, 1);
        break;
    }
    case 's': return put_string(c, &f, rom_arg(c, (*argument)++), count);
    case 0: (*at)--; break; /* the format ends in the middle */
    default: put(c, (char)byte); ++*count;
    }
    return true;
}

void rom_ets_printf(rom_call_t *c)
{
    uint32_t at = rom_arg(c, 0), argument = 1, count = 0;
    for (uint32_t n = 0; n < FORMAT_MOST; n++) {
        uint8_t byte;
        if (!rom_load(c, at++, &byte, 1))
            return;
        if (!byte)
            break;
        if (byte != '%') {
            put(c, (char)byte);
            count++;
        } else if (!convert(c, &at, &argument, &count)) {
            return;
        }
    }
    rom_return(c, count);
}

/* Where ets_printf() writes: UART0 is the only place here. */
void rom_ets_install_putc1(rom_call_t *c)
{
    (void)c;
}

void rom_ets_install_putc2(rom_call_t *c)
{
    (void)c;
}

void rom_ets_install_uart_printf(rom_call_t *c)
{
    (void)c;
}

void rom_ets_write_char_uart(rom_call_t *c)
{
    put(c, (char)rom_arg(c, 0));
}

/* --- UART
 * ------------------------------------------------------------------------------------------ */

void rom_uartAttach(rom_call_t *c)
{
    (void)c;
}

void rom_Uart_Init(rom_call_t *c)
{
    (void)c; /* the registers reset to what it sets */
}

void rom_uart_tx_switch(rom_call_t *c)
{
    (void)c;
}

void rom_uart_buff_switch(rom_call_t *c)
{
    (void)c;
}

/* uart_div_modify(uart, divider in 1/16) */
void rom_uart_div_modify(rom_call_t *c)
{
    uint32_t divider = rom_arg(c, 1);
    rom_reg_write(c, uart_base(rom_arg(c, 0)) + UART_CLKDIV, divider >> 4 | (divider & 15) << 20);
}

void rom_uart_tx_one_char(rom_call_t *c)
{
    rom_reg_write(c, UART0_FIFO, rom_arg(c, 0) & 0xFF);
    rom_return(c, 0);
}

void rom_uart_tx_one_char2(rom_call_t *c)
{
    rom_uart_tx_one_char(c);
}

void rom_uart_tx_flush(rom_call_t *c)
{
    (void)c; /* the FIFO is always empty */
}

void rom_uart_tx_wait_idle(rom_call_t *c)
{
    (void)c;
}

void rom_uart_rx_one_char(rom_call_t *c)
{
    if (!(rom_reg_read(c, UART0_STATUS) & 0xFF)) {
        rom_return(c, 1);
        return;
    }
    uint8_t byte = (uint8_t)rom_reg_read(c, UART0_FIFO);
    if (rom_store(c, rom_arg(c, 0), &byte, 1))
        rom_return(c, 0);
}

/* UART0..2 (ESP32 TRM, chapter "UART Controller").
 *
 * What the guest sends leaves at once: the host's wire is faster than any baud rate, so the TX
 * FIFO always reads empty. What the host sends arrives at the baud rate the guest has set, and
 * waits in the queue, not lost, while the RX FIFO is full. */
#include <string.h>

#include "../rom/rom.h"
#include "parts.h"

#define FIFO                     0x00
#define INT_RAW                  0x04
#define INT_ST                   0x08
#define INT_ENA                  0x0C
#define INT_CLR                  0x10
#define CLKDIV                   0x14
#define STATUS                   0x1C
#define CONF0                    0x20
#define CONF0_RXFIFO_RST         0x20000u
#define CONF0_TICK_REF_ALWAYS_ON 0x8000000u
#define CONF1                    0x24 /* RXFIFO_FULL_THRHD [6:0], RX_TOUT_THRHD [30:24], RX_TOUT_EN 31 */
#define MEM_RX_STATUS            0x60 /* RD_ADDR [12:2], WR_ADDR [23:13] */
#define DATE                     0x78
#define INT_RXFIFO_FULL          0x001u
#define INT_TXFIFO_EMPTY         0x002u
#define INT_RXFIFO_TOUT          0x100u
#define INT_TX_DONE              0x4000u

static uart_t *uart_of(esp32_t *chip, int uart)
{
    return &chip->state.soc.uart[uart];
}

static uint32_t queued(const byte_queue_t *q)
{
    return q->head - q->tail;
}

/* Ticks of one bit; 0 before the guest has set a divider. */
static uint64_t bit_ticks(const esp32_t *chip, int uart)
{
    const uart_t *u = &chip->state.soc.uart[uart];
    uint32_t divider = (u->reg[CLKDIV / 4] & 0xFFFFF) * 16 + (u->reg[CLKDIV / 4] >> 20 & 15);
    uint32_t clock =
        u->reg[CONF0 / 4] & CONF0_TICK_REF_ALWAYS_ON ? soc_apb_ticks(chip) : ESP32_TICKS_PER_US;
    return (uint64_t)divider * clock / 16;
}

static uint32_t fifo_count(const uart_t *u)
{
    return u->head - u->tail;
}

/* Level interrupts follow their condition; TX is always empty. */
static void update_irq(esp32_t *chip, int uart)
{
    uart_t *u = uart_of(chip, uart);
    u->int_raw |= INT_TXFIFO_EMPTY;
    if (fifo_count(u) && fifo_count(u) >= (u->reg[CONF1 / 4] & 0x7F))
        u->int_raw |= INT_RXFIFO_FULL;
    soc_irq(chip, IRQ_UART0 + uart, u->int_raw & u->reg[INT_ENA / 4]);
}

/* --- input ------------------------------------------------------------------------------- */

/* The next byte is on the wire when there is one, room for it and a baud rate. */
static void schedule_rx(esp32_t *chip, int uart)
{
    enum event ev = (enum event)(EV_UART0_RX + uart);
    uint64_t bit = bit_ticks(chip, uart);
    if (!queued(&chip->uart_rx[uart]) || fifo_count(uart_of(chip, uart)) >= UART_FIFO_SIZE || !bit)
        chip_schedule(chip, ev, EVENT_NEVER);
    else if (chip->state.events.when[ev] == EVENT_NEVER)
        chip_schedule(chip, ev, chip_time(chip) + 10 * bit);
}

void uart_rx_event(esp32_t *chip, int uart)
{
    uart_t *u = uart_of(chip, uart);
    byte_queue_t *q = &chip->uart_rx[uart];
    if (!queued(q) || fifo_count(u) >= UART_FIFO_SIZE)
        return;
    u->fifo[u->head++ % UART_FIFO_SIZE] = q->data[q->tail++ % UART_QUEUE_SIZE];
    if (u->reg[CONF1 / 4] >> 31) {
        uint64_t idle = (u->reg[CONF1 / 4] >> 24 & 0x7F) * 8 * bit_ticks(chip, uart);
        chip_schedule(chip, (enum event)(EV_UART0_TOUT + uart), chip_time(chip) + idle);
    }
    update_irq(chip, uart);
    schedule_rx(chip, uart);
    if (uart == 0)
        rom_uart_input(chip);
}

void uart_tout_event(esp32_t *chip, int uart)
{
    uart_t *u = uart_of(chip, uart);
    if (!fifo_count(u))
        return;
    u->int_raw |= INT_RXFIFO_TOUT;
    update_irq(chip, uart);
}

static uint32_t pop(esp32_t *chip, int uart)
{
    uart_t *u = uart_of(chip, uart);
    if (!fifo_count(u))
        return 0;
    uint8_t byte = u->fifo[u->tail++ % UART_FIFO_SIZE];
    schedule_rx(chip, uart);
    return byte;
}

/* --- registers ------------------------------------------------------------------------------- */

static uint32_t uart_read(esp32_t *chip, int uart, uint32_t offset)
{
    uart_t *u = uart_of(chip, uart);
    switch (offset) {
    case FIFO: return pop(chip, uart);
    case INT_RAW: return u->int_raw;
    case INT_ST: return u->int_raw & u->reg[INT_ENA / 4];
    case STATUS: return fifo_count(u);
    case MEM_RX_STATUS: return (u->tail % UART_FIFO_SIZE) << 2 | (u->head % UART_FIFO_SIZE) << 13;
    default: return offset < sizeof u->reg ? u->reg[offset / 4] : 0;
    }
}

static void send(esp32_t *chip, int uart, uint8_t byte)
{
    byte_queue_t *q = &chip->uart_tx[uart];
    if (queued(q) == UART_QUEUE_SIZE)
        q->tail++; /* nobody listens: the oldest is lost, as on a wire */
    q->data[q->head++ % UART_QUEUE_SIZE] = byte;
    chip_notify(chip, ESP32_STOP_UART);
}

static void uart_write(esp32_t *chip, int uart, uint32_t offset, uint32_t value)
{
    uart_t *u = uart_of(chip, uart);
    switch (offset) {
    case FIFO:
        send(chip, uart, (uint8_t)value);
        u->int_raw |= INT_TX_DONE;
        break;
    case INT_CLR: u->int_raw &= ~value; break;
    case INT_RAW:
    case INT_ST:
    case STATUS:
    case MEM_RX_STATUS: return;
    case CONF0:
        u->reg[CONF0 / 4] = value;
        if (value & CONF0_RXFIFO_RST)
            u->tail = u->head;
        schedule_rx(chip, uart);
        break;
    case CLKDIV:
        u->reg[CLKDIV / 4] = value;
        schedule_rx(chip, uart);
        break;
    default:
        if (offset >= sizeof u->reg)
            return;
        u->reg[offset / 4] = value;
    }
    update_irq(chip, uart);
}

static void uart_reset(esp32_t *chip, int uart, enum esp32_reset_cause cause)
{
    uart_t *u = uart_of(chip, uart);
    if (cause >= ESP32_RESET_TGWDT_CPU && cause <= ESP32_RESET_EXT_CPU)
        return;
    memset(u, 0, sizeof *u);
    u->reg[CONF0 / 4] = CONF0_TICK_REF_ALWAYS_ON | 0x1C; /* 8N1 */
    u->reg[CONF1 / 4] = 0x6001; /* RXFIFO_FULL_THRHD = 1, what the ROM leaves */
    u->reg[DATE / 4] = 0x15122500;
    if (uart == 0)
        u->reg[CLKDIV / 4] = 40000000u / 115200; /* the ROM's, from the crystal */
    schedule_rx(chip, uart);
}

#define UART(n, address)                                                                           \
    static uint32_t read##n(esp32_t *chip, int core, uint32_t offset)                              \
    {                                                                                              \
        (void)core;                                                                                \
        return uart_read(chip, n, offset);                                                         \
    }                                                                                              \
    static void write##n(esp32_t *chip, int core, uint32_t offset, uint32_t value)                 \
    {                                                                                              \
        (void)core;                                                                                \
        uart_write(chip, n, offset, value);                                                        \
    }                                                                                              \
    static void reset##n(esp32_t *chip, enum esp32_reset_cause cause)                              \
    {                                                                                              \
        uart_reset(chip, n, cause);                                                                \
    }                                                                                              \
    const peripheral_t uart##n = {"UART" #n, address, 0x1000, reset##n, read##n, write##n};

UART(0, 0x3FF40000)
UART(1, 0x3FF50000)
UART(2, 0x3FF6E000)

/* --- the host's side
 * ------------------------------------------------------------------------------ */

static bool exists(int uart)
{
    return uart >= 0 && uart < (int)ESP32_UARTS;
}

uint32_t esp32_uart_rx(esp32_t *chip, int uart, const void *data, uint32_t size)
{
    if (!exists(uart))
        return 0;
    byte_queue_t *q = &chip->uart_rx[uart];
    const uint8_t *bytes = data;
    uint32_t n = 0;
    for (; n < size && queued(q) < UART_QUEUE_SIZE; n++)
        q->data[q->head++ % UART_QUEUE_SIZE] = bytes[n];
    schedule_rx(chip, uart);
    return n;
}

uint32_t esp32_uart_rx_pending(const esp32_t *chip, int uart)
{
    return exists(uart) ? queued(&chip->uart_rx[uart]) : 0;
}

uint32_t esp32_uart_tx(esp32_t *chip, int uart, void *data, uint32_t size)
{
    if (!exists(uart))
        return 0;
    byte_queue_t *q = &chip->uart_tx[uart];
    uint8_t *bytes = data;
    uint32_t n = 0;
    for (; n < size && queued(q); n++)
        bytes[n] = q->data[q->tail++ % UART_QUEUE_SIZE];
    return n;
}

uint32_t esp32_uart_baud(const esp32_t *chip, int uart)
{
    uint64_t bit = exists(uart) ? bit_ticks(chip, uart) : 0;
    return bit ? (uint32_t)((ESP32_TICKS_PER_SECOND + bit / 2) / bit) : 0;
}

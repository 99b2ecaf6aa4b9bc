/* GPIO: outputs, inputs, pin interrupts (ESP32 TRM, chapter "IO_MUX and GPIO Matrix"). */
#include <string.h>

#include "parts.h"

#define OUT             0x04 /* then W1TS, W1TC; OUT1 at 0x10 */
#define OUT1            0x10
#define ENABLE          0x20
#define ENABLE1         0x2C
#define STRAP           0x38
#define STRAP_GPIO0     0x10u /* pulled up in the chip, as are GPIO5 and GPIO15 .. */
#define STRAP_PULLED_UP 0x03u
#define STRAP_GPIO2     0x08u /* .. while this one is pulled down */
#define IN              0x3C
#define IN1             0x40
#define STATUS          0x44
#define STATUS1         0x50
#define ACPU_INT        0x60
#define PCPU_INT        0x68
#define ACPU_INT1       0x74
#define PCPU_INT1       0x7C
#define PIN0            0x88 /* INT_TYPE [9:7], INT_ENA [17:13] */
#define PADS            ((1ull << ESP32_GPIOS) - 1)

enum { TYPE_RISE = 1, TYPE_FALL = 2, TYPE_ANY = 3, TYPE_LOW = 4, TYPE_HIGH = 5 };

static gpio_t *gpio_of(esp32_t *chip)
{
    return &chip->state.soc.gpio;
}

/* Pads: driven from outside, else what the chip drives, else low. */
static uint64_t levels(const gpio_t *g)
{
    return ((g->driven & g->driven_level) | (~g->driven & g->enable & g->out)) & PADS;
}

static void update(esp32_t *chip)
{
    gpio_t *g = gpio_of(chip);
    uint64_t in = levels(g), changed = in ^ g->in, enabled = 0;
    g->in = in;
    for (unsigned pin = 0; pin < ESP32_GPIOS; pin++) {
        uint32_t conf = g->reg[PIN0 / 4 + pin];
        uint64_t bit = 1ull << pin;
        if (!(conf >> 13 & 31))
            continue;
        enabled |= bit;
        bool high = in & bit, edge = changed & bit, hit = false;
        switch (conf >> 7 & 7) {
        case TYPE_RISE: hit = edge && high; break;
        case TYPE_FALL: hit = edge && !high; break;
        case TYPE_ANY: hit = edge; break;
        case TYPE_LOW: hit = !high; break;
        case TYPE_HIGH: hit = high; break;
        default: break;
        }
        if (hit)
            g->status |= bit;
    }
    soc_irq(chip, IRQ_GPIO, g->status & enabled);
}

/* `which` of SET (0), W1TS (4), W1TC (8) applied to one half of a 40-bit word. */
static void change(uint64_t *word, bool high, uint32_t which, uint32_t value)
{
    unsigned shift = high ? 32 : 0;
    uint64_t mask = high ? 0xFFull << 32 : 0xFFFFFFFFull, bits = ((uint64_t)value << shift) & mask;
    if (which == 0)
        *word = (*word & ~mask) | bits;
    else if (which == 4)
        *word |= bits;
    else
        *word &= ~bits;
}

static uint32_t half(uint64_t word, bool high)
{
    return (uint32_t)(high ? word >> 32 : word);
}

/* The 40-bit word behind a register and which access it is; NULL: a plain register. */
static uint64_t *wide(gpio_t *g, uint32_t offset, bool *high, uint32_t *which)
{
    static const struct {
        uint32_t base, word; /* 0 out, 1 enable, 2 status */
        bool high;
    } table[] = {{OUT, 0, false},    {OUT1, 0, true},    {ENABLE, 1, false},
                 {ENABLE1, 1, true}, {STATUS, 2, false}, {STATUS1, 2, true}};
    uint64_t *words[] = {&g->out, &g->enable, &g->status};
    for (unsigned i = 0; i < sizeof table / sizeof *table; i++) {
        if (offset - table[i].base < 12) {
            *high = table[i].high;
            *which = offset - table[i].base;
            return words[table[i].word];
        }
    }
    return NULL;
}

static uint32_t gpio_read(esp32_t *chip, int core, uint32_t offset)
{
    gpio_t *g = gpio_of(chip);
    bool high;
    uint32_t which;
    const uint64_t *word = wide(g, offset, &high, &which);
    (void)core;
    if (word)
        return which == 0 ? half(*word, high) : 0;
    switch (offset) {
    case STRAP: return g->strap;
    case IN: return half(g->in, false);
    case IN1: return half(g->in, true);
    case ACPU_INT:
    case PCPU_INT: return half(g->status, false);
    case ACPU_INT1:
    case PCPU_INT1: return half(g->status, true);
    default: return offset < sizeof g->reg ? g->reg[offset / 4] : 0;
    }
}

static void gpio_write(esp32_t *chip, int core, uint32_t offset, uint32_t value)
{
    gpio_t *g = gpio_of(chip);
    bool high;
    uint32_t which;
    uint64_t *word = wide(g, offset, &high, &which);
    uint64_t before = g->out & g->enable, driving = g->enable;
    (void)core;
    if (word)
        change(word, high, which, value);
    else if (offset < sizeof g->reg)
        g->reg[offset / 4] = value;
    if ((g->out & g->enable) != before || g->enable != driving)
        chip_notify(chip, ESP32_STOP_GPIO);
    update(chip);
}

/* What the strapping pins say when the chip comes out of reset (ESP32 data sheet, "Strapping
 * Pins"): GPIO0 low selects the serial loader. */
static uint32_t sample_straps(const gpio_t *g)
{
    bool low0 = g->driven & 1 && !(g->driven_level & 1);
    bool high2 = g->driven >> 2 & g->driven_level >> 2 & 1;
    return STRAP_PULLED_UP | (low0 ? 0 : STRAP_GPIO0) | (high2 ? STRAP_GPIO2 : 0);
}

/* Only a reset of the whole chip looks at the pins. */
static bool samples_straps(enum esp32_reset_cause cause)
{
    return cause == ESP32_RESET_POWERON || cause == ESP32_RESET_BROWNOUT ||
           cause == ESP32_RESET_RTCWDT_RTC;
}

static void gpio_reset(esp32_t *chip, enum esp32_reset_cause cause)
{
    gpio_t *g = gpio_of(chip);
    if (cause >= ESP32_RESET_TGWDT_CPU && cause <= ESP32_RESET_EXT_CPU)
        return;
    gpio_t fresh = {.driven = g->driven, .driven_level = g->driven_level, .strap = g->strap};
    *g = fresh;
    if (samples_straps(cause))
        g->strap = sample_straps(g);
    g->in = levels(g);
    chip_notify(chip, ESP32_STOP_GPIO);
}

const peripheral_t gpio = {"GPIO", 0x3FF44000, 0x1000, gpio_reset, gpio_read, gpio_write};

uint64_t esp32_gpio_out(const esp32_t *chip)
{
    return chip->state.soc.gpio.out & chip->state.soc.gpio.enable & PADS;
}

uint64_t esp32_gpio_enabled(const esp32_t *chip)
{
    return chip->state.soc.gpio.enable & PADS;
}

void esp32_gpio_drive(esp32_t *chip, int pin, int level)
{
    gpio_t *g = gpio_of(chip);
    if (pin < 0 || pin >= (int)ESP32_GPIOS)
        return;
    uint64_t bit = 1ull << pin;
    g->driven = level < 0 ? g->driven & ~bit : g->driven | bit;
    g->driven_level = level > 0 ? g->driven_level | bit : g->driven_level & ~bit;
    update(chip);
}

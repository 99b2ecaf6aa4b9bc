/* Timer groups: two 64-bit timers, LACT and a watchdog each (ESP32 TRM, "Timer Group").
 *
 * A counter is its value at a reference tick; reading it changes nothing. The reference moves
 * only when enable, direction, divider or clock change, by whole steps of the prescaler, so that
 * no fraction is lost and no reader on either core ever sees it go back. */
#include <string.h>

#include "parts.h"

#define T0                0x00 /* then T1 at 0x24 */
#define T_SIZE            0x24
#define LACT              0x70 /* CONFIG, RTC, then as the others from LO on */
#define CONFIG_EN         0x80000000u
#define CONFIG_INCREASE   0x40000000u
#define CONFIG_AUTORELOAD 0x20000000u
#define CONFIG_LEVEL_INT  0x800u
#define CONFIG_ALARM_EN   0x400u
#define CONFIG_COUNTING   (CONFIG_EN | CONFIG_INCREASE | 0x1FFFE000u) /* what a rebase is for */
#define WDTCONFIG0        0x48
#define WDTCONFIG1        0x4C /* [31:16] prescaler of the APB clock */
#define WDTCONFIG2        0x50 /* timeout of stage 0, .. */
#define WDTFEED           0x60
#define WDTWPROTECT       0x64
#define WDT_EN            0x80000000u
#define WDT_LEVEL_INT_EN  0x00200000u
#define RTCCALICFG        0x68 /* START 31, MAX [30:16], RDY 15, CLK_SEL [14:13] */
#define RTCCALICFG1       0x6C
#define INT_ENA           0x98
#define INT_RAW           0x9C
#define INT_ST            0xA0
#define INT_CLR           0xA4
#define DATE              0xF8

enum { TIMER_LACT = 2 };
enum { INT_T0 = 1, INT_T1 = 2, INT_WDT = 4, INT_LACT = 8 };

static timg_t *group_of(esp32_t *chip, int group)
{
    return &chip->state.soc.timg[group];
}

static enum event event_of(int group, int timer)
{
    return (enum event)((group ? EV_TIMG1_T0 : EV_TIMG0_T0) + timer);
}

/* Ticks of one step of the counter. */
static uint64_t step_ticks(const esp32_t *chip, const timer_counter_t *t)
{
    uint32_t divider = t->config >> 13 & 0xFFFF;
    if (divider == 0)
        divider = 0x10000;
    else if (divider == 1)
        divider = 2;
    return (uint64_t)divider * soc_apb_ticks(chip);
}

static uint64_t steps_since(const esp32_t *chip, const timer_counter_t *t, uint64_t now)
{
    if (!(t->config & CONFIG_EN) || now < t->base_tick)
        return 0;
    return (now - t->base_tick) / step_ticks(chip, t);
}

static uint64_t count_at(const esp32_t *chip, const timer_counter_t *t, uint64_t now)
{
    uint64_t steps = steps_since(chip, t, now);
    return t->config & CONFIG_INCREASE ? t->base + steps : t->base - steps;
}

static void rebase(esp32_t *chip, timer_counter_t *t)
{
    uint64_t now = chip_time(chip), steps = steps_since(chip, t, now);
    if (!(t->config & CONFIG_EN)) {
        t->base_tick = now;
        return;
    }
    t->base = count_at(chip, t, now);
    t->base_tick += steps * step_ticks(chip, t);
}

static void schedule(esp32_t *chip, int group, int timer)
{
    const timer_counter_t *t = &group_of(chip, group)->timer[timer];
    uint64_t when = EVENT_NEVER;
    if ((t->config & CONFIG_EN) && (t->config & CONFIG_ALARM_EN)) {
        uint64_t distance = t->config & CONFIG_INCREASE
                                ? (t->alarm > t->base ? t->alarm - t->base : 0)
                                : (t->base > t->alarm ? t->base - t->alarm : 0);
        uint64_t step = step_ticks(chip, t);
        if (distance < (EVENT_NEVER - t->base_tick) / step)
            when = t->base_tick + distance * step;
    }
    chip_schedule(chip, event_of(group, timer), when);
}

void timg_rebase(esp32_t *chip)
{
    for (int group = 0; group < 2; group++) {
        for (int timer = 0; timer < 3; timer++) {
            rebase(chip, &group_of(chip, group)->timer[timer]);
            schedule(chip, group, timer);
        }
    }
}

static void update_irq(esp32_t *chip, int group)
{
    timg_t *g = group_of(chip, group);
    uint32_t st = g->int_raw & g->int_ena;
    int first = group ? IRQ_TG1_T0 : IRQ_TG0_T0;
    for (int timer = 0; timer < 3; timer++) {
        bool raised = st & (timer == TIMER_LACT ? INT_LACT : 1u << timer);
        soc_irq(chip, first + (timer == TIMER_LACT ? 3 : timer),
                raised && (g->timer[timer].config & CONFIG_LEVEL_INT));
    }
    /* LEVEL_INT_EN alone is enough for the watchdog: ESP-IDF before 4.1 never sets INT_ENA, and its
     * task watchdog is fed by that interrupt */
    bool level = g->reg[WDTCONFIG0 / 4] & WDT_LEVEL_INT_EN;
    soc_irq(chip, first + 2, (st | (level ? g->int_raw : 0)) & INT_WDT);
}

void timg_event(esp32_t *chip, int group, int timer)
{
    timg_t *g = group_of(chip, group);
    timer_counter_t *t = &g->timer[timer];
    uint64_t now = chip_time(chip), count = count_at(chip, t, now);
    if (!(t->config & CONFIG_EN) || !(t->config & CONFIG_ALARM_EN))
        return;
    if (t->config & CONFIG_INCREASE ? count < t->alarm : count > t->alarm) {
        schedule(chip, group, timer);
        return;
    }
    t->config &= ~CONFIG_ALARM_EN;
    if (t->config & CONFIG_AUTORELOAD) {
        t->base = t->load;
        t->base_tick = now;
    }
    g->int_raw |= timer == TIMER_LACT ? INT_LACT : 1u << timer;
    update_irq(chip, group);
}

/* --- watchdog -------------------------------------------------------------------------------- */

static void wdt_words(esp32_t *chip, int group, uint64_t timeout[4], uint8_t action[4])
{
    const uint32_t *r = group_of(chip, group)->reg;
    uint32_t prescaler = r[WDTCONFIG1 / 4] >> 16;
    for (unsigned stage = 0; stage < 4; stage++) {
        timeout[stage] =
            (uint64_t)r[WDTCONFIG2 / 4 + stage] * (prescaler ? prescaler : 1) * soc_apb_ticks(chip);
        action[stage] = (uint8_t)(r[WDTCONFIG0 / 4] >> (29 - 2 * stage) & 3);
    }
}

static void feed(esp32_t *chip, int group)
{
    uint64_t timeout[4];
    uint8_t action[4];
    timg_t *g = group_of(chip, group);
    wdt_words(chip, group, timeout, action);
    wdt_feed(chip, &g->wdt, group ? EV_TIMG1_WDT : EV_TIMG0_WDT, g->reg[WDTCONFIG0 / 4] & WDT_EN,
             timeout);
}

void timg_wdt_event(esp32_t *chip, int group)
{
    uint64_t timeout[4];
    uint8_t action[4];
    timg_t *g = group_of(chip, group);
    wdt_words(chip, group, timeout, action);
    switch (wdt_expire(chip, &g->wdt, group ? EV_TIMG1_WDT : EV_TIMG0_WDT, timeout, action)) {
    case WDT_INTERRUPT:
        g->int_raw |= INT_WDT;
        update_irq(chip, group);
        break;
    case WDT_CPU_RESET: chip_request_reset(chip, 0, ESP32_RESET_TGWDT_CPU); break;
    case WDT_SYSTEM_RESET:
        chip_request_reset(chip, -1, group ? ESP32_RESET_TG1WDT_SYS : ESP32_RESET_TG0WDT_SYS);
        break;
    default: break;
    }
}

/* --- registers ---------------------------------------------------------------------------------
 */

/* Which counter owns `offset`, and its register as T0 names it; -1: none. */
static int counter_of(uint32_t offset, uint32_t *which)
{
    if (offset < 2 * T_SIZE) {
        *which = offset % T_SIZE;
        return (int)(offset / T_SIZE);
    }
    if (offset == LACT || (offset > LACT + 4 && offset <= LACT + T_SIZE)) {
        *which = offset == LACT ? 0 : offset - LACT - 4;
        return TIMER_LACT;
    }
    return -1;
}

static void set_low(uint64_t *word, uint32_t value)
{
    *word = (*word & ~0xFFFFFFFFull) | value;
}

static void set_high(uint64_t *word, uint32_t value)
{
    *word = (*word & 0xFFFFFFFFull) | (uint64_t)value << 32;
}

static void counter_write(esp32_t *chip, int group, int timer, uint32_t which, uint32_t value)
{
    timer_counter_t *t = &group_of(chip, group)->timer[timer];
    switch (which) {
    case 0x00:
        if ((t->config ^ value) & CONFIG_COUNTING)
            rebase(chip, t);
        t->config = value;
        schedule(chip, group, timer);
        update_irq(chip, group);
        break;
    case 0x0C: t->latch = count_at(chip, t, chip_time(chip)); break;
    case 0x10:
        set_low(&t->alarm, value);
        schedule(chip, group, timer);
        break;
    case 0x14:
        set_high(&t->alarm, value);
        schedule(chip, group, timer);
        break;
    case 0x18: set_low(&t->load, value); break;
    case 0x1C: set_high(&t->load, value); break;
    case 0x20:
        t->base = t->load;
        t->base_tick = chip_time(chip);
        schedule(chip, group, timer);
        break;
    default: break;
    }
}

static uint32_t counter_read(const timer_counter_t *t, uint32_t which)
{
    switch (which) {
    case 0x00: return t->config;
    case 0x04: return (uint32_t)t->latch;
    case 0x08: return (uint32_t)(t->latch >> 32);
    case 0x10: return (uint32_t)t->alarm;
    case 0x14: return (uint32_t)(t->alarm >> 32);
    case 0x18: return (uint32_t)t->load;
    case 0x1C: return (uint32_t)(t->load >> 32);
    default: return 0;
    }
}

/* Frequency of the clock that CLK_SEL names: the slow RC, RC_FAST / 256, or a 32 kHz crystal,
 * which no board of ours has (its calibration never ends). */
static uint32_t calibrated_hertz(uint32_t config)
{
    static const uint32_t hertz[4] = {150000, 33203, 0, 150000};
    return hertz[config >> 13 & 3];
}

/* Cycles of the 40 MHz crystal during MAX cycles of that clock. */
static uint32_t calibration(uint32_t config)
{
    uint64_t most = config >> 16 & 0x7FFF;
    uint32_t hertz = calibrated_hertz(config);
    return hertz ? (uint32_t)(most * 40000000 / hertz) : 0;
}

static uint32_t timg_read(esp32_t *chip, int group, uint32_t offset)
{
    timg_t *g = group_of(chip, group);
    uint32_t which;
    int timer = counter_of(offset, &which);
    if (timer >= 0)
        return counter_read(&g->timer[timer], which);
    switch (offset) {
    case RTCCALICFG:
        return calibrated_hertz(g->reg[offset / 4]) ? g->reg[offset / 4] | 0x8000
                                                    : g->reg[offset / 4] & ~0x8000u;
    case RTCCALICFG1: return calibration(g->reg[RTCCALICFG / 4]) << 7;
    case INT_ENA: return g->int_ena;
    case INT_RAW: return g->int_raw;
    case INT_ST: return g->int_raw & g->int_ena;
    default: return offset < sizeof g->reg ? g->reg[offset / 4] : 0;
    }
}

static void timg_write(esp32_t *chip, int group, uint32_t offset, uint32_t value)
{
    timg_t *g = group_of(chip, group);
    uint32_t which;
    int timer = counter_of(offset, &which);
    if (timer >= 0) {
        counter_write(chip, group, timer, which, value);
        return;
    }
    switch (offset) {
    case INT_ENA: g->int_ena = value & 15; break;
    case INT_CLR: g->int_raw &= ~value; break;
    case INT_RAW:
    case INT_ST: return;
    default:
        if (offset >= sizeof g->reg)
            return;
        if (offset >= WDTCONFIG0 && offset <= WDTFEED) {
            if (g->reg[WDTWPROTECT / 4] != WDT_KEY)
                return;
            g->reg[offset / 4] = value;
            if (offset == WDTFEED || offset == WDTCONFIG0)
                feed(chip, group);
            return;
        }
        g->reg[offset / 4] = value;
        return;
    }
    update_irq(chip, group);
}

static void timg_reset(esp32_t *chip, int group, enum esp32_reset_cause cause)
{
    timg_t *g = group_of(chip, group);
    if (cause >= ESP32_RESET_TGWDT_CPU && cause <= ESP32_RESET_EXT_CPU)
        return;
    memset(g, 0, sizeof *g);
    for (int timer = 0; timer < 3; timer++) {
        g->timer[timer].config = CONFIG_INCREASE | CONFIG_AUTORELOAD | 1u << 13;
        g->timer[timer].base_tick = chip_time(chip);
    }
    g->reg[WDTCONFIG1 / 4] = 0x10000;
    g->reg[WDTWPROTECT / 4] = WDT_KEY;
    g->reg[RTCCALICFG / 4] = 0x13000;
}

static void reset0(esp32_t *chip, enum esp32_reset_cause cause)
{
    timg_reset(chip, 0, cause);
}

static void reset1(esp32_t *chip, enum esp32_reset_cause cause)
{
    timg_reset(chip, 1, cause);
}

static uint32_t read0(esp32_t *chip, int core, uint32_t offset)
{
    (void)core;
    return timg_read(chip, 0, offset);
}

static uint32_t read1(esp32_t *chip, int core, uint32_t offset)
{
    (void)core;
    return timg_read(chip, 1, offset);
}

static void write0(esp32_t *chip, int core, uint32_t offset, uint32_t value)
{
    (void)core;
    timg_write(chip, 0, offset, value);
}

static void write1(esp32_t *chip, int core, uint32_t offset, uint32_t value)
{
    (void)core;
    timg_write(chip, 1, offset, value);
}

const peripheral_t timg0 = {"TIMG0", 0x3FF5F000, 0x1000, reset0, read0, write0};
const peripheral_t timg1 = {"TIMG1", 0x3FF60000, 0x1000, reset1, read1, write1};

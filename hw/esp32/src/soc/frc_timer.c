/* FRC1 (23 bits, counts down) and FRC2 (32 bits, counts up): the system timer of IDF before 4.2. */
#include <string.h>

#include "parts.h"

#define SIZE          0x20 /* LOAD, COUNT, CTRL, INT_CLR, ALARM (FRC2) */
#define CTRL_ENABLE   0x80u
#define CTRL_AUTOLOAD 0x40u
#define CTRL_LEVEL    0x01u
#define CTRL_COUNTING 0x8Eu /* enable and prescaler */
#define FRC1_MASK     0x7FFFFFu

static frc_t *frc(esp32_t *chip, int timer)
{
    return &chip->state.soc.frc[timer];
}

static uint64_t step_ticks(const esp32_t *chip, const frc_t *t)
{
    static const uint16_t divider[8] = {1, 1, 16, 16, 256, 256, 256, 256};
    return (uint64_t)divider[t->ctrl >> 1 & 7] * soc_apb_ticks(chip);
}

static uint64_t steps(const esp32_t *chip, const frc_t *t, uint64_t now)
{
    if (!(t->ctrl & CTRL_ENABLE) || now < t->base_tick)
        return 0;
    return (now - t->base_tick) / step_ticks(chip, t);
}

static uint32_t count(esp32_t *chip, int timer)
{
    const frc_t *t = frc(chip, timer);
    uint32_t n = (uint32_t)steps(chip, t, chip_time(chip));
    return timer ? t->base + n : (t->base - n) & FRC1_MASK;
}

static void rebase(esp32_t *chip, int timer)
{
    frc_t *t = frc(chip, timer);
    uint64_t now = chip_time(chip), n = steps(chip, t, now);
    if (!(t->ctrl & CTRL_ENABLE)) {
        t->base_tick = now;
        return;
    }
    t->base = count(chip, timer);
    t->base_tick += n * step_ticks(chip, t);
}

static void schedule(esp32_t *chip, int timer)
{
    const frc_t *t = frc(chip, timer);
    uint64_t when = EVENT_NEVER;
    if (t->ctrl & CTRL_ENABLE) {
        uint32_t now = count(chip, timer);
        uint64_t passed = steps(chip, t, chip_time(chip));
        uint32_t distance = timer ? t->alarm - now : now;
        if (!distance) /* it has just matched: the next time is one turn away */
            distance = timer ? UINT32_MAX : FRC1_MASK;
        when = t->base_tick + (passed + distance) * step_ticks(chip, t);
    }
    chip_schedule(chip, timer ? EV_FRC2 : EV_FRC1, when);
}

void frc_rebase(esp32_t *chip)
{
    for (int timer = 0; timer < 2; timer++) {
        rebase(chip, timer);
        schedule(chip, timer);
    }
}

void frc_event(esp32_t *chip, int timer)
{
    frc_t *t = frc(chip, timer);
    if (!(t->ctrl & CTRL_ENABLE))
        return;
    t->raised = true;
    if (!timer && (t->ctrl & CTRL_AUTOLOAD)) {
        t->base = t->load;
        t->base_tick = chip_time(chip);
    }
    soc_irq(chip, timer ? IRQ_FRC2 : IRQ_FRC1, true);
    schedule(chip, timer);
}

static uint32_t frc_read(esp32_t *chip, int core, uint32_t offset)
{
    int timer = offset >= SIZE;
    const frc_t *t = frc(chip, timer);
    (void)core;
    switch (offset % SIZE) {
    case 0x00: return t->load;
    case 0x04: return count(chip, timer);
    case 0x08: return t->ctrl | (t->raised ? 0x100u : 0);
    case 0x10: return t->alarm;
    default: return 0;
    }
}

static void frc_write(esp32_t *chip, int core, uint32_t offset, uint32_t value)
{
    int timer = offset >= SIZE;
    frc_t *t = frc(chip, timer);
    (void)core;
    switch (offset % SIZE) {
    case 0x00:
        t->load = value;
        t->base = value;
        t->base_tick = chip_time(chip);
        break;
    case 0x08:
        if ((t->ctrl ^ value) & CTRL_COUNTING)
            rebase(chip, timer);
        t->ctrl = value & 0xFF;
        break;
    case 0x0C:
        t->raised = false;
        soc_irq(chip, timer ? IRQ_FRC2 : IRQ_FRC1, false);
        return;
    case 0x10: t->alarm = value; break;
    default: return;
    }
    schedule(chip, timer);
}

static void frc_reset(esp32_t *chip, enum esp32_reset_cause cause)
{
    if (cause >= ESP32_RESET_TGWDT_CPU && cause <= ESP32_RESET_EXT_CPU)
        return;
    memset(chip->state.soc.frc, 0, sizeof chip->state.soc.frc);
}

const peripheral_t frc_timer = {"FRC_TIMER", 0x3FF47000, 0x40, frc_reset, frc_read, frc_write};

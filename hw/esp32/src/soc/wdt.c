/* The four stages that every watchdog of the chip walks through unless it is fed. */
#include "parts.h"

static void schedule(esp32_t *chip, const wdt_t *wdt, enum event ev, const uint64_t timeout[4])
{
    chip_schedule(chip, ev,
                  wdt->running && wdt->stage < 4 ? wdt->stage_start + timeout[wdt->stage]
                                                 : EVENT_NEVER);
}

void wdt_feed(esp32_t *chip, wdt_t *wdt, enum event ev, bool enabled, const uint64_t timeout[4])
{
    wdt->running = enabled;
    wdt->stage = 0;
    wdt->stage_start = chip_time(chip);
    schedule(chip, wdt, ev, timeout);
}

enum wdt_action wdt_expire(esp32_t *chip, wdt_t *wdt, enum event ev, const uint64_t timeout[4],
                           const uint8_t action[4])
{
    if (!wdt->running || wdt->stage > 3)
        return WDT_OFF;
    uint64_t end = wdt->stage_start + timeout[wdt->stage];
    if (chip_time(chip) < end) { /* fed or set longer in the meantime */
        schedule(chip, wdt, ev, timeout);
        return WDT_OFF;
    }
    enum wdt_action what = (enum wdt_action)action[wdt->stage];
    wdt->stage++;
    wdt->stage_start = end;
    schedule(chip, wdt, ev, timeout);
    return what;
}

/* RTC_CNTL: resets, core stall, clock source, slow time, storage, the RTC watchdog
 * (ESP32 TRM, chapters "Reset and Clock", "Low-Power Management"). */
#include <string.h>

#include "parts.h"

#define OPTIONS0           0x00
#define SW_STALL_APPCPU_C0 0x3u /* value 2: stall, with C1 */
#define SW_STALL_PROCPU_C0 0xCu
#define SW_APPCPU_RST      0x10u
#define SW_PROCPU_RST      0x20u
#define SW_SYS_RST         0x80000000u
#define TIME_UPDATE        0x0C
#define TIME_VALID         0x40000000u
#define TIME0              0x10
#define TIME1              0x14
#define STATE0             0x18
#define RESET_STATE        0x34 /* [5:0] cause of PRO_CPU, [11:6] of APP_CPU, 12/13 vector select */
#define INT_ENA            0x3C
#define INT_RAW            0x40
#define INT_ST             0x44
#define INT_CLR            0x48
#define INT_WDT            0x08u
#define STORE0             0x4C
#define STORE7             0xBC
#define STORE4             0xB0
#define CLK_CONF           0x70 /* [28:27] SOC_CLK_SEL */
#define WDTCONFIG0         0x8C
#define WDTCONFIG1         0x90
#define WDTFEED            0xA0
#define WDTWPROTECT        0xA4
#define WDT_EN             0x80000000u
#define SW_CPU_STALL       0xAC /* [25:20] APPCPU_C1, [31:26] PROCPU_C1 */
#define STALL_C1           0x21u
#define LOW_POWER_ST       0xC0
#define SLOW_CLK_TICKS     3200u /* 150 kHz */

static uint32_t *reg(esp32_t *chip)
{
    return chip->state.soc.rtc.reg;
}

/* --- clocks ------------------------------------------------------------------------------ */

static unsigned clock_source(const esp32_t *chip)
{
    return chip->state.soc.rtc.reg[CLK_CONF / 4] >> 27 & 3;
}

uint32_t soc_apb_ticks(const esp32_t *chip)
{
    return clock_source(chip) == 1 ? APB_TICKS_PLL : APB_TICKS_XTAL;
}

void soc_clock_after(esp32_t *chip)
{
    static const uint8_t mhz[4] = {80, 160, 240, 240};
    uint32_t period = chip->state.soc.dport.reg[0x3C / 4] & 3;
    chip_set_cpu_mhz(chip, clock_source(chip) == 1 ? mhz[period] : 40);
    timg_rebase(chip);
    frc_rebase(chip);
}

/* --- watchdog ------------------------------------------------------------------------------- */

/* [3] of the words that wdt.c wants, from CONFIG0..4 */
static void wdt_words(const esp32_t *chip, uint64_t timeout[4], uint8_t action[4])
{
    const uint32_t *r = chip->state.soc.rtc.reg;
    for (unsigned stage = 0; stage < 4; stage++) {
        timeout[stage] = (uint64_t)r[WDTCONFIG1 / 4 + stage] * SLOW_CLK_TICKS;
        action[stage] = (uint8_t)(r[WDTCONFIG0 / 4] >> (28 - 3 * stage) & 7);
    }
}

static void feed(esp32_t *chip)
{
    uint64_t timeout[4];
    uint8_t action[4];
    wdt_words(chip, timeout, action);
    wdt_feed(chip, &chip->state.soc.rtc.wdt, EV_RTC_WDT, reg(chip)[WDTCONFIG0 / 4] & WDT_EN,
             timeout);
}

void rtc_wdt_event(esp32_t *chip)
{
    uint64_t timeout[4];
    uint8_t action[4];
    wdt_words(chip, timeout, action);
    switch (wdt_expire(chip, &chip->state.soc.rtc.wdt, EV_RTC_WDT, timeout, action)) {
    case WDT_OFF: break;
    case WDT_INTERRUPT:
        reg(chip)[INT_RAW / 4] |= INT_WDT;
        soc_irq(chip, IRQ_RTC_CORE, reg(chip)[INT_RAW / 4] & reg(chip)[INT_ENA / 4]);
        break;
    case WDT_CPU_RESET: chip_request_reset(chip, 0, ESP32_RESET_RTCWDT_CPU); break;
    case WDT_SYSTEM_RESET: chip_request_reset(chip, -1, ESP32_RESET_RTCWDT_SYS); break;
    case WDT_RTC_RESET: chip_request_reset(chip, -1, ESP32_RESET_RTCWDT_RTC); break;
    }
}

/* --- stall and reset ----------------------------------------------------------------------------
 */

bool rtc_stalls(const esp32_t *chip, int core)
{
    const uint32_t *r = chip->state.soc.rtc.reg;
    uint32_t c0 = r[OPTIONS0 / 4] >> (core ? 0 : 2) & 3;
    uint32_t c1 = r[SW_CPU_STALL / 4] >> (core ? 20 : 26) & 0x3F;
    return c0 == 2 && c1 == STALL_C1;
}

static void write_options(esp32_t *chip, uint32_t value)
{
    reg(chip)[OPTIONS0 / 4] = value & ~(SW_SYS_RST | SW_PROCPU_RST | SW_APPCPU_RST);
    if (value & SW_SYS_RST)
        chip_request_reset(chip, -1, ESP32_RESET_SW_SYS);
    else if (value & SW_PROCPU_RST)
        chip_request_reset(chip, 0, ESP32_RESET_SW_CPU);
    else if (value & SW_APPCPU_RST)
        chip_request_reset(chip, 1, ESP32_RESET_SW_CPU);
    soc_update_stalls(chip);
}

/* --- registers
 * -------------------------------------------------------------------------------------- */

static uint32_t rtc_read(esp32_t *chip, int core, uint32_t offset)
{
    const rtc_cntl_t *rtc = &chip->state.soc.rtc;
    (void)core;
    switch (offset) {
    case TIME_UPDATE: return rtc->reg[offset / 4] | TIME_VALID;
    case TIME0: return (uint32_t)rtc->time_latch;
    case TIME1: return (uint32_t)(rtc->time_latch >> 32) & 0xFFFF;
    case RESET_STATE:
        return (rtc->reg[offset / 4] & ~0xFFFu) | chip->state.reset_cause[0] |
               chip->state.reset_cause[1] << 6;
    case INT_ST: return rtc->reg[INT_RAW / 4] & rtc->reg[INT_ENA / 4];
    case LOW_POWER_ST: return rtc->reg[offset / 4];
    default: return rtc->reg[offset / 4];
    }
}

static void rtc_write(esp32_t *chip, int core, uint32_t offset, uint32_t value)
{
    uint32_t *r = reg(chip);
    (void)core;
    switch (offset) {
    case OPTIONS0: write_options(chip, value); return;
    case SW_CPU_STALL:
        r[offset / 4] = value;
        soc_update_stalls(chip);
        return;
    case TIME_UPDATE:
        if (value & 0x80000000)
            chip->state.soc.rtc.time_latch = chip_time(chip) / SLOW_CLK_TICKS;
        return;
    case CLK_CONF:
        soc_clock_before(chip);
        r[offset / 4] = value;
        soc_clock_after(chip);
        return;
    case INT_CLR:
    case INT_ENA:
        if (offset == INT_CLR)
            r[INT_RAW / 4] &= ~value;
        else
            r[INT_ENA / 4] = value;
        soc_irq(chip, IRQ_RTC_CORE, r[INT_RAW / 4] & r[INT_ENA / 4]);
        return;
    case INT_RAW:
    case INT_ST:
    case TIME0:
    case TIME1: return;
    case WDTWPROTECT: r[offset / 4] = value; return;
    default: break;
    }
    if (offset >= WDTCONFIG0 && offset <= WDTFEED) {
        if (r[WDTWPROTECT / 4] != WDT_KEY)
            return;
        r[offset / 4] = value;
        if (offset == WDTFEED || offset == WDTCONFIG0)
            feed(chip);
        return;
    }
    if (offset == STATE0 && (value & 0x80000000)) {
        chip_log_once(chip, 0x3FF48018,
                      "sleep was asked for but is not modelled: the chip stays "
                      "awake");
        value &= 0x7FFFFFFF;
    }
    r[offset / 4] = value;
}

static void rtc_reset(esp32_t *chip, enum esp32_reset_cause cause)
{
    rtc_cntl_t *rtc = &chip->state.soc.rtc;
    if (cause >= ESP32_RESET_TGWDT_CPU && cause <= ESP32_RESET_EXT_CPU)
        return;
    bool all = cause == ESP32_RESET_POWERON || cause == ESP32_RESET_BROWNOUT ||
               cause == ESP32_RESET_RTCWDT_RTC;
    uint32_t kept[8];
    memcpy(kept, &rtc->reg[STORE0 / 4], 16);
    memcpy(kept + 4, &rtc->reg[STORE4 / 4], 16);
    memset(rtc, 0, sizeof *rtc);
    if (!all) { /* the storage words outlive every reset but that of the RTC itself */
        memcpy(&rtc->reg[STORE0 / 4], kept, 16);
        memcpy(&rtc->reg[STORE4 / 4], kept + 4, 16);
    }
    rtc->reg[RESET_STATE / 4] = 0x3000;
    /* reset values of the watchdog (TRM); the boot ROM turns it on for flash boot and the
     * bootloader feeds and sets it anew, so a hung boot ends as on a real board */
    rtc->reg[WDTWPROTECT / 4] = WDT_KEY;
    rtc->reg[WDTCONFIG1 / 4] = 128000;
}

const peripheral_t rtc_cntl = {"RTC_CNTL", 0x3FF48000, 0x400, rtc_reset, rtc_read, rtc_write};

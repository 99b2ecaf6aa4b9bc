/* The peripherals on the bus: who owns an address, events, resets, clocks. */
#include <string.h>

#include "parts.h"

#define PAGE     0x1000u
#define APB_BASE 0x3FF40000u /* also seen at 0x60000000 (AHB), where FIFOs are written */
#define AHB_BASE 0x60000000u

static const peripheral_t *const behave[] = {
    &dport, &aes,   &sha,      &flash_mmu_pro, &flash_mmu_app, &uart0, &spi1,
    &spi0,  &gpio,  &sens,     &rtc_cntl,      &frc_timer,     &uart1, &efuse,
    &timg0, &timg1, &emac_dma, &emac_mac,      &uart2,         &rng,
};
#define BEHAVE (sizeof behave / sizeof *behave)

/* Peripherals whose registers only remember: enough for drivers that set them up, and where a
 * `busy` bit is named, for those that wait for it to clear. Starting one of them (a write with
 * `starts` set) is reported, once. */
static const struct {
    const char *name;
    uint32_t base, size;
    uint32_t offset, starts; /* register and bits that set the unmodelled engine to work */
} remember[] = {
    {"RSA", 0x3FF02000, 0x1000, 0x804, 1},
    {"FE2", 0x3FF45000, 0x400, 0, 0},
    {"FE", 0x3FF46000, 0x400, 0, 0},
    {"RTCIO", 0x3FF48400, 0x400, 0, 0},
    {"RTC_I2C", 0x3FF48C00, 0x100, 0, 0},
    {"IO_MUX", 0x3FF49000, 0x100, 0, 0},
    {"HINF", 0x3FF4B000, 0x100, 0, 0},
    {"UHCI1", 0x3FF4C000, 0x100, 0, 0},
    {"ANA_I2C", 0x3FF4E000, 0x200, 0, 0},
    {"I2S0", 0x3FF4F000, 0x100, 0, 0}, /* started for the entropy at boot */
    {"BT", 0x3FF51000, 0x400, 0, 0},
    {"I2C0", 0x3FF53000, 0x200, 0x04, 0x20},
    {"UHCI0", 0x3FF54000, 0x100, 0, 0},
    {"SLCHOST", 0x3FF55000, 0x400, 0, 0},
    {"RMT", 0x3FF56000, 0x1000, 0, 0},
    {"PCNT", 0x3FF57000, 0x100, 0, 0},
    {"SLC", 0x3FF58000, 0x200, 0, 0},
    {"LEDC", 0x3FF59000, 0x200, 0, 0},
    {"NRX", 0x3FF5C000, 0x1000, 0, 0},
    {"BB", 0x3FF5D000, 0x1000, 0, 0},
    {"PWM0", 0x3FF5E000, 0x200, 0, 0},
    {"SPI2", 0x3FF64000, 0x400, 0x00, 0x40000},
    {"SPI3", 0x3FF65000, 0x400, 0x00, 0x40000},
    {"APB_CTRL", 0x3FF66000, 0x100, 0, 0},
    {"I2C1", 0x3FF67000, 0x200, 0x04, 0x20},
    {"SDMMC", 0x3FF68000, 0x200, 0x2C, 0x80000000},
    {"TWAI", 0x3FF6B000, 0x100, 0x04, 0x1},
    {"PWM1", 0x3FF6C000, 0x200, 0, 0},
    {"I2S1", 0x3FF6D000, 0x100, 0x08, 0x30},
    {"PWM2", 0x3FF6F000, 0x200, 0, 0},
    {"PWM3", 0x3FF70000, 0x200, 0, 0},
};
#define REMEMBER (sizeof remember / sizeof *remember)

static const peripheral_t *find_peripheral(uint32_t addr)
{
    for (unsigned i = 0; i < BEHAVE; i++)
        if (addr - behave[i]->base < behave[i]->size)
            return behave[i];
    return NULL;
}

/* The word that remembers `addr`, and whose it is; NULL when nobody has such a register. */
static uint32_t *find_word(esp32_t *chip, uint32_t addr, unsigned *which)
{
    uint32_t first = 0;
    for (unsigned i = 0; i < REMEMBER; i++) {
        if (addr - remember[i].base < remember[i].size) {
            *which = i;
            return &chip->state.soc.storage[first + (addr - remember[i].base) / 4];
        }
        first += remember[i].size / 4;
    }
    return NULL;
}

static uint32_t real_address(uint32_t addr)
{
    return addr >= AHB_BASE ? addr - AHB_BASE + APB_BASE : addr;
}

#define APB_CTRL_DATE 0x3FF6607Cu /* bit 31: one of the three bits of the chip revision */
#define SPI2_DATE     0x3FF643FCu /* older ESP-IDF reads SPI3's when it switches the cache off */
#define SPI3_DATE     0x3FF653FCu
#define SPI_DATE      0x01604270u
#define I2C_CMD_DONE  0x80000000u

uint32_t soc_read(esp32_t *chip, int core, uint32_t addr)
{
    addr = real_address(addr);
    const peripheral_t *p = find_peripheral(addr);
    if (p)
        return p->read(chip, core, addr - p->base);
    unsigned which;
    const uint32_t *word = find_word(chip, addr, &which);
    if (!word) {
        chip_log_once(chip, addr, "read of unknown register 0x%08x gives 0", addr);
        return 0;
    }
    if (addr == SPI2_DATE || addr == SPI3_DATE)
        return SPI_DATE;
    return addr == APB_CTRL_DATE ? *word | 1u << 31 : *word;
}

void soc_write(esp32_t *chip, int core, uint32_t addr, uint32_t value)
{
    addr = real_address(addr);
    const peripheral_t *p = find_peripheral(addr);
    if (p) {
        p->write(chip, core, addr - p->base, value);
        return;
    }
    unsigned which;
    uint32_t *word = find_word(chip, addr, &which);
    if (!word) {
        chip_log_once(chip, addr, "write of 0x%08x to unknown register 0x%08x is lost", value,
                      addr);
        return;
    }
    uint32_t offset = addr - remember[which].base;
    if (remember[which].starts && offset == remember[which].offset &&
        (value & remember[which].starts)) {
        chip_log_once(chip, addr, "%s was started but is not modelled: it does nothing",
                      remember[which].name);
        value &= ~remember[which].starts;
    }
    *word = value;
}

void soc_reset(esp32_t *chip, enum esp32_reset_cause cause)
{
    soc_t *soc = &chip->state.soc;
    bool cpu_only = cause == ESP32_RESET_SW_CPU || cause == ESP32_RESET_TGWDT_CPU ||
                    cause == ESP32_RESET_RTCWDT_CPU || cause == ESP32_RESET_EXT_CPU;
    if (!cpu_only)
        memset(soc->storage, 0, sizeof soc->storage);
    for (unsigned i = 0; i < BEHAVE; i++)
        if (behave[i]->reset)
            behave[i]->reset(chip, cause);
}

void soc_event(esp32_t *chip, int event, uint64_t when)
{
    (void)when;
    switch (event) {
    case EV_TIMG0_T0:
    case EV_TIMG0_T1:
    case EV_TIMG0_LACT: timg_event(chip, 0, event - EV_TIMG0_T0); break;
    case EV_TIMG1_T0:
    case EV_TIMG1_T1:
    case EV_TIMG1_LACT: timg_event(chip, 1, event - EV_TIMG1_T0); break;
    case EV_TIMG0_WDT: timg_wdt_event(chip, 0); break;
    case EV_TIMG1_WDT: timg_wdt_event(chip, 1); break;
    case EV_RTC_WDT: rtc_wdt_event(chip); break;
    case EV_FRC1:
    case EV_FRC2: frc_event(chip, event - EV_FRC1); break;
    case EV_UART0_RX:
    case EV_UART1_RX:
    case EV_UART2_RX: uart_rx_event(chip, event - EV_UART0_RX); break;
    case EV_UART0_TOUT:
    case EV_UART1_TOUT:
    case EV_UART2_TOUT: uart_tout_event(chip, event - EV_UART0_TOUT); break;
    case EV_EMAC_RX: emac_rx_event(chip); break;
    case EV_EMAC_TX: emac_tx_event(chip); break;
    default: break;
    }
}

void soc_clock_before(esp32_t *chip)
{
    timg_rebase(chip);
    frc_rebase(chip);
}

void soc_update_stalls(esp32_t *chip)
{
    for (int core = 0; core < ESP32_CORES; core++) {
        bool stalled = rtc_stalls(chip, core) || (core == 1 && dport_holds_app_cpu(chip));
        if (chip->state.core[core].stalled != stalled)
            lx6_set_stalled(chip, core, stalled);
    }
}

/* DPORT: interrupt matrix, the second core's reins, cache control, flash MMU, CPU clock
 * (ESP32 TRM, chapters "DPort Register", "Interrupt Matrix", "MPU/MMU"). */
#include <string.h>

#include "parts.h"

#define PERI_RST_EN         0x020
#define APPCPU_CTRL_A       0x02C /* bit 0: APPCPU_RESETTING */
#define APPCPU_CTRL_B       0x030 /* bit 0: APPCPU_CLKGATE_EN */
#define APPCPU_CTRL_C       0x034 /* bit 0: APPCPU_RUNSTALL */
#define CPU_PER_CONF        0x03C /* [1:0] CPU_CPUPERIOD_SEL: 80, 160, 240 MHz */
#define PRO_CACHE_CTRL      0x040
#define APP_CACHE_CTRL      0x058
#define CACHE_FLUSH_ENA     0x10u
#define CACHE_FLUSH_DONE    0x20u
#define CORE_RST_EN         0x0D0 /* also called WIFI_RST_EN */
#define EMAC_RST            0x80u
#define CPU_INTR_FROM_CPU_0 0x0DC
#define PRO_INTR_STATUS_0   0x0EC
#define APP_INTR_STATUS_2   0x100
#define PRO_INTR_MAP        0x104
#define APP_INTR_MAP        0x218
#define PRO_DCACHE_DBUG0    0x3F0
#define APP_DCACHE_DBUG0    0x418
#define CACHE_STATE_IDLE    0x80u /* field [18:7] is 1 */
#define DATE                0xFFC

#define MAP_UNUSED  16u /* reset value: an internal timer's number, so connected to nothing */
#define MMU_SIZE    0x2000u
#define MMU_INVALID 0x100u

/* Lines of the CPU that belong to its own timers, software and profiling interrupts. */
#define INTERNAL_LINES 0x200188C0u

void dport_route(esp32_t *chip)
{
    dport_t *d = &chip->state.soc.dport;
    uint32_t lines[ESP32_CORES] = {0};
    for (unsigned word = 0; word < 3; word++) {
        for (uint32_t left = d->irq[word]; left; left &= left - 1) {
            uint32_t source = word * 32 + (uint32_t)__builtin_ctz(left);
            lines[0] |= 1u << (d->reg[PRO_INTR_MAP / 4 + source] & 31);
            lines[1] |= 1u << (d->reg[APP_INTR_MAP / 4 + source] & 31);
        }
    }
    for (int core = 0; core < ESP32_CORES; core++) {
        uint32_t external = lines[core] & ~INTERNAL_LINES;
        if (chip->state.core[core].external != external)
            lx6_set_external(chip, core, external);
    }
}

void soc_irq(esp32_t *chip, int source, bool level)
{
    uint32_t *word = &chip->state.soc.dport.irq[source / 32], bit = 1u << (source % 32);
    if (!(*word & bit) == !level)
        return;
    *word ^= bit;
    dport_route(chip);
}

bool dport_holds_app_cpu(const esp32_t *chip)
{
    const uint32_t *reg = chip->state.soc.dport.reg;
    return (reg[APPCPU_CTRL_A / 4] & 1) || !(reg[APPCPU_CTRL_B / 4] & 1) ||
           (reg[APPCPU_CTRL_C / 4] & 1);
}

static uint32_t dport_read(esp32_t *chip, int core, uint32_t offset)
{
    const dport_t *d = &chip->state.soc.dport;
    (void)core;
    switch (offset) {
    case PRO_CACHE_CTRL:
    case APP_CACHE_CTRL:
        return d->reg[offset / 4] & CACHE_FLUSH_ENA ? d->reg[offset / 4] | CACHE_FLUSH_DONE
                                                    : d->reg[offset / 4];
    case PRO_DCACHE_DBUG0:
    case APP_DCACHE_DBUG0: return (d->reg[offset / 4] & ~0x7FF80u) | CACHE_STATE_IDLE;
    default: break;
    }
    if (offset >= PRO_INTR_STATUS_0 && offset <= APP_INTR_STATUS_2)
        return d->irq[(offset - PRO_INTR_STATUS_0) / 4 % 3];
    return d->reg[offset / 4];
}

static void dport_write(esp32_t *chip, int core, uint32_t offset, uint32_t value)
{
    dport_t *d = &chip->state.soc.dport;
    uint32_t old = d->reg[offset / 4];
    (void)core;
    if (offset == CPU_PER_CONF) {
        soc_clock_before(chip);
        d->reg[offset / 4] = value;
        soc_clock_after(chip);
        return;
    }
    d->reg[offset / 4] = value;
    if (offset == APPCPU_CTRL_A && (value & ~old & 1))
        chip_request_reset(chip, 1, ESP32_RESET_EXT_CPU);
    if (offset == CORE_RST_EN && (value & ~old & EMAC_RST))
        emac_restart(chip);
    if (offset >= APPCPU_CTRL_A && offset <= APPCPU_CTRL_C)
        soc_update_stalls(chip);
    else if (offset >= CPU_INTR_FROM_CPU_0 && offset < CPU_INTR_FROM_CPU_0 + 16)
        soc_irq(chip, IRQ_FROM_CPU0 + (int)(offset - CPU_INTR_FROM_CPU_0) / 4, value & 1);
    else if (offset >= PRO_INTR_MAP && offset < APP_INTR_MAP + IRQ_SOURCES * 4)
        dport_route(chip);
}

static void dport_reset(esp32_t *chip, enum esp32_reset_cause cause)
{
    dport_t *d = &chip->state.soc.dport;
    if (cause >= ESP32_RESET_TGWDT_CPU && cause <= ESP32_RESET_EXT_CPU)
        return; /* of a CPU only */
    memset(d, 0, sizeof *d);
    for (unsigned source = 0; source < IRQ_SOURCES; source++) {
        d->reg[PRO_INTR_MAP / 4 + source] = MAP_UNUSED;
        d->reg[APP_INTR_MAP / 4 + source] = MAP_UNUSED;
    }
    for (unsigned entry = 0; entry < MMU_ENTRIES; entry++)
        d->flash_mmu[0][entry] = d->flash_mmu[1][entry] = MMU_INVALID;
    d->reg[DATE / 4] = 0x16042600;
}

const peripheral_t dport = {"DPORT", 0x3FF00000, 0x1000, dport_reset, dport_read, dport_write};

/* --- flash MMU tables: entries 0..255 are flash, the rest would be PSRAM -------------------- */

static uint32_t mmu_get(esp32_t *chip, int table, uint32_t offset)
{
    return offset / 4 < MMU_ENTRIES ? chip->state.soc.dport.flash_mmu[table][offset / 4]
                                    : MMU_INVALID;
}

static void mmu_set(esp32_t *chip, int table, uint32_t offset, uint32_t value)
{
    if (offset / 4 >= MMU_ENTRIES)
        return;
    chip->state.soc.dport.flash_mmu[table][offset / 4] = value & 0x1FF;
    bus_remap_flash(chip, table);
}

static uint32_t mmu_pro_read(esp32_t *chip, int core, uint32_t offset)
{
    (void)core;
    return mmu_get(chip, 0, offset);
}

static void mmu_pro_write(esp32_t *chip, int core, uint32_t offset, uint32_t value)
{
    (void)core;
    mmu_set(chip, 0, offset, value);
}

static uint32_t mmu_app_read(esp32_t *chip, int core, uint32_t offset)
{
    (void)core;
    return mmu_get(chip, 1, offset);
}

static void mmu_app_write(esp32_t *chip, int core, uint32_t offset, uint32_t value)
{
    (void)core;
    mmu_set(chip, 1, offset, value);
}

const peripheral_t flash_mmu_pro = {"PRO_FLASH_MMU", 0x3FF10000,   MMU_SIZE, NULL,
                                    mmu_pro_read,    mmu_pro_write};
const peripheral_t flash_mmu_app = {"APP_FLASH_MMU", 0x3FF12000,   MMU_SIZE, NULL,
                                    mmu_app_read,    mmu_app_write};

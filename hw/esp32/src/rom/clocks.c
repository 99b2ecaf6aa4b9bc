/* Delays, clocks, interrupt levels of the ROM. */
#include "call.h"

#define PRO_INTR_MAP 0x3FF00104u
#define APP_INTR_MAP 0x3FF00218u
#define XTAL_HZ      40000000u

static lx6_t *cpu_of(rom_call_t *c)
{
    return &c->chip->state.core[c->core];
}

/* One microsecond a call, counted down in the argument: interrupts get in between, and nothing
 * depends on how long a slice is. The guest's own g_ticks_per_us says how many cycles that is. */
void rom_ets_delay_us(rom_call_t *c)
{
    uint32_t left = rom_arg(c, 0), mhz = ESP32_TICKS_PER_US / c->chip->state.ticks_per_cycle;
    if (!left)
        return;
    *rom_reg(c, 2) = left - 1;
    if (left > 1)
        rom_again(c, mhz);
    else
        c->cost = mhz;
}

static uint32_t ticks_per_us_at(const rom_call_t *c)
{
    return c->core ? ROM_TICKS_PER_US_APP : ROM_TICKS_PER_US_PRO;
}

void rom_ets_update_cpu_frequency_rom(rom_call_t *c)
{
    rom_store32(c, ticks_per_us_at(c), rom_arg(c, 0)); /* of this core only */
}

void rom_ets_get_cpu_frequency(rom_call_t *c)
{
    uint32_t mhz;
    if (rom_load32(c, ticks_per_us_at(c), &mhz))
        rom_return(c, mhz);
}

void rom_ets_get_xtal_scale(rom_call_t *c)
{
    rom_return(c, 1);
}

void rom_ets_get_detected_xtal_freq(rom_call_t *c)
{
    rom_return(c, XTAL_HZ);
}

/* 0: the flash is on the usual pins; no bits are burnt */
void rom_ets_efuse_get_spiconfig(rom_call_t *c)
{
    rom_return(c, 0);
}

void rom_ets_efuse_get_8M_clock(rom_call_t *c)
{
    rom_return(c, 0);
}

void rom_ets_efuse_read_op(rom_call_t *c)
{
    (void)c; /* the read registers are always up to date */
}

/* --- interrupts ---------------------------------------------------------------------------------
 */

/* intr_matrix_set(cpu, source, line) */
void rom_intr_matrix_set(rom_call_t *c)
{
    uint32_t source = rom_arg(c, 1);
    if (source < IRQ_SOURCES)
        rom_reg_write(c, (rom_arg(c, 0) ? APP_INTR_MAP : PRO_INTR_MAP) + 4 * source, rom_arg(c, 2));
}

void rom_ets_isr_mask(rom_call_t *c)
{
    cpu_of(c)->intenable &= ~rom_arg(c, 0);
}

void rom_ets_isr_unmask(rom_call_t *c)
{
    cpu_of(c)->intenable |= rom_arg(c, 0);
}

void rom__xtos_ints_on(rom_call_t *c)
{
    rom_return(c, cpu_of(c)->intenable);
    cpu_of(c)->intenable |= rom_arg(c, 0);
}

void rom__xtos_ints_off(rom_call_t *c)
{
    uint32_t before = cpu_of(c)->intenable;
    cpu_of(c)->intenable &= ~rom_arg(c, 0);
    rom_return(c, before);
}

/* Both give back the PS there was; its level is all that a restore looks at. */
static void set_level(rom_call_t *c, uint32_t level)
{
    lx6_t *cpu = cpu_of(c);
    uint32_t before = cpu->ps;
    cpu->ps = (cpu->ps & ~PS_INTLEVEL) | (level & PS_INTLEVEL);
    rom_return(c, before);
}

void rom__xtos_set_intlevel(rom_call_t *c)
{
    set_level(c, rom_arg(c, 0));
}

void rom__xtos_restore_intlevel(rom_call_t *c)
{
    set_level(c, rom_arg(c, 0));
}

void rom__xtos_set_min_intlevel(rom_call_t *c)
{
    uint32_t now = cpu_of(c)->ps & PS_INTLEVEL, want = rom_arg(c, 0) & PS_INTLEVEL;
    set_level(c, want > now ? want : now);
}

void rom_ets_intr_lock(rom_call_t *c)
{
    set_level(c, 3);
}

void rom_ets_intr_unlock(rom_call_t *c)
{
    set_level(c, 0);
}

void rom_ets_waiti0(rom_call_t *c)
{
    cpu_of(c)->ps &= ~PS_INTLEVEL;
    cpu_of(c)->waiting = true;
    lx6_break_slice(c->chip, c->core);
}

void rom_xthal_get_ccount(rom_call_t *c)
{
    rom_return(c, lx6_ccount(c->chip, c->core));
}

/* --- analog parts behind an internal I2C bus: PLL and such, nothing to see here -------------- */

void rom_rom_i2c_writeReg(rom_call_t *c)
{
    (void)c;
}

void rom_rom_i2c_writeReg_Mask(rom_call_t *c)
{
    (void)c;
}

void rom_rom_i2c_readReg(rom_call_t *c)
{
    rom_return(c, 0);
}

void rom_rom_i2c_readReg_Mask(rom_call_t *c)
{
    rom_return(c, 0);
}

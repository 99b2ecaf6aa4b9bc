/* Special and user registers, by number for the guest and by name for the host. */
#include "cache.h"

#include <stdlib.h>
#include <string.h>

enum sr {
    SR_LBEG = 0,
    SR_LEND = 1,
    SR_LCOUNT = 2,
    SR_SAR = 3,
    SR_BR = 4,
    SR_ACCLO = 16,
    SR_ACCHI = 17,
    SR_M0 = 32,
    SR_WINDOWBASE = 72,
    SR_WINDOWSTART = 73,
    SR_IBREAKENABLE = 96,
    SR_MEMCTL = 97,
    SR_ATOMCTL = 99,
    SR_DDR = 104,
    SR_IBREAKA0 = 128,
    SR_DBREAKA0 = 144,
    SR_DBREAKC0 = 160,
    SR_CONFIGID0 = 176,
    SR_EPC1 = 177,
    SR_DEPC = 192,
    SR_EPS2 = 194,
    SR_CONFIGID1 = 208,
    SR_EXCSAVE1 = 209,
    SR_CPENABLE = 224,
    SR_INTERRUPT = 226,
    SR_INTCLEAR = 227,
    SR_INTENABLE = 228,
    SR_VECBASE = 231,
    SR_EXCCAUSE = 232,
    SR_DEBUGCAUSE = 233,
    SR_CCOUNT = 234,
    SR_ICOUNT = 236,
    SR_ICOUNTLEVEL = 237,
    SR_EXCVADDR = 238,
    SR_CCOMPARE0 = 240,
    SR_MISC0 = 244,
};

#define CONFIGID0      0xC2BCFFFEu /* of the ESP32's LX6, core-isa */
#define CONFIGID1      0x1CC5FE96u
#define SOFTWARE_INTS  (1u << INT_SW0 | 1u << INT_SW1)
#define CLEARABLE_INTS (SOFTWARE_INTS | 0x50404400u | 1u << INT_PROFILING)

/* Registers that are no more than a word, by number. */
static uint32_t *plain(lx6_t *cpu, unsigned sr)
{
    switch (sr) {
    case SR_LBEG: return &cpu->lbeg;
    case SR_LEND: return &cpu->lend;
    case SR_LCOUNT: return &cpu->lcount;
    case SR_SAR: return &cpu->sar;
    case SR_BR: return &cpu->br;
    case SR_SCOMPARE1: return &cpu->scompare1;
    case SR_ACCLO: return &cpu->acclo;
    case SR_ACCHI: return &cpu->acchi;
    case SR_M0:
    case SR_M0 + 1:
    case SR_M0 + 2:
    case SR_M0 + 3: return &cpu->mr[sr - SR_M0];
    case SR_WINDOWBASE: return &cpu->windowbase;
    case SR_WINDOWSTART: return &cpu->windowstart;
    case SR_IBREAKENABLE: return &cpu->ibreakenable;
    case SR_MEMCTL: return &cpu->memctl;
    case SR_ATOMCTL: return &cpu->atomctl;
    case SR_DDR: return &cpu->ddr;
    case SR_IBREAKA0:
    case SR_IBREAKA0 + 1: return &cpu->ibreaka[sr - SR_IBREAKA0];
    case SR_DBREAKA0:
    case SR_DBREAKA0 + 1: return &cpu->dbreaka[sr - SR_DBREAKA0];
    case SR_DBREAKC0:
    case SR_DBREAKC0 + 1: return &cpu->dbreakc[sr - SR_DBREAKC0];
    case SR_DEPC: return &cpu->depc;
    case SR_CPENABLE: return &cpu->cpenable;
    case SR_INTENABLE: return &cpu->intenable;
    case SR_PS: return &cpu->ps;
    case SR_VECBASE: return &cpu->vecbase;
    case SR_EXCCAUSE: return &cpu->exccause;
    case SR_DEBUGCAUSE: return &cpu->debugcause;
    case SR_ICOUNT: return &cpu->icount;
    case SR_ICOUNTLEVEL: return &cpu->icountlevel;
    case SR_EXCVADDR: return &cpu->excvaddr;
    case SR_MISC0:
    case SR_MISC0 + 1:
    case SR_MISC0 + 2:
    case SR_MISC0 + 3: return &cpu->misc[sr - SR_MISC0];
    default: break;
    }
    if (sr >= SR_EPC1 && sr < SR_EPC1 + 7)
        return &cpu->epc[sr - SR_EPC1 + 1];
    if (sr >= SR_EPS2 && sr < SR_EPS2 + 6)
        return &cpu->eps[sr - SR_EPS2 + 2];
    if (sr >= SR_EXCSAVE1 && sr < SR_EXCSAVE1 + 7)
        return &cpu->excsave[sr - SR_EXCSAVE1 + 1];
    if (sr >= SR_CCOMPARE0 && sr < SR_CCOMPARE0 + 3)
        return &cpu->ccompare[sr - SR_CCOMPARE0];
    return NULL;
}

ptrdiff_t lx6_sr_offset(unsigned sr)
{
    static lx6_t core;
    const uint32_t *word = plain(&core, sr);
    return word ? (const char *)word - (const char *)&core : -1;
}

/* --- the cycle counter ------------------------------------------------------------------ */

uint64_t lx6_time(const esp32_t *chip, int index)
{
    const lx6_t *cpu = &chip->state.core[index];
    const lx6_cache_t *c = chip->cache[index];
    if (chip->running_core != index)
        return cpu->tick > chip->state.now ? cpu->tick : chip->state.now;
    return cpu->tick +
           (uint64_t)(int64_t)((int32_t)c->cycles - c->budget) * chip->state.ticks_per_cycle;
}

uint32_t lx6_ccount(esp32_t *chip, int index)
{
    const lx6_t *cpu = &chip->state.core[index];
    uint64_t now = lx6_time(chip, index);
    if (now < cpu->ccount_tick)
        return cpu->ccount_base;
    return cpu->ccount_base + (uint32_t)((now - cpu->ccount_tick) / chip->state.ticks_per_cycle);
}

void lx6_reschedule_timer(esp32_t *chip, int index, int timer)
{
    const lx6_t *cpu = &chip->state.core[index];
    uint32_t distance = cpu->ccompare[timer] - lx6_ccount(chip, index);
    uint64_t cycles = distance ? distance : 1ull << 32;
    chip_schedule(chip, (enum event)(EV_CCOMPARE0 + index * 3 + timer),
                  lx6_time(chip, index) + cycles * chip->state.ticks_per_cycle);
}

void lx6_rebase_ccount(esp32_t *chip, int index)
{
    lx6_t *cpu = &chip->state.core[index];
    uint64_t now = lx6_time(chip, index);
    cpu->ccount_base = lx6_ccount(chip, index);
    cpu->ccount_tick = now;
}

static void write_ccompare(esp32_t *chip, int index, int timer, uint32_t value)
{
    static const uint8_t line[3] = {INT_TIMER0, INT_TIMER1, INT_TIMER2};
    lx6_t *cpu = &chip->state.core[index];
    cpu->ccompare[timer] = value;
    cpu->interrupt &= ~(1u << line[timer]);
    lx6_reschedule_timer(chip, index, timer);
}

/* --- by number ---------------------------------------------------------------------------- */

bool lx6_sr_read(esp32_t *chip, int index, unsigned sr, uint32_t *value)
{
    lx6_t *cpu = &chip->state.core[index];
    const uint32_t *word = plain(cpu, sr);
    switch (sr) {
    case SR_INTERRUPT: *value = cpu->interrupt | (cpu->external & ~0x50404400u); return true;
    case SR_CCOUNT: *value = lx6_ccount(chip, index); return true;
    case SR_PRID: *value = index ? PRID_APP : PRID_PRO; return true;
    case SR_CONFIGID0: *value = CONFIGID0; return true;
    case SR_CONFIGID1: *value = CONFIGID1; return true;
    default: break;
    }
    if (word)
        *value = *word;
    return word != NULL;
}

bool lx6_sr_write(esp32_t *chip, int index, unsigned sr, uint32_t value)
{
    lx6_t *cpu = &chip->state.core[index];
    lx6_cache_t *c = chip->cache[index];
    switch (sr) {
    case SR_SAR: cpu->sar = value & 63; return true;
    case SR_BR: cpu->br = value & 0xFFFF; return true;
    case SR_ACCHI: cpu->acchi = (uint32_t)(int32_t)(int8_t)value; return true;
    case SR_LEND:
        cpu->lend = value;
        lx6_note_lend(chip, index, value);
        if (c->flush)
            c->attention = true;
        return true;
    case SR_WINDOWBASE:
        lx6_set_windowbase(cpu, value & 15);
        c->room = lx6_room(cpu);
        return true;
    case SR_WINDOWSTART:
        cpu->windowstart = value & 0xFFFF;
        c->room = lx6_room(cpu);
        return true;
    case SR_PS:
        cpu->ps = value & PS_WRITABLE;
        c->room = lx6_room(cpu);
        return true;
    case SR_INTERRUPT: cpu->interrupt |= value & SOFTWARE_INTS; return true;
    case SR_INTCLEAR: cpu->interrupt &= ~(value & CLEARABLE_INTS); return true;
    case SR_VECBASE: cpu->vecbase = value & ~0x3FFu; return true;
    case SR_CPENABLE: cpu->cpenable = value & 0xFF; return true;
    case SR_CCOUNT:
        cpu->ccount_base = value;
        cpu->ccount_tick = lx6_time(chip, index);
        for (int timer = 0; timer < 3; timer++)
            lx6_reschedule_timer(chip, index, timer);
        return true;
    case SR_CCOMPARE0:
    case SR_CCOMPARE0 + 1:
    case SR_CCOMPARE0 + 2:
        write_ccompare(chip, index, (int)(sr - SR_CCOMPARE0), value);
        return true;
    case SR_PRID:
    case SR_CONFIGID0:
    case SR_CONFIGID1: return false;
    default: break;
    }
    uint32_t *word = plain(cpu, sr);
    if (word)
        *word = value;
    return word != NULL;
}

bool lx6_ur_read(lx6_t *cpu, unsigned ur, uint32_t *value)
{
    switch (ur) {
    case UR_THREADPTR: *value = cpu->threadptr; return true;
    case UR_FCR: *value = cpu->fcr; return true;
    case UR_FSR: *value = cpu->fsr; return true;
    case UR_F64R_LO: *value = cpu->f64r_lo; return true;
    case UR_F64R_HI: *value = cpu->f64r_hi; return true;
    case UR_F64S: *value = cpu->f64s; return true;
    default: return false;
    }
}

bool lx6_ur_write(lx6_t *cpu, unsigned ur, uint32_t value)
{
    switch (ur) {
    case UR_THREADPTR: cpu->threadptr = value; return true;
    case UR_FCR: cpu->fcr = value; return true;
    case UR_FSR: cpu->fsr = value; return true;
    case UR_F64R_LO: cpu->f64r_lo = value; return true;
    case UR_F64R_HI: cpu->f64r_hi = value; return true;
    case UR_F64S: cpu->f64s = value; return true;
    default: return false;
    }
}

/* --- by name -------------------------------------------------------------------------------- */

static int sr_by_name(const char *name)
{
    static const struct {
        const char *name;
        uint8_t sr;
    } table[] = {
        {"lbeg", SR_LBEG},
        {"lend", SR_LEND},
        {"lcount", SR_LCOUNT},
        {"sar", SR_SAR},
        {"br", SR_BR},
        {"scompare1", SR_SCOMPARE1},
        {"acclo", SR_ACCLO},
        {"acchi", SR_ACCHI},
        {"m0", SR_M0},
        {"m1", SR_M0 + 1},
        {"m2", SR_M0 + 2},
        {"m3", SR_M0 + 3},
        {"windowbase", SR_WINDOWBASE},
        {"windowstart", SR_WINDOWSTART},
        {"epc1", SR_EPC1},
        {"epc2", SR_EPC1 + 1},
        {"epc3", SR_EPC1 + 2},
        {"epc4", SR_EPC1 + 3},
        {"epc5", SR_EPC1 + 4},
        {"epc6", SR_EPC1 + 5},
        {"epc7", SR_EPC1 + 6},
        {"depc", SR_DEPC},
        {"eps2", SR_EPS2},
        {"eps3", SR_EPS2 + 1},
        {"eps4", SR_EPS2 + 2},
        {"eps5", SR_EPS2 + 3},
        {"eps6", SR_EPS2 + 4},
        {"eps7", SR_EPS2 + 5},
        {"excsave1", SR_EXCSAVE1},
        {"excsave2", SR_EXCSAVE1 + 1},
        {"excsave3", SR_EXCSAVE1 + 2},
        {"excsave4", SR_EXCSAVE1 + 3},
        {"excsave5", SR_EXCSAVE1 + 4},
        {"excsave6", SR_EXCSAVE1 + 5},
        {"excsave7", SR_EXCSAVE1 + 6},
        {"cpenable", SR_CPENABLE},
        {"interrupt", SR_INTERRUPT},
        {"intenable", SR_INTENABLE},
        {"ps", SR_PS},
        {"vecbase", SR_VECBASE},
        {"exccause", SR_EXCCAUSE},
        {"debugcause", SR_DEBUGCAUSE},
        {"ccount", SR_CCOUNT},
        {"prid", SR_PRID},
        {"excvaddr", SR_EXCVADDR},
        {"ccompare0", SR_CCOMPARE0},
        {"ccompare1", SR_CCOMPARE0 + 1},
        {"ccompare2", SR_CCOMPARE0 + 2},
        {"misc0", SR_MISC0},
        {"misc1", SR_MISC0 + 1},
        {"misc2", SR_MISC0 + 2},
        {"misc3", SR_MISC0 + 3},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (!strcmp(table[i].name, name))
            return table[i].sr;
    return -1;
}

/* "a3", "ar12", "f7": the number behind `prefix` when it is below `count`; -1 otherwise. */
static int numbered(const char *name, const char *prefix, long count)
{
    size_t length = strlen(prefix);
    char *end;
    if (strncmp(name, prefix, length) || name[length] < '0' || name[length] > '9')
        return -1;
    long n = strtol(name + length, &end, 10);
    return !*end && n < count ? (int)n : -1;
}

/* Words by name that are neither special registers nor windowed through the mirror. */
static uint32_t *word_by_name(lx6_t *cpu, const char *name)
{
    int n;
    if (!strcmp(name, "pc"))
        return &cpu->pc;
    if ((n = numbered(name, "a", 16)) >= 0)
        return lx6_a(cpu, (unsigned)n);
    if ((n = numbered(name, "f", 16)) >= 0)
        return &cpu->f[n];
    if ((n = numbered(name, "ar", 64)) >= 0) {
        uint32_t current = cpu->windowbase * 4;
        return current > 48 && (uint32_t)n < current - 48 ? &cpu->ar[64 + n] : &cpu->ar[n];
    }
    if (!strcmp(name, "threadptr"))
        return &cpu->threadptr;
    if (!strcmp(name, "fcr"))
        return &cpu->fcr;
    if (!strcmp(name, "fsr"))
        return &cpu->fsr;
    return NULL;
}

int esp32_reg_read(const esp32_t *chip, int core, const char *name, uint32_t *value)
{
    if (core < 0 || core >= ESP32_CORES)
        return -1;
    /* reading changes nothing; the lookup is shared with writing */
    esp32_t *c = (esp32_t *)(uintptr_t)chip;
    const uint32_t *word = word_by_name(&c->state.core[core], name);
    if (word) {
        *value = *word;
        return 0;
    }
    int sr = sr_by_name(name);
    return sr >= 0 && lx6_sr_read(c, core, (unsigned)sr, value) ? 0 : -1;
}

int esp32_reg_write(esp32_t *chip, int core, const char *name, uint32_t value)
{
    if (core < 0 || core >= ESP32_CORES)
        return -1;
    lx6_t *cpu = &chip->state.core[core];
    uint32_t *word = word_by_name(cpu, name);
    if (word) {
        *word = value;
        if (word == &cpu->pc) { /* a host that sets a pc wants it executed */
            cpu->stalled = false;
            cpu->waiting = false;
        }
        return 0;
    }
    int sr = sr_by_name(name);
    return sr >= 0 && lx6_sr_write(chip, core, (unsigned)sr, value) ? 0 : -1;
}

/* Life of a chip: reset, time, events and the loop that runs the cores.
 *
 * What the guest does never depends on how the host cuts its runs. Cores advance in slices whose
 * bounds are made from machine state alone: alone, a core runs to the next event (a host's
 * deadline may cut that anywhere, an exact instruction count later nothing has changed); while
 * both run, they take turns on a grid of 32 cycles that no deadline cuts. */
#include "chip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/cache.h"
#include "rom/rom.h"

#define RESET_VECTOR (ROM0_BASE + 0x400)
#define SLICE_ALONE  100000u /* cycles; a stop request waits no longer (some 0.2 ms) */
#define SLICE_SHARED 32u     /* more and the cores dead-lock on each other's spin loops */
#define ENDS_RUN                                                                                   \
    (ESP32_STOP_RESET | ESP32_STOP_REQUEST | ESP32_STOP_FATAL | ESP32_STOP_BREAK | ESP32_STOP_POWER)
#define XTAL_MHZ 40u

/* --- time ------------------------------------------------------------------------------- */

uint64_t chip_time(esp32_t *chip)
{
    esp32_state_t *s = &chip->state;
    uint64_t time = s->now;
    if (chip->running_core >= 0)
        time = lx6_time(chip, chip->running_core);
    if (time < s->mono)
        return s->mono;
    return s->mono = time;
}

static void find_next(event_queue_t *events)
{
    uint64_t next = EVENT_NEVER;
    for (int ev = 0; ev < EV_COUNT; ev++)
        if (events->when[ev] < next)
            next = events->when[ev];
    events->next = next;
}

void chip_schedule(esp32_t *chip, enum event ev, uint64_t when)
{
    event_queue_t *events = &chip->state.events;
    uint64_t before = events->when[ev];
    if (before == when)
        return;
    events->when[ev] = when;
    if (when <= events->next)
        events->next = when;
    else if (before == events->next)
        find_next(events);
    if (when < chip->slice_end)
        lx6_break_slice(chip, chip->running_core);
}

static void fire_events(esp32_t *chip)
{
    event_queue_t *events = &chip->state.events;
    while (events->next <= chip->state.now) {
        int ev = 0;
        while (events->when[ev] != events->next)
            ev++;
        uint64_t when = events->when[ev];
        events->when[ev] = EVENT_NEVER;
        find_next(events);
        if (ev <= EV_CCOMPARE5) {
            lx6_timer_fired(chip, ev / 3, ev % 3);
            lx6_reschedule_timer(chip, ev / 3, ev % 3);
        } else {
            soc_event(chip, ev, when);
        }
    }
}

void chip_set_cpu_mhz(esp32_t *chip, uint32_t mhz)
{
    chip->state.next_ticks_per_cycle = ESP32_TICKS_PER_US / mhz;
    lx6_break_slice(chip, chip->running_core);
}

static void change_clock(esp32_t *chip)
{
    for (int core = 0; core < ESP32_CORES; core++)
        lx6_rebase_ccount(chip, core);
    chip->state.ticks_per_cycle = chip->state.next_ticks_per_cycle;
    for (int core = 0; core < ESP32_CORES; core++)
        for (int timer = 0; timer < 3; timer++)
            lx6_reschedule_timer(chip, core, timer);
}

void chip_notify(esp32_t *chip, enum esp32_stop reason)
{
    chip->stop_reasons |= (int)reason;
    if (chip->stop_mask & (int)reason)
        lx6_break_slice(chip, chip->running_core);
}

/* --- life and reset ------------------------------------------------------------------------ */

static const char *cause_name(enum esp32_reset_cause cause)
{
    switch (cause) {
    case ESP32_RESET_POWERON: return "power-on";
    case ESP32_RESET_SW_SYS: return "software, system";
    case ESP32_RESET_DEEPSLEEP: return "deep sleep";
    case ESP32_RESET_TG0WDT_SYS: return "watchdog of timer group 0, system";
    case ESP32_RESET_TG1WDT_SYS: return "watchdog of timer group 1, system";
    case ESP32_RESET_RTCWDT_SYS: return "RTC watchdog, system";
    case ESP32_RESET_TGWDT_CPU: return "watchdog of a timer group, CPU";
    case ESP32_RESET_SW_CPU: return "software, CPU";
    case ESP32_RESET_RTCWDT_CPU: return "RTC watchdog, CPU";
    case ESP32_RESET_EXT_CPU: return "PRO CPU resets APP CPU";
    case ESP32_RESET_BROWNOUT: return "brown-out";
    case ESP32_RESET_RTCWDT_RTC: return "RTC watchdog, RTC";
    }
    return "unknown";
}

static bool cpu_only(enum esp32_reset_cause cause)
{
    return cause == ESP32_RESET_SW_CPU || cause == ESP32_RESET_TGWDT_CPU ||
           cause == ESP32_RESET_RTCWDT_CPU || cause == ESP32_RESET_EXT_CPU;
}

static void reset_core(esp32_t *chip, int core, enum esp32_reset_cause cause)
{
    lx6_reset(&chip->state.core[core], RESET_VECTOR);
    chip->state.reset_cause[core] = cause;
    for (int timer = 0; timer < 3; timer++)
        lx6_reschedule_timer(chip, core, timer);
}

static void reset_chip(esp32_t *chip, enum esp32_reset_cause cause)
{
    esp32_state_t *s = &chip->state;
    if (cause == ESP32_RESET_POWERON || cause == ESP32_RESET_BROWNOUT) {
        memset(s->dram, 0, RAM_SIZE);
        bus_drop_code(chip);
    }
    if (!cpu_only(cause)) {
        for (int ev = 0; ev < EV_COUNT; ev++)
            s->events.when[ev] = EVENT_NEVER;
        s->events.next = EVENT_NEVER;
        chip_set_cpu_mhz(chip, XTAL_MHZ);
    }
    reset_core(chip, 0, cause);
    if (!cpu_only(cause))
        reset_core(chip, 1, cause);
    soc_reset(chip, cause);
    if (!cpu_only(cause))
        s->core[1].stalled = true; /* until DPORT_APPCPU_CTRL lets it go */
    bus_remap_flash(chip, -1);
    s->reset_count++;
    chip->stop_reasons &= ~ESP32_STOP_FATAL;
}

void chip_request_reset(esp32_t *chip, int core, enum esp32_reset_cause cause)
{
    if (chip->reset_pending && chip->reset_core < 0)
        return; /* a whole reset stands already */
    chip->reset_core = core;
    chip->reset_pending = cause;
    lx6_break_slice(chip, chip->running_core);
}

static void do_pending_reset(esp32_t *chip)
{
    enum esp32_reset_cause cause = chip->reset_pending;
    chip->reset_pending = 0;
    if (chip->reset_core == 1) {
        bool stalled = chip->state.core[1].stalled;
        reset_core(chip, 1, cause);
        chip->state.core[1].stalled = stalled;
        return;
    }
    /* ESP-IDF pulls the line twice: a core that is still in its first instruction is reset anew,
     * but that is no second reset to anybody outside */
    bool again = cpu_only(cause) && chip->state.core[0].pc == RESET_VECTOR;
    reset_chip(chip, cause);
    if (again) {
        chip->state.reset_count--;
        return;
    }
    chip_log(chip, "reset: %s (cause %d)", cause_name(cause), (int)cause);
    chip_notify(chip, ESP32_STOP_RESET);
}

void esp32_reset(esp32_t *chip, enum esp32_reset_cause cause)
{
    chip->reset_pending = 0;
    chip->stop_reasons = 0;
    chip->flash_work_most = UINT64_MAX;
    reset_chip(chip, cause);
}

esp32_t *esp32_new(const esp32_config_t *config)
{
    esp32_t *chip = calloc(1, sizeof *chip);
    if (!chip)
        return NULL;
    chip->config = *config;
    chip->running_core = -1;
    chip->log = log_new();
    for (int core = 0; core < ESP32_CORES; core++) {
        chip->cache[core] = lx6_cache_new();
        chip->state.core[core].index = (uint32_t)core;
        chip->state.core[core].noise = (config->seed * 2 + (uint32_t)core) * 2654435761u | 1;
    }
    if (!chip->log || !chip->cache[0] || !chip->cache[1]) {
        esp32_free(chip);
        return NULL;
    }
    chip->flash_work_most = UINT64_MAX;
    flash_init(chip);
    bus_init(chip);
    chip->state.ticks_per_cycle = ESP32_TICKS_PER_US / XTAL_MHZ;
    reset_chip(chip, ESP32_RESET_POWERON);
    chip->state.reset_count = 0;
    return chip;
}

void esp32_free(esp32_t *chip)
{
    if (!chip)
        return;
    flash_free(chip);
    for (int core = 0; core < ESP32_CORES; core++)
        lx6_cache_free(chip->cache[core]);
    log_free(chip->log);
    free(chip);
}

int esp32_api_version(void)
{
    return ESP32_API_VERSION;
}

enum esp32_reset_cause esp32_reset_cause(const esp32_t *chip)
{
    return (enum esp32_reset_cause)chip->state.reset_cause[0];
}

uint32_t esp32_reset_count(const esp32_t *chip)
{
    return chip->state.reset_count;
}

/* --- run ---------------------------------------------------------------------------------------
 */

static bool awake(const lx6_t *cpu)
{
    return !cpu->stalled && (!cpu->waiting || lx6_interrupt_pending(cpu));
}

static bool interrupted(const esp32_t *chip)
{
    return chip->reset_pending ||
           (chip->stop_reasons & (ESP32_STOP_FATAL | ESP32_STOP_BREAK | ESP32_STOP_POWER));
}

/* Cycles that reach from `from` to `to`, rounded up. */
static uint32_t cycles_between(const esp32_t *chip, uint64_t from, uint64_t to)
{
    uint32_t tpc = chip->state.ticks_per_cycle;
    return (uint32_t)((to - from + tpc - 1) / tpc);
}

/* Both cores run: one step of the grid. */
static void run_shared(esp32_t *chip)
{
    esp32_state_t *s = &chip->state;
    uint64_t span = (uint64_t)SLICE_SHARED * s->ticks_per_cycle;
    uint64_t target = (s->now / span + 1) * span;
    chip->slice_end = 0; /* events wait for the end of the step */
    for (int core = 0; core < ESP32_CORES; core++) {
        lx6_t *cpu = &s->core[core];
        if (cpu->tick < s->now)
            cpu->tick = s->now;
        while (cpu->tick < target && awake(cpu) && !interrupted(chip))
            lx6_run(chip, core, cycles_between(chip, cpu->tick, target));
    }
    if (!interrupted(chip))
        s->now = target;
}

/* One core runs, up to `until` or the next event. */
static void run_alone(esp32_t *chip, int core, uint64_t until)
{
    esp32_state_t *s = &chip->state;
    lx6_t *cpu = &s->core[core];
    uint64_t end = s->events.next < until ? s->events.next : until;
    if (cpu->tick > s->now) { /* it has run ahead in a long ROM call */
        s->now = cpu->tick < end ? cpu->tick : end;
        return;
    }
    cpu->tick = s->now;
    uint64_t longest = s->now + (uint64_t)SLICE_ALONE * s->ticks_per_cycle;
    if (longest < end)
        end = longest;
    chip->slice_end = end;
    lx6_run(chip, core, cycles_between(chip, s->now, end));
    chip->slice_end = 0;
    s->now = cpu->tick;
}

/* What stands between two slices: requests, resets, clock, events. */
static void between_slices(esp32_t *chip)
{
    if (unlikely(__atomic_load_n(&chip->stop_asked, __ATOMIC_RELAXED))) {
        __atomic_store_n(&chip->stop_asked, 0, __ATOMIC_RELAXED);
        chip->stop_reasons |= ESP32_STOP_REQUEST;
    }
    if (unlikely(chip->reset_pending))
        do_pending_reset(chip);
    if (unlikely(chip->state.next_ticks_per_cycle != chip->state.ticks_per_cycle))
        change_clock(chip);
    if (chip->state.events.next <= chip->state.now)
        fire_events(chip);
}

/* The reasons that end this run, taken from those collected. */
static int take_reasons(esp32_t *chip)
{
    int why = chip->stop_reasons & chip->stop_mask;
    chip->stop_reasons &= ~why | (chip->stop_reasons & (ESP32_STOP_FATAL | ESP32_STOP_POWER));
    if (why & ESP32_STOP_BREAK)
        for (int core = 0; core < ESP32_CORES; core++)
            chip->cache[core]->resume_pc = chip->state.core[core].pc;
    return why;
}

int esp32_run(esp32_t *chip, uint64_t until, int stop_mask)
{
    esp32_state_t *s = &chip->state;
    chip->stop_mask = stop_mask | ENDS_RUN;
    for (;;) {
        between_slices(chip);
        if (unlikely(chip->stop_reasons & chip->stop_mask))
            return take_reasons(chip);
        if (s->now >= until)
            return ESP32_STOP_DEADLINE;
        bool pro = awake(&s->core[0]), app = awake(&s->core[1]);
        if (pro && app) {
            run_shared(chip);
        } else if (pro || app) {
            run_alone(chip, app, until);
        } else if (!chip->reset_pending) { /* asked for by an event: no time passes first */
            if (stop_mask & ESP32_STOP_IDLE)
                return ESP32_STOP_IDLE;
            s->now = s->events.next < until ? s->events.next : until;
        }
    }
}

int esp32_step(esp32_t *chip, int core)
{
    esp32_state_t *s = &chip->state;
    if (core < 0 || core >= ESP32_CORES)
        return -1;
    lx6_t *cpu = &s->core[core];
    chip->stop_mask = ENDS_RUN;
    between_slices(chip);
    chip->cache[core]->resume_pc = cpu->pc;
    if (cpu->tick < s->now)
        cpu->tick = s->now;
    uint64_t before = cpu->instructions;
    if (awake(cpu)) {
        lx6_run(chip, core, 1);
        if (cpu->instructions == before) /* an interrupt was taken, and its stall took the cycle */
            lx6_run(chip, core, 1);
    } else {
        cpu->tick += s->ticks_per_cycle;
    }
    if (s->now < cpu->tick)
        s->now = cpu->tick;
    between_slices(chip);
    return take_reasons(chip);
}

void esp32_stop(esp32_t *chip)
{
    __atomic_store_n(&chip->stop_asked, 1, __ATOMIC_RELAXED);
}

uint64_t esp32_now(const esp32_t *chip)
{
    return chip->state.now;
}

uint64_t esp32_next_event(const esp32_t *chip)
{
    return chip->state.events.next;
}

uint64_t esp32_instructions(const esp32_t *chip, int core)
{
    return core >= 0 && core < ESP32_CORES ? chip->state.core[core].instructions : 0;
}

uint64_t esp32_coverage(const esp32_t *chip)
{
    return chip->blocks_seen;
}

int esp32_core_status(const esp32_t *chip, int core)
{
    if (core < 0 || core >= ESP32_CORES)
        return -1;
    const lx6_t *cpu = &chip->state.core[core];
    return cpu->stalled ? 2 : awake(cpu) ? 0 : 1;
}

/* --- breakpoints ----------------------------------------------------------------------------- */

static int find_breakpoint(const esp32_t *chip, uint32_t addr)
{
    for (int i = 0; i < chip->breakpoints; i++)
        if (chip->breakpoint[i] == addr)
            return i;
    return -1;
}

int esp32_breakpoint_add(esp32_t *chip, uint32_t addr)
{
    int most = (int)(sizeof chip->breakpoint / sizeof *chip->breakpoint);
    if (find_breakpoint(chip, addr) >= 0)
        return 0;
    if (chip->breakpoints == most) {
        snprintf(chip->error, sizeof chip->error, "no more than %d breakpoints", most);
        return -1;
    }
    chip->breakpoint[chip->breakpoints++] = addr;
    bus_drop_code(chip);
    return 0;
}

int esp32_breakpoint_remove(esp32_t *chip, uint32_t addr)
{
    int i = find_breakpoint(chip, addr);
    if (i < 0) {
        snprintf(chip->error, sizeof chip->error, "no breakpoint at 0x%08x", addr);
        return -1;
    }
    chip->breakpoint[i] = chip->breakpoint[--chip->breakpoints];
    bus_drop_code(chip);
    return 0;
}

/* The list of peripherals: one struct of state and one file each. */
#ifndef SOC_H
#define SOC_H

#include <stdbool.h>
#include <stdint.h>

#include "../../include/esp32.h"

/* A peripheral on the bus. `offset` counts from `base`. */
typedef struct {
    const char *name; /* as in the TRM */
    uint32_t base;    /* 4 KB aligned */
    uint32_t size;
    void (*reset)(esp32_t *chip, enum esp32_reset_cause cause); /* may be NULL */
    uint32_t (*read)(esp32_t *chip, int core, uint32_t offset);
    void (*write)(esp32_t *chip, int core, uint32_t offset, uint32_t value);
} peripheral_t;

/* Interrupt sources (ESP32 TRM, "Interrupt Matrix", table of peripheral sources) */
enum irq_source {
    IRQ_TG0_T0 = 14,
    IRQ_TG0_T1,
    IRQ_TG0_WDT,
    IRQ_TG0_LACT,
    IRQ_TG1_T0,
    IRQ_TG1_T1,
    IRQ_TG1_WDT,
    IRQ_TG1_LACT,
    IRQ_GPIO,
    IRQ_FROM_CPU0 = 24,
    IRQ_UART0 = 34,
    IRQ_UART1,
    IRQ_UART2,
    IRQ_ETH_MAC = 38,
    IRQ_RTC_CORE = 46,
    IRQ_FRC1 = 56,
    IRQ_FRC2 = 57,
    IRQ_SOURCES = 69,
};

/* Reset all peripherals that `cause` reaches (RTC registers survive all but power-on). */
void soc_reset(esp32_t *chip, enum esp32_reset_cause cause);
/* An event slot's time has come (enum event in chip.h). */
void soc_event(esp32_t *chip, int event, uint64_t when);
/* Level of an interrupt source (TRM table "Interrupt matrix sources"): routed to both cores. */
void soc_irq(esp32_t *chip, int source, bool level);

/* The rest of this file is written by the peripherals: state structs and soc_t. */
#include "state.h"

#endif

/* What the files of soc/ offer each other. */
#ifndef SOC_PARTS_H
#define SOC_PARTS_H

#include "../chip.h"

/* peripherals, one a file; the table in soc.c lists them */
extern const peripheral_t dport, flash_mmu_pro, flash_mmu_app, rtc_cntl, timg0, timg1, frc_timer;
extern const peripheral_t uart0, uart1, uart2, gpio, spi0, spi1, sha, aes, emac_dma, emac_mac;
extern const peripheral_t rng, efuse, sens;

/* --- clocks (dport.c, rtc_cntl.c) --- */

#define APB_TICKS_PLL  6u  /* 80 MHz */
#define APB_TICKS_XTAL 12u /* 40 MHz */
/* Ticks of one APB clock: 80 MHz from the PLL, 40 MHz from the crystal. */
uint32_t soc_apb_ticks(const esp32_t *chip);
/* A clock register is about to change / has changed: counters and CPU clock follow. */
void soc_clock_before(esp32_t *chip);
void soc_clock_after(esp32_t *chip);

/* --- what one file does for another --- */

void dport_route(esp32_t *chip);
/* APP_CPU is held by DPORT (reset, clock gate, stall). */
bool dport_holds_app_cpu(const esp32_t *chip);
/* A core is stalled by RTC_CNTL. */
bool rtc_stalls(const esp32_t *chip, int core);
void soc_update_stalls(esp32_t *chip);

void timg_rebase(esp32_t *chip);
void frc_rebase(esp32_t *chip);
void timg_event(esp32_t *chip, int group, int timer);
void timg_wdt_event(esp32_t *chip, int group);
void frc_event(esp32_t *chip, int timer);
void rtc_wdt_event(esp32_t *chip);
void uart_rx_event(esp32_t *chip, int uart);
void uart_tout_event(esp32_t *chip, int uart);
void emac_rx_event(esp32_t *chip);
void emac_tx_event(esp32_t *chip);
/* DPORT resets it: what it was told is forgotten, its DMA and interrupt end. The PHY goes on. */
void emac_restart(esp32_t *chip);
/* Would the MAC's receive checksum engine find fault with `frame`, of at least 14 bytes? */
bool emac_checksum_error(const uint8_t *frame, uint32_t size);

/* --- watchdog stages (wdt.c) --- */

enum wdt_action { WDT_OFF, WDT_INTERRUPT, WDT_CPU_RESET, WDT_SYSTEM_RESET, WDT_RTC_RESET };
#define WDT_KEY 0x50D83AA1u
/* Start over at stage 0 (enabled, fed), and schedule `ev`; `timeout` of each stage in ticks. */
void wdt_feed(esp32_t *chip, wdt_t *wdt, enum event ev, bool enabled, const uint64_t timeout[4]);
/* The stage's time may be up: the action to take, WDT_OFF when it is not; goes to the next. */
enum wdt_action wdt_expire(esp32_t *chip, wdt_t *wdt, enum event ev, const uint64_t timeout[4],
                           const uint8_t action[4]);

/* --- PHY on the MDIO bus (phy_lan8720.c) --- */

void phy_reset(esp32_t *chip);
uint16_t phy_read(esp32_t *chip, unsigned addr, unsigned reg);
void phy_write(esp32_t *chip, unsigned addr, unsigned reg, uint16_t value);

#endif

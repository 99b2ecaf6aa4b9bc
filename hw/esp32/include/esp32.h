/* ESP32 chip model: the whole public API.
 *
 * One `esp32_t` is one chip: two LX6 cores, SoC, ROM services and SPI flash.
 * There are no globals: any number of chips live side by side in a process,
 * each used by one thread at a time (only esp32_stop() may come from another).
 *
 * There are no callbacks. The host fills input queues, calls esp32_run() and
 * drains output queues; esp32_run() returns why it came back.
 *
 * Time is virtual and counted in ticks of 1/480 us, so that a cycle at 240,
 * 160, 80 or 40 MHz is a whole number of ticks. An input is seen by the guest
 * at esp32_now() of the moment it was queued.
 */
#ifndef ESP32_H
#define ESP32_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define ESP32_API __attribute__((visibility("default")))
#else
#define ESP32_API
#endif

#define ESP32_API_VERSION      2
#define ESP32_TICKS_PER_US     480u
#define ESP32_TICKS_PER_SECOND 480000000ull
#define ESP32_CORES            2
#define ESP32_UARTS            3
#define ESP32_GPIOS            40
#define ESP32_FLASH_SIZE       0x400000u /* 4 MB, what ESP32-CAM and LAN8720 boards carry */
#define ESP32_ETH_FRAME_MAX    1518u

typedef struct esp32 esp32_t;

/* Why esp32_run() came back; also the mask of reasons that should end a run. */
enum esp32_stop {
    ESP32_STOP_DEADLINE = 0,     /* virtual time has reached `until` */
    ESP32_STOP_UART = 1 << 0,    /* a UART has output to drain */
    ESP32_STOP_ETH = 1 << 1,     /* the EMAC has frames to drain */
    ESP32_STOP_GPIO = 1 << 2,    /* an output level changed */
    ESP32_STOP_RESET = 1 << 3,   /* the chip was reset from inside; always ends a run */
    ESP32_STOP_IDLE = 1 << 4,    /* both cores wait for an interrupt, see esp32_next_event() */
    ESP32_STOP_REQUEST = 1 << 5, /* esp32_stop() was called; always ends a run */
    ESP32_STOP_FATAL = 1 << 6,   /* the model cannot go on, see esp32_error(); always ends a run */
    ESP32_STOP_BREAK = 1 << 7,   /* a breakpoint was hit; always ends a run */
    ESP32_STOP_LOG = 1 << 8,     /* a report is waiting in esp32_log_read() */
    ESP32_STOP_POWER = 1 << 9,   /* esp32_power_cut() has struck; always ends a run */
};

/* Reset causes, numbered as RTC_CNTL_RESET_CAUSE_PROCPU (ESP32 TRM, ch. "Reset and Clock"). */
enum esp32_reset_cause {
    ESP32_RESET_POWERON = 1,
    ESP32_RESET_SW_SYS = 3,
    ESP32_RESET_DEEPSLEEP = 5,
    ESP32_RESET_TG0WDT_SYS = 7,
    ESP32_RESET_TG1WDT_SYS = 8,
    ESP32_RESET_RTCWDT_SYS = 9,
    ESP32_RESET_TGWDT_CPU = 11,
    ESP32_RESET_SW_CPU = 12,
    ESP32_RESET_RTCWDT_CPU = 13,
    ESP32_RESET_EXT_CPU = 14,
    ESP32_RESET_BROWNOUT = 15,
    ESP32_RESET_RTCWDT_RTC = 16,
};

typedef struct {
    uint8_t mac[6];     /* base MAC address burnt into eFuse BLK0 */
    uint8_t phy_addr;   /* MDIO address of the LAN8720 (0 or 1) */
    uint8_t phy_absent; /* non-zero: no PHY on the MDIO bus */
    uint32_t seed;      /* of the RNG peripheral: same seed, same run */
} esp32_config_t;

/* --- life ----------------------------------------------------------------- */

/* A powered-off chip with erased flash; NULL when memory is short. */
ESP32_API esp32_t *esp32_new(const esp32_config_t *config);
ESP32_API void esp32_free(esp32_t *chip);
ESP32_API int esp32_api_version(void);
/* Text of the last ESP32_STOP_FATAL or of the last call that failed; never NULL. */
ESP32_API const char *esp32_error(const esp32_t *chip);

/* Power-on or external reset by the host. RAM survives all but POWERON and BROWNOUT. */
ESP32_API void esp32_reset(esp32_t *chip, enum esp32_reset_cause cause);
/* Cause of the last reset, and how many there were since esp32_new(). */
ESP32_API enum esp32_reset_cause esp32_reset_cause(const esp32_t *chip);
ESP32_API uint32_t esp32_reset_count(const esp32_t *chip);

/* --- flash ---------------------------------------------------------------- */

/* Raw access past the flash controller (an external programmer). 0, or -1 out of range. */
ESP32_API int esp32_flash_read(const esp32_t *chip, uint32_t addr, void *data, uint32_t size);
ESP32_API int esp32_flash_write(esp32_t *chip, uint32_t addr, const void *data, uint32_t size);

/* Bytes of flash that the guest has programmed or erased in this chip's life. */
ESP32_API uint64_t esp32_flash_work(const esp32_t *chip);
/* Let the supply fail when the guest has programmed or erased `after` more bytes (0: now): the
 * operation in hand stays half done, the bytes behind it as they were. The chip does nothing then
 * until esp32_reset(); a reset before that moment calls the cut off. */
ESP32_API void esp32_power_cut(esp32_t *chip, uint64_t after);

/* --- run ------------------------------------------------------------------ */

/* Run until virtual time `until` (ticks) or until one of `stop_mask` happens.
 * Returns the set of reasons, ESP32_STOP_DEADLINE (0) when only time is up. */
ESP32_API int esp32_run(esp32_t *chip, uint64_t until, int stop_mask);
/* Make the current or the next esp32_run() return; safe from any thread. */
ESP32_API void esp32_stop(esp32_t *chip);
/* Execute exactly one instruction on one core, time moves on with it. */
ESP32_API int esp32_step(esp32_t *chip, int core);
ESP32_API uint64_t esp32_now(const esp32_t *chip);
/* Tick of the earliest scheduled event; UINT64_MAX when there is none. */
ESP32_API uint64_t esp32_next_event(const esp32_t *chip);
ESP32_API uint64_t esp32_instructions(const esp32_t *chip, int core);

/* --- UART, Ethernet, GPIO -------------------------------------------------- */

/* Queue bytes on the wire towards the chip; they arrive at the UART's own baud rate.
 * Returns how many fitted into the queue (64 KiB). */
ESP32_API uint32_t esp32_uart_rx(esp32_t *chip, int uart, const void *data, uint32_t size);
/* How many queued bytes the chip has not taken yet. */
ESP32_API uint32_t esp32_uart_rx_pending(const esp32_t *chip, int uart);
/* The wire towards the chip is disturbed now: a character without its stop bit or, with `brk`, a
 * line that is held low, raise UART_FRM_ERR or UART_BRK_DET (ESP32 TRM, UART_INT_RAW_REG). What
 * the receiver makes of it (a break: a zero) is for the host to queue. */
ESP32_API void esp32_uart_error(esp32_t *chip, int uart, int brk);
/* Drain what the chip has sent; returns the byte count. */
ESP32_API uint32_t esp32_uart_tx(esp32_t *chip, int uart, void *data, uint32_t size);
/* Baud rate as the guest has set it; 0 before it has. */
ESP32_API uint32_t esp32_uart_baud(const esp32_t *chip, int uart);

/* Queue a frame (no FCS) towards the EMAC: 0, or -1 when the queue is full or the
 * size is not 14..ESP32_ETH_FRAME_MAX. A frame without FCS errors only. */
ESP32_API int esp32_eth_rx(esp32_t *chip, const void *frame, uint32_t size);
/* Drain one sent frame; returns its size, 0 when there is none. */
ESP32_API uint32_t esp32_eth_tx(esp32_t *chip, void *frame, uint32_t size);
/* Plug (1) or pull (0) the Ethernet cable. */
ESP32_API void esp32_eth_link(esp32_t *chip, int up);

/* Levels of the pads as the chip drives them, and which it drives at all (bit n = GPIOn). */
ESP32_API uint64_t esp32_gpio_out(const esp32_t *chip);
ESP32_API uint64_t esp32_gpio_enabled(const esp32_t *chip);
/* Drive a pad from outside (0, 1) or leave it floating (-1). */
ESP32_API void esp32_gpio_drive(esp32_t *chip, int gpio, int level);

/* --- looking inside --------------------------------------------------------- */

/* Guest memory as core 0 sees it; RAM, ROM and mapped flash. 0, or -1 when part is unmapped. */
ESP32_API int esp32_mem_read(esp32_t *chip, uint32_t addr, void *data, uint32_t size);
ESP32_API int esp32_mem_write(esp32_t *chip, uint32_t addr, const void *data, uint32_t size);

/* Registers by name: "pc", "a0".."a15" (current window), "ar0".."ar63", "f0".."f15",
 * "ps", "sar", "windowbase", "windowstart", "lbeg", "lend", "lcount", "epc1".. and the
 * other special registers by their ISA names. 0, or -1 when there is none of that name. */
ESP32_API int esp32_reg_read(const esp32_t *chip, int core, const char *name, uint32_t *value);
ESP32_API int esp32_reg_write(esp32_t *chip, int core, const char *name, uint32_t value);
/* 0 running, 1 waiting for an interrupt, 2 stalled or not yet released from reset. */
ESP32_API int esp32_core_status(const esp32_t *chip, int core);

/* Guest code reached so far in this chip's life, counted in the places where straight-line
 * stretches begin. Restoring a snapshot does not take it back: what grows it is new. */
ESP32_API uint64_t esp32_coverage(const esp32_t *chip);

ESP32_API int esp32_breakpoint_add(esp32_t *chip, uint32_t addr);
ESP32_API int esp32_breakpoint_remove(esp32_t *chip, uint32_t addr);

/* Reports of things the model does not know (ROM function, instruction, register), each
 * at most once, and of resets and panics: one line of UTF-8 a call, 0 when there is none. */
ESP32_API uint32_t esp32_log_read(esp32_t *chip, char *line, uint32_t size);

/* --- snapshot ---------------------------------------------------------------- */

/* The whole machine state: cores, RAM, devices, queues, changed flash pages. */
ESP32_API size_t esp32_state_size(const esp32_t *chip);
ESP32_API size_t esp32_state_save(const esp32_t *chip, void *state, size_t size);
/* 0, or -1 (wrong version, other flash image, truncated): then the chip is unchanged. */
ESP32_API int esp32_state_load(esp32_t *chip, const void *state, size_t size);

#endif

/* Reset: what the ROM does before the second-stage bootloader, for both cores, and its vectors. */
#include <stdio.h>
#include <string.h>

#include "boot.h"
#include "call.h"
#include "data.h"

#define BOOTLOADER_AT 0x1000u
#define IMAGE_MAGIC   0xE9u
#define SEGMENTS_MOST 16u
#define CHECKSUM_SEED 0xEFu
#define APPCPU_CTRL_D 0x3FF00038u /* boot address of the second core */
#define POLL_CYCLES   64u

/* Stacks of the two cores while in ROM and bootloader (ESP-IDF, memory layout of the ROM). The
 * words below a stack pointer are the save area of a caller that does not exist: its own stack
 * pointer must be memory, because the first window overflow stores relative to it. */
#define STACK_PRO   0x3FFE3F20u
#define STACK_APP   0x3FFE5230u
#define STACK_SPARE 0x80u

/* --- vectors ------------------------------------------------------------------------------ */

/* An exception while VECBASE is still the ROM's: say so as the ROM does, then the flash-boot
 * watchdog ends it. */
static void die(rom_call_t *c)
{
    const lx6_t *cpu = &c->chip->state.core[c->core];
    char text[160];
    snprintf(text, sizeof text,
             "Fatal exception (%u): epc1=0x%08x, epc2=0x%08x, excvaddr=0x%08x\r\n", cpu->exccause,
             cpu->epc[1], cpu->epc[2], cpu->excvaddr);
    rom_console(c, text);
    chip_log(c->chip,
             "exception %u at 0x%08x (address 0x%08x) before the firmware has set up its "
             "handlers",
             cpu->exccause, cpu->epc[1], cpu->excvaddr);
    chip_request_reset(c->chip, -1, ESP32_RESET_RTCWDT_RTC);
    rom_again(c, POLL_CYCLES);
}

#define VECTOR(name)                                                                               \
    void rom_##name(rom_call_t *c)                                                                 \
    {                                                                                              \
        die(c);                                                                                    \
    }
VECTOR(_Level2Vector)
VECTOR(_Level3Vector)
VECTOR(_Level4Vector)
VECTOR(_Level5Vector)
VECTOR(_DebugExceptionVector)
VECTOR(_NMIExceptionVector)
VECTOR(_DoubleExceptionVector)

/* MOVSP wants the caller's registers in the window: fetch them and do it again. */
static bool alloca_again(rom_call_t *c)
{
    lx6_t *cpu = &c->chip->state.core[c->core];
    if (!lx6_fill_caller(c->chip, c->core))
        return false;
    cpu->ps &= ~PS_EXCM;
    rom_jump(c, cpu->epc[1]);
    return true;
}

/* Of an interrupt and of MOVSP they know what to do. */
#define VECTOR1(name)                                                                              \
    void rom_##name(rom_call_t *c)                                                                 \
    {                                                                                              \
        uint32_t cause = c->chip->state.core[c->core].exccause;                                    \
        bool done = cause == CAUSE_ALLOCA             ? alloca_again(c)                            \
                    : cause == CAUSE_LEVEL1_INTERRUPT ? rom_interrupt(c)                           \
                                                      : false;                                     \
        if (!done)                                                                                 \
            die(c);                                                                                \
    }
VECTOR1(_KernelExceptionVector)
VECTOR1(_UserExceptionVector)

/* --- the second-stage bootloader ------------------------------------------------------------ */

static const char *const cause_names[] = {
    [1] = "POWERON_RESET",           [3] = "SW_RESET",
    [5] = "DEEPSLEEP_RESET",         [7] = "TG0WDT_SYS_RESET",
    [8] = "TG1WDT_SYS_RESET",        [9] = "RTCWDT_SYS_RESET",
    [11] = "TGWDT_CPU_RESET",        [12] = "SW_CPU_RESET",
    [13] = "RTCWDT_CPU_RESET",       [14] = "EXT_CPU_RESET",
    [15] = "RTCWDT_BROWN_OUT_RESET", [16] = "RTCWDT_RTC_RESET",
};

#define GPIO_STRAP       0x3FF44038u
#define STRAP_FLASH_BOOT 0x10u

static bool flash_boot(rom_call_t *c)
{
    return rom_reg_read(c, GPIO_STRAP) & STRAP_FLASH_BOOT;
}

static void banner(rom_call_t *c, enum esp32_reset_cause cause)
{
    char text[128];
    const char *mode =
        flash_boot(c) ? "SPI_FAST_FLASH_BOOT" : "DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2)";
    const char *name = cause < sizeof cause_names / sizeof *cause_names ? cause_names[cause] : NULL;
    rom_console(c, "ets Jul 29 2019 12:21:46\r\n\r\n");
    snprintf(text, sizeof text, "rst:0x%x (%s),boot:0x%x (%s)\r\n", cause, name ? name : "?",
             rom_reg_read(c, GPIO_STRAP), mode);
    rom_console(c, text);
}

uint32_t boot_from_flash(rom_call_t *c)
{
    static const char *const modes[] = {"QIO", "QOUT", "DIO", "DOUT", "FAST_READ", "SLOW_READ"};
    esp32_t *chip = c->chip;
    uint8_t header[24], sum = CHECKSUM_SEED, stored;
    uint32_t at = BOOTLOADER_AT, entry;
    char text[128];
    flash_read(chip, at, header, sizeof header);
    if (header[0] != IMAGE_MAGIC || header[1] == 0 || header[1] > SEGMENTS_MOST) {
        memcpy(&entry, header, 4);
        snprintf(text, sizeof text, "invalid header: 0x%08x\r\n", entry);
        rom_console(c, text);
        chip_log_once(
            chip, at,
            "no bootloader in flash: at 0x%x there is 0x%02x, an image starts with 0x%02x", at,
            header[0], IMAGE_MAGIC);
        return 0;
    }
    memcpy(&entry, header + 4, 4);
    snprintf(text, sizeof text,
             "configsip: 0, SPIWP:0xee\r\nclk_drv:0x00,q_drv:0x00,d_drv:0x00,cs0_drv:0x00,"
             "hd_drv:0x00,wp_drv:0x00\r\n");
    rom_console(c, text);
    snprintf(text, sizeof text, "mode:%s, clock div:%u\r\n", header[2] < 6 ? modes[header[2]] : "?",
             (header[3] & 15) == 15 ? 1 : (header[3] & 15) + 2);
    rom_console(c, text);
    at += sizeof header;
    for (unsigned segment = 0; segment < header[1]; segment++) {
        uint32_t head[2];
        flash_read(chip, at, (uint8_t *)head, sizeof head);
        at += sizeof head;
        snprintf(text, sizeof text, "load:0x%08x,len:%u\r\n", head[0], head[1]);
        rom_console(c, text);
        for (uint32_t done = 0; done < head[1];) {
            uint8_t chunk[1024];
            uint32_t n = head[1] - done < sizeof chunk ? head[1] - done : sizeof chunk;
            flash_read(chip, at + done, chunk, n);
            if (!bus_write(chip, c->core, head[0] + done, chunk, n)) {
                chip_fatal(chip, "bootloader segment %u goes to 0x%08x, which is no RAM", segment,
                           head[0] + done);
                return 0;
            }
            for (uint32_t i = 0; i < n; i++)
                sum ^= chunk[i];
            done += n;
        }
        at += head[1];
    }
    flash_read(chip, at | 15, &stored, 1); /* the last byte of the 16 that the image ends in */
    if (stored != sum) {
        chip_fatal(chip, "bootloader checksum is 0x%02x, its image says 0x%02x", sum, stored);
        return 0;
    }
    snprintf(text, sizeof text, "entry 0x%08x\r\n", entry);
    rom_console(c, text);
    return entry;
}

uint32_t rom_boot(esp32_t *chip, int core, enum esp32_reset_cause cause)
{
    rom_call_t c = {.chip = chip, .core = core};
    if (core)
        return soc_read(chip, core, APPCPU_CTRL_D);
    rom_data_init(chip);
    banner(&c, cause);
    return boot_from_flash(&c);
}

/* A core as the ROM leaves it when it calls the entry point (by CALLX8): the ROM's own frame is
 * the bottom of the stack. */
static void enter(rom_call_t *c, uint32_t entry, uint32_t stack)
{
    lx6_t *cpu = &c->chip->state.core[c->core];
    uint32_t sp = stack - STACK_SPARE;
    memset(cpu->ar, 0, sizeof cpu->ar);
    cpu->windowbase = 0;
    cpu->windowstart = 1;
    cpu->ps = PS_WOE | PS_UM | 2u << PS_CALLINC_SHIFT;
    *lx6_a(cpu, 1) = sp;
    *lx6_a(cpu, 8) = 2u << 30 | (AT_rom_main & 0x3FFFFFFF); /* nobody returns there */
    bus_write(c->chip, c->core, sp - 12, &stack, 4);
    rom_jump(c, entry);
}

/* The ROM's own start-up takes its time. That matters: a core that resets the other one goes on
 * for a while in memory that the bootloader is about to be loaded to. */
#define START_UP_CYCLES 20000u

enum { STARTED = 1, LOADING, NOTHING_TO_BOOT };

/* No image: the ROM waits for the RTC watchdog that guards the boot (stage 0: reset the chip). */
#define RTC_WDTCONFIG0  0x3FF4808Cu
#define RTC_WDTCONFIG1  0x3FF48090u
#define RTC_WDTPROTECT  0x3FF480A4u
#define WDT_KEY         0x50D83AA1u
#define WDT_RESETS_CHIP (1u << 31 | 4u << 28)
#define ONE_SECOND      150000u /* of RTC_SLOW_CLK */

static void nothing_to_boot(rom_call_t *c, bool first)
{
    if (first) {
        rom_reg_write(c, RTC_WDTPROTECT, WDT_KEY);
        rom_reg_write(c, RTC_WDTCONFIG1, ONE_SECOND);
        rom_reg_write(c, RTC_WDTCONFIG0, WDT_RESETS_CHIP);
    }
    c->chip->state.core[c->core].waiting = true;
    lx6_break_slice(c->chip, c->core);
    rom_again(c, POLL_CYCLES);
}

void rom__ResetVector(rom_call_t *c)
{
    esp32_t *chip = c->chip;
    uint32_t *started = lx6_a(&chip->state.core[c->core], 2); /* zero out of reset */
    if (!*started) {
        *started = STARTED;
        chip->state.download.waiting = false;
        rom_again(c, START_UP_CYCLES);
        return;
    }
    uint32_t entry = 0;
    if (*started == NOTHING_TO_BOOT) {
        nothing_to_boot(c, false);
        return;
    }
    if (*started == LOADING) {
        entry = download_poll(c);
    } else if (c->core == 0 && !flash_boot(c)) {
        rom_data_init(chip);
        banner(c, (enum esp32_reset_cause)chip->state.reset_cause[0]);
        download_begin(c);
        *started = LOADING;
    } else {
        entry = rom_boot(chip, c->core, (enum esp32_reset_cause)chip->state.reset_cause[0]);
        if (!entry && !c->core) {
            *started = NOTHING_TO_BOOT;
            nothing_to_boot(c, true);
        }
    }
    if (entry)
        enter(c, entry, c->core ? STACK_APP : STACK_PRO);
    else if (!c->elsewhere)
        rom_again(c, POLL_CYCLES); /* the second core waits for its address; a fatal stays one */
}

/* --- reset ---------------------------------------------------------------------------------------
 */

void rom_software_reset(rom_call_t *c)
{
    chip_request_reset(c->chip, -1, ESP32_RESET_SW_SYS);
    rom_again(c, POLL_CYCLES);
}

void rom_software_reset_cpu(rom_call_t *c)
{
    chip_request_reset(c->chip, rom_arg(c, 0) ? 1 : 0, ESP32_RESET_SW_CPU);
}

/* What the serial loader would run after it: nobody asks for that here. */
void rom_ets_set_user_start(rom_call_t *c)
{
    (void)c;
}

void rom_rtc_get_reset_reason(rom_call_t *c)
{
    rom_return(c, c->chip->state.reset_cause[rom_arg(c, 0) & 1]);
}

void rom_rtc_get_wakeup_cause(rom_call_t *c)
{
    rom_return(c, 0);
}

void rom_ets_set_appcpu_boot_addr(rom_call_t *c)
{
    rom_reg_write(c, APPCPU_CTRL_D, rom_arg(c, 0));
}

void rom_rtc_select_apb_bridge(rom_call_t *c)
{
    (void)c; /* both bridges lead to the same registers here */
}

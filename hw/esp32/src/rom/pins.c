/* GPIO and pad functions of the ROM, on the real registers (ESP32 TRM, "IO_MUX and GPIO Matrix").
 */
#include "call.h"

#define GPIO_OUT_W1TS     0x3FF44008u
#define GPIO_OUT1_W1TS    0x3FF44014u
#define GPIO_ENABLE_W1TS  0x3FF44024u
#define GPIO_ENABLE1_W1TS 0x3FF44030u
#define GPIO_IN           0x3FF4403Cu
#define FUNC_IN_SEL       0x3FF44130u /* by signal: GPIO [5:0], inverted 6, through the matrix 7 */
/* by pad: signal [8:0], inverted 9, OEN select 10, inverted 11 */
#define FUNC_OUT_SEL 0x3FF44530u
#define SIGNALS      256u
#define IO_MUX       0x3FF49000u
#define MUX_FUNCTION 0x7000u
#define MUX_GPIO     0x2000u
#define MUX_PULLUP   0x100u
#define MUX_PULLDOWN 0x80u
#define MUX_STRENGTH 0xC00u

/* Offset of each pad's IO_MUX register; 0: there is no such pad. */
static const uint8_t mux_offset[ESP32_GPIOS] = {
    0x44, 0x88, 0x40, 0x84, 0x48, 0x6C, 0x60, 0x64, 0x68, 0x54, 0x58, 0x5C, 0x34, 0x38,
    0x30, 0x3C, 0x4C, 0x50, 0x70, 0x74, 0x78, 0x7C, 0x80, 0x8C, 0x90, 0x24, 0x28, 0x2C,
    0,    0,    0,    0,    0x1C, 0x20, 0x14, 0x18, 0x04, 0x08, 0x0C, 0x10,
};

static void change_mux(rom_call_t *c, uint32_t pad, uint32_t clear, uint32_t set)
{
    if (pad >= ESP32_GPIOS || !mux_offset[pad])
        return;
    uint32_t addr = IO_MUX + mux_offset[pad];
    rom_reg_write(c, addr, (rom_reg_read(c, addr) & ~clear) | set);
}

void rom_gpio_pad_select_gpio(rom_call_t *c)
{
    change_mux(c, rom_arg(c, 0), MUX_FUNCTION, MUX_GPIO);
}

void rom_gpio_pad_set_drv(rom_call_t *c)
{
    change_mux(c, rom_arg(c, 0), MUX_STRENGTH, rom_arg(c, 1) << 10 & MUX_STRENGTH);
}

void rom_gpio_pad_pullup(rom_call_t *c)
{
    change_mux(c, rom_arg(c, 0), MUX_PULLDOWN, MUX_PULLUP);
}

void rom_gpio_pad_pulldown(rom_call_t *c)
{
    change_mux(c, rom_arg(c, 0), MUX_PULLUP, MUX_PULLDOWN);
}

/* Pads hold their level in deep sleep, which is not modelled. */
void rom_gpio_pad_hold(rom_call_t *c)
{
    (void)c;
}

void rom_gpio_pad_unhold(rom_call_t *c)
{
    (void)c;
}

/* gpio_matrix_in(gpio, signal, invert) */
void rom_gpio_matrix_in(rom_call_t *c)
{
    uint32_t signal = rom_arg(c, 1);
    if (signal < SIGNALS)
        rom_reg_write(c, FUNC_IN_SEL + 4 * signal,
                      (rom_arg(c, 0) & 63) | (rom_arg(c, 2) & 1) << 6 | 1u << 7);
}

/* gpio_matrix_out(gpio, signal, invert output, invert enable) */
void rom_gpio_matrix_out(rom_call_t *c)
{
    uint32_t pad = rom_arg(c, 0);
    if (pad >= ESP32_GPIOS)
        return;
    rom_reg_write(c, FUNC_OUT_SEL + 4 * pad,
                  (rom_arg(c, 1) & 511) | (rom_arg(c, 2) & 1) << 9 | (rom_arg(c, 3) & 1) << 11);
    if (pad < 32)
        rom_reg_write(c, GPIO_ENABLE_W1TS, 1u << pad);
    else
        rom_reg_write(c, GPIO_ENABLE1_W1TS, 1u << (pad - 32));
}

/* gpio_output_set(set, clear, enable, disable) */
static void output_set(rom_call_t *c, uint32_t out, uint32_t enable)
{
    rom_reg_write(c, out, rom_arg(c, 0));
    rom_reg_write(c, out + 4, rom_arg(c, 1));
    rom_reg_write(c, enable, rom_arg(c, 2));
    rom_reg_write(c, enable + 4, rom_arg(c, 3));
}

void rom_gpio_output_set(rom_call_t *c)
{
    output_set(c, GPIO_OUT_W1TS, GPIO_ENABLE_W1TS);
}

void rom_gpio_output_set_high(rom_call_t *c)
{
    output_set(c, GPIO_OUT1_W1TS, GPIO_ENABLE1_W1TS);
}

void rom_gpio_input_get(rom_call_t *c)
{
    rom_return(c, rom_reg_read(c, GPIO_IN));
}

void rom_gpio_input_get_high(rom_call_t *c)
{
    rom_return(c, rom_reg_read(c, GPIO_IN + 4));
}

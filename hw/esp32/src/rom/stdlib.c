/* Numbers, characters and jumps of the ROM's C library. */
#include <string.h>

#include "call.h"

/* --- numbers ------------------------------------------------------------------------------- */

static int digit(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'z' ? byte - 'a' + 10 : 99;
}

/* strtol and strtoul: the number at argument 0, the end to *`end` when that is not 0. */
static bool parse(rom_call_t *c, uint32_t end, uint32_t base, bool is_signed, uint32_t *result)
{
    uint32_t start = rom_arg(c, 0), at = start;
    uint8_t byte;
    bool negative = false, any = false, over = false;
    uint64_t value = 0;
    do {
        if (!rom_load(c, at++, &byte, 1))
            return false;
    } while (byte == ' ' || (byte >= 9 && byte <= 13));
    if (byte == '-' || byte == '+') {
        negative = byte == '-';
        if (!rom_load(c, at++, &byte, 1))
            return false;
    }
    if ((base == 0 || base == 16) && byte == '0') {
        uint8_t two[2];
        if (!rom_load(c, at, two, 1))
            return false;
        if ((two[0] | 0x20) == 'x' && rom_load(c, at + 1, two + 1, 1) && digit(two[1]) < 16) {
            base = 16;
            byte = two[1];
            at += 2;
        }
    }
    if (base == 0)
        base = byte == '0' ? 8 : 10;
    while (digit(byte) < (int)base) {
        any = true;
        value = value * base + (uint32_t)digit(byte);
        if (value > UINT32_MAX)
            over = true, value = UINT32_MAX;
        if (!rom_load(c, at++, &byte, 1))
            return false;
    }
    if (end && !rom_store32(c, end, any ? at - 1 : start))
        return false;
    if (is_signed && value > (negative ? 0x80000000u : 0x7FFFFFFFu))
        *result = negative ? 0x80000000u : 0x7FFFFFFFu;
    else
        *result = over ? UINT32_MAX : (uint32_t)(negative ? 0 - value : value);
    c->cost = 20 + 4 * (at - start);
    return true;
}

void rom_atoi(rom_call_t *c)
{
    uint32_t value;
    if (parse(c, 0, 10, true, &value))
        rom_return(c, value);
}

void rom_atol(rom_call_t *c)
{
    rom_atoi(c);
}

void rom_strtol(rom_call_t *c)
{
    uint32_t value;
    if (parse(c, rom_arg(c, 1), rom_arg(c, 2), true, &value))
        rom_return(c, value);
}

void rom_strtoul(rom_call_t *c)
{
    uint32_t value;
    if (parse(c, rom_arg(c, 1), rom_arg(c, 2), false, &value))
        rom_return(c, value);
}

static void to_text(rom_call_t *c, bool is_signed)
{
    uint32_t value = rom_arg(c, 0), to = rom_arg(c, 1), base = rom_arg(c, 2);
    char text[36], *p = text + sizeof text - 1;
    bool negative = is_signed && base == 10 && (int32_t)value < 0;
    *p = 0;
    if (base < 2 || base > 36) {
        if (rom_store(c, to, p, 1))
            rom_return(c, 0);
        return;
    }
    if (negative)
        value = 0 - value;
    do {
        *--p = "0123456789abcdefghijklmnopqrstuvwxyz"[value % base];
        value /= base;
    } while (value);
    if (negative)
        *--p = '-';
    if (rom_store(c, to, p, (uint32_t)(text + sizeof text - p)))
        rom_return(c, to);
}

void rom_itoa(rom_call_t *c)
{
    to_text(c, true);
}

void rom___itoa(rom_call_t *c)
{
    to_text(c, true);
}

void rom_utoa(rom_call_t *c)
{
    to_text(c, false);
}

void rom___utoa(rom_call_t *c)
{
    to_text(c, false);
}

void rom_abs(rom_call_t *c)
{
    uint32_t value = rom_arg(c, 0);
    rom_return(c, (int32_t)value < 0 ? 0 - value : value);
}

void rom_labs(rom_call_t *c)
{
    rom_abs(c);
}

/* div_t comes back in two registers */
void rom_div(rom_call_t *c)
{
    int64_t a = (int32_t)rom_arg(c, 0), b = (int32_t)rom_arg(c, 1);
    if (!b) {
        rom_fault(c, CAUSE_DIVIDE_BY_ZERO, 0);
        return;
    }
    rom_return64(c, (uint32_t)(a / b) | (uint64_t)(uint32_t)(a % b) << 32);
}

void rom_ldiv(rom_call_t *c)
{
    rom_div(c);
}

void rom_rand_r(rom_call_t *c)
{
    uint32_t at = rom_arg(c, 0), seed;
    if (!rom_load32(c, at, &seed))
        return;
    seed = seed * 1103515245 + 12345;
    if (rom_store32(c, at, seed))
        rom_return(c, seed >> 1 & 0x7FFFFFFF);
}

/* --- characters, locale ------------------------------------------------------------------------
 */

void rom_toascii(rom_call_t *c)
{
    rom_return(c, rom_arg(c, 0) & 0x7F);
}

void rom_isascii(rom_call_t *c)
{
    rom_return(c, rom_arg(c, 0) < 0x80);
}

void rom_tolower(rom_call_t *c)
{
    uint32_t byte = rom_arg(c, 0);
    rom_return(c, byte >= 'A' && byte <= 'Z' ? byte + 32 : byte);
}

void rom_toupper(rom_call_t *c)
{
    uint32_t byte = rom_arg(c, 0);
    rom_return(c, byte >= 'a' && byte <= 'z' ? byte - 32 : byte);
}

void rom__localeconv_r(rom_call_t *c)
{
    rom_return(c, ROM_LCONV);
}

void rom_localeconv(rom_call_t *c)
{
    rom_return(c, ROM_LCONV);
}

/* No FILE of the ROM's own is ever open, so there is nothing to flush. */
void rom__cleanup_r(rom_call_t *c)
{
    (void)c;
}

void rom__cleanup(rom_call_t *c)
{
    (void)c;
}

void rom___dummy_lock(rom_call_t *c)
{
    (void)c;
}

void rom___dummy_lock_try(rom_call_t *c)
{
    rom_return(c, 0);
}

/* --- setjmp, longjmp ---------------------------------------------------------------------------
 * The frame that calls setjmp() keeps a0..a(4n-1) over the call; its callers' registers go to
 * their save areas on the stack, as the ROM's own code has it. Of those, the 16 bytes below the
 * frame's own stack pointer move when it allocates more stack, so they are kept as well.
 * jmp_buf: 0..11 a0.., 12..15 the words at a1-16, 16 the return address with its CALLINC. */

#define JMP_WORDS 17

void rom_setjmp(rom_call_t *c)
{
    lx6_t *cpu = &c->chip->state.core[c->core];
    uint32_t env[JMP_WORDS] = {0}, sp = *lx6_a(cpu, 1);
    uint32_t buffer = rom_arg(c, 0), kept = c->n * 4;
    if (!c->n || !lx6_spill_windows(c->chip, c->core)) {
        rom_fault(c, CAUSE_STORE_PROHIBITED, sp);
        return;
    }
    for (uint32_t n = 0; n < kept; n++)
        env[n] = *lx6_a(cpu, n);
    env[16] = *rom_reg(c, 0);
    if (!rom_load(c, sp - 16, &env[12], 16) || !rom_store(c, buffer, env, sizeof env))
        return;
    c->cost = 60;
    rom_return(c, 0);
}

static void jump_back(rom_call_t *c, uint32_t buffer, uint32_t value)
{
    lx6_t *cpu = &c->chip->state.core[c->core];
    uint32_t env[JMP_WORDS];
    if (!rom_load(c, buffer, env, sizeof env))
        return;
    uint32_t n = env[16] >> 30, sp = env[1];
    if (!n) {
        rom_fault(c, CAUSE_LOAD_PROHIBITED, buffer);
        return;
    }
    if (!rom_store(c, sp - 16, &env[12], 16))
        return;
    cpu->windowstart = 1u << cpu->windowbase; /* the frames in between are gone */
    for (uint32_t r = 0; r < n * 4; r++)
        *lx6_a(cpu, r) = env[r];
    c->n = n;
    rom_return(c, value ? value : 1);
    c->cost = 60;
    rom_jump(c, ROM0_BASE | (env[16] & 0x3FFFFFFF));
}

void rom_longjmp(rom_call_t *c)
{
    jump_back(c, rom_arg(c, 0), rom_arg(c, 1));
}

/* The frame of the firmware's own longjmp() is the current one here. */
void rom_longjmp_patched(rom_call_t *c)
{
    lx6_t *cpu = &c->chip->state.core[c->core];
    jump_back(c, *lx6_a(cpu, 2), *lx6_a(cpu, 3));
}

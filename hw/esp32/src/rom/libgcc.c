/* Compiler support of the ROM: soft float, 64-bit integers, bit counts (GCC internals manual,
 * "The GCC low-level runtime library"). The host's IEEE arithmetic is the same. */
#include <math.h>
#include <string.h>

#include "call.h"

static float f32(rom_call_t *c, unsigned i)
{
    uint32_t bits = rom_arg(c, i);
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

static uint64_t u64(rom_call_t *c, unsigned i)
{
    return rom_arg(c, i) | (uint64_t)rom_arg(c, i + 1) << 32;
}

static double f64(rom_call_t *c, unsigned i)
{
    uint64_t bits = u64(c, i);
    double value;
    memcpy(&value, &bits, 8);
    return value;
}

static void return_f32(rom_call_t *c, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, 4);
    c->cost = 40;
    rom_return(c, bits);
}

static void return_f64(rom_call_t *c, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, 8);
    c->cost = 60;
    rom_return64(c, bits);
}

#define SERVE(name, ...)                                                                           \
    void rom_##name(rom_call_t *c)                                                                 \
    {                                                                                              \
        __VA_ARGS__;                                                                               \
    }

SERVE(__addsf3, return_f32(c, f32(c, 0) + f32(c, 1)))
SERVE(__subsf3, return_f32(c, f32(c, 0) - f32(c, 1)))
SERVE(__mulsf3, return_f32(c, f32(c, 0) * f32(c, 1)))
SERVE(__divsf3, return_f32(c, f32(c, 0) / f32(c, 1)))
SERVE(__negsf2, rom_return(c, rom_arg(c, 0) ^ 0x80000000u))
SERVE(__adddf3, return_f64(c, f64(c, 0) + f64(c, 2)))
SERVE(__subdf3, return_f64(c, f64(c, 0) - f64(c, 2)))
SERVE(__muldf3, return_f64(c, f64(c, 0) * f64(c, 2)))
SERVE(__divdf3, return_f64(c, f64(c, 0) / f64(c, 2)))
SERVE(__negdf2, rom_return64(c, u64(c, 0) ^ 1ull << 63))

/* three-way results: what unordered gives differs, so that the test it is for fails */
static void compare(rom_call_t *c, double a, double b, int32_t unordered)
{
    c->cost = 20;
    rom_return(c, (uint32_t)(a < b ? -1 : a > b ? 1 : a == b ? 0 : unordered));
}

SERVE(__eqsf2, compare(c, (double)f32(c, 0), (double)f32(c, 1), 1))
SERVE(__ltsf2, compare(c, (double)f32(c, 0), (double)f32(c, 1), 1))
SERVE(__lesf2, compare(c, (double)f32(c, 0), (double)f32(c, 1), 1))
SERVE(__gtsf2, compare(c, (double)f32(c, 0), (double)f32(c, 1), -1))
SERVE(__gesf2, compare(c, (double)f32(c, 0), (double)f32(c, 1), -1))
SERVE(__eqdf2, compare(c, f64(c, 0), f64(c, 2), 1))
SERVE(__ltdf2, compare(c, f64(c, 0), f64(c, 2), 1))
SERVE(__ledf2, compare(c, f64(c, 0), f64(c, 2), 1))
SERVE(__gtdf2, compare(c, f64(c, 0), f64(c, 2), -1))
SERVE(__gedf2, compare(c, f64(c, 0), f64(c, 2), -1))
SERVE(__unordsf2, rom_return(c, isnan(f32(c, 0)) || isnan(f32(c, 1))))
SERVE(__unorddf2, rom_return(c, isnan(f64(c, 0)) || isnan(f64(c, 2))))

/* conversions saturate, NaN gives the most positive (as libgcc's own code on Xtensa) */
static int64_t to_signed(double value, double limit, int64_t least, int64_t most)
{
    if (isnan(value))
        return most;
    return value >= limit ? most : value < -limit ? least : (int64_t)value;
}

static uint64_t to_unsigned(double value, double limit, uint64_t most)
{
    if (isnan(value))
        return most;
    return value >= limit ? most : value <= 0 ? 0 : (uint64_t)value;
}

#define TWO31 2147483648.0
#define TWO32 4294967296.0
#define TWO63 9223372036854775808.0
#define TWO64 18446744073709551616.0

SERVE(__fixsfsi, rom_return(c, (uint32_t)to_signed((double)f32(c, 0), TWO31, INT32_MIN, INT32_MAX)))
SERVE(__fixdfsi, rom_return(c, (uint32_t)to_signed(f64(c, 0), TWO31, INT32_MIN, INT32_MAX)))
SERVE(__fixsfdi,
      rom_return64(c, (uint64_t)to_signed((double)f32(c, 0), TWO63, INT64_MIN, INT64_MAX)))
SERVE(__fixdfdi, rom_return64(c, (uint64_t)to_signed(f64(c, 0), TWO63, INT64_MIN, INT64_MAX)))
SERVE(__fixunssfsi, rom_return(c, (uint32_t)to_unsigned((double)f32(c, 0), TWO32, UINT32_MAX)))
SERVE(__fixunsdfsi, rom_return(c, (uint32_t)to_unsigned(f64(c, 0), TWO32, UINT32_MAX)))
SERVE(__fixunssfdi, rom_return64(c, to_unsigned((double)f32(c, 0), TWO64, UINT64_MAX)))
SERVE(__truncdfsf2, return_f32(c, (float)f64(c, 0)))
SERVE(__extendsfdf2, return_f64(c, (double)f32(c, 0)))
SERVE(__floatsisf, return_f32(c, (float)(int32_t)rom_arg(c, 0)))
SERVE(__floatunsisf, return_f32(c, (float)rom_arg(c, 0)))
SERVE(__floatdisf, return_f32(c, (float)(int64_t)u64(c, 0)))
SERVE(__floatundisf, return_f32(c, (float)u64(c, 0)))
SERVE(__floatsidf, return_f64(c, (double)(int32_t)rom_arg(c, 0)))
SERVE(__floatunsidf, return_f64(c, (double)rom_arg(c, 0)))
SERVE(__floatdidf, return_f64(c, (double)(int64_t)u64(c, 0)))
SERVE(__floatundidf, return_f64(c, (double)u64(c, 0)))

/* x to an integer power by squaring, as libgcc does it: the rounding is part of the result */
static double power(double x, int32_t n, bool single)
{
    uint32_t left = n < 0 ? 0 - (uint32_t)n : (uint32_t)n;
    double y = left & 1 ? x : 1;
    while (left >>= 1) {
        x = single ? (double)(float)(x * x) : x * x;
        if (left & 1)
            y = single ? (double)(float)(y * x) : y * x;
    }
    return n < 0 ? 1 / y : y;
}

SERVE(__powisf2, return_f32(c, (float)power((double)f32(c, 0), (int32_t)rom_arg(c, 1), true)))
SERVE(__powidf2, return_f64(c, power(f64(c, 0), (int32_t)rom_arg(c, 2), false)))

/* --- integers ------------------------------------------------------------------------------- */

/* Division by zero is the guest's exception. The smallest over -1 wraps round. */
static bool divisor(rom_call_t *c, uint64_t value)
{
    c->cost = 40;
    if (!value)
        rom_fault(c, CAUSE_DIVIDE_BY_ZERO, 0);
    return value != 0;
}

static uint64_t magnitude(uint64_t value)
{
    return (int64_t)value < 0 ? 0 - value : value;
}

static uint64_t signed_divide(uint64_t a, uint64_t b)
{
    uint64_t quotient = magnitude(a) / magnitude(b);
    return (int64_t)(a ^ b) < 0 ? 0 - quotient : quotient;
}

static uint64_t signed_modulo(uint64_t a, uint64_t b)
{
    uint64_t rest = magnitude(a) % magnitude(b);
    return (int64_t)a < 0 ? 0 - rest : rest;
}

static uint64_t s32(rom_call_t *c, unsigned i)
{
    return (uint64_t)(int64_t)(int32_t)rom_arg(c, i);
}

#define DIVIDE32(name, expression)                                                                 \
    SERVE(name, if (divisor(c, rom_arg(c, 1))) rom_return(c, (uint32_t)(expression)))
DIVIDE32(__divsi3, signed_divide(s32(c, 0), s32(c, 1)))
DIVIDE32(__modsi3, signed_modulo(s32(c, 0), s32(c, 1)))
DIVIDE32(__udivsi3, rom_arg(c, 0) / rom_arg(c, 1))
DIVIDE32(__umodsi3, rom_arg(c, 0) % rom_arg(c, 1))
#define DIVIDE64(name, expression)                                                                 \
    SERVE(name, if (divisor(c, u64(c, 2))) rom_return64(c, expression))
DIVIDE64(__divdi3, signed_divide(u64(c, 0), u64(c, 2)))
DIVIDE64(__moddi3, signed_modulo(u64(c, 0), u64(c, 2)))
DIVIDE64(__udivdi3, u64(c, 0) / u64(c, 2))
DIVIDE64(__umoddi3, u64(c, 0) % u64(c, 2))

void rom___udivmoddi4(rom_call_t *c)
{
    uint64_t a = u64(c, 0), b = u64(c, 2), rest;
    uint32_t to = rom_arg(c, 4);
    if (!divisor(c, b))
        return;
    rest = a % b;
    if (!to || rom_store(c, to, &rest, 8))
        rom_return64(c, a / b);
}

SERVE(__mulsi3, rom_return(c, rom_arg(c, 0) * rom_arg(c, 1)))
SERVE(__umulsidi3, rom_return64(c, (uint64_t)rom_arg(c, 0) * rom_arg(c, 1)))
SERVE(__muldi3, rom_return64(c, u64(c, 0) * u64(c, 2)))
SERVE(__negdi2, rom_return64(c, 0 - u64(c, 0)))
SERVE(__ashldi3, rom_return64(c, u64(c, 0) << (rom_arg(c, 2) & 63)))
SERVE(__lshrdi3, rom_return64(c, u64(c, 0) >> (rom_arg(c, 2) & 63)))
SERVE(__ashrdi3, rom_return64(c, (uint64_t)((int64_t)u64(c, 0) >> (rom_arg(c, 2) & 63))))

static uint32_t order(bool less, bool more)
{
    return less ? 0 : more ? 2 : 1;
}

SERVE(__cmpdi2, rom_return(c, order((int64_t)u64(c, 0) < (int64_t)u64(c, 2),
                                    (int64_t)u64(c, 0) > (int64_t)u64(c, 2))))
SERVE(__ucmpdi2, rom_return(c, order(u64(c, 0) < u64(c, 2), u64(c, 0) > u64(c, 2))))

static uint32_t leading(uint64_t value, unsigned bits)
{
    return value ? (uint32_t)__builtin_clzll(value) - (64 - bits) : bits;
}

static uint32_t trailing(uint64_t value, unsigned bits)
{
    return value ? (uint32_t)__builtin_ctzll(value) : bits;
}

SERVE(__clzsi2, rom_return(c, leading(rom_arg(c, 0), 32)))
SERVE(__clzdi2, rom_return(c, leading(u64(c, 0), 64)))
SERVE(__ctzsi2, rom_return(c, trailing(rom_arg(c, 0), 32)))
SERVE(__ctzdi2, rom_return(c, trailing(u64(c, 0), 64)))
SERVE(__ffssi2, rom_return(c, (uint32_t)__builtin_ffs((int)rom_arg(c, 0))))
SERVE(__ffsdi2, rom_return(c, (uint32_t)__builtin_ffsll((long long)u64(c, 0))))
SERVE(__popcountsi2, rom_return(c, (uint32_t)__builtin_popcount(rom_arg(c, 0))))
SERVE(__popcountdi2, rom_return(c, (uint32_t)__builtin_popcountll(u64(c, 0))))
SERVE(__paritysi2, rom_return(c, (uint32_t)__builtin_parity(rom_arg(c, 0))))
SERVE(__bswapsi2, rom_return(c, __builtin_bswap32(rom_arg(c, 0))))
SERVE(__bswapdi2, rom_return64(c, __builtin_bswap64(u64(c, 0))))
SERVE(__absvsi2, rom_return(c, (uint32_t)magnitude(s32(c, 0))))
SERVE(__absvdi2, rom_return64(c, magnitude(u64(c, 0))))
SERVE(__clrsbsi2, rom_return(c, (uint32_t)__builtin_clrsb((int)rom_arg(c, 0))))
/* the bus sees every store to code */
SERVE(__clear_cache, (void)c)

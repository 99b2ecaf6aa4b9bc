/* Single-precision arithmetic as the LX6's FPU does it, on the bits of IEEE 754 numbers.
 *
 * The host's float unit computes; only NaN results need a hand, since hosts differ there: the
 * first NaN operand comes through, made quiet, and an invalid operation gives +qNaN.
 *
 * Division and square root are sequences of steps (DIV0, NEXP01, MADDN, MKDADJ, ADDEXPM,
 * DIVN..) whose seed tables are undocumented. MKDADJ and MKSADJ have both operands at hand and
 * deliver the correctly rounded result, ADDEXPM moves it to its place and the other steps
 * leave registers as they are: any sequence of the documented shape ends in the right number. */
#ifndef FPU_H
#define FPU_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define FP_QNAN  0x7FC00000u
#define FP_QUIET 0x00400000u

static inline float fp_float(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, 4);
    return f;
}

static inline uint32_t fp_bits(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, 4);
    return bits;
}

static inline int fp_isnan(uint32_t bits)
{
    return (bits & 0x7FFFFFFF) > 0x7F800000;
}

static inline uint32_t fp_result(float result, uint32_t a, uint32_t b)
{
    if (__builtin_expect(result == result, 1))
        return fp_bits(result);
    return fp_isnan(a) ? a | FP_QUIET : fp_isnan(b) ? b | FP_QUIET : FP_QNAN;
}

static inline uint32_t fp_madd(uint32_t acc, uint32_t a, uint32_t b, int negate)
{
    float x = fp_float(a);
    float result = fmaf(negate ? -x : x, fp_float(b), fp_float(acc));
    if (__builtin_expect(result == result, 1))
        return fp_bits(result);
    return fp_isnan(acc) ? acc | FP_QUIET : fp_result(result, a, b);
}

/* To integer with 2^scale first; out of range saturates, NaN goes to the largest number. */
static inline uint32_t fp_to_int(uint32_t bits, unsigned scale, double (*round)(double))
{
    if (fp_isnan(bits))
        return 0x7FFFFFFF;
    double v = round(ldexp(fp_float(bits), (int)scale));
    if (v >= 2147483648.0)
        return 0x7FFFFFFF;
    if (v < -2147483648.0)
        return 0x80000000u;
    return (uint32_t)(int32_t)v;
}

static inline uint32_t fp_to_uint(uint32_t bits, unsigned scale)
{
    if (fp_isnan(bits))
        return 0xFFFFFFFFu;
    double v = trunc(ldexp(fp_float(bits), (int)scale));
    if (v >= 4294967296.0)
        return 0xFFFFFFFFu;
    if (v < -2147483648.0)
        return 0x80000000u;
    return v < 0 ? (uint32_t)(int32_t)v : (uint32_t)v;
}

static inline uint32_t fp_const(unsigned n)
{
    static const float table[16] = {0.0f, 1.0f, 2.0f, 0.5f};
    return fp_bits(table[n & 15]);
}

#endif

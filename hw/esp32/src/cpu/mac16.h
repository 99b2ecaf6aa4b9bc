/* The MAC16 option: 16 x 16 bit multiply-accumulate into a 40-bit accumulator (ISA RM, chapter
 * "MAC16 Option"). `w` is the instruction word; op2 tells where the operands come from. */
#ifndef MAC16_H
#define MAC16_H

#include "lx6.h"

static inline unsigned mac16_op2(uint32_t w)
{
    return w >> 20 & 15;
}

/* The forms with LDINC or LDDEC: the address they load from. */
static inline bool mac16_loads(uint32_t w, const uint32_t *a, uint32_t *address)
{
    unsigned op2 = mac16_op2(w);
    if (op2 != 0 && op2 != 1 && op2 != 4 && op2 != 5 && op2 < 8)
        return false;
    *address = a[w >> 8 & 15] + (op2 & 1 ? 0xFFFFFFFCu : 4u);
    return true;
}

static inline void mac16_load(lx6_t *cpu, uint32_t *a, uint32_t w, uint32_t address, uint32_t value)
{
    a[w >> 8 & 15] = address;
    cpu->mr[w >> 12 & 3] = value;
}

static inline int32_t mac16_half(uint32_t value, unsigned high)
{
    return (int16_t)(high ? value >> 16 : value);
}

static inline void mac16_execute(lx6_t *cpu, const uint32_t *a, uint32_t w)
{
    unsigned op1 = w >> 16 & 15, op2 = mac16_op2(w);
    if (op2 >= 8)
        return; /* a load alone */
    /* x is m0/m1 in the DD and DA forms; y is m2/m3 in the DD and AD forms */
    bool x_is_m = op2 == 0 || op2 == 1 || op2 == 2 || (op2 >= 4 && op2 <= 6);
    bool y_is_m = op2 <= 3;
    uint32_t x = x_is_m ? cpu->mr[w >> 14 & 1] : a[w >> 8 & 15];
    uint32_t y = y_is_m ? cpu->mr[2 + (w >> 6 & 1)] : a[w >> 4 & 15];
    int64_t product;
    if (op1 >> 2) {
        product = (int64_t)mac16_half(x, op1 & 1) * mac16_half(y, op1 & 2);
    } else { /* UMUL */
        uint32_t ux = op1 & 1 ? x >> 16 : x & 0xFFFF, uy = op1 & 2 ? y >> 16 : y & 0xFFFF;
        product = (int64_t)((uint64_t)ux * uy);
    }
    int64_t acc = (int64_t)((uint64_t)(uint32_t)(int32_t)(int8_t)cpu->acchi << 32 | cpu->acclo);
    switch (op1 >> 2) {
    case 2: acc += product; break;
    case 3: acc -= product; break;
    default: acc = product; break;
    }
    cpu->acclo = (uint32_t)acc;
    cpu->acchi = (uint32_t)(int32_t)(int8_t)(acc >> 32);
}

#endif

/* Part of execute() in exec.c: the operations that also come in pairs (pairs.def), alone and
 * together. BODY_x(src, out): `src` stands for the operand A(s), `out` is a variable that takes
 * the value too, if there is one. */

#define BODY_ADD(src, out)   A(r) = out = (src) + A(t)
#define BODY_ADDX4(src, out) A(r) = out = ((src) << 2) + A(t)
#define BODY_SUB(src, out)   A(r) = out = (src) - A(t)
#define BODY_ADDI(src, out)  A(t) = out = (src) + op->imm
#define BODY_MOVI(src, out)  A(t) = out = op->imm
#define BODY_MOV(src, out)   A(t) = out = (src)
#define BODY_EXTUI(src, out) A(r) = out = A(t) >> op->s & op->imm
#define BODY_L8UI(src, out)  LOAD8((src) + op->imm, A(t) = out = value)
#define BODY_L32I(src, out)  LOAD32((src) + op->imm, A(t) = out = value)
#define BODY_S32I(src, out)  STORE32((src) + op->imm, A(t), )
#define BODY_BEQZ(src, out)  BRANCH_IF(!(src))
#define BODY_BNEZ(src, out)  BRANCH_IF(src)
#define BODY_BNE(src, out)   BRANCH_IF((src) != A(t))
#define BODY_JX(src, out)    JUMP(src)
#define BODY_RETW(src, out)  goto L_RETW
#define BODY_NOP(src, out)
#define BODY_CALLX4(src, out)                                                                      \
    do {                                                                                           \
        uint32_t target = (src);                                                                   \
        a[op->r * 4] = op->imm;                                                                    \
        cpu->ps = (cpu->ps & ~PS_CALLINC) | (uint32_t)op->r << PS_CALLINC_SHIFT;                   \
        JUMP(target);                                                                              \
    } while (0)

#define ONE(name)                                                                                  \
    L_##name:                                                                                      \
    {                                                                                              \
        uint32_t out;                                                                              \
        (void)out;                                                                                 \
        BODY_##name(A(s), out);                                                                    \
        NEXT();                                                                                    \
    }
ONE(ADD)
ONE(ADDX4)
ONE(SUB)
ONE(ADDI)
ONE(MOVI)
ONE(MOV)
ONE(EXTUI)
ONE(L8UI)
ONE(L32I)
ONE(S32I)
ONE(BEQZ)
ONE(BNEZ)
ONE(BNE)
ONE(JX)
ONE(NOP)
ONE(CALLX4)
#undef ONE

#define BOTH(first, src, second)                                                                   \
    {                                                                                              \
        uint32_t value_, out;                                                                      \
        (void)value_, (void)out;                                                                   \
        BODY_##first(A(s), value_);                                                                \
        op++;                                                                                      \
        BODY_##second(src, out);                                                                   \
        NEXT();                                                                                    \
    }
#define PASS_R(first, second) PASS_##first##_##second : BOTH(first, value_, second)
#define PASS_T(first, second) PASS_R(first, second)
#define PASS_NONE(first, second)
#define PAIR(first, value_in, second)                                                              \
    PAIR_##first##_##second : BOTH(first, A(s), second) PASS_##value_in(first, second)
#include "pairs.def"
#undef PAIR
#undef PASS_R
#undef PASS_T
#undef PASS_NONE
#undef BOTH

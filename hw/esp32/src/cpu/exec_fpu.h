/* Part of execute() in exec.c: the single-precision operations (ISA RM, "Floating-Point
 * Coprocessor Option"). */

#define FP(name, ...)                                                                              \
    L_##name:                                                                                      \
    {                                                                                              \
        NEED_FPU();                                                                                \
        __VA_ARGS__;                                                                               \
        NEXT();                                                                                    \
    }
#define FS fp_float(F(s))
#define FT fp_float(F(t))
FP(ADD_S, F(r) = fp_result(FS + FT, F(s), F(t)))
FP(SUB_S, F(r) = fp_result(FS - FT, F(s), F(t)))
FP(MUL_S, F(r) = fp_result(FS * FT, F(s), F(t)))
FP(MADD_S, F(r) = fp_madd(F(r), F(s), F(t), 0))
FP(MSUB_S, F(r) = fp_madd(F(r), F(s), F(t), 1))
FP(ROUND_S, A(r) = fp_to_int(F(s), op->t, rint))
FP(TRUNC_S, A(r) = fp_to_int(F(s), op->t, trunc))
FP(FLOOR_S, A(r) = fp_to_int(F(s), op->t, floor))
FP(CEIL_S, A(r) = fp_to_int(F(s), op->t, ceil))
FP(UTRUNC_S, A(r) = fp_to_uint(F(s), op->t))
FP(FLOAT_S, F(r) = fp_bits(ldexpf((float)SIGNED(A(s)), -(int)op->t)))
FP(UFLOAT_S, F(r) = fp_bits(ldexpf((float)A(s), -(int)op->t)))
FP(MOV_S, F(r) = F(s))
FP(ABS_S, F(r) = F(s) & 0x7FFFFFFF)
FP(NEG_S, F(r) = F(s) ^ 0x80000000)
FP(CONST_S, F(r) = fp_const(op->s))
FP(RFR, A(r) = F(s))
FP(WFR, F(r) = A(s))
FP(RECIP0_S, F(r) = fp_result(1.0f / FS, F(s), F(s)))
FP(RSQRT0_S, F(r) = fp_result(1.0f / sqrtf(FS), F(s), F(s)))
FP(MKDADJ_S, F(r) = fp_result(FS / fp_float(F(r)), F(r), F(s)))
FP(MKSADJ_S, F(r) = fp_result(sqrtf(FS), F(s), F(s)))
FP(FP_STEP, )
FP(UN_S, SET_BOOL(op->r, fp_isnan(F(s)) || fp_isnan(F(t))))
FP(OEQ_S, SET_BOOL(op->r, FS == FT))
FP(UEQ_S, SET_BOOL(op->r, !(FS < FT || FS > FT)))
FP(OLT_S, SET_BOOL(op->r, FS < FT))
FP(ULT_S, SET_BOOL(op->r, !(FS >= FT)))
FP(OLE_S, SET_BOOL(op->r, FS <= FT))
FP(ULE_S, SET_BOOL(op->r, !(FS > FT)))
FP(MOVEQZ_S, if (!A(t)) F(r) = F(s))
FP(MOVNEZ_S, if (A(t)) F(r) = F(s))
FP(MOVLTZ_S, if (SIGNED(A(t)) < 0) F(r) = F(s))
FP(MOVGEZ_S, if (SIGNED(A(t)) >= 0) F(r) = F(s))
FP(MOVF_S, if (!BOOL(op->t)) F(r) = F(s))
FP(MOVT_S, if (BOOL(op->t)) F(r) = F(s))
L_LSI : NEED_FPU();
LOAD32(A(s) + op->imm, F(t) = value);
NEXT();
L_LSIP : NEED_FPU();
LOAD32(A(s), (F(t) = value, A(s) += op->imm));
NEXT();
L_LSX : NEED_FPU();
LOAD32(A(s) + A(t), F(r) = value);
NEXT();
L_LSXP : NEED_FPU();
LOAD32(A(s), (F(r) = value, A(s) += A(t)));
NEXT();
L_SSI : NEED_FPU();
STORE32(A(s) + op->imm, F(t), );
NEXT();
L_SSIP : NEED_FPU();
STORE32(A(s), F(t), A(s) += op->imm);
NEXT();
L_SSX : NEED_FPU();
STORE32(A(s) + A(t), F(r), );
NEXT();
L_SSXP : NEED_FPU();
STORE32(A(s), F(r), A(s) += A(t));
NEXT();

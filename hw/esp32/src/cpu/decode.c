/* Instruction formats and opcode maps: Xtensa ISA Reference Manual, chapter "Instruction
 * Formats and Opcodes". op0 is the low nibble; then t, s, r, op1, op2. */
#include "decode.h"

#include <stddef.h>

enum { R = 1, S = 2, T = 4 };

static const uint8_t registers_of[OP_COUNT] = {
#define OP(name, regs) regs,
#include "opcodes.def"
#undef OP
};

static const char *const names[OP_COUNT] = {
#define OP(name, regs) #name,
#include "opcodes.def"
#undef OP
};

const int32_t lx6_b4const[16] = {-1, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 32, 64, 128, 256};
const uint32_t lx6_b4constu[16] = {32768, 65536, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 32, 64, 128, 256};

const char *lx6_opcode_name(enum opcode op)
{
    return op < OP_COUNT ? names[op] : "?";
}

static int32_t sign_extend(uint32_t value, unsigned bits)
{
    uint32_t sign = 1u << (bits - 1);
    return (int32_t)((value ^ sign) - sign);
}

#define OP0(w)  ((w) & 15)
#define T_(w)   (((w) >> 4) & 15)
#define S_(w)   (((w) >> 8) & 15)
#define R_(w)   (((w) >> 12) & 15)
#define OP1(w)  (((w) >> 16) & 15)
#define OP2(w)  (((w) >> 20) & 15)
#define IMM8(w) (((w) >> 16) & 255)

static void ends(insn_t *i, enum opcode op)
{
    i->op = (uint8_t)op;
    i->ends = true;
}

static void decode_sync(uint32_t w, insn_t *i)
{
    switch (T_(w)) {
    case 0:
        i->op = OP_ISYNC;
        i->ends = true;
        break;
    case 1:
    case 2:
    case 3:
    case 8:
    case 12:
    case 13:
    case 15: i->op = OP_NOP; break;
    default: break;
    }
}

static void decode_rfei(uint32_t w, insn_t *i)
{
    if (T_(w) == 0) {
        switch (S_(w)) {
        case 0: ends(i, OP_RFE); break;
        case 2: ends(i, OP_RFDE); break;
        case 4: ends(i, OP_RFWO); break;
        case 5: ends(i, OP_RFWU); break;
        default: break;
        }
    } else if (T_(w) == 1) {
        ends(i, OP_RFI); /* level in s */
    }
}

static void decode_snm0(uint32_t pc, uint32_t w, insn_t *i)
{
    unsigned m = T_(w) >> 2, n = T_(w) & 3;
    if (m == 2) {
        if (n == 0)
            ends(i, OP_RET);
        else if (n == 1)
            ends(i, OP_RETW);
        else if (n == 2)
            ends(i, OP_JX);
    } else if (m == 3) {
        ends(i, n ? OP_CALLX4 : OP_CALLX0);
        i->r = (uint8_t)n;
        i->imm = (n << 30) | ((pc + 3) & 0x3FFFFFFF);
        i->window = (uint8_t)n;
        if (n == 0)
            i->imm = pc + 3;
    }
}

static void decode_st0(uint32_t pc, uint32_t w, insn_t *i)
{
    switch (R_(w)) {
    case 0: decode_snm0(pc, w, i); break;
    case 1: i->op = OP_MOVSP; break;
    case 2: decode_sync(w, i); break;
    case 3: decode_rfei(w, i); break;
    case 4: ends(i, OP_BREAK); break;
    case 5:
        /* s = 0 is SYSCALL, s = 1 SIMCALL (a NOP on silicon) */
        if (S_(w) == 0)
            ends(i, OP_SYSCALL);
        else
            i->op = OP_NOP;
        break;
    case 6: ends(i, OP_RSIL); break;
    case 7: ends(i, OP_WAITI); break;
    case 8: i->op = OP_ANY4; break;
    case 9: i->op = OP_ALL4; break;
    case 10: i->op = OP_ANY8; break;
    case 11: i->op = OP_ALL8; break;
    default: break;
    }
}

static void decode_st1(uint32_t w, insn_t *i)
{
    static const uint8_t op[16] = {
        [0] = OP_SSR, [1] = OP_SSL, [2] = OP_SSA8L, [3] = OP_SSA8B, [4] = OP_SSAI,
        [6] = OP_RER, [7] = OP_WER, [8] = OP_ROTW,  [14] = OP_NSA,  [15] = OP_NSAU,
    };
    i->op = op[R_(w)];
    if (R_(w) == 4)
        i->imm = S_(w) | (T_(w) & 1) << 4;
    else if (R_(w) == 8) {
        i->imm = (uint32_t)sign_extend(T_(w), 4);
        i->ends = true;
    } else if (R_(w) == 5 || (R_(w) > 8 && R_(w) < 14)) {
        i->op = OP_ILL;
    }
}

static void decode_tlb(uint32_t w, insn_t *i)
{
    /* LX6 has region protection: attributes may be written, but every region of the ESP32
     * stays cached/uncached as its address says, so nothing follows from them. */
    switch (R_(w)) {
    case 3:
    case 5:
    case 7:
    case 11:
    case 13:
    case 15: i->op = OP_TLB_READ; break;
    case 4:
    case 6:
    case 12:
    case 14: i->op = OP_NOP; break;
    default: break;
    }
}

static void decode_rst0(uint32_t pc, uint32_t w, insn_t *i)
{
    static const uint8_t op[16] = {
        [1] = OP_AND,    [2] = OP_OR,     [3] = OP_XOR,    [8] = OP_ADD,
        [9] = OP_ADDX2,  [10] = OP_ADDX4, [11] = OP_ADDX8, [12] = OP_SUB,
        [13] = OP_SUBX2, [14] = OP_SUBX4, [15] = OP_SUBX8,
    };
    switch (OP2(w)) {
    case 0: decode_st0(pc, w, i); break;
    case 4: decode_st1(w, i); break;
    case 5: decode_tlb(w, i); break;
    case 6:
        if (S_(w) <= 1)
            i->op = S_(w) ? OP_ABS : OP_NEG;
        break;
    case 7: break;
    case 2:
        if (S_(w) == T_(w)) {
            i->op = OP_MOV;
            i->t = i->r;
            break;
        }
        i->op = OP_OR;
        break;
    default: i->op = op[OP2(w)]; break;
    }
}

static void decode_special(uint32_t w, insn_t *i, enum opcode op)
{
    unsigned sr = (w >> 8) & 255;
    i->op = (uint8_t)op;
    i->imm = sr;
    if (op == OP_RSR && sr == 234) {
        i->op = OP_RSR_CCOUNT;
        return;
    }
    /* what may change the window, interrupts, loops or the block's own shape ends the block:
     * LBEG LEND LCOUNT, WINDOWBASE/START, INTSET/INTCLEAR/INTENABLE, PS, CCOUNT, CCOMPARE */
    if (op != OP_RSR &&
        (sr <= 2 || sr == 72 || sr == 73 || (sr >= 226 && sr <= 234) || (sr >= 240 && sr <= 242)))
        i->ends = true;
}

static void decode_rst1(uint32_t w, insn_t *i)
{
    unsigned op2 = OP2(w);
    switch (op2) {
    case 0:
    case 1:
        i->op = OP_SLLI;
        i->t = (uint8_t)(32 - (T_(w) | (op2 & 1) << 4));
        break;
    case 2:
    case 3:
        i->op = OP_SRAI;
        i->s = (uint8_t)(S_(w) | (op2 & 1) << 4);
        break;
    case 4: i->op = OP_SRLI; break;
    case 6: decode_special(w, i, OP_XSR); break;
    case 8: i->op = OP_SRC; break;
    case 9: i->op = OP_SRL; break;
    case 10: i->op = OP_SLL; break;
    case 11: i->op = OP_SRA; break;
    case 12: i->op = OP_MUL16U; break;
    case 13: i->op = OP_MUL16S; break;
    default: break;
    }
}

static void decode_rst2(uint32_t w, insn_t *i)
{
    static const uint8_t op[16] = {
        [0] = OP_ANDB,  [1] = OP_ANDBC, [2] = OP_ORB,    [3] = OP_ORBC,
        [4] = OP_XORB,  [8] = OP_MULL,  [10] = OP_MULUH, [11] = OP_MULSH,
        [12] = OP_QUOU, [13] = OP_QUOS, [14] = OP_REMU,  [15] = OP_REMS,
    };
    unsigned op2 = OP2(w);
    if (op2 <= 4 || op2 == 8 || op2 >= 10)
        i->op = op[op2];
}

static void decode_rst3(uint32_t w, insn_t *i)
{
    static const uint8_t op[16] = {
        [2] = OP_SEXT,  [3] = OP_CLAMPS, [4] = OP_MIN,    [5] = OP_MAX,     [6] = OP_MINU,
        [7] = OP_MAXU,  [8] = OP_MOVEQZ, [9] = OP_MOVNEZ, [10] = OP_MOVLTZ, [11] = OP_MOVGEZ,
        [12] = OP_MOVF, [13] = OP_MOVT,  [14] = OP_RUR,   [15] = OP_WUR,
    };
    switch (OP2(w)) {
    case 0: decode_special(w, i, OP_RSR); break;
    case 1: decode_special(w, i, OP_WSR); break;
    case 2:
    case 3:
        i->op = op[OP2(w)];
        i->imm = T_(w) + 7; /* sign bit of SEXT, saturation bit of CLAMPS */
        break;
    case 14:
        i->op = OP_RUR;
        i->imm = S_(w) << 4 | T_(w);
        break;
    case 15:
        i->op = OP_WUR;
        i->imm = R_(w) << 4 | S_(w);
        break;
    default: i->op = op[OP2(w)]; break;
    }
}

static void decode_fp0(uint32_t w, insn_t *i)
{
    static const uint8_t op[16] = {
        [0] = OP_ADD_S,    [1] = OP_SUB_S,     [2] = OP_MUL_S,     [3] = OP_ILL,
        [4] = OP_MADD_S,   [5] = OP_MSUB_S,    [6] = OP_FP_STEP,   [7] = OP_FP_STEP,
        [8] = OP_ROUND_S,  [9] = OP_TRUNC_S,   [10] = OP_FLOOR_S,  [11] = OP_CEIL_S,
        [12] = OP_FLOAT_S, [13] = OP_UFLOAT_S, [14] = OP_UTRUNC_S,
    };
    static const uint8_t one[16] = {
        [0] = OP_MOV_S,     [1] = OP_ABS_S,     [2] = OP_ILL,       [3] = OP_CONST_S,
        [4] = OP_RFR,       [5] = OP_WFR,       [6] = OP_NEG_S,     [7] = OP_FP_STEP,
        [8] = OP_RECIP0_S,  [9] = OP_FP_STEP,   [10] = OP_RSQRT0_S, [11] = OP_FP_STEP,
        [12] = OP_MKSADJ_S, [13] = OP_MKDADJ_S, [14] = OP_FP_STEP,  [15] = OP_MOV_S, /* ADDEXPM */
    };
    i->op = OP2(w) == 15 ? one[T_(w)] : op[OP2(w)];
}

static void decode_fp1(uint32_t w, insn_t *i)
{
    static const uint8_t op[16] = {
        [0] = OP_ILL,      [1] = OP_UN_S,     [2] = OP_OEQ_S,     [3] = OP_UEQ_S,
        [4] = OP_OLT_S,    [5] = OP_ULT_S,    [6] = OP_OLE_S,     [7] = OP_ULE_S,
        [8] = OP_MOVEQZ_S, [9] = OP_MOVNEZ_S, [10] = OP_MOVLTZ_S, [11] = OP_MOVGEZ_S,
        [12] = OP_MOVF_S,  [13] = OP_MOVT_S,  [14] = OP_ILL,      [15] = OP_ILL,
    };
    i->op = op[OP2(w)];
}

static void decode_qrst(uint32_t pc, uint32_t w, insn_t *i)
{
    switch (OP1(w)) {
    case 0: decode_rst0(pc, w, i); break;
    case 1: decode_rst1(w, i); break;
    case 2: decode_rst2(w, i); break;
    case 3: decode_rst3(w, i); break;
    case 4:
    case 5:
        i->op = OP_EXTUI;
        i->s = (uint8_t)(S_(w) | (OP1(w) & 1) << 4);
        i->imm = (2u << OP2(w)) - 1;
        break;
    case 8:
        switch (OP2(w)) {
        case 0: i->op = OP_LSX; break;
        case 1: i->op = OP_LSXP; break;
        case 4: i->op = OP_SSX; break;
        case 5: i->op = OP_SSXP; break;
        default: break;
        }
        break;
    case 9:
        if (OP2(w) == 0 || OP2(w) == 4) {
            i->op = OP2(w) ? OP_S32I : OP_L32I;
            i->imm = (R_(w) << 2) - 64;
        }
        break;
    case 10: decode_fp0(w, i); break;
    case 11: decode_fp1(w, i); break;
    default: break;
    }
}

static void decode_lsai(uint32_t w, insn_t *i)
{
    uint32_t imm8 = IMM8(w);
    switch (R_(w)) {
    case 0:
        i->op = OP_L8UI;
        i->imm = imm8;
        break;
    case 1:
        i->op = OP_L16UI;
        i->imm = imm8 * 2;
        break;
    case 2:
    case 11:
        i->op = OP_L32I;
        i->imm = imm8 * 4;
        break;
    case 4:
        i->op = OP_S8I;
        i->imm = imm8;
        break;
    case 5:
        i->op = OP_S16I;
        i->imm = imm8 * 2;
        break;
    case 6:
    case 15:
        i->op = OP_S32I;
        i->imm = imm8 * 4;
        break;
    case 7: i->op = OP_NOP; break; /* cache operations: the caches are transparent here */
    case 9:
        i->op = OP_L16SI;
        i->imm = imm8 * 2;
        break;
    case 10:
        i->op = OP_MOVI;
        i->imm = (uint32_t)sign_extend(S_(w) << 8 | imm8, 12);
        break;
    case 12:
        i->op = OP_ADDI;
        i->imm = (uint32_t)sign_extend(imm8, 8);
        break;
    case 13:
        i->op = OP_ADDI;
        i->imm = (uint32_t)sign_extend(imm8, 8) << 8;
        break;
    case 14:
        i->op = OP_S32C1I;
        i->imm = imm8 * 4;
        break;
    default: break;
    }
}

static void decode_calln(uint32_t pc, uint32_t w, insn_t *i)
{
    unsigned n = (w >> 4) & 3;
    i->imm = (pc & ~3u) + ((uint32_t)sign_extend(w >> 6, 18) << 2) + 4;
    i->r = (uint8_t)n;
    i->window = (uint8_t)n;
    ends(i, n ? OP_CALL4 : OP_CALL0);
}

static void decode_si(uint32_t pc, uint32_t w, insn_t *i)
{
    static const uint8_t bz[4] = {OP_BEQZ, OP_BNEZ, OP_BLTZ, OP_BGEZ};
    static const uint8_t bi0[4] = {OP_BEQI, OP_BNEI, OP_BLTI, OP_BGEI};
    unsigned n = (w >> 4) & 3, m = (w >> 6) & 3;
    uint32_t near = pc + 4 + (uint32_t)sign_extend(IMM8(w), 8);
    switch (n) {
    case 0:
        i->imm = pc + 4 + (uint32_t)sign_extend(w >> 6, 18);
        ends(i, OP_J);
        break;
    case 1:
        i->op = bz[m];
        i->imm = pc + 4 + (uint32_t)sign_extend(w >> 12, 12);
        break;
    case 2:
        i->op = bi0[m];
        i->imm = near;
        break;
    default:
        if (m == 0) {
            i->op = OP_ENTRY;
            i->imm = (w >> 12) << 3;
        } else if (m >= 2) {
            i->op = m == 2 ? OP_BLTUI : OP_BGEUI;
            i->imm = near;
        } else if (R_(w) <= 1) {
            i->op = R_(w) ? OP_BT : OP_BF;
            i->imm = near;
        } else if (R_(w) >= 8 && R_(w) <= 10) {
            static const uint8_t loop[3] = {OP_LOOP, OP_LOOPNEZ, OP_LOOPGTZ};
            i->imm = pc + 4 + IMM8(w);
            ends(i, loop[R_(w) - 8]);
        }
        break;
    }
}

static void decode_b(uint32_t pc, uint32_t w, insn_t *i)
{
    static const uint8_t op[16] = {OP_BNONE, OP_BEQ,  OP_BLT,  OP_BLTU, OP_BALL, OP_BBC,
                                   OP_BBCI,  OP_BBCI, OP_BANY, OP_BNE,  OP_BGE,  OP_BGEU,
                                   OP_BNALL, OP_BBS,  OP_BBSI, OP_BBSI};
    unsigned r = R_(w);
    i->op = op[r];
    i->imm = pc + 4 + (uint32_t)sign_extend(IMM8(w), 8);
    if (i->op == OP_BBCI || i->op == OP_BBSI)
        i->t = (uint8_t)(T_(w) | (r & 1) << 4);
}

static void decode_mac16(uint32_t w, insn_t *i)
{
    unsigned op1 = OP1(w), op2 = OP2(w);
    bool load = op2 == 0 || op2 == 1 || op2 == 4 || op2 == 5 || op2 >= 8;
    bool ok;
    switch (op2) {
    case 0:
    case 1:
    case 4:
    case 5: ok = op1 >= 8 && op1 < 12; break;
    case 2:
    case 3:
    case 6: ok = op1 >= 4; break;
    case 7: ok = true; break;
    case 8:
    case 9: ok = op1 == 0; break;
    default: ok = false; break;
    }
    if (!ok)
        return;
    i->op = OP_MAC16;
    i->imm = w;
    if (load || op2 == 3 || op2 == 7)
        i->window = i->s >> 2;
    if ((op2 >= 4 && op2 <= 7) && (i->t >> 2) > i->window)
        i->window = i->t >> 2;
}

static void decode_wide(uint32_t pc, uint32_t w, insn_t *i)
{
    static const uint8_t lsci[16] = {[0] = OP_LSI, [4] = OP_SSI, [8] = OP_LSIP, [12] = OP_SSIP};
    i->length = 3;
    switch (OP0(w)) {
    case 0: decode_qrst(pc, w, i); break;
    case 1:
        i->op = OP_L32R;
        i->imm = ((pc + 3) & ~3u) + (0xFFFC0000u | ((w >> 8) & 0xFFFF) << 2);
        break;
    case 2: decode_lsai(w, i); break;
    case 3:
        if ((R_(w) & 3) == 0) {
            i->op = lsci[R_(w)];
            i->imm = IMM8(w) * 4;
        }
        break;
    case 4: decode_mac16(w, i); break;
    case 5: decode_calln(pc, w, i); break;
    case 6: decode_si(pc, w, i); break;
    case 7: decode_b(pc, w, i); break;
    default: break;
    }
}

static void decode_narrow(uint32_t pc, uint32_t w, insn_t *i)
{
    unsigned r = R_(w), t = T_(w);
    i->length = 2;
    switch (OP0(w)) {
    case 8:
        i->op = OP_L32I;
        i->imm = r * 4;
        break;
    case 9:
        i->op = OP_S32I;
        i->imm = r * 4;
        break;
    case 10: i->op = OP_ADD; break;
    case 11: /* ADDI.N: immediate 0 stands for -1 */
        i->op = OP_ADDI;
        i->imm = t ? t : 0xFFFFFFFFu;
        i->t = i->r;
        break;
    case 12:
        if (t < 8) { /* MOVI.N: -32..95 into s */
            uint32_t imm7 = (t & 7) << 4 | r;
            i->op = OP_MOVI;
            i->imm = (imm7 & 0x60) == 0x60 ? imm7 - 128 : imm7;
            i->t = i->s;
        } else {
            i->op = t & 4 ? OP_BNEZ : OP_BEQZ;
            i->imm = pc + 4 + ((t & 3) << 4 | r);
        }
        break;
    default:
        if (r == 0) {
            i->op = OP_MOV;
        } else if (r == 15) {
            switch (t) {
            case 0: ends(i, OP_RET); break;
            case 1: ends(i, OP_RETW); break;
            case 2: ends(i, OP_BREAK); break;
            case 3: i->op = OP_NOP; break;
            default: break;
            }
        }
        break;
    }
}

void lx6_decode(uint32_t pc, const uint8_t *bytes, insn_t *insn)
{
    uint32_t w = bytes[0] | (uint32_t)bytes[1] << 8;
    bool narrow = OP0(w) >= 8 && OP0(w) < 14;
    if (!narrow)
        w |= (uint32_t)bytes[2] << 16;
    *insn = (insn_t){.op = OP_ILL, .r = R_(w), .s = S_(w), .t = T_(w), .length = 3};
    if (narrow)
        decode_narrow(pc, w, insn);
    else
        decode_wide(pc, w, insn);

    unsigned regs = registers_of[insn->op], most = insn->window;
    if ((regs & R) && (insn->r >> 2) > most)
        most = insn->r >> 2;
    if ((regs & S) && (insn->s >> 2) > most)
        most = insn->s >> 2;
    if ((regs & T) && (insn->t >> 2) > most)
        most = insn->t >> 2;
    insn->window = (uint8_t)most;
    if (insn->op == OP_ILL)
        insn->ends = true;
}

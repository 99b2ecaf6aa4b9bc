/* Xtensa LX6 instruction decoding: bytes in, one record out. */
#ifndef DECODE_H
#define DECODE_H

#include <stdbool.h>
#include <stdint.h>

enum opcode {
#define OP(name, regs) OP_##name,
#include "opcodes.def"
#undef OP
    OP_COUNT
};

typedef struct {
    uint8_t op;      /* enum opcode */
    uint8_t r, s, t; /* register numbers or small operands, see the operation */
    uint8_t length;  /* bytes: 2 or 3 */
    uint8_t window;  /* highest group of four address registers touched, 0..3 */
    bool ends;       /* control never falls through into a following operation of the block */
    uint32_t imm;    /* immediate, absolute target, or literal address */
} insn_t;

/* Decode the instruction at `pc`; `bytes` holds at least 3 valid bytes (or 2 when the first
 * says density). What LX6 does not have becomes OP_ILL. */
void lx6_decode(uint32_t pc, const uint8_t *bytes, insn_t *insn);

/* The ISA name of an operation. */
const char *lx6_opcode_name(enum opcode op);

/* Constants of the branch-immediate instructions (ISA RM, tables "b4const", "b4constu"). */
extern const int32_t lx6_b4const[16];
extern const uint32_t lx6_b4constu[16];

#endif

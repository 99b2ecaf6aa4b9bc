/* Guest code of our own at ROM addresses: the window vectors, and functions that call back into
 * the firmware. It runs as any code does, so interrupts, snapshots and faults need no thought.
 * Assembled by the macros below (Xtensa ISA RM, chapter "Instruction Formats"); 3 bytes each. */
#include "guest.h"

#include "call.h"

#define RRR(op, r, s, t)    ((op) << 16 | (r) << 12 | (s) << 8 | (t) << 4)
#define RRI8(r, t, s, imm)  (((imm) & 0xFFu) << 16 | (r) << 12 | (s) << 8 | (t) << 4 | 2u)
#define S32E(t, s, below)   RRR(0x49u, 16u - (below) / 4u, s, t)
#define L32E(t, s, below)   RRR(0x09u, 16u - (below) / 4u, s, t)
#define RFWO                0x003400u
#define RFWU                0x003500u
#define ENTRY(frame)        ((frame) / 8u << 12 | 1u << 8 | 0x36u)
#define RETW                0x000090u
#define MOV(r, s)           RRR(0x20u, r, s, s)
#define ADD(r, s, t)        RRR(0x80u, r, s, t)
#define SUB(r, s, t)        RRR(0xC0u, r, s, t)
#define MULL(r, s, t)       RRR(0x82u, r, s, t)
#define SRLI(r, t, n)       RRR(0x41u, r, n, t)
#define MOVI(t, imm)        RRI8(0xAu, t, (uint32_t)(imm) >> 8 & 15u, (uint32_t)(imm))
#define L16UI(t, s, offset) RRI8(0x1u, t, s, (offset) / 2u)
#define S16I(t, s, offset)  RRI8(0x5u, t, s, (offset) / 2u)
#define OR(r, s, t)         RRR(0x20u, r, s, t)
#define ADDI(t, s, imm)     RRI8(0xCu, t, s, (uint32_t)(imm))
#define L32I(t, s, offset)  RRI8(0x2u, t, s, (offset) / 4u)
#define S32I(t, s, offset)  RRI8(0x6u, t, s, (offset) / 4u)
#define L8UI(t, s)          RRI8(0x0u, t, s, 0u)
#define S8I(t, s)           RRI8(0x4u, t, s, 0u)
#define CALLX8(s)           ((s) << 8 | 0xE0u)
/* branches from instruction `at` of a routine to instruction `to` */
#define AWAY(at, to)       ((uint32_t)(((to) - (at)) * 3 - 4))
#define J(at, to)          ((AWAY(at, to) & 0x3FFFFu) << 6 | 0x06u)
#define BEQZ(s, at, to)    ((AWAY(at, to) & 0xFFFu) << 12 | (s) << 8 | 0x16u)
#define BGEU(s, t, at, to) ((AWAY(at, to) & 0xFFu) << 16 | 0xBu << 12 | (s) << 8 | (t) << 4 | 7u)
#define BLTU(s, t, at, to) ((AWAY(at, to) & 0xFFu) << 16 | 0x3u << 12 | (s) << 8 | (t) << 4 | 7u)
#define BLTI1(s, at, to)   ((AWAY(at, to) & 0xFFu) << 16 | 1u << 12 | (s) << 8 | 0xA6u)
#define BIT_BRANCH(r, s, bit, at, to)                                                              \
    ((AWAY(at, to) & 0xFFu) << 16 | ((r) | (bit) >> 4) << 12 | (s) << 8 | ((bit) & 15u) << 4 | 7u)
#define BBCI(s, bit, at, to) BIT_BRANCH(0x6u, s, bit, at, to)
#define BBSI(s, bit, at, to) BIT_BRANCH(0xEu, s, bit, at, to)
#define CALL8(address, to)   ((((to) - (((address) & ~3u) + 4u)) / 4u & 0x3FFFFu) << 6 | 0x25u)

#define QSORT    0x4006F000u /* the ROM has nothing behind 0x40066000 */
#define STRDUP   0x4006F100u
#define NEW_FILE 0x4006F180u
#define FLUSH    0x4006F280u
#define APPEND   GUEST_APPEND

/* FILEs of newlib: a list of `struct _glue {next, count, FILE *}` hangs in the global reent */

#define GLOBAL_IMPURE_PTR 0x3FFAE0B0u
#define REENT_SGLUE       216u
#define FILE_FLAGS        12u         /* short _flags, short _file */
#define FILE_IN_USE       0xFFFF0001u /* _flags 1, _file -1 */
#define FILES_MOST        256u        /* a list longer than that is a ring, or garbage */
/* .. and in a FILE: */
#define FILE_P             0u
#define FILE_W             8u
#define FILE_BASE          16u
#define FILE_BUFFER_SIZE   20u
#define FILE_COOKIE        32u
#define FILE_WRITE         40u
#define FLAG_LINE_BUFFERED 0u /* bits of _flags */
#define FLAG_UNBUFFERED    1u
#define FLAG_WRITING       3u
#define FLAGS_ERROR        0x40
#define GLUE_SIZE          12u
#define FILE_SIZE          104u
#define CODE_MOST          40u
#define SEEK_TO_END        2

static const struct {
    uint32_t at, count;
    uint32_t code[CODE_MOST];
} routines[] = {
    /* _WindowOverflow4 .. _WindowUnderflow12, as the ISA manual lists them */
    {AT__WindowOverflow4,
     5,
     {S32E(0u, 5u, 16u), S32E(1u, 5u, 12u), S32E(2u, 5u, 8u), S32E(3u, 5u, 4u), RFWO}},
    {AT__WindowUnderflow4,
     5,
     {L32E(0u, 5u, 16u), L32E(1u, 5u, 12u), L32E(2u, 5u, 8u), L32E(3u, 5u, 4u), RFWU}},
    {AT__WindowOverflow8,
     10,
     {S32E(0u, 9u, 16u), L32E(0u, 1u, 12u), S32E(1u, 9u, 12u), S32E(2u, 9u, 8u), S32E(3u, 9u, 4u),
      S32E(4u, 0u, 32u), S32E(5u, 0u, 28u), S32E(6u, 0u, 24u), S32E(7u, 0u, 20u), RFWO}},
    {AT__WindowUnderflow8,
     10,
     {L32E(0u, 9u, 16u), L32E(1u, 9u, 12u), L32E(2u, 9u, 8u), L32E(7u, 1u, 12u), L32E(3u, 9u, 4u),
      L32E(4u, 7u, 32u), L32E(5u, 7u, 28u), L32E(6u, 7u, 24u), L32E(7u, 7u, 20u), RFWU}},
    {AT__WindowOverflow12,
     14,
     {S32E(0u, 13u, 16u), L32E(0u, 1u, 12u), S32E(1u, 13u, 12u), S32E(2u, 13u, 8u),
      S32E(3u, 13u, 4u), S32E(4u, 0u, 48u), S32E(5u, 0u, 44u), S32E(6u, 0u, 40u), S32E(7u, 0u, 36u),
      S32E(8u, 0u, 32u), S32E(9u, 0u, 28u), S32E(10u, 0u, 24u), S32E(11u, 0u, 20u), RFWO}},
    {AT__WindowUnderflow12,
     14,
     {L32E(0u, 13u, 16u), L32E(1u, 13u, 12u), L32E(2u, 13u, 8u), L32E(11u, 1u, 12u),
      L32E(3u, 13u, 4u), L32E(4u, 11u, 48u), L32E(5u, 11u, 44u), L32E(6u, 11u, 40u),
      L32E(7u, 11u, 36u), L32E(8u, 11u, 32u), L32E(9u, 11u, 28u), L32E(10u, 11u, 24u),
      L32E(11u, 11u, 20u), RFWU}},
    /* qsort(a2 base, a3 count, a4 size, a5 compare): shell sort. a6 gap, a7 i, a3 j;
     * on the stack: 0 count, 4 and 8 the two elements */
    {QSORT,
     36,
     {ENTRY(48u),
      S32I(3u, 1u, 0u),
      MOV(6u, 3u),
      /* 3: next gap */ SRLI(6u, 6u, 1u),
      BEQZ(6u, 4, 35),
      MOV(7u, 6u),
      /* 6: next i */ L32I(3u, 1u, 0u),
      BGEU(7u, 3u, 7, 3),
      SUB(3u, 7u, 6u),
      /* 9: compare j with j + gap */ MULL(10u, 3u, 4u),
      ADD(10u, 10u, 2u),
      MULL(11u, 6u, 4u),
      ADD(11u, 10u, 11u),
      S32I(10u, 1u, 4u),
      S32I(11u, 1u, 8u),
      CALLX8(5u),
      BLTI1(10u, 16, 33),
      L32I(8u, 1u, 4u),
      L32I(9u, 1u, 8u),
      MOV(12u, 4u),
      /* 20: swap */ BEQZ(12u, 20, 29),
      L8UI(13u, 8u),
      L8UI(14u, 9u),
      S8I(14u, 8u),
      S8I(13u, 9u),
      ADDI(8u, 8u, 1),
      ADDI(9u, 9u, 1),
      ADDI(12u, 12u, -1),
      J(28, 20),
      /* 29: swapped */ BLTU(3u, 6u, 29, 33),
      SUB(3u, 3u, 6u),
      J(31, 9),
      J(32, 33),
      /* 33: done with i */ ADDI(7u, 7u, 1),
      J(34, 6),
      /* 35 */ RETW}},
    /* strdup(a2) */
    {STRDUP,
     14,
     {ENTRY(48u), MOV(10u, 2u), CALL8(STRDUP + 6u, AT_strlen), ADDI(3u, 10u, 1), MOV(10u, 3u),
      CALL8(STRDUP + 15u, AT_malloc), BEQZ(10u, 6, 12), MOV(4u, 10u), MOV(11u, 2u), MOV(12u, 3u),
      CALL8(STRDUP + 30u, AT_memcpy), MOV(10u, 4u),
      /* 12 */ MOV(2u, 10u), RETW}},
    /* __sfp() when every FILE is in use: malloc one, then sfp_link() */
    {NEW_FILE,
     6,
     {ENTRY(32u), MOVI(10u, GLUE_SIZE + FILE_SIZE), CALL8(NEW_FILE + 6u, AT_malloc),
      CALL8(NEW_FILE + 9u, AT_sfp_link), MOV(2u, 10u), RETW}},
    /* _fflush_r(a2 reent, a3 FILE): what is buffered goes through its write function. a4 data,
     * a5 bytes left */
    {FLUSH,
     32,
     {ENTRY(32u),
      L16UI(8u, 3u, FILE_FLAGS),
      BBCI(8u, FLAG_WRITING, 2, 30),
      L32I(4u, 3u, FILE_BASE),
      BEQZ(4u, 4, 30),
      L32I(5u, 3u, FILE_P),
      SUB(5u, 5u, 4u),
      S32I(4u, 3u, FILE_P),
      MOVI(9u, 0),
      BBSI(8u, FLAG_LINE_BUFFERED, 9, 12),
      BBSI(8u, FLAG_UNBUFFERED, 10, 12),
      L32I(9u, 3u, FILE_BUFFER_SIZE),
      /* 12 */ S32I(9u, 3u, FILE_W),
      /* 13 */ BLTI1(5u, 13, 30),
      MOV(10u, 2u),
      L32I(11u, 3u, FILE_COOKIE),
      MOV(12u, 4u),
      MOV(13u, 5u),
      L32I(8u, 3u, FILE_WRITE),
      CALLX8(8u),
      BLTI1(10u, 20, 24),
      ADD(4u, 4u, 10u),
      SUB(5u, 5u, 10u),
      J(23, 13),
      /* 24: failed */ L16UI(8u, 3u, FILE_FLAGS),
      MOVI(9u, FLAGS_ERROR),
      OR(8u, 8u, 9u),
      S16I(8u, 3u, FILE_FLAGS),
      MOVI(2u, -1),
      RETW,
      /* 30 */ MOVI(2u, 0),
      RETW}},
    /* append(a2 reent, a3 descriptor, a4 data, a5 size) */
    {APPEND,
     13,
     {ENTRY(32u), MOV(10u, 2u), MOV(11u, 3u), MOVI(12u, 0), MOVI(13u, SEEK_TO_END),
      CALL8(APPEND + 15u, AT__lseek_r), MOV(10u, 2u), MOV(11u, 3u), MOV(12u, 4u), MOV(13u, 5u),
      CALL8(APPEND + 30u, AT__write_r), MOV(2u, 10u), RETW}},
};

int rom_code(uint32_t addr)
{
    if (addr - ROM0_BASE >= 0x180 && addr < QSORT)
        return -1;
    for (unsigned i = 0; i < sizeof routines / sizeof *routines; i++) {
        uint32_t in = addr - routines[i].at;
        if (in < routines[i].count * 3)
            return (int)(routines[i].code[in / 3] >> in % 3 * 8 & 0xFF);
    }
    return -1;
}

void rom_qsort(rom_call_t *c)
{
    rom_jump(c, QSORT);
}

void rom_strdup(rom_call_t *c)
{
    rom_jump(c, STRDUP);
}

/* --- FILEs of newlib -------------------------------------------------------------------------- */

static bool use_file(rom_call_t *c, uint32_t file)
{
    static const uint8_t zero[FILE_SIZE] = {0};
    return rom_store(c, file, zero, FILE_SIZE) && rom_store32(c, file + FILE_FLAGS, FILE_IN_USE);
}

/* Walk the list: the first FILE that is free, else 0; `last` is the glue at its end. */
static bool find_file(rom_call_t *c, uint32_t *file, uint32_t *last)
{
    uint32_t glue, words[3];
    if (!rom_load32(c, GLOBAL_IMPURE_PTR, &glue))
        return false;
    glue += REENT_SGLUE;
    *file = 0;
    for (uint32_t n = 0; n < FILES_MOST; n++) {
        if (!rom_load(c, glue, words, sizeof words))
            return false;
        for (uint32_t i = 0; i < words[1] && i < FILES_MOST; i++) {
            uint32_t at = words[2] + i * FILE_SIZE;
            uint16_t flags;
            if (!rom_load(c, at + FILE_FLAGS, &flags, 2))
                return false;
            if (!flags) {
                *file = at;
                return true;
            }
        }
        *last = glue;
        if (!words[0])
            break;
        glue = words[0];
    }
    return true;
}

void rom___sfp(rom_call_t *c)
{
    uint32_t file, last;
    if (!find_file(c, &file, &last))
        return;
    if (!file)
        rom_jump(c, NEW_FILE);
    else if (use_file(c, file))
        rom_return(c, file);
}

/* sfp_link(memory): hang a glue with one FILE into the list; a service for NEW_FILE only */
void rom_sfp_link(rom_call_t *c)
{
    uint32_t glue = rom_arg(c, 0), file, last, words[3] = {0, 1, glue + GLUE_SIZE};
    if (!glue)
        return; /* out of memory: 0 is the answer as well */
    if (use_file(c, words[2]) && find_file(c, &file, &last) &&
        rom_store(c, glue, words, sizeof words) && rom_store32(c, last, glue))
        rom_return(c, words[2]);
}

void rom__fflush_r(rom_call_t *c)
{
    if (rom_arg(c, 1))
        rom_jump(c, FLUSH);
    else
        rom_return(c, 0); /* all of them: nothing of the ROM's own is open */
}

void rom___sflush_r(rom_call_t *c)
{
    rom__fflush_r(c);
}

void rom_fflush(rom_call_t *c)
{
    uint32_t file = rom_arg(c, 0), reent;
    if (!rom_load32(c, GLOBAL_IMPURE_PTR, &reent))
        return;
    *rom_reg(c, 2) = reent;
    *rom_reg(c, 3) = file;
    rom__fflush_r(c);
}

/* What newlib's FILEs read and write by: __sread and its kin, between a FILE and a descriptor.
 * Flag __SOFF ("_offset is known") is taken away on the way, so newlib asks for the offset. */
#include "call.h"
#include "guest.h"

#define FILE_FLAGS  12u /* int16_t _flags, int16_t _file */
#define FLAG_APPEND 0x0100u
#define FLAG_OFFSET 0x1000u

/* Put the descriptor in the FILE's place among the arguments; false: in the handler. */
static bool use_descriptor(rom_call_t *c, uint16_t *flags)
{
    uint32_t file = rom_arg(c, 1);
    uint16_t words[2];
    if (!rom_load(c, file + FILE_FLAGS, words, sizeof words))
        return false;
    *flags = words[0];
    words[0] &= (uint16_t)~FLAG_OFFSET;
    if (!rom_store(c, file + FILE_FLAGS, words, 2))
        return false;
    *rom_reg(c, 3) = (uint32_t)(int16_t)words[1];
    return true;
}

void rom___sread(rom_call_t *c)
{
    uint16_t flags;
    if (use_descriptor(c, &flags))
        rom__read_r(c);
}

void rom___seofread(rom_call_t *c)
{
    rom_return(c, 0);
}

void rom___swrite(rom_call_t *c)
{
    uint16_t flags;
    if (!use_descriptor(c, &flags))
        return;
    if (flags & FLAG_APPEND)
        rom_jump(c, GUEST_APPEND);
    else
        rom__write_r(c);
}

void rom___sseek(rom_call_t *c)
{
    uint16_t flags;
    if (use_descriptor(c, &flags))
        rom__lseek_r(c);
}

void rom___sclose(rom_call_t *c)
{
    uint16_t flags;
    if (use_descriptor(c, &flags))
        rom__close_r(c);
}

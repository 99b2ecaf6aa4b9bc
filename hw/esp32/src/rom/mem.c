/* mem* of the ROM's C library. They work in runs of plain bytes and stop, in the guest's
 * exception handler, at the first byte that is no memory. */
#include <string.h>

#include "call.h"

static uint32_t copy_cost(uint32_t size)
{
    return 10 + size / 3;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Copy upwards; false after a fault. */
static bool copy(rom_call_t *c, uint32_t to, uint32_t from, uint32_t size)
{
    c->cost = copy_cost(size);
    while (size) {
        uint32_t run, room;
        if (unlikely(rom_is_mmio(from)) || unlikely(rom_is_mmio(to))) {
            uint8_t bytes[4];
            run = least(size, 4 - ((rom_is_mmio(from) ? from : to) & 3));
            if (!rom_load(c, from, bytes, run) || !rom_store(c, to, bytes, run))
                return false;
            to += run;
            from += run;
            size -= run;
            continue;
        }
        const uint8_t *source = rom_span(c, from, &run);
        uint8_t *target = source ? rom_span_writable(c, to, &room) : NULL;
        if (!target)
            return false;
        run = least(least(run, room), size);
        memmove(target, source, run);
        bus_written(c->chip, to, run);
        to += run;
        from += run;
        size -= run;
    }
    return true;
}

void rom_memcpy(rom_call_t *c)
{
    uint32_t to = rom_arg(c, 0);
    if (copy(c, to, rom_arg(c, 1), rom_arg(c, 2)))
        rom_return(c, to);
}

void rom_xthal_memcpy(rom_call_t *c)
{
    rom_memcpy(c);
}

/* xthal_bcopy(source, target, size) */
void rom_xthal_bcopy(rom_call_t *c)
{
    copy(c, rom_arg(c, 1), rom_arg(c, 0), rom_arg(c, 2));
}

/* Overlapping upwards: a byte at a time from the end, in runs that both sides have. */
static bool copy_down(rom_call_t *c, uint32_t to, uint32_t from, uint32_t size)
{
    c->cost = copy_cost(size);
    while (size) {
        uint32_t run, room, part = least(size, 64);
        /* the largest run that ends at the end: at most 64 bytes, else byte by byte */
        const uint8_t *source = rom_span(c, from + size - part, &run);
        uint8_t *target = source ? rom_span_writable(c, to + size - part, &room) : NULL;
        if (!target)
            return false;
        if (run < part || room < part) {
            uint8_t byte;
            if (!rom_load(c, from + size - 1, &byte, 1) || !rom_store(c, to + size - 1, &byte, 1))
                return false;
            size--;
            continue;
        }
        memmove(target, source, part);
        bus_written(c->chip, to + size - part, part);
        size -= part;
    }
    return true;
}

void rom_memmove(rom_call_t *c)
{
    uint32_t to = rom_arg(c, 0), from = rom_arg(c, 1), size = rom_arg(c, 2);
    if (to - from < size ? copy_down(c, to, from, size) : copy(c, to, from, size))
        rom_return(c, to);
}

static bool fill(rom_call_t *c, uint32_t to, uint8_t value, uint32_t size)
{
    c->cost = 10 + size / 4;
    if (c->cost > 200000)
        c->cost = 200000; /* it will not get that far: there is less memory */
    while (size) {
        uint32_t run;
        if (unlikely(rom_is_mmio(to))) {
            if (!rom_store(c, to++, &value, 1))
                return false;
            size--;
            continue;
        }
        uint8_t *target = rom_span_writable(c, to, &run);
        if (!target)
            return false;
        run = least(run, size);
        memset(target, value, run);
        bus_written(c->chip, to, run);
        to += run;
        size -= run;
    }
    return true;
}

void rom_memset(rom_call_t *c)
{
    uint32_t to = rom_arg(c, 0);
    if (fill(c, to, (uint8_t)rom_arg(c, 1), rom_arg(c, 2)))
        rom_return(c, to);
}

void rom_bzero(rom_call_t *c)
{
    fill(c, rom_arg(c, 0), 0, rom_arg(c, 1));
}

void rom_memcmp(rom_call_t *c)
{
    uint32_t a = rom_arg(c, 0), b = rom_arg(c, 1), size = rom_arg(c, 2), done = 0;
    int32_t result = 0;
    while (done < size && !result) {
        uint32_t run, other;
        const uint8_t *left = rom_span(c, a + done, &run);
        const uint8_t *right = left ? rom_span(c, b + done, &other) : NULL;
        if (!right)
            return;
        run = least(least(run, other), size - done);
        for (uint32_t i = 0; i < run && !result; i++, done++)
            result = left[i] - right[i];
    }
    c->cost = 10 + done;
    rom_return(c, (uint32_t)result);
}

void rom___gcc_bcmp(rom_call_t *c)
{
    rom_memcmp(c);
}

/* The address of the first `byte`, 0 when there is none. */
static bool find(rom_call_t *c, uint32_t at, uint8_t byte, uint32_t size, uint32_t *found)
{
    *found = 0;
    for (uint32_t run; size; at += run, size -= run) {
        const uint8_t *bytes = rom_span(c, at, &run);
        if (!bytes)
            return false;
        run = least(run, size);
        const uint8_t *hit = memchr(bytes, byte, run);
        if (hit) {
            *found = at + (uint32_t)(hit - bytes);
            return true;
        }
    }
    return true;
}

void rom_memchr(rom_call_t *c)
{
    uint32_t at = rom_arg(c, 0), found;
    if (!find(c, at, (uint8_t)rom_arg(c, 1), rom_arg(c, 2), &found))
        return;
    c->cost = 10 + (found ? found - at : rom_arg(c, 2));
    rom_return(c, found);
}

void rom_memrchr(rom_call_t *c)
{
    uint32_t at = rom_arg(c, 0), size = rom_arg(c, 2);
    uint8_t want = (uint8_t)rom_arg(c, 1), byte;
    while (size) {
        if (!rom_load(c, at + --size, &byte, 1))
            return;
        if (byte == want) {
            rom_return(c, at + size);
            return;
        }
    }
    rom_return(c, 0);
}

/* memccpy(to, from, byte, size): behind the byte in `to`, 0 when it was not there */
void rom_memccpy(rom_call_t *c)
{
    uint32_t to = rom_arg(c, 0), from = rom_arg(c, 1), size = rom_arg(c, 3), found;
    if (!find(c, from, (uint8_t)rom_arg(c, 2), size, &found))
        return;
    uint32_t count = found ? found - from + 1 : size;
    if (copy(c, to, from, count))
        rom_return(c, found ? to + count : 0);
}

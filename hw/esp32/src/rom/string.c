/* str* of the ROM's C library, byte by byte as the guest sees its memory. */
#include "call.h"

static uint8_t lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 32) : byte;
}

static uint8_t upper(uint8_t byte)
{
    return byte >= 'a' && byte <= 'z' ? (uint8_t)(byte - 32) : byte;
}

/* A reader that keeps the run of host bytes it is in. */
typedef struct {
    rom_call_t *c;
    uint32_t at, left;
    const uint8_t *bytes;
} reader_t;

static reader_t reader(rom_call_t *c, uint32_t at)
{
    return (reader_t){.c = c, .at = at};
}

/* The next byte; -1 after a fault. */
static int next(reader_t *r)
{
    if (!r->left) {
        r->bytes = rom_span(r->c, r->at, &r->left);
        if (!r->bytes)
            return -1;
    }
    r->left--;
    r->at++;
    return *r->bytes++;
}

static void compare(rom_call_t *c, uint32_t most, bool fold)
{
    reader_t a = reader(c, rom_arg(c, 0)), b = reader(c, rom_arg(c, 1));
    uint32_t n = 0;
    int left = 0, right = 0;
    while (n++ < most) {
        if ((left = next(&a)) < 0 || (right = next(&b)) < 0)
            return;
        if (fold) {
            left = lower((uint8_t)left);
            right = lower((uint8_t)right);
        }
        if (left != right || !left)
            break;
    }
    c->cost = 8 + n;
    rom_return(c, most ? (uint32_t)(left - right) : 0);
}

void rom_strcmp(rom_call_t *c)
{
    compare(c, UINT32_MAX, false);
}

void rom_strcoll(rom_call_t *c)
{
    compare(c, UINT32_MAX, false);
}

void rom_strncmp(rom_call_t *c)
{
    compare(c, rom_arg(c, 2), false);
}

void rom_strcasecmp(rom_call_t *c)
{
    compare(c, UINT32_MAX, true);
}

void rom_strncasecmp(rom_call_t *c)
{
    compare(c, rom_arg(c, 2), true);
}

static void length(rom_call_t *c, uint32_t most)
{
    uint32_t n;
    if (!rom_length(c, rom_arg(c, 0), most, &n))
        return;
    c->cost = 8 + n / 2;
    rom_return(c, n);
}

void rom_strnlen(rom_call_t *c)
{
    length(c, rom_arg(c, 1));
}

void rom_strlen(rom_call_t *c)
{
    length(c, UINT32_MAX);
}

/* Copy at most `most` bytes of a string; its end too when that fits. */
static bool copy(rom_call_t *c, uint32_t to, uint32_t from, uint32_t most, uint32_t *copied)
{
    reader_t r = reader(c, from);
    for (*copied = 0; *copied < most; ++*copied) {
        int byte = next(&r);
        uint8_t value = (uint8_t)byte;
        if (byte < 0 || !rom_store(c, to + *copied, &value, 1))
            return false;
        if (!byte)
            break;
    }
    c->cost = 8 + *copied;
    return true;
}

void rom_strcpy(rom_call_t *c)
{
    uint32_t to = rom_arg(c, 0), n;
    if (copy(c, to, rom_arg(c, 1), UINT32_MAX, &n))
        rom_return(c, to);
}

void rom_strncpy(rom_call_t *c)
{
    uint32_t to = rom_arg(c, 0), most = rom_arg(c, 2), n;
    uint8_t zero = 0;
    if (!copy(c, to, rom_arg(c, 1), most, &n))
        return;
    for (; n < most; n++)
        if (!rom_store(c, to + n, &zero, 1))
            return;
    rom_return(c, to);
}

static void append(rom_call_t *c, uint32_t most)
{
    uint32_t to = rom_arg(c, 0), have, n;
    uint8_t zero = 0;
    if (!rom_length(c, to, UINT32_MAX, &have) || !copy(c, to + have, rom_arg(c, 1), most, &n))
        return;
    if (n < most || rom_store(c, to + have + n, &zero, 1))
        rom_return(c, to);
}

void rom_strcat(rom_call_t *c)
{
    append(c, UINT32_MAX);
}

void rom_strncat(rom_call_t *c)
{
    append(c, rom_arg(c, 2));
}

/* strlcpy and strlcat: `have` bytes stand already, the result is the length it wanted */
static void copy_bounded(rom_call_t *c, uint32_t have)
{
    uint32_t to = rom_arg(c, 0), from = rom_arg(c, 1), size = rom_arg(c, 2), want, n;
    uint8_t zero = 0;
    if (!rom_length(c, from, UINT32_MAX, &want))
        return;
    if (have < size) {
        n = want < size - have - 1 ? want : size - have - 1;
        uint32_t copied;
        if (!copy(c, to + have, from, n, &copied) || !rom_store(c, to + have + n, &zero, 1))
            return;
    }
    rom_return(c, have + want);
}

void rom_strlcpy(rom_call_t *c)
{
    copy_bounded(c, 0);
}

void rom_strlcat(rom_call_t *c)
{
    uint32_t have;
    if (rom_length(c, rom_arg(c, 0), rom_arg(c, 2), &have))
        copy_bounded(c, have);
}

void rom_strchr(rom_call_t *c)
{
    reader_t r = reader(c, rom_arg(c, 0));
    int want = (uint8_t)rom_arg(c, 1), byte;
    while ((byte = next(&r)) >= 0) {
        c->cost++;
        if (byte == want || !byte) {
            rom_return(c, byte == want ? r.at - 1 : 0);
            return;
        }
    }
}

void rom_strrchr(rom_call_t *c)
{
    reader_t r = reader(c, rom_arg(c, 0));
    int want = (uint8_t)rom_arg(c, 1), byte;
    uint32_t found = 0;
    while ((byte = next(&r)) >= 0) {
        c->cost++;
        if (byte == want)
            found = r.at - 1;
        if (!byte) {
            rom_return(c, found);
            return;
        }
    }
}

/* How many bytes from the start are (not) in the set. */
static void span(rom_call_t *c, bool in)
{
    bool set[256] = {false};
    int byte;
    uint32_t n = 0;
    for (reader_t r = reader(c, rom_arg(c, 1)); (byte = next(&r)) != 0;) {
        if (byte < 0)
            return;
        set[byte] = true;
    }
    for (reader_t r = reader(c, rom_arg(c, 0)); (byte = next(&r)) != 0; n++) {
        if (byte < 0)
            return;
        if (set[byte] != in)
            break;
    }
    c->cost = 20 + n;
    rom_return(c, n);
}

void rom_strspn(rom_call_t *c)
{
    span(c, true);
}

void rom_strcspn(rom_call_t *c)
{
    span(c, false);
}

void rom_strstr(rom_call_t *c)
{
    uint32_t at = rom_arg(c, 0), needle = rom_arg(c, 1);
    for (;; at++) {
        reader_t r = reader(c, at), want = reader(c, needle);
        int a, b;
        do {
            if ((b = next(&want)) < 0)
                return;
            if (!b) {
                rom_return(c, at);
                return;
            }
            if ((a = next(&r)) < 0)
                return;
            c->cost++;
        } while (a == b);
        if (!a) {
            rom_return(c, 0);
            return;
        }
    }
}

static void change_case(rom_call_t *c, uint8_t (*change)(uint8_t))
{
    uint32_t at = rom_arg(c, 0);
    for (reader_t r = reader(c, at);;) {
        int byte = next(&r);
        if (byte < 0)
            return;
        if (!byte)
            break;
        uint8_t value = change((uint8_t)byte);
        if (!rom_store(c, r.at - 1, &value, 1))
            return;
    }
    rom_return(c, at);
}

void rom_strupr(rom_call_t *c)
{
    change_case(c, upper);
}

void rom_strlwr(rom_call_t *c)
{
    change_case(c, lower);
}

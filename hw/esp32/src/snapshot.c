/* The machine state as one block of bytes: header, state, queues, flash pages the guest wrote.
 *
 * For the build that made it only: the layout of esp32_state_t is its format, so the size of
 * that struct is part of the header. */
#include <stdio.h>
#include <string.h>

#include "chip.h"
#include "cpu/cache.h"

#define MAGIC 0x50414E5332335345ull /* "ES32SNAP" */

typedef struct {
    uint64_t magic;
    uint32_t version, state_size;
    uint64_t total;
    uint64_t flash_fingerprint;
    uint32_t stop_reasons, pages;
} header_t;

/* --- a cursor that counts, writes or reads ------------------------------------------------ */

typedef struct {
    uint8_t *to;         /* NULL while only counting */
    const uint8_t *from; /* when reading */
    size_t used, size;
} cursor_t;

static void put(cursor_t *c, const void *data, size_t size)
{
    if (c->to && size <= c->size - c->used)
        memcpy(c->to + c->used, data, size);
    c->used += size;
}

static bool get(cursor_t *c, void *data, size_t size)
{
    if (size > c->size - c->used)
        return false;
    memcpy(data, c->from + c->used, size);
    c->used += size;
    return true;
}

/* --- queues: only what is in them ----------------------------------------------------------- */

static void put_bytes(cursor_t *c, const byte_queue_t *q)
{
    uint32_t count = q->head - q->tail;
    put(c, &count, sizeof count);
    for (uint32_t n = 0; n < count;) {
        uint32_t at = (q->tail + n) % UART_QUEUE_SIZE, run = UART_QUEUE_SIZE - at;
        if (run > count - n)
            run = count - n;
        put(c, q->data + at, run);
        n += run;
    }
}

static bool get_bytes(cursor_t *c, byte_queue_t *q)
{
    uint32_t count;
    if (!get(c, &count, sizeof count) || count > UART_QUEUE_SIZE)
        return false;
    q->tail = 0;
    q->head = count;
    return get(c, q->data, count);
}

static void put_frames(cursor_t *c, const frame_queue_t *q)
{
    uint32_t count = q->head - q->tail;
    put(c, &count, sizeof count);
    for (uint32_t n = 0; n < count; n++) {
        uint16_t size = q->frame[(q->tail + n) % ETH_QUEUE_FRAMES].size;
        put(c, &size, sizeof size);
        put(c, q->frame[(q->tail + n) % ETH_QUEUE_FRAMES].data, size);
    }
}

static bool get_frames(cursor_t *c, frame_queue_t *q)
{
    uint32_t count;
    if (!get(c, &count, sizeof count) || count > ETH_QUEUE_FRAMES)
        return false;
    q->tail = 0;
    q->head = count;
    for (uint32_t n = 0; n < count; n++) {
        uint16_t *size = &q->frame[n].size;
        if (!get(c, size, sizeof *size) || *size > sizeof q->frame[n].data ||
            !get(c, q->frame[n].data, *size))
            return false;
    }
    return true;
}

/* --- save ----------------------------------------------------------------------------------------
 */

static void write_all(const esp32_t *chip, cursor_t *c, uint64_t total)
{
    header_t header = {
        .magic = MAGIC,
        .version = ESP32_API_VERSION,
        .state_size = sizeof(esp32_state_t),
        .total = total,
        .flash_fingerprint = chip->flash_fingerprint,
        .stop_reasons = (uint32_t)chip->stop_reasons,
    };
    for (uint32_t page = 0; page < FLASH_PAGES; page++)
        header.pages += chip->flash_own[page] != NULL;
    put(c, &header, sizeof header);
    put(c, &chip->state, sizeof chip->state);
    for (int uart = 0; uart < ESP32_UARTS; uart++) {
        put_bytes(c, &chip->uart_rx[uart]);
        put_bytes(c, &chip->uart_tx[uart]);
    }
    put_frames(c, &chip->eth_rx);
    put_frames(c, &chip->eth_tx);
    for (uint32_t page = 0; page < FLASH_PAGES; page++) {
        if (!chip->flash_own[page])
            continue;
        put(c, &page, sizeof page);
        put(c, chip->flash_own[page], FLASH_PAGE_SIZE);
    }
}

size_t esp32_state_size(const esp32_t *chip)
{
    cursor_t c = {.to = NULL};
    write_all(chip, &c, 0);
    return c.used;
}

size_t esp32_state_save(const esp32_t *chip, void *state, size_t size)
{
    size_t total = esp32_state_size(chip);
    cursor_t c = {.to = state, .size = size};
    if (size < total)
        return 0;
    write_all(chip, &c, total);
    return total;
}

/* --- load ----------------------------------------------------------------------------------------
 */

/* Would RAM that was translated have other bytes under `state`? */
static bool code_differs(const esp32_t *chip, const uint8_t *state)
{
    const uint8_t *now = (const uint8_t *)&chip->state + offsetof(esp32_state_t, dram);
    const uint8_t *then = state + offsetof(esp32_state_t, dram);
    uint32_t size = 1u << CODE_LINE_SHIFT;
    for (uint32_t line = 0; line < CODE_LINES; line++)
        if (chip->code_line[line] && memcmp(now + line * size, then + line * size, size))
            return true;
    return false;
}

static int refuse(esp32_t *chip, const char *why)
{
    snprintf(chip->error, sizeof chip->error, "snapshot refused: %s", why);
    return -1;
}

/* Pages of the guest's own that the snapshot has go in, all others go back to the base. */
static bool load_pages(esp32_t *chip, const uint8_t *bytes, uint32_t count)
{
    uint32_t next = 0;
    for (uint32_t n = 0; n <= count; n++) {
        uint32_t page = FLASH_PAGES;
        const uint8_t *entry = bytes + (size_t)n * (4 + FLASH_PAGE_SIZE);
        if (n < count)
            memcpy(&page, entry, 4);
        for (; next < page; next++)
            if (chip->flash_own[next])
                flash_set_own(chip, next, NULL);
        if (n < count) {
            const uint8_t *own = chip->flash_own[page];
            if ((!own || memcmp(own, entry + 4, FLASH_PAGE_SIZE)) &&
                !flash_set_own(chip, page, entry + 4))
                return false;
            next = page + 1;
        }
    }
    return true;
}

/* Page numbers must rise and exist; the size was checked. */
static bool pages_valid(const uint8_t *bytes, uint32_t count)
{
    int64_t last = -1;
    for (uint32_t n = 0; n < count; n++) {
        uint32_t page;
        memcpy(&page, bytes + (size_t)n * (4 + FLASH_PAGE_SIZE), 4);
        if (page >= FLASH_PAGES || (int64_t)page <= last)
            return false;
        last = page;
    }
    return true;
}

/* Walk over a queue's bytes without taking them. */
static bool skip_bytes(cursor_t *c)
{
    uint32_t count;
    if (!get(c, &count, sizeof count) || count > UART_QUEUE_SIZE || count > c->size - c->used)
        return false;
    c->used += count;
    return true;
}

static bool skip_frames(cursor_t *c)
{
    uint32_t count;
    uint16_t size;
    if (!get(c, &count, sizeof count) || count > ETH_QUEUE_FRAMES)
        return false;
    while (count--) {
        if (!get(c, &size, sizeof size) || size > ESP32_ETH_FRAME_MAX || size > c->size - c->used)
            return false;
        c->used += size;
    }
    return true;
}

int esp32_state_load(esp32_t *chip, const void *state, size_t size)
{
    header_t header;
    cursor_t c = {.from = state, .size = size};
    if (!get(&c, &header, sizeof header) || header.magic != MAGIC)
        return refuse(chip, "these bytes are no snapshot of a chip");
    if (header.version != ESP32_API_VERSION || header.state_size != sizeof(esp32_state_t))
        return refuse(chip, "it was made by another version of the chip library");
    if (header.total != size)
        return refuse(chip, "it is truncated or has bytes behind its end");
    if (header.flash_fingerprint != chip->flash_fingerprint)
        return refuse(chip, "it was made with another flash image");

    /* look at all of it before anything changes */
    const uint8_t *machine = (const uint8_t *)state + c.used;
    if (sizeof(esp32_state_t) > size - c.used)
        return refuse(chip, "it is truncated");
    c.used += sizeof(esp32_state_t);
    cursor_t queues = c;
    bool sound = true;
    for (int queue = 0; queue < 2 * ESP32_UARTS; queue++)
        sound = sound && skip_bytes(&c);
    sound = sound && skip_frames(&c) && skip_frames(&c);
    const uint8_t *pages = (const uint8_t *)state + c.used;
    if (!sound || header.pages > FLASH_PAGES ||
        size - c.used != (size_t)header.pages * (4 + FLASH_PAGE_SIZE) ||
        !pages_valid(pages, header.pages))
        return refuse(chip, "its contents are damaged");

    if (code_differs(chip, machine))
        bus_drop_code(chip);
    memcpy(&chip->state, machine, sizeof chip->state);
    for (int uart = 0; uart < ESP32_UARTS; uart++) {
        get_bytes(&queues, &chip->uart_rx[uart]);
        get_bytes(&queues, &chip->uart_tx[uart]);
    }
    get_frames(&queues, &chip->eth_rx);
    get_frames(&queues, &chip->eth_tx);
    if (!load_pages(chip, pages, header.pages))
        return -1;
    bus_remap_flash(chip, -1);
    for (int core = 0; core < ESP32_CORES; core++) {
        lx6_note_lend(chip, core, chip->state.core[core].lend);
        chip->cache[core]->resume_pc = 0;
    }
    chip->reset_pending = 0;
    chip->stop_reasons = (int)header.stop_reasons;
    chip->flash_work_most = UINT64_MAX;
    return 0;
}

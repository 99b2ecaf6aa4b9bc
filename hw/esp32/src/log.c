/* Lines for the host: what the model does not know, resets, panics. Not machine state. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chip.h"
#include "rom/rom.h"

#define LOG_LINES      256u
#define LINE_MOST      480u
#define KEYS_MOST      4096u /* a guest can't make us report more different things than this */
#define BACKTRACE_MOST 12

struct log {
    uint32_t head, tail; /* free running */
    uint32_t lost;       /* lines that found the log full */
    uint32_t keys;
    uint64_t key[KEYS_MOST * 2]; /* open addressing, 0 free */
    char line[LOG_LINES][LINE_MOST];
};

struct log *log_new(void)
{
    return calloc(1, sizeof(struct log));
}

void log_free(struct log *log)
{
    free(log);
}

static void put_line(esp32_t *chip, const char *text)
{
    struct log *log = chip->log;
    if (log->head - log->tail == LOG_LINES) {
        log->lost++;
        return;
    }
    snprintf(log->line[log->head++ % LOG_LINES], LINE_MOST, "%s", text);
    chip_notify(chip, ESP32_STOP_LOG);
}

uint32_t esp32_log_read(esp32_t *chip, char *line, uint32_t size)
{
    struct log *log = chip->log;
    int length;
    if (!size)
        return 0;
    if (log->head != log->tail) {
        length = snprintf(line, size, "%s", log->line[log->tail++ % LOG_LINES]);
    } else if (log->lost) {
        length = snprintf(line, size, "%u more lines were lost: the log was full", log->lost);
        log->lost = 0;
    } else {
        return 0;
    }
    return (uint32_t)length < size ? (uint32_t)length : size - 1;
}

/* True the first time `key` is seen. */
static bool first_time(struct log *log, uint64_t key)
{
    key |= 1ull << 63;
    uint64_t i = (key * 0x9E3779B97F4A7C15ull) >> 51;
    for (;; i++) {
        uint64_t *slot = &log->key[i % (KEYS_MOST * 2)];
        if (*slot == key)
            return false;
        if (!*slot) {
            if (log->keys == KEYS_MOST)
                return false;
            log->keys++;
            *slot = key;
            return true;
        }
    }
}

/* " (core 0 at 0x400d1234, called from 0x.. 0x..)" */
static void append_where(esp32_t *chip, char *text, size_t size)
{
    uint32_t pcs[BACKTRACE_MOST], offset;
    int core = chip->running_core, count;
    size_t used = strlen(text);
    if (core < 0 || used >= size)
        return;
    count = lx6_backtrace(chip, core, pcs, BACKTRACE_MOST);
    for (int i = 0; i < count && used < size; i++) {
        const char *symbol = rom_symbol(pcs[i], &offset);
        const char *before = i == 0 ? "at " : i == 1 ? ", called from " : " ";
        if (i == 0)
            used += (size_t)snprintf(text + used, size - used, " (core %d ", core);
        if (used < size)
            used +=
                (size_t)(symbol ? snprintf(text + used, size - used, "%s0x%08x %s+%u", before,
                                           pcs[i], symbol, offset)
                                : snprintf(text + used, size - used, "%s0x%08x", before, pcs[i]));
    }
    if (used + 1 < size)
        strcpy(text + used, ")");
}

void chip_log(esp32_t *chip, const char *format, ...)
{
    char text[LINE_MOST];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    put_line(chip, text);
}

void chip_log_once(esp32_t *chip, uint32_t key, const char *format, ...)
{
    char text[LINE_MOST];
    va_list arguments;
    uint64_t kind = 0; /* of report: one address may be unknown in several ways */
    for (const char *p = format; *p; p++)
        kind = kind * 31 + (uint8_t)*p;
    if (!first_time(chip->log, kind << 32 | key))
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    append_where(chip, text, sizeof text);
    put_line(chip, text);
}

void chip_fatal(esp32_t *chip, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(chip->error, sizeof chip->error, format, arguments);
    va_end(arguments);
    append_where(chip, chip->error, sizeof chip->error);
    chip_notify(chip, ESP32_STOP_FATAL);
}

const char *esp32_error(const esp32_t *chip)
{
    return chip->error;
}

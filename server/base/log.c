/* SPDX-License-Identifier: Apache-2.0 */
#include "server/base/log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proto/utf8.h"
#include "server/base/clock.h"

#define LOG_LINE_BYTES 4096 /* PIPE_BUF of Linux: such a write is not split even into a pipe */
#define LOG_TEXT_BYTES 512
#define LOG_FIELDS_MAX 32

struct base_log {
    char *path; /* NULL: standard error */
    int fd;     /* stays the same number: reopen puts the new file under it */
    bool json;
    bool colour;
    _Atomic int level;
    _Atomic uint64_t lost;
    int64_t (*now_ms)(void *context);
    void *now_context;
};

/* A line under construction; what does not fit is left out, the ending always fits. */
struct line {
    char bytes[LOG_LINE_BYTES];
    size_t used;
    bool full;
};

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static const char *const level_colours[] = {"\033[31m", "\033[33m", "\033[32m", "\033[2m"};
static const char *const format_names[] = {"auto", "text", "json"};

static bool name_find(const char *const *names, size_t count, const char *name, unsigned *index)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            *index = (unsigned)i;
            return true;
        }
    }
    return false;
}

bool base_log_level_find(const char *name, enum base_log_level *level)
{
    unsigned index;
    if (!name_find(level_names, sizeof level_names / sizeof *level_names, name, &index)) {
        return false;
    }
    *level = (enum base_log_level)index;
    return true;
}

const char *base_log_level_name(enum base_log_level level)
{
    assert((size_t)level < sizeof level_names / sizeof *level_names);
    return level_names[level];
}

bool base_log_format_find(const char *name, enum base_log_format *format)
{
    unsigned index;
    if (!name_find(format_names, sizeof format_names / sizeof *format_names, name, &index)) {
        return false;
    }
    *format = (enum base_log_format)index;
    return true;
}

static int open_file(const char *path, struct proto_fault *fault)
{
    /* Only the owner reads: addresses of peers are in it. */
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (fd < 0) {
        proto_fault_set(fault, PROTO_BAD_CONFIG, "log_file", "cannot open %s: %s", path,
                        strerror(errno));
    }
    return fd;
}

struct base_log *base_log_create(const struct base_log_options *options, struct proto_fault *fault)
{
    struct base_log *log = calloc(1, sizeof *log);
    if (log == NULL) {
        goto no_memory;
    }
    log->fd = STDERR_FILENO;
    if (options->path != NULL && options->path[0] != '\0') {
        log->path = strdup(options->path);
        if (log->path == NULL) {
            goto no_memory;
        }
        log->fd = open_file(log->path, fault);
        if (log->fd < 0) {
            goto failed;
        }
    }
    bool terminal = isatty(log->fd) == 1;
    log->json = options->format == BASE_LOG_JSON || (options->format == BASE_LOG_AUTO && !terminal);
    /* NO_COLOR: the convention of no-color.org. */
    log->colour = terminal && getenv("NO_COLOR") == NULL;
    struct base_clock clock = base_clock_system();
    log->now_ms = options->now_ms != NULL ? options->now_ms : clock.now_ms;
    log->now_context = options->now_context;
    atomic_init(&log->level, (int)options->level);
    return log;

no_memory:
    proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the log");
failed:
    if (log != NULL) {
        free(log->path);
    }
    free(log);
    return NULL;
}

void base_log_destroy(struct base_log *log)
{
    if (log == NULL) {
        return;
    }
    if (log->path != NULL) {
        close(log->fd);
    }
    free(log->path);
    free(log);
}

bool base_log_reopen(struct base_log *log, struct proto_fault *fault)
{
    if (log->path == NULL) {
        return true;
    }
    int fd = open_file(log->path, fault);
    if (fd < 0) {
        return false;
    }
    /* dup3 swaps the file in one step: a thread in the middle of a write finishes it in the old
     * file, and no lock is needed. */
    int swapped = dup3(fd, log->fd, O_CLOEXEC);
    int error = errno;
    close(fd);
    if (swapped < 0) {
        return proto_fault_set(fault, PROTO_IO, "log_file", "cannot reopen %s: %s", log->path,
                               strerror(error));
    }
    return true;
}

void base_log_level_set(struct base_log *log, enum base_log_level level)
{
    atomic_store_explicit(&log->level, (int)level, memory_order_relaxed);
}

enum base_log_level base_log_level_get(const struct base_log *log)
{
    return (enum base_log_level)atomic_load_explicit(&log->level, memory_order_relaxed);
}

uint64_t base_log_lost(const struct base_log *log)
{
    return atomic_load_explicit(&log->lost, memory_order_relaxed);
}

struct base_log_field base_field_error(enum proto_error code)
{
    return base_field_text("error", proto_error_find((unsigned)code)->name);
}

/* Keeps room for the longest ending: colour off, brace and newline. */
static void add_bytes(struct line *line, const char *bytes, size_t count)
{
    if (line->full || count > sizeof line->bytes - 8 - line->used) {
        line->full = true;
        return;
    }
    memcpy(line->bytes + line->used, bytes, count);
    line->used += count;
}

static void add(struct line *line, const char *text)
{
    add_bytes(line, text, strlen(text));
}

/* Escapes as JSON does; in text format too, where an escape is at least visible. */
static void add_escaped(struct line *line, const char *text)
{
    const uint8_t *at = (const uint8_t *)text;
    size_t left = strlen(text);
    bool cut = left > LOG_TEXT_BYTES;
    if (cut) {
        left = LOG_TEXT_BYTES;
    }
    while (left > 0) {
        size_t step = proto_utf8_step(at, left);
        char escape[8];
        if (step == 0) {
            if (cut && left < 4) {
                break; /* a character that the cut went through */
            }
            add(line, "\\ufffd");
            step = 1;
        } else if (step == 1 && (*at == '"' || *at == '\\')) {
            add_bytes(line, (const char[]){'\\', (char)*at}, 2);
        } else if (step == 1 && (*at < 0x20 || *at == 0x7f)) {
            snprintf(escape, sizeof escape, "\\u%04x", *at);
            add(line, escape);
        } else {
            add_bytes(line, (const char *)at, step);
        }
        at += step;
        left -= step;
    }
    if (cut) {
        add(line, "...");
    }
}

static void add_value(struct line *line, const struct base_log_field *field, bool json)
{
    char number[40];
    switch (field->kind) {
    case BASE_FIELD_TEXT: {
        const char *text = field->text != NULL ? field->text : "";
        bool quoted = json || text[0] == '\0' || strpbrk(text, " =\"\\") != NULL;
        add(line, quoted ? "\"" : "");
        add_escaped(line, text);
        add(line, quoted ? "\"" : "");
        return;
    }
    case BASE_FIELD_UINT:
        snprintf(number, sizeof number, "%" PRIu64, field->uint);
        break;
    case BASE_FIELD_INT:
        snprintf(number, sizeof number, "%" PRId64, field->integer);
        break;
    case BASE_FIELD_NUMBER:
        /* JSON has no word for what is not finite. */
        if (isfinite(field->number)) {
            snprintf(number, sizeof number, "%.9g", field->number);
        } else {
            snprintf(number, sizeof number, "%s", json ? "null" : "-");
        }
        break;
    case BASE_FIELD_FLAG:
        snprintf(number, sizeof number, "%s", field->flag ? "true" : "false");
        break;
    }
    add(line, number);
}

static void add_time(struct line *line, int64_t ms, bool json)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;
    char day[32];
    char text[48];
    if (json) {
        gmtime_r(&seconds, &parts);
    } else {
        localtime_r(&seconds, &parts);
    }
    strftime(day, sizeof day, json ? "%Y-%m-%dT%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &parts);
    snprintf(text, sizeof text, "%s.%03u%s", day, (unsigned)(ms % 1000), json ? "Z" : "");
    add(line, text);
}

static void add_json(struct line *line, int64_t ms, const char *level, const char *area,
                     const char *message)
{
    add(line, "{\"time\":\"");
    add_time(line, ms, true);
    add(line, "\",\"level\":\"");
    add(line, level);
    add(line, "\",\"area\":\"");
    add_escaped(line, area);
    add(line, "\",\"message\":\"");
    add_escaped(line, message);
    add(line, "\"");
}

static void add_text(struct line *line, int64_t ms, const char *level, const char *area,
                     const char *message, const char *colour)
{
    char padded[8];
    add_time(line, ms, false);
    snprintf(padded, sizeof padded, "%-5s", level);
    add(line, " ");
    add(line, colour);
    add(line, padded);
    add(line, colour[0] != '\0' ? "\033[0m " : " ");
    add(line, area);
    add(line, ": ");
    add_escaped(line, message);
    add(line, " ");
}

/* A field that does not fit whole is left out whole, so that the line stays well formed. */
static void add_field(struct line *line, const struct base_log_field *field, bool json)
{
    size_t before = line->used;
    add(line, json ? ",\"" : " ");
    add(line, field->name);
    add(line, json ? "\":" : "=");
    add_value(line, field, json);
    if (line->full) {
        line->used = before;
    }
}

void base_log_write(struct base_log *log, enum base_log_level level, const char *area,
                    const char *message, const struct base_log_field *fields, size_t count)
{
    if (log == NULL || (int)level > atomic_load_explicit(&log->level, memory_order_relaxed)) {
        return;
    }
    assert(count <= LOG_FIELDS_MAX);
    struct line line = {.used = 0};
    int64_t now = log->now_ms(log->now_context);
    if (log->json) {
        add_json(&line, now, base_log_level_name(level), area, message);
    } else {
        add_text(&line, now, base_log_level_name(level), area, message,
                 log->colour ? level_colours[level] : "");
    }
    for (size_t i = 0; i < count && !line.full; i++) {
        add_field(&line, &fields[i], log->json);
    }
    if (log->json) {
        line.bytes[line.used++] = '}';
    }
    line.bytes[line.used++] = '\n';
    ssize_t written;
    do {
        written = write(log->fd, line.bytes, line.used);
    } while (written < 0 && errno == EINTR);
    if (written != (ssize_t)line.used) {
        atomic_fetch_add_explicit(&log->lost, 1, memory_order_relaxed);
    }
}

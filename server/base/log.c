/* SPDX-License-Identifier: Apache-2.0 */
/* A line is built whole and written in one call that does not wait: a disk that is full, a pipe, a
 * terminal or a journal that nobody reads costs lines, which are counted and told of once lines go
 * out again, and never a moment of the thread that had something to say. */
#include "server/base/log_line.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/clock.h"

#define LOG_FIELDS_MAX 32

struct base_log {
    char *path;  /* NULL: standard error */
    int fd;      /* stays the same number: reopen puts the new file under it */
    bool owned;  /* fd is ours to close */
    bool socket; /* fd is one: written to with send */
    bool wait;   /* fd may wait where it is full: asked before each line */
    bool json;
    bool colour;
    _Atomic int level;
    _Atomic uint64_t lost;
    _Atomic uint64_t lost_told; /* of those */
    _Atomic bool torn;          /* the last line was written in part */
    int64_t (*now_ms)(void *context);
    void *now_context;
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
    /* Only the owner reads: addresses of peers are in it. It may be a pipe with a name, too. */
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);
    if (fd < 0) {
        proto_fault_set(fault, PROTO_BAD_CONFIG, "log_file", "cannot open %s: %s", path,
                        strerror(errno));
    }
    return fd;
}

/* Standard error as somebody else opened it: whether it waits is shared with the shell or whoever
 * else writes there, so a pipe or a terminal is opened once more, for us alone. */
static void standard_error_take(struct base_log *log)
{
    struct stat status;
    char path[32];
    log->fd = STDERR_FILENO;
    if (fstat(log->fd, &status) != 0) {
        return;
    }
    log->socket = S_ISSOCK(status.st_mode);
    if (!S_ISFIFO(status.st_mode) && isatty(log->fd) != 1) {
        return;
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", log->fd);
    int fd = open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0) {
        log->fd = fd;
        log->owned = true;
    } else {
        log->wait = true; /* another user's, or no /proc */
    }
}

struct base_log *base_log_create(const struct base_log_options *options, struct proto_fault *fault)
{
    struct base_log *log = calloc(1, sizeof *log);
    if (log == NULL) {
        goto no_memory;
    }
    if (options->path != NULL && options->path[0] != '\0') {
        log->path = strdup(options->path);
        if (log->path == NULL) {
            goto no_memory;
        }
        log->fd = open_file(log->path, fault);
        if (log->fd < 0) {
            goto failed;
        }
        log->owned = true;
    } else {
        standard_error_take(log);
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
    if (log->owned) {
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

static ssize_t write_now(struct base_log *log, const char *bytes, size_t count)
{
    struct pollfd ready = {.fd = log->fd, .events = POLLOUT};
    if (log->wait && (poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0)) {
        return -1;
    }
    ssize_t written;
    do {
        written = log->socket ? send(log->fd, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL)
                              : write(log->fd, bytes, count);
    } while (written < 0 && errno == EINTR);
    return written;
}

static bool line_write(struct base_log *log, const struct base_log_line *line)
{
    /* What is left of a torn line stays a line of its own. */
    if (atomic_load_explicit(&log->torn, memory_order_relaxed) && write_now(log, "\n", 1) == 1) {
        atomic_store_explicit(&log->torn, false, memory_order_relaxed);
    }
    ssize_t written = write_now(log, line->bytes, line->used);
    if (written == (ssize_t)line->used) {
        return true;
    }
    if (written > 0) {
        atomic_store_explicit(&log->torn, true, memory_order_relaxed);
    }
    atomic_fetch_add_explicit(&log->lost, 1, memory_order_relaxed);
    return false;
}

static bool line_out(struct base_log *log, enum base_log_level level, const char *area,
                     const char *message, const struct base_log_field *fields, size_t count)
{
    struct base_log_line line;
    line.used = 0;
    line.full = false;
    int64_t now = log->now_ms(log->now_context);
    if (log->json) {
        base_log_line_json(&line, now, base_log_level_name(level), area, message);
    } else {
        base_log_line_text(&line, now, base_log_level_name(level), area, message,
                           log->colour ? level_colours[level] : "");
    }
    for (size_t i = 0; i < count && !line.full; i++) {
        base_log_line_field(&line, &fields[i], log->json);
    }
    base_log_line_end(&line, log->json);
    return line_write(log, &line);
}

void base_log_write(struct base_log *log, enum base_log_level level, const char *area,
                    const char *message, const struct base_log_field *fields, size_t count)
{
    if (log == NULL || (int)level > atomic_load_explicit(&log->level, memory_order_relaxed)) {
        return;
    }
    assert(count <= LOG_FIELDS_MAX);
    if (!line_out(log, level, area, message, fields, count)) {
        return;
    }
    uint64_t lost = base_log_lost(log);
    uint64_t told = atomic_exchange_explicit(&log->lost_told, lost, memory_order_relaxed);
    if (lost > told) {
        (void)line_out(log, BASE_LOG_WARN, "log", "lines were lost: nobody took them",
                       BASE_FIELDS(base_field_uint("lines", lost - told)));
    }
}

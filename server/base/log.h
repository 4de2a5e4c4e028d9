/* SPDX-License-Identifier: Apache-2.0 */
/* The log of the server: one line an event, for people on a terminal, for machines otherwise.
 *
 *   text   2026-03-01 12:00:00.123 info  net: listening  host=127.0.0.1 port=4273
 *   json   {"time":"2026-03-01T11:00:00.123Z","level":"info","area":"net","message":"listening",…}
 *
 * NEVER account data. A log is copied to more places than a database is, so nothing of an account
 * may reach it: no id, key, value, email address, label, filter text or part of a request. The API
 * helps: area and message are string literals (base_log does not compile with anything else), and
 * what varies goes into typed fields: counts, sizes, durations, error names, versions, addresses of
 * peers, paths and options of the configuration. A fault of a request is logged by the name of its
 * code (base_field_error), never by its message, which may quote what the client sent.
 *
 * Every line is one write(2) of at most 4 KiB on a descriptor with O_APPEND, so lines of several
 * threads or processes never mix. Texts are cut at 512 bytes, control characters and malformed
 * UTF-8 are escaped, so a peer cannot forge a line. A line that cannot be written now (a full disk,
 * a pipe or journal that nobody reads) is counted, not retried, and the count is a line of its own
 * once lines go out again: logging never waits for a reader.
 * Ownership: the log owns its file; fields are borrowed for the call. Threads: everything is safe
 * from any thread, except create and destroy. Cost: 1 ns below the level, else about 1 µs and the
 * write. Source: RFC 3339 for times. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

#include "proto/fault.h"

enum base_log_level {
    BASE_LOG_ERROR, /* something asked for could not be done, or data is harmed */
    BASE_LOG_WARN,  /* it works, but somebody should look */
    BASE_LOG_INFO,  /* starts, stops, switches: a handful an hour */
    BASE_LOG_DEBUG, /* for the search of a fault */
};

enum base_log_format { BASE_LOG_AUTO, BASE_LOG_TEXT, BASE_LOG_JSON };

struct base_log;

struct base_log_options {
    const char *path; /* NULL or "": standard error */
    enum base_log_level level;
    enum base_log_format format;      /* AUTO: text on a terminal, JSON lines otherwise */
    int64_t (*now_ms)(void *context); /* NULL: the system's wall clock */
    void *now_context;
};

/* NULL with PROTO_BAD_CONFIG (the file cannot be opened) or PROTO_NO_MEMORY. */
struct base_log *base_log_create(const struct base_log_options *options, struct proto_fault *fault);
void base_log_destroy(struct base_log *log);
/* Opens the file anew under its path, for rotation; on failure the old one stays in use. */
bool base_log_reopen(struct base_log *log, struct proto_fault *fault);
void base_log_level_set(struct base_log *log, enum base_log_level level);
enum base_log_level base_log_level_get(const struct base_log *log);
uint64_t base_log_lost(const struct base_log *log); /* lines that could not be written */

/* "error", "warn", "info", "debug"; *level is untouched if the name is none of them. */
bool base_log_level_find(const char *name, enum base_log_level *level);
const char *base_log_level_name(enum base_log_level level);
/* "auto", "text", "json". */
bool base_log_format_find(const char *name, enum base_log_format *format);

enum base_field_kind {
    BASE_FIELD_TEXT,
    BASE_FIELD_UINT,
    BASE_FIELD_INT,
    BASE_FIELD_NUMBER,
    BASE_FIELD_FLAG,
};

struct base_log_field {
    const char *name; /* a literal: [a-z_]+ */
    enum base_field_kind kind;
    union {
        const char *text;
        uint64_t uint;
        int64_t integer;
        double number;
        bool flag;
    };
};

static inline struct base_log_field base_field_text(const char *name, const char *text)
{
    return (struct base_log_field){.name = name, .kind = BASE_FIELD_TEXT, .text = text};
}
static inline struct base_log_field base_field_uint(const char *name, uint64_t value)
{
    return (struct base_log_field){.name = name, .kind = BASE_FIELD_UINT, .uint = value};
}
static inline struct base_log_field base_field_int(const char *name, int64_t value)
{
    return (struct base_log_field){.name = name, .kind = BASE_FIELD_INT, .integer = value};
}
static inline struct base_log_field base_field_number(const char *name, double value)
{
    return (struct base_log_field){.name = name, .kind = BASE_FIELD_NUMBER, .number = value};
}
static inline struct base_log_field base_field_flag(const char *name, bool value)
{
    return (struct base_log_field){.name = name, .kind = BASE_FIELD_FLAG, .flag = value};
}
/* error=<name of the code>; the one way to log a fault of a request. */
struct base_log_field base_field_error(enum proto_error code);

/* base_log(log, BASE_LOG_INFO, "net", "listening", BASE_FIELDS(base_field_uint("port", port)));
 * base_log(log, BASE_LOG_INFO, "main", "draining", BASE_NO_FIELDS); */
#define BASE_FIELDS(...)                                                                           \
    (const struct base_log_field[]){__VA_ARGS__},                                                  \
        sizeof((const struct base_log_field[]){__VA_ARGS__}) / sizeof(struct base_log_field)
#define BASE_NO_FIELDS NULL, 0
#define base_log(log, level, area, message, ...)                                                   \
    base_log_write((log), (level), "" area, "" message, __VA_ARGS__)

/* What base_log expands to; call the macro. log may be NULL: silent. */
void base_log_write(struct base_log *log, enum base_log_level level, const char *area,
                    const char *message, const struct base_log_field *fields, size_t count);

#endif

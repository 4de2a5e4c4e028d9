/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines of icp-bench from tables: a command states its flags once, with their bounds, and
 * gets help, parsing and refusals of nonsense from it (argp does the rest, and ends the program
 * with EX_USAGE on what cannot be understood).
 * Ownership: texts point into argv. Threads: one, at the start. */
#ifndef BENCH_FLAGS_H
#define BENCH_FLAGS_H

#include <stdbool.h>
#include <stddef.h>

/* What a flag sets at its offset. */
enum bench_flag_kind {
    BENCH_FLAG_TEXT,     /* const char * */
    BENCH_FLAG_SWITCH,   /* bool: true */
    BENCH_FLAG_OFF,      /* bool: false */
    BENCH_FLAG_UNSIGNED, /* unsigned */
    BENCH_FLAG_INT,      /* int */
    BENCH_FLAG_U16,      /* uint16_t */
    BENCH_FLAG_U64,      /* uint64_t */
    BENCH_FLAG_SIZE,     /* size_t */
    BENCH_FLAG_REAL,     /* double */
};

struct bench_flag {
    const char *name;
    const char *argument; /* NULL for switches */
    enum bench_flag_kind kind;
    size_t offset;
    double low, high; /* of numbers */
    const char *help;
};

struct bench_flags {
    const char *what;      /* one sentence for --help */
    const char *arguments; /* in the usage line; NULL: takes none */
    const struct bench_flag *flags;
    size_t count;
    /* Called for each argument that is no flag; false with `why` to refuse it. */
    bool (*on_argument)(void *into, const char *text, char *why, size_t why_bytes);
    /* Called for each flag of `more`, after those of `flags`: name and text as given. */
    const struct bench_flag *more;
    size_t more_count;
    bool (*on_more)(void *into, const char *name, const char *text, char *why, size_t why_bytes);
    unsigned arguments_least;
    const char *missing; /* said if there are fewer */
};

void bench_flags_parse(const struct bench_flags *flags, int argc, char **argv, void *into);

#endif

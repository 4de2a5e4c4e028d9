/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a file of rules as words with their places: NAME or NAME=VALUE, blanks between, # begins
 * what is for people, double quotes hold blanks together.
 *
 * Ownership: words point into the line's copy, which the next line writes over. Errors: false with
 * *fault. Threads: pure. */
#ifndef ROUTER_WORDS_H
#define ROUTER_WORDS_H

#include "client/router/router_rules.h"

enum { ROUTER_LINE_BYTES_MAX = 16384, ROUTER_WORDS_MAX = 64 };

struct router_word {
    char *name;
    char *value; /* NULL: there is no = */
    size_t column;
};

struct router_line {
    char text[ROUTER_LINE_BYTES_MAX];
    struct router_word words[ROUTER_WORDS_MAX];
    size_t count;
    size_t bytes;  /* as it was, before it was cut into words */
    size_t number; /* from 1 */
};

struct router_lines {
    const char *at, *end;
    size_t number;
};

/* The next line that has a word; false at the end, *fault->message empty, or with *fault. */
bool router_line_next(struct router_lines *lines, struct router_line *line,
                      struct router_fault *fault);

/* Sets *fault; false. */
bool router_refuse(struct router_fault *fault, size_t line, size_t column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Where prose and tables go: a stream, and what is known of the screen behind it. A stream that is
 * no terminal has no width: nothing is wrapped or coloured there, so that a program that reads it
 * finds one line a message. Colour also needs a TERM that is not "dumb", and no NO_COLOR. COLUMNS
 * and LINES are for terminals that do not know their size. Ownership: a value, borrows the stream.
 * Errors: those of the stream, sticky there. Threads: one. */
#ifndef OUT_OUT_SINK_H
#define OUT_OUT_SINK_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct out_sink {
    FILE *file;
    size_t columns; /* 0: no limit */
    size_t rows;    /* 0: no limit */
    bool color;
};

enum out_tone { OUT_PLAIN, OUT_BOLD, OUT_GOOD, OUT_BAD, OUT_DIM };

struct out_sink out_sink_of(FILE *file);
/* Text for people: what must not reach a terminal is written in words, lines are broken at blanks
 * with what follows indented by two more columns. */
void out_print(const struct out_sink *sink, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void out_vprint(const struct out_sink *sink, const char *format, va_list list)
    __attribute__((format(printf, 2, 0)));
/* Begins or, with OUT_PLAIN, ends a tone; nothing without colour. */
void out_tone(const struct out_sink *sink, enum out_tone tone);

/* Shows a text that was written beforehand (borrowed), through a pager if it has more lines than
 * the screen: ICP_PAGER, else PAGER, else less if it is there; none if that is empty or "cat". */
void out_page(const struct out_sink *sink, const char *text, size_t bytes);

#endif

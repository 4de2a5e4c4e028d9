/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of a page: words, numbers, times and tables as HTML. Every text that did not come from this
 * program's own source goes through draw_shown.h.
 *
 * Tables: console_table_open, then for each row console_row and its cells, then
 * console_table_close. A cell is opened and closed around whatever is written, or written by a
 * function of its kind. The first cell of a row is its heading. Wide tables are scrolled by
 * themselves, by the keyboard too. Ownership: borrows; a table lives until it is closed. Errors:
 * those of the stream, which the server asks for at the end. Threads: one stream each. */
#ifndef CONSOLE_CONSOLE_WRITE_H
#define CONSOLE_CONSOLE_WRITE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "client/icp.h"

void console_text(FILE *out, const char *text); /* anybody's, with a zero behind it */
void console_said(FILE *out, struct icp_text text);
/* Any value of a reply as people read it; a missing one as a dash. */
void console_value(FILE *out, const struct icp_value *value);
/* Members of a map of a reply; empty, or 0, where they are absent or of another kind. */
struct icp_text console_text_of(const struct icp_value *map, const char *name);
int64_t console_whole_of(const struct icp_value *map, const char *name);
double console_number_of(const struct icp_value *map, const char *name);
bool console_flag_of(const struct icp_value *map, const char *name);
struct icp_text console_words(const char *text); /* borrowed */

/* <a href="PATH?NAME=VALUE">VALUE</a>; path and name are ours. */
void console_link_to(FILE *out, const char *path, const char *name, struct icp_text value,
                     struct icp_text shown);

/* "12,345", "1.5 MiB", "3.4 ms" of microseconds, "2 h 5 min" of seconds, "87.1 %". */
void console_count(FILE *out, double count);
void console_size(FILE *out, double bytes);
void console_duration(FILE *out, double us);
void console_time(FILE *out, int64_t time_ms); /* "2026-11-28 20:15:03" in UTC; a dash for none */

void console_heading(FILE *out, const char *text); /* <h2> */
void console_note(FILE *out, const char *text);    /* a paragraph of ours */
/* Why something is not there. */
void console_fault(FILE *out, const struct icp_fault *fault);

struct console_table {
    FILE *out;
    const char *const *columns; /* names; those that begin with '#' are of numbers */
    size_t count, at;
};
void console_table_open(struct console_table *table, FILE *out, const char *caption,
                        const char *const *columns, size_t count);
void console_table_close(struct console_table *table);
void console_cell_open(struct console_table *table);
void console_cell_close(struct console_table *table);
void console_cell(struct console_table *table, const char *text);
void console_cell_said(struct console_table *table, struct icp_text text);
void console_cell_value(struct console_table *table, const struct icp_value *value);
void console_cell_count(struct console_table *table, double count);
/* Numbers alone: texts are not escaped. */
void console_cell_number(struct console_table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void console_cell_time(struct console_table *table, int64_t time_ms);
/* A bar from the middle to either side, of a value whose size is at most `most`. */
void console_cell_bar(struct console_table *table, double value, double most);

/* A line of a form: label, input, and what to know of it (NULL: nothing). */
void console_input(FILE *out, const char *name, const char *label, const char *value,
                   const char *hint);

#endif

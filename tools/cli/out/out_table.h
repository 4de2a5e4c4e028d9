/* SPDX-License-Identifier: Apache-2.0 */
/* Results on standard output: a table for people, JSON or CSV for programs, from the same cells.
 *
 * For people a table fits the screen: columns that are too wide are broken at blanks, a cell taking
 * several lines; where not even the widest words fit, and with `records`, each row is a record with
 * a line for each column. Numbers stand to the right, with a sign between thousands from five
 * digits on. No column is ever left out.
 * Shapes: cells are added row by row, left to right. Ownership: the table copies its cells; headers
 * are borrowed. Errors: out of memory is sticky and told by out_table_show. Threads: one. */
#ifndef OUT_OUT_TABLE_H
#define OUT_OUT_TABLE_H

#include <jansson.h>

#include "client/icp.h"
#include "proto/span.h"
#include "tools/cli/out/out_sink.h"

enum out_form { OUT_TABLE, OUT_JSON, OUT_CSV };

struct out_style {
    struct out_sink sink;
    enum out_form form;
    bool records;     /* each row as a record of its own */
    bool spreadsheet; /* CSV: guard cells that a spreadsheet would run as a formula */
    bool page;        /* through a pager where it is longer than the screen */
};

struct out_cell {
    char *text;
    bool is_number; /* to the right in a table, bare in JSON */
};

struct out_table {
    const char *const *headers;
    size_t columns;
    struct out_cell *cells;
    size_t count;
    size_t capacity;
    bool failed;
};

void out_table_init(struct out_table *table, const char *const *headers, size_t columns);
void out_table_fini(struct out_table *table);
void out_cell_text(struct out_table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void out_cell_text_n(struct out_table *table, struct icp_text text);
/* Text that is a number: "12", "0.25". */
void out_cell_number(struct out_table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void out_cell_value(struct out_table *table, const struct icp_value *value);
/* Prints and empties the table. False: no memory, or JSON that could not be written. */
bool out_table_show(struct out_table *table, const struct out_style *style);

/* One CSV cell, quoted only if it must be; guarded: one that begins like a formula (=, +, -, @,
 * tab) and is no number has an apostrophe before it, as spreadsheets read it. */
void out_csv_cell(FILE *out, struct proto_span cell, char separator, bool guarded);

/* out_aligned.c: the two forms for people. Text is clean. */
bool out_aligned_write(const struct out_table *table, const struct out_style *style,
                       const struct out_sink *sink);

#endif

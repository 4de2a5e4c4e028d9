/* SPDX-License-Identifier: Apache-2.0 */
/* Results on standard output: a table for people, JSON or CSV for programs, from the same cells.
 * Shapes: cells are added row by row, left to right. Ownership: the table copies its cells; headers
 * are borrowed. Errors: out of memory is sticky and told by table_print. Threads: one. */
#ifndef CLI_CLI_OUTPUT_H
#define CLI_CLI_OUTPUT_H

#include <jansson.h>
#include <stdio.h>

#include "tools/cli/cli.h"

struct table_cell {
    char *text;
    bool is_number; /* to the right in a table, bare in JSON */
};

struct table {
    const char *const *headers;
    size_t columns;
    struct table_cell *cells;
    size_t count;
    size_t capacity;
    bool failed;
};

void table_init(struct table *table, const char *const *headers, size_t columns);
void table_fini(struct table *table);
void table_text(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
void table_text_n(struct table *table, struct icp_text text);
/* Text that is a number: "12", "0.25". */
void table_number(struct table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void table_value(struct table *table, const struct icp_value *value);
/* Prints and empties the table. Returns an exit status. */
int table_print(struct table *table, const struct cli *cli, FILE *out);

/* One CSV cell, quoted only if it must be. */
void csv_write_cell(FILE *out, struct proto_span cell, char separator);

/* A value of a reply as JSON; NULL: no memory. Texts under the keys "document" and "evidence" are
 * JSON themselves and become what they say. */
json_t *json_of(const struct icp_value *value);
/* Prints and drops a reference. Returns an exit status. */
int json_print(const struct cli *cli, json_t *json);
int json_print_reply(const struct cli *cli, const struct icp_reply *reply);

/* Columns that a text takes on a terminal: characters, not bytes. */
size_t text_width(const char *text);
/* Milliseconds since 1970 as "2024-05-01 12:00" in UTC; "" for 0. */
const char *time_text(int64_t time_ms, char text[24]);

/* A progress line on standard error, only on a terminal: drawn at most ten times a second, gone
 * when ended. */
struct progress {
    bool shown;
    int64_t drawn_ms;
};
void progress_draw(struct progress *progress, double done, const char *text);
void progress_end(struct progress *progress);

/* Opens a file for writing beside its final name; file_commit puts it there, so that a reader never
 * finds half of it. NULL or an exit status with a message on failure. "-" is standard output. */
struct output_file {
    FILE *file;
    char *path;
    char *temporary; /* NULL for standard output */
};
int file_begin(const struct cli *cli, const char *path, struct output_file *output);
int file_commit(const struct cli *cli, struct output_file *output);
void file_abandon(struct output_file *output);

#endif

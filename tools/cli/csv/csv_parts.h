/* SPDX-License-Identifier: Apache-2.0 */
/* What csv_input.c (the file, its header, its columns) and csv_row.c (one row after another) share.
 * The contract is csv_input.h. */
#ifndef CLI_CSV_PARTS_H
#define CLI_CSV_PARTS_H

#include <csv.h>

#include "tools/cli/csv/csv_input.h"

struct csv_input {
    char *name;
    uint8_t *owned;             /* the file; NULL if borrowed */
    uint8_t *converted;         /* the file in UTF-8; NULL if it was that */
    struct csv_dialect dialect; /* as told, then as found */
    size_t filled_rows;
    size_t filled_line; /* of the first */
    struct proto_span bytes;
    size_t at;        /* start of the next row */
    size_t line;      /* of `at` */
    size_t feed_from; /* the first line feed at or after feed_from stands at feed_at */
    size_t feed_at;
    size_t first; /* start and line of the first row after the header */
    size_t first_line;
    struct proto_span header;
    bool has_mark;
    char separator;
    char **columns;
    size_t column_count;
    /* the row being read */
    struct csv_parser parser;
    uint8_t *text;
    size_t text_bytes;
    size_t text_capacity;
    struct proto_span *cells; /* data holds an offset into text until the row is whole */
    size_t cell_count;
    size_t cell_capacity;
    bool row_ended;
    bool no_memory;
};

/* csv_row.c: bytes of the line at `at`, its end included. */
size_t csv_line_bytes(struct csv_input *input, size_t at);
/* The next row, the header being one. False at the end, or out of memory (*fault set). */
bool csv_row_read(struct csv_input *input, struct csv_row *row, struct proto_fault *fault);

#endif

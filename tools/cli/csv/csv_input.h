/* SPDX-License-Identifier: Apache-2.0 */
/* CSV files as they are: rows with the physical line they start on, every kind of dirt told by line
 * and column, and the next row found again after it.
 *
 * Parsed by libcsv in strict mode, line by line, so that a row's bytes and lines are known.
 * Encoding and separator are those of csv_dialect.h. A byte-order mark is passed over; empty lines
 * and rows of empty cells are too. Blanks around a cell are dropped. A row that ends early is
 * filled with empty cells if it has half of them or more; cells beyond the header are dropped if
 * they are empty. Bad rows: a quote in the middle of a cell, a quote never closed, another number
 * of cells, bytes that are not UTF-8, NUL bytes. A row that spans lines and does not fit the header
 * is taken for a stray quote: reading goes on at the line after its first. Shapes: lines and
 * columns count from 1, columns in characters. The whole file is held in memory
 * (CSV_FILE_BYTES_MAX). Ownership: a row's spans die with the next csv_next; names with the input.
 * Errors: csv_open faults on the file (IO, TOO_LARGE, BAD_PAYLOAD for one that is no CSV).
 * Threads: one input, one thread. Cost: about 10 ns a byte. */
#ifndef CLI_CSV_INPUT_H
#define CLI_CSV_INPUT_H

#include "proto/fault.h"
#include "proto/span.h"
#include "tools/cli/csv/csv_dialect.h"

/* A file this large holds 10 million accounts of 400 bytes, more than one import should. */
#define CSV_FILE_BYTES_MAX ((size_t)4 << 30)
/* Four times the largest record that the server stores; a stray quote stops here. */
#define CSV_ROW_BYTES_MAX ((size_t)1 << 20)
/* Twice the fields of a schema, for keys, ids and columns that are skipped. */
#define CSV_COLUMNS_MAX 2048

struct csv_row {
    size_t line;           /* physical line on which the row starts */
    struct proto_span raw; /* its bytes with the line end, as they stand in the file */
    struct proto_span own; /* its bytes up to the header's last cell, without the line end */
    size_t filled;         /* cells that were missing at its end; own lacks them */
    const struct proto_span *cells;
    size_t cell_count;
    bool bad;
    /* of a bad row */
    size_t bad_line;
    size_t bad_column;    /* characters into that line; 0: the row as a whole */
    const char *bad_name; /* column name, "" if none is at fault */
    char message[256];
};

struct csv_input;

/* path "-" is standard input. dialect: what is told of the file, NULL for nothing. */
struct csv_input *csv_open(const char *path, const struct csv_dialect *dialect,
                           struct proto_fault *fault);
/* The same from bytes that are already there (borrowed); `name` is for messages. */
struct csv_input *csv_open_bytes(struct proto_span bytes, const char *name,
                                 const struct csv_dialect *dialect, struct proto_fault *fault);
void csv_close(struct csv_input *input);
const char *csv_name(const struct csv_input *input); /* for messages: the path */

/* Header: column names without outer blanks; the raw line with its end. */
size_t csv_column_count(const struct csv_input *input);
const char *csv_column(const struct csv_input *input, size_t index);
/* Gives a column another name, "" for none; false: no memory. */
bool csv_column_rename(struct csv_input *input, size_t index, const char *name);
/* SIZE_MAX if there is none of that name; without regard to ASCII case if no name fits exactly. */
size_t csv_column_find(const struct csv_input *input, const char *name);
struct proto_span csv_header(const struct csv_input *input);
bool csv_has_mark(const struct csv_input *input); /* a byte-order mark stood at the start */
char csv_separator(const struct csv_input *input);
enum csv_encoding csv_encoding_of(const struct csv_input *input);
enum csv_decimal csv_decimal_told(const struct csv_input *input);
enum csv_day_order csv_dates_told(const struct csv_input *input); /* CSV_DAY_OPEN: nothing */
/* Rows so far that were filled up, and the line of the first. */
size_t csv_filled_rows(const struct csv_input *input, size_t *first_line);

/* The next row, good or bad. False at the end, or out of memory (*fault set, code not OK). */
bool csv_next(struct csv_input *input, struct csv_row *row, struct proto_fault *fault);
/* "FILE, line 3, column 5" of a row that is bad, without the column if the whole row is; returns
 * out. */
#define CSV_PLACE_BYTES 512
const char *csv_row_place(const struct csv_input *input, const struct csv_row *row, char *out,
                          size_t bytes);
/* Where a cell of a row that csv_next just gave begins: its physical line and the character in it.
 */
void csv_cell_place(struct csv_input *input, const struct csv_row *row, size_t cell, size_t *line,
                    size_t *column);
/* Back to the first row after the header. */
void csv_rewind(struct csv_input *input);
/* Share of the file that has been read, 0 to 1. */
double csv_done(const struct csv_input *input);

/* Whole file to memory; for other files of the command line as well. Returned, caller frees. */
uint8_t *csv_file_read(const char *path, size_t bytes_max, size_t *bytes,
                       struct proto_fault *fault);

#endif

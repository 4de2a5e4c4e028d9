/* SPDX-License-Identifier: Apache-2.0 */
/* A file is opened, its mark, separator and header are found, and then its columns have names. */
#include "tools/cli/csv/csv_parts.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>

#include "server/feature/span_text.h"

enum {
    TITLE_LINES_MAX = 20, /* above a header */
    TITLE_NAME_BYTES_MAX = 100
};

void csv_rewind(struct csv_input *input)
{
    input->at = input->first;
    input->line = input->first_line;
    input->filled_rows = 0;
}

double csv_done(const struct csv_input *input)
{
    return input->bytes.bytes == 0 ? 1 : (double)input->at / (double)input->bytes.bytes;
}

/* Opening: the encoding, the byte-order mark, the separator, the header. */

/* A name without outer blanks and what cannot be seen, in one line. */
static char *name_keep(struct proto_span cell)
{
    char *name = feature_text_copy(feature_text_trim(cell));
    for (char *at = name; at != NULL && *at != '\0'; at++) {
        for (size_t bytes; (bytes = feature_text_unseen(proto_span_text(at))) > 0;) {
            memmove(at, at + bytes, strlen(at + bytes) + 1);
        }
        if (*at == '\r' && at[1] == '\n') {
            memmove(at, at + 1, strlen(at));
        }
        if (*at == '\r' || *at == '\n') {
            *at = ' ';
        }
    }
    return name;
}

static bool header_keep(struct csv_input *input, const struct csv_row *row,
                        struct proto_fault *fault)
{
    if (row->cell_count > CSV_COLUMNS_MAX) {
        return proto_fault_set(fault, PROTO_TOO_LARGE, input->name,
                               "%s: the header has %zu columns, at most %d are read", input->name,
                               row->cell_count, CSV_COLUMNS_MAX);
    }
    assert(row->cell_count > 0);
    char **columns = calloc(row->cell_count, sizeof *columns);
    if (columns == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, input->name, "no memory for the header");
    }
    input->columns = columns;
    for (size_t i = 0; i < row->cell_count; i++) {
        columns[i] = name_keep(row->cells[i]);
        input->column_count = i + 1;
        if (columns[i] == NULL) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, input->name, "no memory for the header");
        }
        for (size_t j = 0; j < i; j++) {
            if (columns[i][0] != '\0' && strcmp(columns[i], columns[j]) == 0) {
                return proto_fault_set(fault, PROTO_BAD_PAYLOAD, input->name,
                                       "%s, line %zu: columns %zu and %zu are both named '%s'; "
                                       "give each a name of its own",
                                       input->name, row->line, j + 1, i + 1, columns[i]);
            }
        }
    }
    return true;
}

/* Passes over the mark and a line that names the separator; else finds it. */
static void dialect_read(struct csv_input *input)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    char named = 0;
    input->has_mark = input->bytes.bytes >= 3 && memcmp(input->bytes.data, mark, 3) == 0;
    input->at = input->has_mark ? 3 : 0;
    input->line = 1;
    struct proto_span rest = {input->bytes.data + input->at, input->bytes.bytes - input->at};
    size_t sep = csv_sep_line(rest, &named);
    if (sep > 0) {
        input->at += sep;
        input->line = 2;
        rest = (struct proto_span){rest.data + sep, rest.bytes - sep};
    }
    input->separator = input->dialect.separator != 0 ? input->dialect.separator
                       : sep > 0                     ? named
                                                     : csv_separator_find(rest);
}

static size_t filled_cells(const struct csv_row *row)
{
    size_t filled = 0;
    for (size_t i = 0; i < row->cell_count; i++) {
        filled += feature_text_trim(row->cells[i]).bytes > 0;
    }
    return filled;
}

/* Three names or more, and nothing that is no name. */
static bool is_like_header(const struct csv_row *row)
{
    for (size_t i = 0; i < row->cell_count && !row->bad; i++) {
        struct proto_span cell = feature_text_trim(row->cells[i]);
        if (cell.bytes > TITLE_NAME_BYTES_MAX ||
            (cell.bytes > 0 && !isalpha(cell.data[0]) && cell.data[0] < 0x80) ||
            memchr(cell.data, '@', cell.bytes) != NULL) {
            return false;
        }
    }
    return !row->bad && filled_cells(row) >= 3;
}

/* Reports begin with lines of a title where the names of columns are wanted. What looks like the
 * header below one is named, and nothing is read: the file would be one column of titles. */
static bool title_refuse(struct csv_input *input, struct proto_fault *fault)
{
    struct csv_row row;
    for (size_t i = 0; i < TITLE_LINES_MAX && csv_row_read(input, &row, fault); i++) {
        if (is_like_header(&row)) {
            return proto_fault_set(fault, PROTO_BAD_PAYLOAD, input->name,
                                   "%s, line %zu: a title stands where the first line must name "
                                   "the columns; line %zu looks like their names: take away what "
                                   "stands above it",
                                   input->name, input->first_line, row.line);
        }
    }
    return fault->code == PROTO_OK;
}

static bool header_read(struct csv_input *input, struct proto_fault *fault)
{
    dialect_read(input);
    char place[CSV_PLACE_BYTES];
    struct csv_row row;
    size_t at = input->at;
    size_t line = input->line;
    bool read = csv_row_read(input, &row, fault);
    if (read && !row.bad && filled_cells(&row) <= 1) {
        input->first_line = row.line;
        if (!title_refuse(input, fault)) {
            return false;
        }
        input->at = at;
        input->line = line;
        read = csv_row_read(input, &row, fault);
    }
    if (!read) {
        return fault->code != PROTO_OK ||
               proto_fault_set(fault, PROTO_BAD_PAYLOAD, input->name,
                               "%s is empty; its first line must name the columns", input->name);
    }
    if (row.bad) {
        return proto_fault_set(fault, PROTO_BAD_PAYLOAD, input->name, "%s: %s",
                               csv_row_place(input, &row, place, sizeof place), row.message);
    }
    input->header = row.raw;
    input->first = input->at;
    input->first_line = input->line;
    return header_keep(input, &row, fault);
}

/* The bytes as UTF-8. */
static bool bytes_take(struct csv_input *input, struct proto_span bytes, struct proto_fault *fault)
{
    size_t converted = 0;
    enum csv_encoding found = CSV_ENCODING_UTF8;
    input->bytes = bytes;
    if (!csv_kind_check(bytes, input->name, fault) ||
        !csv_decode(bytes, input->dialect.encoding, input->name, &input->converted, &converted,
                    &found, fault)) {
        return false;
    }
    input->dialect.encoding = found;
    if (input->converted != NULL) {
        input->bytes = (struct proto_span){input->converted, converted};
    }
    return true;
}

struct csv_input *csv_open_bytes(struct proto_span bytes, const char *name,
                                 const struct csv_dialect *dialect, struct proto_fault *fault)
{
    struct csv_input *input = calloc(1, sizeof *input);
    if (input == NULL || (input->name = strdup(name)) == NULL) {
        free(input);
        proto_fault_set(fault, PROTO_NO_MEMORY, name, "no memory to read %s", name);
        return NULL;
    }
    if (dialect != NULL) {
        input->dialect = *dialect;
    }
    struct proto_fault found = {.code = PROTO_OK};
    if (bytes_take(input, bytes, &found) && header_read(input, &found) && found.code == PROTO_OK) {
        return input;
    }
    *fault = found;
    csv_close(input);
    return NULL;
}

struct csv_input *csv_open(const char *path, const struct csv_dialect *dialect,
                           struct proto_fault *fault)
{
    size_t bytes = 0;
    uint8_t *data = csv_file_read(path, CSV_FILE_BYTES_MAX, &bytes, fault);
    if (data == NULL) {
        return NULL;
    }
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    struct csv_input *input =
        csv_open_bytes((struct proto_span){data, bytes}, name, dialect, fault);
    if (input == NULL) {
        free(data);
    } else {
        input->owned = data;
    }
    return input;
}

void csv_close(struct csv_input *input)
{
    if (input == NULL) {
        return;
    }
    for (size_t i = 0; i < input->column_count; i++) {
        free(input->columns[i]);
    }
    free(input->columns);
    csv_free(&input->parser);
    free(input->text);
    free(input->cells);
    free(input->converted);
    free(input->owned);
    free(input->name);
    free(input);
}

const char *csv_name(const struct csv_input *input)
{
    return input->name;
}

size_t csv_column_count(const struct csv_input *input)
{
    return input->column_count;
}

const char *csv_column(const struct csv_input *input, size_t index)
{
    assert(index < input->column_count);
    return input->columns[index];
}

bool csv_column_rename(struct csv_input *input, size_t index, const char *name)
{
    char *copy = strdup(name);
    if (copy == NULL) {
        return false;
    }
    free(input->columns[index]);
    input->columns[index] = copy;
    return true;
}

size_t csv_column_find(const struct csv_input *input, const char *name)
{
    for (size_t i = 0; i < input->column_count; i++) {
        if (strcmp(input->columns[i], name) == 0) {
            return i;
        }
    }
    for (size_t i = 0; i < input->column_count; i++) {
        if (feature_text_same(proto_span_text(input->columns[i]), proto_span_text(name))) {
            return i;
        }
    }
    return SIZE_MAX;
}

struct proto_span csv_header(const struct csv_input *input)
{
    return input->header;
}

bool csv_has_mark(const struct csv_input *input)
{
    return input->has_mark;
}

char csv_separator(const struct csv_input *input)
{
    return input->separator;
}

enum csv_encoding csv_encoding_of(const struct csv_input *input)
{
    return input->dialect.encoding;
}

enum csv_decimal csv_decimal_told(const struct csv_input *input)
{
    return input->dialect.decimal;
}

size_t csv_filled_rows(const struct csv_input *input, size_t *first_line)
{
    *first_line = input->filled_line;
    return input->filled_rows;
}

enum csv_day_order csv_dates_told(const struct csv_input *input)
{
    return input->dialect.dates;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cli/csv_input.h"

#include <assert.h>
#include <csv.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proto/utf8.h"
#include "server/feature/span_text.h"

struct csv_input {
    char *name;
    uint8_t *owned; /* the file; NULL if borrowed */
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

uint8_t *cli_file_read(const char *path, size_t bytes_max, size_t *bytes, struct proto_fault *fault)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    uint8_t *data = NULL;
    size_t capacity = 0;
    *bytes = 0;
    if (fd < 0) {
        proto_fault_set(fault, PROTO_IO, path, "cannot open %s: %s", path, strerror(errno));
        return NULL;
    }
    for (;;) {
        if (capacity - *bytes < 2) {
            capacity = capacity * 2 + 65536;
            uint8_t *grown = realloc(data, capacity);
            if (grown == NULL) {
                proto_fault_set(fault, PROTO_NO_MEMORY, path, "no memory for %s", path);
                break;
            }
            data = grown;
        }
        ssize_t got = read(fd, data + *bytes, capacity - *bytes - 1);
        if (got == 0) {
            data[*bytes] = '\0'; /* a courtesy to readers of text */
            if (!is_stdin)
                close(fd);
            return data;
        }
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            proto_fault_set(fault, PROTO_IO, path, "cannot read %s: %s", path, strerror(errno));
            break;
        }
        *bytes += (size_t)got;
        if (*bytes > bytes_max) {
            proto_fault_set(fault, PROTO_TOO_LARGE, path, "%s has more than %zu bytes", path,
                            bytes_max);
            break;
        }
    }
    free(data);
    if (!is_stdin)
        close(fd);
    return NULL;
}

static void on_cell(void *data, size_t bytes, void *context)
{
    struct csv_input *input = context;
    if (input->text_bytes + bytes > input->text_capacity) {
        size_t capacity = (input->text_bytes + bytes) * 2 + 1024;
        uint8_t *text = realloc(input->text, capacity);
        if (text == NULL) {
            input->no_memory = true;
            return;
        }
        input->text = text;
        input->text_capacity = capacity;
    }
    if (input->cell_count == input->cell_capacity) {
        size_t capacity = input->cell_capacity * 2 + 64;
        struct proto_span *cells = realloc(input->cells, capacity * sizeof *cells);
        if (cells == NULL) {
            input->no_memory = true;
            return;
        }
        input->cells = cells;
        input->cell_capacity = capacity;
    }
    if (bytes > 0)
        memcpy(input->text + input->text_bytes, data, bytes);
    /* The text may still move: for now only its length is kept. */
    input->cells[input->cell_count++] = (struct proto_span){NULL, bytes};
    input->text_bytes += bytes;
}

static void on_row(int end, void *context)
{
    (void)end;
    ((struct csv_input *)context)->row_ended = true;
}

/* Bytes up to and with the end of the physical line that starts at `at`. The next line feed is
 * remembered: in a file whose lines end in carriage returns it is far away. */
static size_t line_bytes(struct csv_input *input, size_t at)
{
    const uint8_t *start = input->bytes.data + at;
    size_t left = input->bytes.bytes - at;
    if (at < input->feed_from || at > input->feed_at || input->feed_at == 0) {
        const uint8_t *feed = memchr(start, '\n', left);
        input->feed_from = at;
        input->feed_at = feed != NULL ? (size_t)(feed - input->bytes.data) : input->bytes.bytes;
    }
    size_t bytes = input->feed_at < input->bytes.bytes ? input->feed_at - at + 1 : left;
    const uint8_t *back = memchr(start, '\r', bytes);
    /* A carriage return ends a line by itself too, unless a line feed follows. */
    if (back != NULL && (size_t)(back - start) + 1 < bytes && back[1] != '\n')
        bytes = (size_t)(back - start) + 1;
    return bytes;
}

static bool is_blank(struct proto_span line)
{
    for (size_t i = 0; i < line.bytes; i++) {
        if (strchr(" \t\r\n", line.data[i]) == NULL || line.data[i] == '\0')
            return false;
    }
    return true;
}

static void parser_begin(struct csv_input *input)
{
    csv_free(&input->parser);
    int made = csv_init(&input->parser, CSV_STRICT | CSV_STRICT_FINI);
    assert(made == 0);
    csv_set_delim(&input->parser, (unsigned char)input->separator);
    input->text_bytes = input->cell_count = 0;
    input->row_ended = false;
}

/* Characters from the start of the physical line to `offset`, counted from 1. */
static size_t column_of(const struct csv_input *input, size_t offset)
{
    size_t start = offset;
    while (start > 0 && input->bytes.data[start - 1] != '\n' &&
           input->bytes.data[start - 1] != '\r')
        start--;
    size_t column = 1;
    for (size_t i = start; i < offset; i++)
        column += (input->bytes.data[i] & 0xc0) != 0x80;
    return start == 0 && input->has_mark ? column - 1 : column;
}

static size_t lines_between(struct csv_input *input, size_t from, size_t to)
{
    size_t lines = 0;
    while (from < to) {
        from += line_bytes(input, from);
        lines += from <= to;
    }
    return lines;
}

static void __attribute__((format(printf, 5, 6)))
row_spoil(struct csv_input *input, struct csv_row *row, size_t offset, size_t cell,
          const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(row->message, sizeof row->message, format, list);
    va_end(list);
    row->bad = true;
    row->bad_name = cell < input->column_count ? input->columns[cell] : "";
    row->bad_line = row->line;
    row->bad_column = 0;
    if (offset != SIZE_MAX) {
        row->bad_line = row->line + lines_between(input, input->at, offset);
        row->bad_column = column_of(input, offset);
    }
}

/* Where the quote that is open at the end of raw was opened. */
static size_t quote_opened(const struct csv_input *input, size_t from, size_t to)
{
    size_t opened = from;
    bool open = false;
    for (size_t i = from; i < to; i++) {
        if (input->bytes.data[i] == '"') {
            open = !open;
            if (open)
                opened = i;
        }
    }
    return opened;
}

/* Where the text of cell `index` of the raw row starts in the file. */
static size_t cell_offset(const struct csv_input *input, struct proto_span raw, size_t index)
{
    bool open = false;
    size_t i = 0;
    for (; i < raw.bytes && index > 0; i++) {
        if (raw.data[i] == '"')
            open = !open;
        else if (!open && raw.data[i] == (uint8_t)input->separator)
            index--;
    }
    return (size_t)(raw.data - input->bytes.data) + i;
}

static void row_finish(struct csv_input *input, struct csv_row *row)
{
    static const uint8_t nothing[1] = {0}; /* a row of empty cells has no text to point into */
    const uint8_t *text = input->text != NULL ? input->text : nothing;
    for (size_t i = 0; i < input->cell_count; i++) {
        input->cells[i].data = text;
        text += input->cells[i].bytes;
    }
    row->cells = input->cells;
    row->cell_count = input->cell_count;
}

/* What libcsv does not look at: count of cells, NUL bytes, UTF-8. */
static void row_check(struct csv_input *input, struct csv_row *row)
{
    if (input->column_count > 0 && row->cell_count != input->column_count) {
        row_spoil(input, row, SIZE_MAX, SIZE_MAX, "the row has %zu cells, the header has %zu",
                  row->cell_count, input->column_count);
        return;
    }
    const uint8_t *nul = row->raw.bytes > 0 ? memchr(row->raw.data, 0, row->raw.bytes) : NULL;
    if (nul != NULL) {
        row_spoil(input, row, (size_t)(nul - input->bytes.data), SIZE_MAX,
                  "a NUL byte stands in the row; text has none");
        return;
    }
    for (size_t cell = 0; cell < row->cell_count; cell++) {
        struct proto_span text = row->cells[cell];
        size_t at = 0;
        size_t step;
        while (at < text.bytes && (step = proto_utf8_step(text.data + at, text.bytes - at)) > 0)
            at += step;
        if (at < text.bytes) {
            row_spoil(input, row, cell_offset(input, row->raw, cell) + at, cell,
                      "byte 0x%02x is not UTF-8; save the file as UTF-8", text.data[at]);
            return;
        }
    }
}

/* The parser stopped at `at`. Lines below the row's first, it is the quote opened there that is at
 * fault: it swallowed what follows. */
static void quote_spoil(struct csv_input *input, struct csv_row *row, size_t at, size_t first_end)
{
    if (at >= first_end)
        row_spoil(input, row, quote_opened(input, input->at, first_end), SIZE_MAX,
                  "a quote is opened here and not closed well: the next one stands on line %zu",
                  row->line + lines_between(input, input->at, at));
    else if (input->bytes.data[at] == '"')
        row_spoil(input, row, at, input->cell_count,
                  "a quote stands in the middle of a cell; quote the whole cell and double the "
                  "quotes within");
    else
        row_spoil(input, row, at, input->cell_count,
                  "a character follows a closing quote; quotes within a cell must be doubled");
}

/* Feeds physical lines until the row ends. Returns the offset after it. */
static size_t row_parse(struct csv_input *input, struct csv_row *row)
{
    size_t at = input->at;
    size_t first_end = at + line_bytes(input, at);
    while (!input->row_ended && at < input->bytes.bytes) {
        size_t bytes = line_bytes(input, at);
        size_t parsed =
            csv_parse(&input->parser, input->bytes.data + at, bytes, on_cell, on_row, input);
        if (parsed < bytes) {
            input->no_memory |= csv_error(&input->parser) != CSV_EPARSE;
            quote_spoil(input, row, at + parsed, first_end);
            return first_end;
        }
        at += bytes;
        if (!input->row_ended && at - input->at > CSV_ROW_BYTES_MAX)
            break;
    }
    if (!input->row_ended && at == input->bytes.bytes)
        input->no_memory |= csv_fini(&input->parser, on_cell, on_row, input) != 0 &&
                            csv_error(&input->parser) != CSV_EPARSE;
    if (!input->row_ended) {
        row_spoil(input, row, quote_opened(input, input->at, at), input->cell_count,
                  "a quote is opened here and not closed");
        return first_end;
    }
    /* Lines that a stray quote joined make a row that does not fit the header. */
    if (at > first_end && input->column_count > 0 && input->cell_count != input->column_count) {
        row_spoil(input, row, quote_opened(input, input->at, first_end), SIZE_MAX,
                  "a quote is opened here and closed only %zu lines below, in a row of %zu cells "
                  "where the header has %zu",
                  lines_between(input, input->at, at) - 1, input->cell_count, input->column_count);
        return first_end;
    }
    return at;
}

static bool row_read(struct csv_input *input, struct csv_row *row, struct proto_fault *fault)
{
    while (input->at < input->bytes.bytes) {
        size_t bytes = line_bytes(input, input->at);
        if (!is_blank((struct proto_span){input->bytes.data + input->at, bytes}))
            break;
        input->at += bytes;
        input->line++;
    }
    *row = (struct csv_row){.line = input->line, .bad_name = ""};
    if (input->at >= input->bytes.bytes)
        return false;
    parser_begin(input);
    size_t end = row_parse(input, row);
    row->raw = (struct proto_span){input->bytes.data + input->at, end - input->at};
    if (input->no_memory)
        return proto_fault_set(fault, PROTO_NO_MEMORY, input->name, "no memory for line %zu",
                               input->line);
    if (!row->bad) {
        row_finish(input, row);
        row_check(input, row);
    }
    input->line += lines_between(input, input->at, end);
    input->at = end;
    return true;
}

bool csv_next(struct csv_input *input, struct csv_row *row, struct proto_fault *fault)
{
    return row_read(input, row, fault);
}

void csv_cell_place(struct csv_input *input, const struct csv_row *row, size_t cell, size_t *line,
                    size_t *column)
{
    size_t start = (size_t)(row->raw.data - input->bytes.data);
    size_t offset = cell_offset(input, row->raw, cell);
    *line = row->line + lines_between(input, start, offset);
    *column = column_of(input, offset);
}

void csv_rewind(struct csv_input *input)
{
    input->at = input->first;
    input->line = input->first_line;
}

double csv_done(const struct csv_input *input)
{
    return input->bytes.bytes == 0 ? 1 : (double)input->at / (double)input->bytes.bytes;
}

/* Opening: the byte-order mark, the separator, the header. */

static char separator_guess(struct proto_span line)
{
    size_t commas = 0;
    size_t semicolons = 0;
    size_t tabs = 0;
    bool open = false;
    for (size_t i = 0; i < line.bytes; i++) {
        open ^= line.data[i] == '"';
        if (open)
            continue;
        commas += line.data[i] == ',';
        semicolons += line.data[i] == ';';
        tabs += line.data[i] == '\t';
    }
    if (commas > 0)
        return ',';
    return tabs > semicolons ? '\t' : semicolons > 0 ? ';' : ',';
}

static bool is_utf16(struct proto_span bytes)
{
    return bytes.bytes >= 2 && ((bytes.data[0] == 0xff && bytes.data[1] == 0xfe) ||
                                (bytes.data[0] == 0xfe && bytes.data[1] == 0xff));
}

static bool header_keep(struct csv_input *input, const struct csv_row *row,
                        struct proto_fault *fault)
{
    if (row->cell_count > CSV_COLUMNS_MAX)
        return proto_fault_set(fault, PROTO_TOO_LARGE, input->name,
                               "%s: the header has %zu columns, at most %d are read", input->name,
                               row->cell_count, CSV_COLUMNS_MAX);
    assert(row->cell_count > 0);
    char **columns = calloc(row->cell_count, sizeof *columns);
    if (columns == NULL)
        return proto_fault_set(fault, PROTO_NO_MEMORY, input->name, "no memory for the header");
    input->columns = columns;
    for (size_t i = 0; i < row->cell_count; i++) {
        columns[i] = feature_text_copy(feature_text_trim(row->cells[i]));
        input->column_count = i + 1;
        if (columns[i] == NULL)
            return proto_fault_set(fault, PROTO_NO_MEMORY, input->name, "no memory for the header");
        for (size_t j = 0; j < i; j++) {
            if (columns[i][0] != '\0' && strcmp(columns[i], columns[j]) == 0)
                return proto_fault_set(fault, PROTO_BAD_PAYLOAD, input->name,
                                       "%s, line %zu: columns %zu and %zu are both named '%s'; "
                                       "give each a name of its own",
                                       input->name, row->line, j + 1, i + 1, columns[i]);
        }
    }
    return true;
}

static bool header_read(struct csv_input *input, struct proto_fault *fault)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    if (is_utf16(input->bytes))
        return proto_fault_set(fault, PROTO_BAD_PAYLOAD, input->name,
                               "%s is UTF-16 text; save it as UTF-8", input->name);
    input->has_mark = input->bytes.bytes >= 3 && memcmp(input->bytes.data, mark, 3) == 0;
    input->at = input->has_mark ? 3 : 0;
    input->line = 1;
    input->separator = ',';
    if (input->at < input->bytes.bytes)
        input->separator = separator_guess(
            (struct proto_span){input->bytes.data + input->at, line_bytes(input, input->at)});
    struct csv_row row;
    if (!row_read(input, &row, fault))
        return fault->code != PROTO_OK ||
               proto_fault_set(fault, PROTO_BAD_PAYLOAD, input->name,
                               "%s is empty; its first line must name the columns", input->name);
    if (row.bad)
        return proto_fault_set(fault, PROTO_BAD_PAYLOAD, input->name,
                               "%s, line %zu, column %zu: %s", input->name, row.bad_line,
                               row.bad_column, row.message);
    input->header = row.raw;
    input->first = input->at;
    input->first_line = input->line;
    return header_keep(input, &row, fault);
}

struct csv_input *csv_open_bytes(struct proto_span bytes, const char *name,
                                 struct proto_fault *fault)
{
    struct csv_input *input = calloc(1, sizeof *input);
    if (input == NULL || (input->name = strdup(name)) == NULL) {
        free(input);
        proto_fault_set(fault, PROTO_NO_MEMORY, name, "no memory to read %s", name);
        return NULL;
    }
    input->bytes = bytes;
    struct proto_fault found = {.code = PROTO_OK};
    if (header_read(input, &found) && found.code == PROTO_OK)
        return input;
    *fault = found;
    csv_close(input);
    return NULL;
}

struct csv_input *csv_open(const char *path, struct proto_fault *fault)
{
    size_t bytes = 0;
    uint8_t *data = cli_file_read(path, CSV_FILE_BYTES_MAX, &bytes, fault);
    if (data == NULL)
        return NULL;
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    struct csv_input *input = csv_open_bytes((struct proto_span){data, bytes}, name, fault);
    if (input == NULL)
        free(data);
    else
        input->owned = data;
    return input;
}

void csv_close(struct csv_input *input)
{
    if (input == NULL)
        return;
    for (size_t i = 0; i < input->column_count; i++)
        free(input->columns[i]);
    free(input->columns);
    csv_free(&input->parser);
    free(input->text);
    free(input->cells);
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

size_t csv_column_find(const struct csv_input *input, const char *name)
{
    for (size_t i = 0; i < input->column_count; i++) {
        if (strcmp(input->columns[i], name) == 0)
            return i;
    }
    for (size_t i = 0; i < input->column_count; i++) {
        if (feature_text_same(proto_span_text(input->columns[i]), proto_span_text(name)))
            return i;
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

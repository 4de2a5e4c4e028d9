/* SPDX-License-Identifier: Apache-2.0 */
/* One row after another: libcsv is fed line by line, so that bytes and lines of a row are known,
 * and reading goes on after a row that is none. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/utf8.h"
#include "tools/cli/csv/csv_parts.h"

/* The parser's buffer grows by steps of a fixed size, at first 128 bytes: where each step is a
 * copy, a cell of 10 MB would take half a minute. */
#define CELL_STEP_BYTES 16384

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
    if (bytes > 0) {
        memcpy(input->text + input->text_bytes, data, bytes);
    }
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
size_t csv_line_bytes(struct csv_input *input, size_t at)
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
    if (back != NULL && (size_t)(back - start) + 1 < bytes && back[1] != '\n') {
        bytes = (size_t)(back - start) + 1;
    }
    return bytes;
}

static bool is_blank(struct proto_span line)
{
    for (size_t i = 0; i < line.bytes; i++) {
        if (strchr(" \t\r\n", line.data[i]) == NULL || line.data[i] == '\0') {
            return false;
        }
    }
    return true;
}

static void parser_begin(struct csv_input *input)
{
    csv_free(&input->parser);
    int made = csv_init(&input->parser, CSV_STRICT | CSV_STRICT_FINI);
    assert(made == 0);
    csv_set_delim(&input->parser, (unsigned char)input->separator);
    csv_set_blk_size(&input->parser, CELL_STEP_BYTES);
    input->text_bytes = input->cell_count = 0;
    input->row_ended = false;
}

/* Characters from the start of the physical line to `offset`, counted from 1. */
static size_t column_of(const struct csv_input *input, size_t offset)
{
    size_t start = offset;
    while (start > 0 && input->bytes.data[start - 1] != '\n' &&
           input->bytes.data[start - 1] != '\r') {
        start--;
    }
    size_t column = 1;
    for (size_t i = start; i < offset; i++) {
        column += (input->bytes.data[i] & 0xc0) != 0x80;
    }
    return start == 0 && input->has_mark ? column - 1 : column;
}

static size_t lines_between(struct csv_input *input, size_t from, size_t to)
{
    size_t lines = 0;
    while (from < to) {
        from += csv_line_bytes(input, from);
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
            if (open) {
                opened = i;
            }
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
        if (raw.data[i] == '"') {
            open = !open;
        } else if (!open && raw.data[i] == (uint8_t)input->separator) {
            index--;
        }
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

static bool is_filled(const struct csv_row *row, size_t from)
{
    for (size_t i = from; i < row->cell_count; i++) {
        if (row->cells[i].bytes > 0) {
            return true;
        }
    }
    return false;
}

static struct proto_span without_end(struct proto_span raw)
{
    while (raw.bytes > 0 && (raw.data[raw.bytes - 1] == '\n' || raw.data[raw.bytes - 1] == '\r')) {
        raw.bytes--;
    }
    return raw;
}

/* A row that ends early is filled, empty cells beyond the header are dropped. False: no memory. */
static bool row_fit(struct csv_input *input, struct csv_row *row)
{
    size_t columns = input->column_count;
    row->own = without_end(row->raw);
    if (row->cell_count > columns && !is_filled(row, columns)) {
        size_t end = cell_offset(input, row->raw, columns);
        row->own.bytes = (size_t)(input->bytes.data + end - row->raw.data) - 1;
        row->cell_count = columns;
    }
    if (row->cell_count >= columns || row->cell_count * 2 < columns) {
        return true;
    }
    if (input->cell_capacity < columns) {
        struct proto_span *cells = realloc(input->cells, columns * sizeof *cells);
        if (cells == NULL) {
            return false;
        }
        input->cells = cells;
        input->cell_capacity = columns;
        row->cells = cells;
    }
    row->filled = columns - row->cell_count;
    for (size_t i = row->cell_count; i < columns; i++) {
        input->cells[i] = (struct proto_span){input->cells[0].data, 0};
    }
    row->cell_count = columns;
    if (input->filled_rows++ == 0) {
        input->filled_line = row->line;
    }
    return true;
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
        while (at < text.bytes && (step = proto_utf8_step(text.data + at, text.bytes - at)) > 0) {
            at += step;
        }
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
    if (at >= first_end) {
        row_spoil(input, row, quote_opened(input, input->at, first_end), SIZE_MAX,
                  "a quote is opened here and not closed well: the next one stands on line %zu",
                  row->line + lines_between(input, input->at, at));
    } else if (input->bytes.data[at] == '"') {
        row_spoil(input, row, at, input->cell_count,
                  "a quote stands in the middle of a cell; quote the whole cell and double the "
                  "quotes within");
    } else {
        row_spoil(input, row, at, input->cell_count,
                  "a character follows a closing quote; quotes within a cell must be doubled");
    }
}

/* Feeds physical lines until the row ends. Returns the offset after it. */
static size_t row_parse(struct csv_input *input, struct csv_row *row)
{
    size_t at = input->at;
    size_t first_end = at + csv_line_bytes(input, at);
    while (!input->row_ended && at < input->bytes.bytes) {
        size_t bytes = csv_line_bytes(input, at);
        size_t parsed =
            csv_parse(&input->parser, input->bytes.data + at, bytes, on_cell, on_row, input);
        if (parsed < bytes) {
            input->no_memory |= csv_error(&input->parser) != CSV_EPARSE;
            quote_spoil(input, row, at + parsed, first_end);
            return first_end;
        }
        at += bytes;
        if (!input->row_ended && at - input->at > CSV_ROW_BYTES_MAX) {
            break;
        }
    }
    if (!input->row_ended && at == input->bytes.bytes) {
        input->no_memory |= csv_fini(&input->parser, on_cell, on_row, input) != 0 &&
                            csv_error(&input->parser) != CSV_EPARSE;
    }
    if (!input->row_ended) {
        row_spoil(input, row, quote_opened(input, input->at, at), input->cell_count,
                  "a quote is opened here and not closed");
        return first_end;
    }
    /* Lines that a stray quote joined make a row that does not fit the header. */
    bool whole =
        input->cell_count == input->column_count || (input->cell_count == input->column_count + 1 &&
                                                     input->cells[input->column_count].bytes == 0);
    if (at > first_end && input->column_count > 0 && !whole) {
        row_spoil(input, row, quote_opened(input, input->at, first_end), SIZE_MAX,
                  "a quote is opened here and closed only %zu lines below, in a row of %zu cells "
                  "where the header has %zu",
                  lines_between(input, input->at, at) - 1, input->cell_count, input->column_count);
        return first_end;
    }
    return at;
}

bool csv_row_read(struct csv_input *input, struct csv_row *row, struct proto_fault *fault)
{
    while (input->at < input->bytes.bytes) {
        size_t bytes = csv_line_bytes(input, input->at);
        if (!is_blank((struct proto_span){input->bytes.data + input->at, bytes})) {
            break;
        }
        input->at += bytes;
        input->line++;
    }
    *row = (struct csv_row){.line = input->line, .bad_name = ""};
    if (input->at >= input->bytes.bytes) {
        return false;
    }
    parser_begin(input);
    size_t end = row_parse(input, row);
    row->raw = (struct proto_span){input->bytes.data + input->at, end - input->at};
    if (input->no_memory) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, input->name, "no memory for line %zu",
                               input->line);
    }
    if (!row->bad) {
        row_finish(input, row);
        if (input->column_count > 0 && !row_fit(input, row)) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, input->name, "no memory for line %zu",
                                   input->line);
        }
        row_check(input, row);
    }
    input->line += lines_between(input, input->at, end);
    input->at = end;
    return true;
}

bool csv_next(struct csv_input *input, struct csv_row *row, struct proto_fault *fault)
{
    while (csv_row_read(input, row, fault)) {
        if (row->bad || is_filled(row, 0)) {
            return true;
        }
    }
    return false;
}

void csv_cell_place(struct csv_input *input, const struct csv_row *row, size_t cell, size_t *line,
                    size_t *column)
{
    size_t start = (size_t)(row->raw.data - input->bytes.data);
    size_t offset = cell_offset(input, row->raw, cell);
    *line = row->line + lines_between(input, start, offset);
    *column = column_of(input, offset);
}

const char *csv_row_place(const struct csv_input *input, const struct csv_row *row, char *out,
                          size_t bytes)
{
    int used = snprintf(out, bytes, "%s, line %zu", input->name, row->bad_line);
    if (row->bad_column > 0 && used > 0 && (size_t)used < bytes) {
        snprintf(out + used, bytes - (size_t)used, ", column %zu", row->bad_column);
    }
    return out;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Cells are collected as text, then written in the form that was asked for; for people through
 * out_aligned.c, into memory first, because only then is it known whether a pager is needed. */
#include "tools/cli/out/out_table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>

#include "tools/cli/out/out_json.h"
#include "tools/cli/out/out_number.h"
#include "tools/cli/out/out_text.h"

void out_table_init(struct out_table *table, const char *const *headers, size_t columns)
{
    assert(columns > 0);
    *table = (struct out_table){.headers = headers, .columns = columns};
}

void out_table_fini(struct out_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        free(table->cells[i].text);
    }
    free(table->cells);
    *table = (struct out_table){0};
}

/* Takes the text, which may be NULL for "no memory". */
static void cell_add(struct out_table *table, char *text, bool is_number)
{
    if (table->count == table->capacity && text != NULL) {
        size_t capacity = table->capacity * 2 + 64;
        struct out_cell *cells = realloc(table->cells, capacity * sizeof *cells);
        if (cells == NULL) {
            free(text);
            text = NULL;
        } else {
            table->cells = cells;
            table->capacity = capacity;
        }
    }
    if (text == NULL) {
        table->failed = true;
    } else {
        table->cells[table->count++] = (struct out_cell){text, is_number};
    }
}

__attribute__((format(printf, 3, 0))) static void
cell_format(struct out_table *table, bool is_number, const char *format, va_list list)
{
    char *text = NULL;
    if (vasprintf(&text, format, list) < 0) {
        text = NULL;
    }
    cell_add(table, text, is_number);
}

void out_cell_text(struct out_table *table, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    cell_format(table, false, format, list);
    va_end(list);
}

void out_cell_number(struct out_table *table, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    cell_format(table, true, format, list);
    va_end(list);
}

void out_cell_text_n(struct out_table *table, struct icp_text text)
{
    /* A text that is not there has no data either. */
    cell_add(table, text.bytes > 0 ? strndup(text.data, text.bytes) : strdup(""), false);
}

void out_cell_value(struct out_table *table, const struct icp_value *value)
{
    char text[512];
    bool is_number = value->kind == ICP_KIND_INT || value->kind == ICP_KIND_NUMBER;
    if (value->kind == ICP_KIND_TEXT) {
        out_cell_text_n(table, value->text); /* whole, however long */
    } else {
        cell_add(table, strdup(icp_value_print(value, text, sizeof text)), is_number);
    }
}

/* A formula begins with one of these; "-5" and "+3.2" are numbers and do no harm. */
static bool is_formula(struct proto_span cell)
{
    if (cell.bytes == 0 || memchr("=+-@\t\r", cell.data[0], 6) == NULL) {
        return false;
    }
    char text[64];
    char *end = NULL;
    if (cell.bytes < sizeof text) {
        memcpy(text, cell.data, cell.bytes);
        text[cell.bytes] = '\0';
        (void)strtod(text, &end);
        return *end != '\0';
    }
    return true;
}

void out_csv_cell(FILE *out, struct proto_span cell, char separator, bool guarded)
{
    bool guard = guarded && is_formula(cell);
    bool plain = !guard;
    for (size_t i = 0; i < cell.bytes && plain; i++) {
        plain = cell.data[i] != (uint8_t)separator && cell.data[i] != '"' && cell.data[i] != '\n' &&
                cell.data[i] != '\r';
    }
    /* Blanks at the ends would be dropped by a reader that trims. */
    if (cell.bytes > 0) {
        plain = plain && cell.data[0] != ' ' && cell.data[cell.bytes - 1] != ' ';
    }
    if (plain) {
        if (cell.bytes > 0) {
            fwrite(cell.data, 1, cell.bytes, out);
        }
        return;
    }
    fputs(guard ? "\"'" : "\"", out);
    for (size_t i = 0; i < cell.bytes; i++) {
        if (cell.data[i] == '"') {
            fputc('"', out);
        }
        fputc(cell.data[i], out);
    }
    fputc('"', out);
}

/* On a terminal even CSV must not move the cursor; in a file its bytes are kept. */
static void csv_write(const struct out_sink *sink, const char *text, bool guarded)
{
    char *clean = sink->columns > 0 ? out_clean(text) : NULL;
    out_csv_cell(sink->file, proto_span_text(clean != NULL ? clean : text), ',', guarded);
    free(clean);
}

static void csv_show(const struct out_table *table, const struct out_style *style)
{
    assert(table->columns > 0);
    for (size_t c = 0; c < table->columns; c++) {
        csv_write(&style->sink, table->headers[c], style->spreadsheet);
        fputs(c + 1 == table->columns ? "\n" : ",", style->sink.file);
    }
    for (size_t i = 0; i < table->count; i++) {
        csv_write(&style->sink, table->cells[i].text, style->spreadsheet);
        fputs((i + 1) % table->columns == 0 ? "\n" : ",", style->sink.file);
    }
}

/* Cells that are numbers were printed as such, so they read back as JSON. */
static json_t *json_cell(const struct out_cell *cell)
{
    if (!cell->is_number || cell->text[0] == '\0') {
        return cell->text[0] == '\0' && cell->is_number ? json_null() : json_string(cell->text);
    }
    json_t *number = json_loads(cell->text, JSON_DECODE_ANY, NULL);
    return number != NULL ? number : json_string(cell->text);
}

static json_t *json_rows(const struct out_table *table)
{
    json_t *rows = json_array();
    json_t *row = NULL;
    for (size_t i = 0; i < table->count; i++) {
        if (i % table->columns == 0) {
            row = json_object();
            json_array_append_new(rows, row);
        }
        json_object_set_new(row, table->headers[i % table->columns], json_cell(&table->cells[i]));
    }
    return rows;
}

/* What may reach a terminal, and numbers as people write them. */
static bool cells_prepare(struct out_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        struct out_cell *cell = &table->cells[i];
        char *text = cell->is_number ? out_grouped(cell->text) : out_clean(cell->text);
        if (text == NULL) {
            return false;
        }
        free(cell->text);
        cell->text = text;
    }
    return true;
}

static bool people_show(struct out_table *table, const struct out_style *style)
{
    struct out_sink sink = style->sink;
    char *text = NULL;
    size_t bytes = 0;
    if (!cells_prepare(table) || (sink.file = open_memstream(&text, &bytes)) == NULL) {
        return false;
    }
    bool written = out_aligned_write(table, style, &sink);
    written &= fclose(sink.file) == 0;
    if (written && style->page) {
        out_page(&style->sink, text, bytes);
    } else if (written) {
        fwrite(text, 1, bytes, style->sink.file);
    }
    free(text);
    return written;
}

bool out_table_show(struct out_table *table, const struct out_style *style)
{
    bool shown = !table->failed;
    if (shown && style->form == OUT_JSON) {
        shown = out_json_write(style->sink.file, json_rows(table));
    } else if (shown && style->form == OUT_CSV) {
        csv_show(table, style);
    } else if (shown) {
        shown = people_show(table, style);
    }
    out_table_fini(table);
    return shown;
}

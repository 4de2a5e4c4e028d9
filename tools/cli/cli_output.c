/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cli/cli_output.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void table_init(struct table *table, const char *const *headers, size_t columns)
{
    assert(columns > 0);
    *table = (struct table){.headers = headers, .columns = columns};
}

void table_fini(struct table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i].text);
    free(table->cells);
    *table = (struct table){0};
}

/* Takes the text, which may be NULL for "no memory". */
static void cell_add(struct table *table, char *text, bool is_number)
{
    if (table->count == table->capacity && text != NULL) {
        size_t capacity = table->capacity * 2 + 64;
        struct table_cell *cells = realloc(table->cells, capacity * sizeof *cells);
        if (cells == NULL) {
            free(text);
            text = NULL;
        } else {
            table->cells = cells;
            table->capacity = capacity;
        }
    }
    if (text == NULL)
        table->failed = true;
    else
        table->cells[table->count++] = (struct table_cell){text, is_number};
}

void table_text(struct table *table, const char *format, ...)
{
    char *text = NULL;
    va_list list;
    va_start(list, format);
    if (vasprintf(&text, format, list) < 0)
        text = NULL;
    va_end(list);
    cell_add(table, text, false);
}

void table_number(struct table *table, const char *format, ...)
{
    char *text = NULL;
    va_list list;
    va_start(list, format);
    if (vasprintf(&text, format, list) < 0)
        text = NULL;
    va_end(list);
    cell_add(table, text, true);
}

void table_text_n(struct table *table, struct icp_text text)
{
    cell_add(table, strndup(text.data, text.bytes), false);
}

void table_value(struct table *table, const struct icp_value *value)
{
    char text[512];
    bool is_number = value->kind == ICP_KIND_INT || value->kind == ICP_KIND_NUMBER;
    cell_add(table, strdup(icp_value_print(value, text, sizeof text)), is_number);
}

size_t text_width(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void print_cell(FILE *out, const char *text, size_t width, bool right, bool last)
{
    size_t own = text_width(text);
    int blanks = width > own ? (int)(width - own) : 0;
    if (right)
        fprintf(out, "%*s%s", blanks, "", text);
    else
        fprintf(out, "%s%*s", text, last ? 0 : blanks, "");
    fputs(last ? "\n" : "  ", out);
}

static void print_aligned(const struct table *table, FILE *out)
{
    size_t widths[64] = {0};
    bool right[64] = {false};
    size_t columns = table->columns < 64 ? table->columns : 64;
    for (size_t c = 0; c < columns; c++) {
        widths[c] = text_width(table->headers[c]);
        right[c] = table->count > 0;
        for (size_t i = c; i < table->count; i += table->columns) {
            size_t width = text_width(table->cells[i].text);
            widths[c] = width > widths[c] ? width : widths[c];
            right[c] &= table->cells[i].is_number || table->cells[i].text[0] == '\0';
        }
    }
    for (size_t c = 0; c < columns; c++)
        print_cell(out, table->headers[c], widths[c], right[c], c + 1 == columns);
    for (size_t i = 0; i + columns <= table->count; i += columns) {
        for (size_t c = 0; c < columns; c++)
            print_cell(out, table->cells[i + c].text, widths[c], right[c], c + 1 == columns);
    }
}

void csv_write_cell(FILE *out, struct proto_span cell, char separator)
{
    bool plain = true;
    for (size_t i = 0; i < cell.bytes && plain; i++)
        plain = cell.data[i] != (uint8_t)separator && cell.data[i] != '"' && cell.data[i] != '\n' &&
                cell.data[i] != '\r';
    /* Blanks at the ends would be dropped by a reader that trims. */
    if (cell.bytes > 0)
        plain = plain && cell.data[0] != ' ' && cell.data[cell.bytes - 1] != ' ';
    if (plain) {
        if (cell.bytes > 0)
            fwrite(cell.data, 1, cell.bytes, out);
        return;
    }
    fputc('"', out);
    for (size_t i = 0; i < cell.bytes; i++) {
        if (cell.data[i] == '"')
            fputc('"', out);
        fputc(cell.data[i], out);
    }
    fputc('"', out);
}

static void print_csv(const struct table *table, FILE *out)
{
    assert(table->columns > 0);
    for (size_t c = 0; c < table->columns; c++) {
        csv_write_cell(out, proto_span_text(table->headers[c]), ',');
        fputs(c + 1 == table->columns ? "\n" : ",", out);
    }
    for (size_t i = 0; i < table->count; i++) {
        csv_write_cell(out, proto_span_text(table->cells[i].text), ',');
        fputs((i + 1) % table->columns == 0 ? "\n" : ",", out);
    }
}

/* Cells that are numbers were printed as such, so they read back as JSON. */
static json_t *json_cell(const struct table_cell *cell)
{
    if (!cell->is_number || cell->text[0] == '\0')
        return cell->text[0] == '\0' && cell->is_number ? json_null() : json_string(cell->text);
    json_t *number = json_loads(cell->text, JSON_DECODE_ANY, NULL);
    return number != NULL ? number : json_string(cell->text);
}

static json_t *json_rows(const struct table *table)
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

int table_print(struct table *table, const struct cli *cli, FILE *out)
{
    int status = EX_OK;
    if (table->failed)
        status = cli_fail(cli, EX_OSERR, "no memory for the result");
    else if (cli->form == CLI_JSON)
        status = json_print(cli, json_rows(table));
    else if (cli->form == CLI_CSV)
        print_csv(table, out);
    else
        print_aligned(table, out);
    table_fini(table);
    return status;
}

json_t *json_of(const struct icp_value *value)
{
    struct icp_walk walk = icp_walk_over(value);
    struct icp_value element;
    struct icp_text key;
    json_t *json = NULL;
    switch (value->kind) {
    case ICP_KIND_NIL:
    case ICP_KIND_BYTES:
        return json_null();
    case ICP_KIND_FLAG:
        return json_boolean(value->flag);
    case ICP_KIND_INT:
        return json_integer(value->integer);
    case ICP_KIND_NUMBER:
        return json_real(value->number);
    case ICP_KIND_TEXT:
        return json_stringn(value->text.data, value->text.bytes);
    case ICP_KIND_LIST:
        for (json = json_array(); icp_next(&walk, NULL, &element);)
            json_array_append_new(json, json_of(&element));
        return json;
    case ICP_KIND_MAP:
        for (json = json_object(); icp_next(&walk, &key, &element);) {
            json_t *parsed = NULL;
            bool is_document = (key.bytes == 8 && (memcmp(key.data, "document", 8) == 0 ||
                                                   memcmp(key.data, "evidence", 8) == 0));
            if (is_document && element.kind == ICP_KIND_TEXT)
                parsed = json_loadb(element.text.data, element.text.bytes, 0, NULL);
            json_object_setn_new(json, key.data, key.bytes,
                                 parsed != NULL ? parsed : json_of(&element));
        }
        return json;
    }
    return NULL;
}

int json_print(const struct cli *cli, json_t *json)
{
    if (json == NULL || json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY) != 0)
        return cli_fail(cli, EX_OSERR, "cannot write the result as JSON");
    fputc('\n', stdout);
    json_decref(json);
    return EX_OK;
}

int json_print_reply(const struct cli *cli, const struct icp_reply *reply)
{
    struct icp_value value = icp_reply_value(reply);
    return json_print(cli, json_of(&value));
}

const char *time_text(int64_t time_ms, char text[24])
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm parts;
    text[0] = '\0';
    if (time_ms != 0 && gmtime_r(&seconds, &parts) != NULL)
        strftime(text, 24, "%Y-%m-%d %H:%M", &parts);
    return text;
}

void progress_draw(struct progress *progress, double done, const char *text)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (!isatty(STDERR_FILENO) || now_ms - progress->drawn_ms < 100)
        return;
    int filled = (int)(done * 30);
    fprintf(stderr, "\r\033[K[%.*s%*s] %3.0f %% %s", filled, "##############################",
            30 - filled, "", done * 100, text);
    progress->shown = true;
    progress->drawn_ms = now_ms;
}

void progress_end(struct progress *progress)
{
    if (progress->shown)
        fprintf(stderr, "\r\033[K");
    progress->shown = false;
}

int file_begin(const struct cli *cli, const char *path, struct output_file *output)
{
    *output = (struct output_file){0};
    if (strcmp(path, "-") == 0) {
        output->file = stdout;
        return EX_OK;
    }
    struct stat info;
    output->path = strdup(path);
    /* A device such as /dev/null must not be replaced by a file. */
    bool is_plain = stat(path, &info) != 0 || S_ISREG(info.st_mode);
    if (is_plain && asprintf(&output->temporary, "%s.%d.part", path, (int)getpid()) < 0)
        output->temporary = NULL;
    if (output->path == NULL || (is_plain && output->temporary == NULL)) {
        file_abandon(output);
        return cli_fail(cli, EX_OSERR, "no memory");
    }
    output->file = fopen(is_plain ? output->temporary : path, "we");
    if (output->file != NULL)
        return EX_OK;
    int error = errno;
    file_abandon(output);
    return cli_fail(cli, EX_CANTCREAT, "cannot write %s: %s", path, strerror(error));
}

int file_commit(const struct cli *cli, struct output_file *output)
{
    if (output->path == NULL) {
        output->file = NULL;
        return EX_OK;
    }
    bool written = ferror(output->file) == 0;
    errno = 0;
    written &= fclose(output->file) == 0;
    output->file = NULL;
    int status = EX_OK;
    if (!written || (output->temporary != NULL && rename(output->temporary, output->path) != 0))
        status = cli_fail(cli, EX_IOERR, "cannot write %s: %s", output->path, strerror(errno));
    else
        free(output->temporary), output->temporary = NULL;
    file_abandon(output);
    return status;
}

void file_abandon(struct output_file *output)
{
    if (output->file != NULL && output->path != NULL)
        fclose(output->file);
    if (output->temporary != NULL)
        unlink(output->temporary);
    free(output->temporary);
    free(output->path);
    *output = (struct output_file){0};
}

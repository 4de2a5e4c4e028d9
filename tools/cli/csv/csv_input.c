/* SPDX-License-Identifier: Apache-2.0 */
/* A file is opened, its mark, separator and header are found, and then its columns have names. */
#include "tools/cli/csv/csv_parts.h"

#include <assert.h>
#include <stdlib.h>

#include "server/feature/span_text.h"

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
            (struct proto_span){input->bytes.data + input->at, csv_line_bytes(input, input->at)});
    char place[CSV_PLACE_BYTES];
    struct csv_row row;
    if (!csv_row_read(input, &row, fault))
        return fault->code != PROTO_OK ||
               proto_fault_set(fault, PROTO_BAD_PAYLOAD, input->name,
                               "%s is empty; its first line must name the columns", input->name);
    if (row.bad)
        return proto_fault_set(fault, PROTO_BAD_PAYLOAD, input->name, "%s: %s",
                               csv_row_place(input, &row, place, sizeof place), row.message);
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
    uint8_t *data = csv_file_read(path, CSV_FILE_BYTES_MAX, &bytes, fault);
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

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/system/learn/csv_table.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static char *file_read(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    char *text = NULL;
    long bytes = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    if (bytes >= 0 && fseek(file, 0, SEEK_SET) == 0) {
        text = calloc((size_t)bytes + 2, 1);
        if (text != NULL && fread(text, 1, (size_t)bytes, file) != (size_t)bytes) {
            free(text);
            text = NULL;
        }
    }
    (void)fclose(file);
    return text;
}

/* Ends the cell at *at with a zero byte, quotes undone; *at moves behind it. Returns what ended it.
 */
static char cell_take(char **at)
{
    char *in = *at;
    char *out = *at;
    bool quoted = *in == '"';
    in += quoted;
    while (*in != '\0') {
        if (quoted && *in == '"' && in[1] == '"') {
            in++;
        } else if (quoted && *in == '"') {
            quoted = false;
            in++;
            continue;
        } else if (!quoted && (*in == ',' || *in == '\n' || *in == '\r')) {
            break;
        }
        *out++ = *in++;
    }
    char end = *in == '\r' ? '\n' : *in;
    *at = in + (*in != '\0') + (*in == '\r' && in[1] == '\n');
    *out = '\0';
    return end;
}

static bool cells_split(struct csv_table *table, size_t rows_max)
{
    char *at = table->text;
    size_t capacity = 0;
    size_t count = 0;
    at += strncmp(at, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    while (*at != '\0' && (table->columns == 0 || count / table->columns <= rows_max)) {
        if (count == capacity) {
            capacity = capacity == 0 ? 1024 : capacity * 2;
            char **wider = realloc(table->cells, capacity * sizeof *wider);
            if (wider == NULL) {
                return false;
            }
            table->cells = wider;
        }
        table->cells[count++] = at;
        char end = cell_take(&at);
        if (end == '\n' && table->columns == 0) {
            table->columns = count;
        }
    }
    table->rows = table->columns == 0 ? 0 : count / table->columns - 1;
    return table->columns > 0;
}

static bool is_missing(const char *cell)
{
    return *cell == '\0' || strcmp(cell, "Select") == 0;
}

static const char *column_type(const struct csv_table *table, size_t column)
{
    for (size_t r = 1; r <= table->rows; r++) {
        const char *cell = table->cells[r * table->columns + column];
        char *end;
        if (is_missing(cell)) {
            continue;
        }
        (void)strtod(cell, &end);
        if (*end != '\0') {
            return "category";
        }
    }
    return "number";
}

static bool schema_make(struct csv_table *table, struct proto_fault *fault)
{
    json_t *fields = json_array();
    for (size_t c = 0; c < table->columns; c++) {
        json_array_append_new(fields, json_pack("{s:s, s:s, s:s}", "name", table->cells[c], "type",
                                                column_type(table, c), "family", "firmographic"));
    }
    json_t *schema = json_pack("{s:o, s:[s,s]}", "fields", fields, "missing", "", "Select");
    char *text = json_dumps(schema, 0);
    json_decref(schema);
    table->schema =
        text == NULL ? NULL : feature_schema_parse(proto_span_text(text), 1, NULL, fault);
    free(text);
    return table->schema != NULL;
}

static bool values_make(struct csv_table *table, struct proto_fault *fault)
{
    table->values = calloc(table->rows * table->columns + 1, sizeof *table->values);
    for (size_t i = 0; table->values != NULL && i < table->rows * table->columns; i++) {
        const struct feature_field *field = &table->schema->fields[i % table->columns];
        struct proto_span text = proto_span_text(table->cells[i + table->columns]);
        if (!feature_value_from_text(table->schema, field, text, NULL, 0, &table->values[i],
                                     fault)) {
            return false;
        }
    }
    return table->values != NULL;
}

struct csv_table *csv_table_read(const char *path, size_t rows_max, struct proto_fault *fault)
{
    struct csv_table *table = calloc(1, sizeof *table);
    if (table == NULL) {
        return NULL;
    }
    table->text = file_read(path);
    proto_fault_set(fault, PROTO_IO, "", "%s cannot be read as CSV", path);
    if (table->text == NULL || !cells_split(table, rows_max) || !schema_make(table, fault) ||
        !values_make(table, fault)) {
        csv_table_destroy(table);
        return NULL;
    }
    return table;
}

void csv_table_destroy(struct csv_table *table)
{
    if (table != NULL) {
        feature_schema_release(table->schema);
        free(table->values);
        free(table->cells);
        free(table->text);
        free(table);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Columns are matched to fields once; then each row is read cell by cell into typed values. */
#include "tools/cli/csv/csv_account.h"

#include <stdlib.h>

#include "server/feature/date_text.h"
#include "server/feature/span_text.h"
#include "tools/cli/csv/csv_form.h"
#include "tools/cli/csv/infer.h"

/* How a column is written, counted over its cells. */
struct column_votes {
    struct csv_votes numbers;
    struct csv_date_votes dates;
};

static void row_vote(const struct csv_map *map, const struct csv_row *row,
                     struct column_votes *votes)
{
    for (size_t i = 0; !row->bad && i < row->cell_count; i++) {
        const struct feature_field *field = map->columns[i].field;
        if (field != NULL && field->type == FEATURE_NUMBER) {
            (void)csv_form_vote(&votes[i].numbers, row->cells[i], 1, row->line);
        } else if (field != NULL && field->type == FEATURE_DATE) {
            (void)csv_date_vote(&votes[i].dates, row->cells[i], 1, row->line);
        }
    }
}

static void forms_decide(struct csv_map *map, const struct csv_input *input,
                         const struct column_votes *votes)
{
    struct column_votes file = {0};
    enum csv_decimal decimal = csv_decimal_told(input);
    enum csv_day_order dates = csv_dates_told(input);
    for (size_t i = 0; i < map->column_count; i++) {
        csv_form_join(&file.numbers, &votes[i].numbers);
        csv_date_join(&file.dates, &votes[i].dates);
    }
    for (size_t i = 0; i < map->column_count; i++) {
        map->columns[i].decimal =
            decimal != CSV_DECIMAL_ANY
                ? decimal
                : csv_form_decide(&votes[i].numbers, &file.numbers, csv_separator(input));
        map->columns[i].dates =
            dates != CSV_DAY_OPEN ? dates : csv_date_decide(&votes[i].dates, &file.dates);
    }
}

/* The decimal sign of each column of numbers and the order of each of dates: as told, else by what
 * its cells look like. */
static bool forms_find(struct csv_map *map, struct csv_input *input)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct csv_row row;
    struct column_votes *votes = calloc(map->column_count, sizeof *votes);
    while (votes != NULL && csv_next(input, &row, &fault)) {
        row_vote(map, &row, votes);
    }
    csv_rewind(input);
    if (votes != NULL) {
        forms_decide(map, input, votes);
    }
    bool found = votes != NULL && fault.code == PROTO_OK;
    free(votes);
    return found;
}

/* A column is a field by its exact name; else by the name in other case, if no column has it
 * exactly. */
static const struct feature_field *field_of(const struct feature_schema *schema,
                                            const struct csv_input *input, size_t column)
{
    struct proto_span name = proto_span_text(csv_column(input, column));
    const struct feature_field *field = feature_schema_find(schema, name);
    if (field != NULL || name.bytes == 0) {
        return field;
    }
    field = feature_schema_find_any_case(schema, name);
    /* The first of those in other case is found, unless there is one that fits. */
    return field != NULL && csv_column_find(input, field->name) == column ? field : NULL;
}

bool csv_map_init(struct csv_map *map, const struct feature_schema *schema, struct csv_input *input)
{
    *map = (struct csv_map){.schema = schema, .column_count = csv_column_count(input)};
    map->columns = calloc(map->column_count, sizeof *map->columns);
    map->values = calloc(schema->id_count > 0 ? schema->id_count : 1, sizeof *map->values);
    if (map->columns == NULL || map->values == NULL) {
        csv_map_fini(map);
        return false;
    }
    for (size_t i = 0; i < map->column_count; i++) {
        map->columns[i].field = field_of(schema, input, i);
        map->field_count += map->columns[i].field != NULL;
    }
    if (forms_find(map, input)) {
        return true;
    }
    csv_map_fini(map);
    return false;
}

void csv_map_fini(struct csv_map *map)
{
    free(map->columns);
    free(map->values);
    free(map->scratch);
    *map = (struct csv_map){0};
}

size_t csv_map_absent(const struct csv_map *map, const struct feature_field **fields, size_t most)
{
    size_t absent = 0;
    for (size_t f = 0; f < map->schema->field_count; f++) {
        bool found = false;
        for (size_t i = 0; i < map->column_count && !found; i++) {
            found = map->columns[i].field == &map->schema->fields[f];
        }
        if (!found && absent < most) {
            fields[absent] = &map->schema->fields[f];
        }
        absent += !found;
    }
    return absent;
}

/* Packed tags, vectors and numbers with another decimal sign stand side by side in the scratch. */
static size_t scratch_need(const struct csv_map *map, size_t column, const struct csv_row *row)
{
    const struct feature_field *field = map->columns[column].field;
    if (field == NULL) {
        return 0;
    }
    if (field->type == FEATURE_TAGS) {
        return FEATURE_SCRATCH_BYTES(row->cells[column].bytes);
    }
    if (field->type == FEATURE_NUMBER && map->columns[column].decimal == CSV_DECIMAL_COMMA) {
        return row->cells[column].bytes;
    }
    return field->type == FEATURE_VECTOR ? (size_t)field->dims * sizeof(float) : 0;
}

static bool scratch_reserve(struct csv_map *map, const struct csv_row *row)
{
    size_t need = 0;
    for (size_t i = 0; i < row->cell_count; i++) {
        need += scratch_need(map, i, row);
    }
    if (need <= map->scratch_bytes) {
        return true;
    }
    uint8_t *scratch = realloc(map->scratch, need * 2);
    if (scratch == NULL) {
        return false;
    }
    map->scratch = scratch;
    map->scratch_bytes = need * 2;
    return true;
}

/* A date in a form of its column is put into words that every reader of values knows. */
static bool date_read(const struct csv_map *map, size_t column, struct proto_span *cell,
                      char text[FEATURE_DATE_TEXT_BYTES], struct proto_fault *fault)
{
    int64_t ms = 0;
    char shown[FEATURE_SHOWN_BYTES];
    const struct feature_field *field = map->columns[column].field;
    switch (csv_date_read(map->columns[column].dates, *cell, &ms)) {
    case CSV_DATE_EITHER:
        return feature_is_missing_word(map->schema, field, feature_text_trim(*cell)) ||
               proto_fault_set(fault, PROTO_BAD_FIELD, field->name,
                               "'%s' could be two dates, and nothing in the file says which; "
                               "--dates dmy or mdy does",
                               feature_text_show(*cell, shown, sizeof shown));
    case CSV_DATE_READ:
        if (!feature_is_missing_word(map->schema, field, feature_text_trim(*cell))) {
            *cell = (struct proto_span){(uint8_t *)text, feature_date_print(ms, text)};
        }
        return true;
    case CSV_DATE_NONE:
        break;
    }
    return true; /* refused, or missing, in the words of the field */
}

static bool cell_read(struct csv_map *map, const struct csv_row *row, size_t column,
                      uint8_t *scratch, size_t need, struct proto_fault *fault)
{
    const struct feature_field *field = map->columns[column].field;
    struct proto_span cell = row->cells[column];
    if (field->type == FEATURE_NUMBER && need > 0) {
        cell = csv_form_plain(map->columns[column].decimal, cell, scratch);
    }
    char date[FEATURE_DATE_TEXT_BYTES];
    if (field->type == FEATURE_DATE && !date_read(map, column, &cell, date, fault)) {
        return false;
    }
    return feature_value_from_text(map->schema, field, cell, scratch, need, &map->values[field->id],
                                   fault);
}

bool csv_map_read(struct csv_map *map, const struct csv_row *row, csv_on_bad on_bad, void *context)
{
    memset(map->values, 0, map->schema->id_count * sizeof *map->values);
    if (!scratch_reserve(map, row)) {
        return false;
    }
    uint8_t *scratch = map->scratch;
    for (size_t i = 0; i < row->cell_count && i < map->column_count; i++) {
        struct csv_cell_fault fault = {.column = i, .fault.code = PROTO_OK};
        size_t need = scratch_need(map, i, row);
        if (map->columns[i].field == NULL) {
            continue;
        }
        if (!cell_read(map, row, i, scratch, need, &fault.fault)) {
            map->values[map->columns[i].field->id] = (struct feature_value){0};
            on_bad(context, row, &fault);
        }
        if (need > 0) {
            scratch += need;
        }
    }
    return true;
}

static void tags_write(struct icp_payload *payload, const char *name, struct proto_span tags)
{
    struct proto_span tag;
    size_t at = 0;
    icp_payload_list_begin(payload, name);
    while (feature_tags_next(tags, &at, &tag)) {
        icp_payload_text_n(payload, NULL, (struct icp_text){(const char *)tag.data, tag.bytes});
    }
    icp_payload_list_end(payload);
}

void csv_value_write(const struct feature_field *field, const struct feature_value *value,
                     struct icp_payload *payload)
{
    switch (field->type) {
    case FEATURE_NUMBER:
        icp_payload_number(payload, field->name, value->number);
        break;
    case FEATURE_DATE: {
        char text[FEATURE_DATE_TEXT_BYTES];
        (void)feature_date_print((int64_t)value->number, text);
        icp_payload_text(payload, field->name, text);
        break;
    }
    case FEATURE_FLAG:
        icp_payload_flag(payload, field->name, value->flag);
        break;
    case FEATURE_CATEGORY:
        icp_payload_text_n(payload, field->name,
                           (struct icp_text){(const char *)value->text.data, value->text.bytes});
        break;
    case FEATURE_TAGS:
        tags_write(payload, field->name, value->tags);
        break;
    case FEATURE_VECTOR:
        icp_payload_bytes(payload, field->name, value->vector.data, value->vector.bytes);
        break;
    }
}

void csv_map_write(const struct csv_map *map, struct icp_payload *payload)
{
    for (size_t i = 0; i < map->column_count; i++) {
        const struct feature_field *field = map->columns[i].field;
        if (field != NULL && map->values[field->id].present) {
            csv_value_write(field, &map->values[field->id], payload);
        }
    }
}

static bool columns_infer(struct csv_input *input, struct infer *infer, struct proto_fault *fault)
{
    struct proto_fault found = {.code = PROTO_OK};
    struct csv_row row;
    while (csv_next(input, &row, &found)) {
        if (!row.bad) {
            infer_row(infer, row.line, row.cells, row.cell_count);
        }
    }
    csv_rewind(input);
    if (found.code != PROTO_OK) {
        *fault = found;
        return false;
    }
    infer->keep_all = true;
    infer->separator = csv_separator(input);
    infer->decimal = csv_decimal_told(input);
    infer->dates = csv_dates_told(input);
    infer_decide(infer);
    return !infer->failed ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %s", csv_name(input));
}

struct feature_schema *csv_schema_infer(struct csv_input *input, struct proto_fault *fault)
{
    struct infer infer = {0};
    struct feature_schema *schema = NULL;
    size_t columns = csv_column_count(input);
    const char **names = calloc(columns, sizeof *names);
    for (size_t i = 0; names != NULL && i < columns; i++) {
        names[i] = csv_column(input, i);
    }
    if (names == NULL || !infer_init(&infer, names, columns)) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %s", csv_name(input));
    } else if (columns_infer(input, &infer, fault)) {
        json_t *json = infer_schema(&infer);
        char *text = json_dumps(json, 0);
        if (text != NULL) {
            schema = feature_schema_parse(proto_span_text(text), 1, NULL, fault);
        } else {
            proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %s", csv_name(input));
        }
        free(text);
        json_decref(json);
    }
    infer_fini(&infer);
    free(names);
    return schema;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Columns are matched to fields once; then each row is read cell by cell into typed values. */
#include "tools/cli/csv/csv_account.h"

#include <stdlib.h>

#include "tools/cli/csv/infer.h"

bool csv_map_init(struct csv_map *map, const struct feature_schema *schema,
                  const struct csv_input *input)
{
    *map = (struct csv_map){.schema = schema, .column_count = csv_column_count(input)};
    map->columns = calloc(map->column_count, sizeof *map->columns);
    map->values = calloc(schema->id_count > 0 ? schema->id_count : 1, sizeof *map->values);
    if (map->columns == NULL || map->values == NULL) {
        csv_map_fini(map);
        return false;
    }
    for (size_t i = 0; i < map->column_count; i++) {
        map->columns[i].field = feature_schema_find(schema, proto_span_text(csv_column(input, i)));
        map->field_count += map->columns[i].field != NULL;
    }
    return true;
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
        for (size_t i = 0; i < map->column_count && !found; i++)
            found = map->columns[i].field == &map->schema->fields[f];
        if (!found && absent < most)
            fields[absent] = &map->schema->fields[f];
        absent += !found;
    }
    return absent;
}

/* Packed tags and vectors of one row stand side by side in the scratch. */
static size_t scratch_need(const struct csv_map *map, size_t column, const struct csv_row *row)
{
    const struct feature_field *field = map->columns[column].field;
    if (field == NULL)
        return 0;
    if (field->type == FEATURE_TAGS)
        return FEATURE_SCRATCH_BYTES(row->cells[column].bytes);
    return field->type == FEATURE_VECTOR ? (size_t)field->dims * sizeof(float) : 0;
}

static bool scratch_reserve(struct csv_map *map, const struct csv_row *row)
{
    size_t need = 0;
    for (size_t i = 0; i < row->cell_count; i++)
        need += scratch_need(map, i, row);
    if (need <= map->scratch_bytes)
        return true;
    uint8_t *scratch = realloc(map->scratch, need * 2);
    if (scratch == NULL)
        return false;
    map->scratch = scratch;
    map->scratch_bytes = need * 2;
    return true;
}

bool csv_map_read(struct csv_map *map, const struct csv_row *row, struct csv_cell_fault *fault)
{
    memset(map->values, 0, map->schema->id_count * sizeof *map->values);
    *fault = (struct csv_cell_fault){.column = SIZE_MAX};
    if (!scratch_reserve(map, row))
        return proto_fault_set(&fault->fault, PROTO_NO_MEMORY, "", "no memory for line %zu",
                               row->line);
    uint8_t *scratch = map->scratch;
    for (size_t i = 0; i < row->cell_count && i < map->column_count; i++) {
        const struct feature_field *field = map->columns[i].field;
        size_t need = scratch_need(map, i, row);
        if (field == NULL)
            continue;
        if (!feature_value_from_text(map->schema, field, row->cells[i], scratch, need,
                                     &map->values[field->id], &fault->fault)) {
            fault->column = i;
            return false;
        }
        if (need > 0)
            scratch += need;
    }
    return true;
}

static void tags_write(struct icp_payload *payload, const char *name, struct proto_span tags)
{
    struct proto_span tag;
    size_t at = 0;
    icp_payload_list_begin(payload, name);
    while (feature_tags_next(tags, &at, &tag))
        icp_payload_text_n(payload, NULL, (struct icp_text){(const char *)tag.data, tag.bytes});
    icp_payload_list_end(payload);
}

void csv_map_write(const struct csv_map *map, struct icp_payload *payload)
{
    for (size_t i = 0; i < map->column_count; i++) {
        const struct feature_field *field = map->columns[i].field;
        if (field == NULL || !map->values[field->id].present)
            continue;
        const struct feature_value *value = &map->values[field->id];
        switch (field->type) {
        case FEATURE_NUMBER:
            icp_payload_number(payload, field->name, value->number);
            break;
        case FEATURE_FLAG:
            icp_payload_flag(payload, field->name, value->flag);
            break;
        case FEATURE_CATEGORY:
            icp_payload_text_n(
                payload, field->name,
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
}

static bool columns_infer(struct csv_input *input, struct infer *infer, struct proto_fault *fault)
{
    struct proto_fault found = {.code = PROTO_OK};
    struct csv_row row;
    while (csv_next(input, &row, &found)) {
        if (!row.bad)
            infer_row(infer, row.line, row.cells, row.cell_count);
    }
    csv_rewind(input);
    if (found.code != PROTO_OK) {
        *fault = found;
        return false;
    }
    infer->keep_all = true;
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
    for (size_t i = 0; names != NULL && i < columns; i++)
        names[i] = csv_column(input, i);
    if (names == NULL || !infer_init(&infer, names, columns)) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %s", csv_name(input));
    } else if (columns_infer(input, &infer, fault)) {
        json_t *json = infer_schema(&infer);
        char *text = json_dumps(json, 0);
        if (text != NULL)
            schema = feature_schema_parse(proto_span_text(text), 1, NULL, fault);
        else
            proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %s", csv_name(input));
        free(text);
        json_decref(json);
    }
    infer_fini(&infer);
    free(names);
    return schema;
}

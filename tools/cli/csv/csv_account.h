/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a CSV file as values by a schema: which column is which field, and cells read to typed
 * values. A cell that cannot be read costs its value, not the row. Ownership: borrows schema and
 * input; values point into the row's cells and the map's scratch and die with the next row. Errors:
 * bad cells by a callback. Threads: one. */
#ifndef CLI_CSV_ACCOUNT_H
#define CLI_CSV_ACCOUNT_H

#include "client/icp.h"
#include "server/feature/schema.h"
#include "tools/cli/csv/csv_input.h"

struct csv_map {
    const struct feature_schema *schema;
    struct csv_map_column {
        const struct feature_field *field; /* NULL: the column is no field */
        enum csv_decimal decimal;          /* of a column of numbers */
        enum csv_day_order dates;          /* of a column of dates */
    } * columns;
    size_t column_count;
    size_t field_count;           /* columns that are fields */
    struct feature_value *values; /* by field id, schema->id_count of them */
    uint8_t *scratch;
    size_t scratch_bytes;
};

struct csv_cell_fault {
    size_t column;
    struct proto_fault fault;
};

/* False: no memory. A column is a field if its name is the field's,
 * in other case too if no other column has it. Reads the file once, to see
 * how its numbers and dates are written, and rewinds it. */
bool csv_map_init(struct csv_map *map, const struct feature_schema *schema,
                  struct csv_input *input);
void csv_map_fini(struct csv_map *map);
/* Fields of the schema that no column has, by position; returns their number. */
size_t csv_map_absent(const struct csv_map *map, const struct feature_field **fields, size_t most);
/* Reads all cells of a row into map->values; on_bad is told of each that cannot be read, whose
 * value is missing then. False: no memory. */
typedef void (*csv_on_bad)(void *context, const struct csv_row *row,
                           const struct csv_cell_fault *fault);
bool csv_map_read(struct csv_map *map, const struct csv_row *row, csv_on_bad on_bad, void *context);
/* Writes the values that are present into a payload's open map. */
void csv_map_write(const struct csv_map *map, struct icp_payload *payload);
/* One value that is present. */
void csv_value_write(const struct feature_field *field, const struct feature_value *value,
                     struct icp_payload *payload);

/* A schema that infers every column of a file as a field, for labels; reads the file once and
 * rewinds it. NULL with *fault. */
struct feature_schema *csv_schema_infer(struct csv_input *input, struct proto_fault *fault);

#endif

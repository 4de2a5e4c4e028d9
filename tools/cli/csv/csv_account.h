/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a CSV file as values by a schema: which column is which field, and cells read to typed
 * values. Ownership: borrows schema and input; values point into the row's cells and the map's
 * scratch and die with the next row. Errors: false with the cell at fault. Threads: one. */
#ifndef CLI_CSV_ACCOUNT_H
#define CLI_CSV_ACCOUNT_H

#include "client/icp.h"
#include "server/feature/schema.h"
#include "tools/cli/csv/csv_input.h"

struct csv_map {
    const struct feature_schema *schema;
    struct csv_map_column {
        const struct feature_field *field; /* NULL: the column is no field */
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

/* False: no memory. A column is a field if its name is the field's. */
bool csv_map_init(struct csv_map *map, const struct feature_schema *schema,
                  const struct csv_input *input);
void csv_map_fini(struct csv_map *map);
/* Fields of the schema that no column has, by position; returns their number. */
size_t csv_map_absent(const struct csv_map *map, const struct feature_field **fields, size_t most);
/* Reads all cells of a row into map->values. */
bool csv_map_read(struct csv_map *map, const struct csv_row *row, struct csv_cell_fault *fault);
/* Writes the values that are present into a payload's open map. */
void csv_map_write(const struct csv_map *map, struct icp_payload *payload);

/* A schema that infers every column of a file as a field, for labels; reads the file once and
 * rewinds it. NULL with *fault. */
struct feature_schema *csv_schema_infer(struct csv_input *input, struct proto_fault *fault);

#endif

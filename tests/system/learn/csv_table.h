/* SPDX-License-Identifier: Apache-2.0 */
/* A CSV file (RFC 4180, first line the names) as values in memory, with a schema made from it.
 * Ownership: csv_table_destroy frees all. Threads: immutable once read. For tests. */
#ifndef CSV_TABLE_H
#define CSV_TABLE_H

#include "server/feature/schema.h"

struct csv_table {
    struct feature_schema *schema; /* field id = column */
    size_t rows, columns;
    struct feature_value *values; /* row · columns + column */
    char *text;                   /* the file, cells zero-terminated in place */
    char **cells;
};

struct csv_table *csv_table_read(const char *path, size_t rows_max, struct proto_fault *fault);
void csv_table_destroy(struct csv_table *table); /* NULL is fine */

#endif

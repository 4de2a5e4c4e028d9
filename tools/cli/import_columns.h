/* SPDX-License-Identifier: Apache-2.0 */
/* Which column of a file is the id, which are keys, which of these find accounts, and which field
 * each other one is: by the options, a mapping file, the schema and the names of the columns, in
 * that order. A mapping file is a JSON document (`icp schema infer --map` writes one):
 *   { "id": "Account ID", "keys": { "domain": "Website" }, "columns": { "Staff": "employees" } }
 * where a column that is "" is not read. Ownership: borrows everything; names of columns become
 * those of their fields in the input. Errors: exit statuses, messages printed. Threads: one. */
#ifndef CLI_IMPORT_COLUMNS_H
#define CLI_IMPORT_COLUMNS_H

#include "server/feature/schema.h"
#include "tools/cli/cli.h"
#include "tools/cli/csv/csv_account.h"
#include "tools/cli/csv/key_column.h"

/* Keys of one account that come from columns; more is a slip. */
#define KEY_COLUMNS_MAX 16

struct import_columns {
    size_t id; /* SIZE_MAX: none, accounts are found by keys */
    struct key_column keys[KEY_COLUMNS_MAX];
    size_t key_count;
    uint32_t match; /* bit k: key k finds the account */
};

int import_columns_find(const struct cli *cli, struct csv_input *input,
                        const struct feature_schema *schema, struct import_columns *columns);
/* Says which fields have no column. One line, however many: files of a part of the fields are
 * common. */
void import_columns_absent(const struct cli *cli, const struct csv_input *input,
                           const struct csv_map *map, bool replace);

#endif

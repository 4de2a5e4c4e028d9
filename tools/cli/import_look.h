/* SPDX-License-Identifier: Apache-2.0 */
/* What is stored already of the rows of a batch: each row is asked for by its id and by the keys
 * that find accounts. A row that is found by a key gets that account's id; one that is two accounts
 * at once is refused with both ids. What the import would change is counted.
 * Ownership: borrows the schema; the rest is its own. Errors: exit statuses, messages printed.
 * Threads: one. Cost: one or more account-get a row, LOOKS_IN_FLIGHT at a time. */
#ifndef CLI_IMPORT_LOOK_H
#define CLI_IMPORT_LOOK_H

#include "server/feature/schema.h"
#include "tools/cli/import_batch.h"

/* Enough that the server is never waited for, and far from what it holds for one connection. */
#define LOOKS_IN_FLIGHT 256

/* What an import does, or would do. */
struct import_change {
    size_t accounts_added;
    size_t accounts_changed;
    size_t accounts_same;
    size_t values_added;
    size_t values_changed;
    size_t values_lost; /* where accounts are put whole */
    size_t keys_added;
    size_t keys_lost;
    size_t values_kept; /* stored ones, whose source goes before, or that are of a later time */
};

struct import_look {
    const struct feature_schema *schema;
    bool match;             /* rows are found by keys, so that two may be one account */
    const char *precedence; /* names of sources, the first before the others; NULL: the last wins */
    struct text_count seen; /* accounts that rows became, with the line */
    struct import_change change;
    struct look_found *found; /* by row of the batch */
    struct feature_value *values;
    struct icp_payload *request;
    struct icp_reply reply;
};

/* False: no memory. */
bool import_look_init(struct import_look *look, const struct feature_schema *schema, bool match,
                      size_t batch_rows);
void import_look_fini(struct import_look *look);
/* Looks at every row of the batch, and takes those out that are refused. */
int import_look_batch(struct import_look *look, struct import_sender *sender,
                      struct import_batch *batch);
json_t *import_change_json(const struct import_change *change);
/* "would add 2 accounts, 3 values …", or "added …". */
void import_change_print(const struct cli *cli, const struct import_change *change, bool dry);

#endif

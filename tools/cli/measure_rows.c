/* SPDX-License-Identifier: Apache-2.0 */
/* Good rows are handed on; of the others five are told with their place and all are counted, and
 * the end is a refusal unless they may be left out. */
#include "tools/cli/measure_rows.h"

#include "tools/cli/csv_told.h"
#include "tools/cli/measure_cells.h"

#define FAULTS_SHOWN 5

static void row_tell(struct measure_walk *walk, const struct csv_row *row, size_t column,
                     const char *message)
{
    char place[MEASURE_PLACE_BYTES];
    walk->bad++;
    if (walk->told++ < FAULTS_SHOWN) {
        cli_say(walk->cli, "%s",
                measure_cell_told(walk->file, row, column, message, place, sizeof place));
    }
}

int measure_rows_walk(struct measure_walk *walk, measure_on_row on_row, void *context)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct csv_row row;
    while (csv_next(walk->file, &row, &fault)) {
        struct proto_fault at_fault = {.code = PROTO_OK};
        size_t column = SIZE_MAX;
        if (row.bad) {
            row_tell(walk, &row, SIZE_MAX, row.message);
        } else if (!on_row(context, &row, &column, &at_fault)) {
            if (at_fault.code == PROTO_NO_MEMORY || at_fault.code == PROTO_LIMIT) {
                return cli_fault(walk->cli, &at_fault);
            }
            row_tell(walk, &row, column, at_fault.message);
        }
    }
    csv_told_end(walk->cli, walk->file);
    if (fault.code != PROTO_OK) {
        return cli_fault(walk->cli, &fault);
    }
    bool skips = cli_text_named(walk->cli, "skip-bad") != NULL;
    if (walk->bad > 0 && !skips) {
        return cli_fail(
            walk->cli, EX_DATAERR,
            "%zu rows of %s cannot be read, and a figure without them would be another; "
            "--skip-bad leaves them out",
            walk->bad, csv_name(walk->file));
    }
    if (walk->bad > 0) {
        cli_say(walk->cli, "%zu rows of %s are left out", walk->bad, csv_name(walk->file));
    }
    return EX_OK;
}

bool measure_account_number(struct text_count *accounts, struct proto_span text, size_t line,
                            uint32_t *number, struct proto_fault *fault)
{
    const struct text_entry *entry = NULL;
    if (text.bytes == 0) {
        return proto_fault_set(fault, PROTO_MISSING_FIELD, "", "the account is missing");
    }
    if (!text_count_add(accounts, text, line, &entry)) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu accounts",
                               accounts->count);
    }
    if (entry == NULL) {
        return proto_fault_set(fault, PROTO_LIMIT, "", "more than %d accounts",
                               MEASURE_ACCOUNTS_MAX);
    }
    *number = (uint32_t)(entry - accounts->entries);
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A walk over the rows of a file that is measured, and accounts numbered as they come.
 *
 * A row that cannot be measured is told with file, line and column, and nothing is measured: a
 * figure with rows missing is another figure. With --skip-bad such rows are left out, and their
 * number is told. Ownership: borrows. Errors: exit statuses, messages printed. Threads: one. */
#ifndef CLI_MEASURE_ROWS_H
#define CLI_MEASURE_ROWS_H

#include "tools/cli/cli.h"
#include "tools/cli/csv/csv_input.h"
#include "tools/cli/csv/text_count.h"

/* As many as a store holds, and memory allows for. */
#define MEASURE_ACCOUNTS_MAX 16000000

/* Walks the good rows of a file with picks that are open; on_row faults with *column at fault. */
struct measure_walk {
    const struct cli *cli;
    struct csv_input *file;
    size_t told; /* faults shown */
    size_t bad;
};
typedef bool (*measure_on_row)(void *context, const struct csv_row *row, size_t *column,
                               struct proto_fault *fault);
int measure_rows_walk(struct measure_walk *walk, measure_on_row on_row, void *context);
/* The number of an account, made if it is new. */
bool measure_account_number(struct text_count *accounts, struct proto_span text, size_t line,
                            uint32_t *number, struct proto_fault *fault);

#endif

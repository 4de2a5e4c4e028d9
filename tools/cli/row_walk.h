/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a file, one by one, with a bar of progress on a terminal. Errors: the first status of
 * `take` that is not EX_OK ends the walk; a file that cannot be read on is told. Threads: one. */
#ifndef CLI_ROW_WALK_H
#define CLI_ROW_WALK_H

#include "tools/cli/cli.h"
#include "tools/cli/csv/csv_input.h"

/* Returns an exit status. Rows that cannot be read (row->bad) are given too. */
typedef int row_take(void *context, const struct csv_row *row);

/* Begins where the file stands. Returns an exit status. */
int row_walk(const struct cli *cli, struct csv_input *input, row_take *take, void *context);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Rows are taken until one fails or the file ends, and where it ends by a fault that is told. */
#include "tools/cli/row_walk.h"

#include <stdio.h>

#include "tools/cli/out/out_progress.h"

/* Rows between two looks at the clock of the bar. */
enum { ROWS_A_LOOK = 256 };

int row_walk(const struct cli *cli, struct csv_input *input, row_take *take, void *context)
{
    struct out_progress progress = {0};
    struct proto_fault fault = {.code = PROTO_OK};
    struct csv_row row;
    char text[64];
    size_t rows = 0;
    int status = EX_OK;
    while (status == EX_OK && csv_next(input, &row, &fault)) {
        status = take(context, &row);
        if (++rows % ROWS_A_LOOK == 0) {
            snprintf(text, sizeof text, "%zu rows", rows);
            out_progress_draw(&progress, csv_done(input), text);
        }
    }
    out_progress_end(&progress);
    return status == EX_OK && fault.code != PROTO_OK ? cli_fault(cli, &fault) : status;
}

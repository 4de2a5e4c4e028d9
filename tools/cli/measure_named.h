/* SPDX-License-Identifier: Apache-2.0 */
/* What measures over the rows of a file share: names with one for none, the walk over the rows,
 * options that are of a server alone.
 *
 * Ownership: borrows. Errors: exit statuses, messages printed; faults. Threads: one. */
#ifndef CLI_MEASURE_NAMED_H
#define CLI_MEASURE_NAMED_H

#include "tools/cli/measure_cells.h"
#include "tools/cli/measure_rows.h"
#include "tools/cli/measure_run.h"
#include "tools/cli/measure_steps.h"

/* The number of a text, made if it is new; that of an empty one is "(none)"'s. */
bool measure_named_number(struct text_count *texts, struct proto_span text, size_t line,
                          uint32_t *number, struct proto_fault *fault);
/* The file of --rows, row by row. */
int measure_file_walk(const struct measure_call *call, struct measure_pick *picks, size_t count,
                      measure_on_row on_row, void *context);
/* Options that say nothing of a file are refused. */
int measure_served_check(const struct measure_call *call, const char *const *served, size_t count);

#endif

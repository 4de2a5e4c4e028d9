/* SPDX-License-Identifier: Apache-2.0 */
/* The typed table of a measure on standard output: a table, CSV or JSON, whichever measure it is.
 * Money is shown in units, exactly, by the minor unit of its currency ("": two digits); days as
 * dates; what is not defined is empty, in JSON null. Ownership: borrows the table. Errors: exit
 * statuses, messages printed. Threads: one.
 */
#ifndef CLI_MEASURE_SHOW_H
#define CLI_MEASURE_SHOW_H

#include "server/measure/measure.h"
#include "tools/cli/cli.h"

int measure_show(const struct cli *cli, const struct measure_table *table, const char *currency);
/* One cell of it, as a table for people has it. */
void measure_cell_show(struct out_table *out, const struct measure_cell *cell);

#endif

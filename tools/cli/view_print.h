/* SPDX-License-Identifier: Apache-2.0 */
/* Views for people: the columns that one reads, with each rate, its interval and its n in one cell.
 * Nothing is told without both; as CSV and JSON every column is there by itself. Ownership:
 * borrows. Errors: exit statuses, messages printed. Threads: one. */
#ifndef CLI_VIEW_PRINT_H
#define CLI_VIEW_PRINT_H

#include "server/measure/measure.h"
#include "tools/cli/cli.h"

int view_print(const struct cli *cli, const struct measure_table *table, const char *currency);

#endif

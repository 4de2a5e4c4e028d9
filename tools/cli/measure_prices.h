/* SPDX-License-Identifier: Apache-2.0 */
/* List prices of a CSV file (--prices, with --package and --list-price), as the JSON object that
 * the parameter `list` of a measure is. Ownership: *text is the caller's, free(); NULL where no
 * file is named. Errors: exit statuses, messages printed. Threads: one. */
#ifndef CLI_MEASURE_PRICES_H
#define CLI_MEASURE_PRICES_H

#include "tools/cli/cli.h"

int measure_prices_told(const struct cli *cli, char **text);

#endif

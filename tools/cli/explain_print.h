/* SPDX-License-Identifier: Apache-2.0 */
/* An explanation for people: the answer in ten lines, then every contribution with the accounts
 * behind it, sums by family, the shapes around the account's values. Points are hundredths of a
 * logit, as everywhere: 100 of them multiply the odds by 2.7.
 * Errors: an exit status, messages printed. Threads: one. */
#ifndef CLI_EXPLAIN_PRINT_H
#define CLI_EXPLAIN_PRINT_H

#include "tools/cli/cli.h"

int explain_print(const struct cli *cli, const struct icp_reply *reply);

#endif

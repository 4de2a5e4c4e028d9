/* SPDX-License-Identifier: Apache-2.0 */
/* Why no account matches: a text in the filter that no account has, and the one that was meant, of
 * another case or with a slip. Ownership: borrows. Errors: none; where nothing helps, nothing is
 * said. Threads: one. Cost: one or two small scans for each text, EXPLAINED_MOST texts at most, and
 * only where an expression found nothing. */
#ifndef CLI_EXPLAIN_NONE_H
#define CLI_EXPLAIN_NONE_H

#include "tools/cli/cli.h"

void explain_none(const struct cli *cli, struct icp_client *client, const char *expression);

#endif

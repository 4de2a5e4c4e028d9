/* SPDX-License-Identifier: Apache-2.0 */
/* icp tal check NAME ACCOUNT: where one account stands on a list, and how it was drawn. Ownership:
 * borrows. Errors: exit statuses, messages printed. Threads: one. */
#ifndef CLI_TAL_ACCOUNT_H
#define CLI_TAL_ACCOUNT_H

#include "tools/cli/cli.h"

int tal_account(const struct cli *cli);

#endif

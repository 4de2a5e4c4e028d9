/* SPDX-License-Identifier: Apache-2.0 */
/* A measure asked of the server, over what it knows of all accounts, where no file is named: the
 * same options, the same table. Ownership: borrows the call. Errors: exit statuses, messages
 * printed. Threads: one. */
#ifndef CLI_MEASURE_REMOTE_H
#define CLI_MEASURE_REMOTE_H

#include "tools/cli/measure_ask.h"
#include "tools/cli/measure_run.h"

/* The measure is one that the server has, and no file is named. */
bool measure_is_remote(const struct measure_call *call);
int measure_remote(const struct measure_call *call, const struct measure_definition *definition);
/* EX_USAGE, said, if an option of the server's accounts stands beside a file. */
int measure_local_check(const struct measure_call *call);
/* Of whom and as of when, by the options --filter, --segment, --churn-flag, --seq and --known. */
int measure_scope_read(const struct cli *cli, struct measure_ask *ask);

#endif

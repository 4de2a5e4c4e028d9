/* SPDX-License-Identifier: Apache-2.0 */
/* icp import --plan: the files of a company in one go (import_plan.h). Returns an exit status, with
 * messages printed; EX_DATAERR where every step ran and rows were refused. Threads: one; the
 * working directory changes meanwhile. */
#ifndef CLI_CMD_IMPORT_PLAN_H
#define CLI_CMD_IMPORT_PLAN_H

#include "tools/cli/cli.h"

int import_plan_run(const struct cli *cli);

#endif

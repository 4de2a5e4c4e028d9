/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers of command.def, cmd_<command> each; a missing one does not link. A handler checks
 * its arguments, does its work, and returns an exit status of sysexits.h, having told what failed.
 * Only cli_run.c calls them. */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include "tools/cli/cli.h"

#define X(ID, name, handler, summary, arguments, examples) int handler(struct cli *cli);
#include "tools/cli/command.def"
#undef X

#endif

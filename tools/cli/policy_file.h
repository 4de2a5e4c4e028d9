/* SPDX-License-Identifier: Apache-2.0 */
/* A policy document of the command line: read and checked before anything is asked of the server,
 * so that a slip is told by the file's line and column. Ownership: the text is the caller's,
 * free(). Errors: exit statuses, messages printed. Threads: one. */
#ifndef CLI_POLICY_FILE_H
#define CLI_POLICY_FILE_H

#include "tools/cli/cli.h"

/* *text ends in a zero; NULL after a failure. */
int policy_file_read(const struct cli *cli, const char *path, char **text);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A policy document of the command line: read and checked before anything is asked of the server,
 * so that a slip is told by the file's line and column; and what the server says its cases come to,
 * in a line on standard error. Ownership: the text is the caller's,
 * free(). Errors: exit statuses, messages printed. Threads: one. */
#ifndef CLI_POLICY_FILE_H
#define CLI_POLICY_FILE_H

#include "tools/cli/cli.h"

/* *text ends in a zero; NULL after a failure. */
int policy_file_read(const struct cli *cli, const char *path, char **text);
/* Of a reply of label. */
void policy_reply_tell(const struct cli *cli, const struct icp_reply *reply);
/* Asks for it, as of the day that --at says, first. */
int policy_ground_tell(const struct cli *cli, struct icp_client *client, const char *text);

#endif

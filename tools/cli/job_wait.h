/* SPDX-License-Identifier: Apache-2.0 */
/* A request that is a job: progress on the terminal, cancelled by Ctrl-C.
 * Ownership: the caller finishes *reply. Errors: exit statuses, messages printed; 130 as a shell
 * reports an end by SIGINT. Threads: one. */
#ifndef CLI_JOB_WAIT_H
#define CLI_JOB_WAIT_H

#include "tools/cli/cli.h"

/* The payload says "progress", where progress is wanted. */
int job_run(const struct cli *cli, struct icp_client *client, enum icp_op op,
            const struct icp_payload *payload, struct icp_reply *reply);

#endif

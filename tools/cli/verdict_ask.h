/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict on a list, asked of the server by the options that icp verdict and icp report verdict
 * share, with its tables. The list is the argument, or the one that --plan is about.
 *
 * Ownership: verdict_answer_fini, also after a failure; texts borrow from the reply. Errors: exit
 * statuses, messages printed. Threads: one. */
#ifndef CLI_VERDICT_ASK_H
#define CLI_VERDICT_ASK_H

#include "server/measure/measure.h"
#include "tools/cli/cli.h"

enum { VERDICT_LIFT, VERDICT_RATE, VERDICT_FORECAST, VERDICT_PROMISE, VERDICT_TABLES };

struct verdict_answer {
    struct icp_reply reply;
    struct measure_table tables[VERDICT_TABLES];
    char list[PROTO_TAL_NAME_BYTES_MAX + 1];
    double committed; /* share of the work by --plan; 0: none, or no plan was named */
};

/* weekly: rows of lift for each week, whatever the options say. */
int verdict_ask(const struct cli *cli, bool weekly, struct verdict_answer *answer);
void verdict_answer_fini(struct verdict_answer *answer);

/* The list: the argument, or the one of --plan, with the share that it commits. */
int verdict_list_find(const struct cli *cli, struct icp_client *client,
                      char list[PROTO_TAL_NAME_BYTES_MAX + 1], double *committed);

/* --as-of and --since, --seq and --known: into a request that has members at, since, seq, known. */
int verdict_times_put(const struct cli *cli, struct icp_payload *payload);

#endif

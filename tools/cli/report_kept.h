/* SPDX-License-Identifier: Apache-2.0 */
/* Which definitions that the server keeps a report holds against each other: of each metric, those
 * in force, in the order in which they were first put, each against the one before it. Ownership:
 * plain values. Errors: exit statuses, messages printed. Threads: one. */
#ifndef CLI_REPORT_KEPT_H
#define CLI_REPORT_KEPT_H

#include "server/measure/metric_registry.h"
#include "tools/cli/cli.h"

struct report_pair {
    char first[MEASURE_REFERENCE_BYTES], second[MEASURE_REFERENCE_BYTES]; /* "name@version" */
    enum measure_metric metric;
};

/* At most `most` pairs; what is left out is told on standard error. */
int report_kept_pairs(const struct cli *cli, struct icp_client *client, struct icp_reply *reply,
                      struct report_pair *pairs, size_t most, size_t *count);

#endif

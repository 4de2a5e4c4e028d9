/* SPDX-License-Identifier: Apache-2.0 */
/* The figures of a server as a flat list of dotted names. Ownership: stats_fini frees. Errors: exit
 * statuses, messages printed. Threads: one. Cost: one request. */
#ifndef CLI_STATS_READ_H
#define CLI_STATS_READ_H

#include "tools/cli/cli.h"

#define STATS_NAME_BYTES 160

struct stats_item {
    char name[STATS_NAME_BYTES];
    double value;
    bool is_whole;
};

struct stats {
    struct stats_item *items;
    size_t count;
    size_t capacity;
    bool failed;
};

/* Reads them anew; reply is scratch that the caller frees. */
int stats_read(const struct cli *cli, struct icp_client *client, struct icp_reply *reply,
               struct stats *stats);
void stats_fini(struct stats *stats);
/* NULL: there is none of that name. */
const struct stats_item *stats_find(const struct stats *stats, const char *name);
/* Its value, 0 if there is none. */
double stats_value(const struct stats *stats, const char *name);
/* The sum of all whose names begin so. */
double stats_sum(const struct stats *stats, const char *prefix);

#endif

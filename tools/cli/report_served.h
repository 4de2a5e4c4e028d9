/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of a lifecycle's page, asked of the server one after another, events as of the
 * sequence of the first answer, so that all sections tell of the same.
 *
 * Ownership: report_served_fini frees the tables and texts that the page borrows, also after a
 * failure. Errors: exit statuses, messages printed; a measure that the data do not support leaves
 * its reason in its section instead. Threads: one. */
#ifndef CLI_REPORT_SERVED_H
#define CLI_REPORT_SERVED_H

#include "server/report/report_lifecycle.h"
#include "tools/cli/measure_ask.h"
#include "tools/cli/report_kept.h"

/* What the options say, read before anything is asked. */
struct report_wanted {
    const char *from, *to, *period, *segment;
    const char *top, *stale_days, *floor; /* NULL: the default */
    struct measure_rules rules, against;
    struct measure_definition definition; /* version 0: none */
    enum measure_metric metric;           /* of `against`; MEASURE_METRICS: nothing is compared */
    struct measure_ask scope;             /* filter, churn flag, sequence, known */
};

/* Beside one of --against, and three that count who left. */
#define REPORT_PAIRS_MAX (REPORT_BRIDGES_MAX - 4)

enum { REPORT_MRR, REPORT_RETENTION, REPORT_SURVIVAL, REPORT_COHORTS, REPORT_READY, REPORT_TABLES };

struct report_served {
    const struct cli *cli;
    const struct report_wanted *wanted;
    struct icp_client *client;
    struct icp_payload *payload;
    struct icp_reply reply;
    struct report_lifecycle page;
    struct measure_rules rules; /* as the server applied them */
    struct measure_table tables[REPORT_TABLES], bridges[REPORT_BRIDGES_MAX];
    char whys[REPORT_TABLES + REPORT_BRIDGES_MAX][sizeof((struct icp_fault *)NULL)->message];
    char compared[2][96];                       /* names of the two numbers of --against */
    struct report_pair pairs[REPORT_PAIRS_MAX]; /* of definitions that the server keeps */
    bool pinned;                                /* the sequence of the first answer is known */
    uint64_t seq;
};

int report_served_read(const struct cli *cli, const struct report_wanted *wanted,
                       struct report_served *served);
void report_served_fini(struct report_served *served);

#endif

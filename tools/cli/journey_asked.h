/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the page of journeys, asked of the server one after another, events as of the
 * sequence of the first answer. Options that are called as a parameter of a measure go to each
 * measure that has it.
 *
 * Ownership: journey_asked_fini frees what the page borrows, also after a failure. Errors: exit
 * statuses, messages printed; a measure that the data do not support leaves its reason in its
 * section instead. Threads: one. */
#ifndef CLI_JOURNEY_ASKED_H
#define CLI_JOURNEY_ASKED_H

#include "server/report/report_journey.h"
#include "tools/cli/measure_ask.h"

/* The newest events of a path. */
#define JOURNEY_STEPS_MAX 200

struct journey_asked {
    const struct cli *cli;
    struct icp_client *client;
    struct icp_payload *payload;
    struct icp_reply reply;
    struct measure_ask scope; /* filter, sequence, known */
    struct measure_rules rules;
    char *prices; /* NULL: none */
    struct report_journey page;
    struct measure_table tables[REPORT_JOURNEY_PARTS], curve[REPORT_CURVE_POINTS];
    char whys[REPORT_JOURNEY_PARTS + REPORT_CURVE_POINTS]
             [sizeof((struct icp_fault *)NULL)->message];
    bool pinned; /* the sequence of the first answer is known */
    uint64_t seq;
    struct report_step steps[JOURNEY_STEPS_MAX];
    char *texts[JOURNEY_STEPS_MAX * 2]; /* of steps: kind and who */
    size_t text_count;
};

int journey_asked_read(const struct cli *cli, struct journey_asked *asked);
void journey_asked_fini(struct journey_asked *asked);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* An audit of alignment against the server: figures of the segments that leaders ranked (win rate
 * by cohort of creation, bookings, NRR, GRR), and the filters that they stated, scored as profiles.
 * What the server has no evidence of is left out, and said.
 *
 * Ownership: align_stated_fini, before the answers go. Errors: exit statuses, messages printed.
 * Threads: one. */
#ifndef CLI_ALIGN_SERVED_H
#define CLI_ALIGN_SERVED_H

#include "server/report/report_audit.h"
#include "tools/cli/align_answers.h"
#include "tools/cli/cli.h"

/* --segment FIELD with --from and --to: measures and figures of the answers. */
int align_served_figures(const struct cli *cli, struct align_answers *answers);

struct align_stated {
    struct report_audit_filter *filters;
    size_t count;
};
/* --outcome FILTER: each stated filter beside it, in the order of the answers. */
int align_served_filters(const struct cli *cli, const struct align_answers *answers,
                         struct align_stated *stated);
void align_stated_fini(struct align_stated *stated);

#endif

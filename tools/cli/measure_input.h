/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a company as the spans that measures take: subscriptions, and beside them a value of
 * each account (its segment) or a flag of churn, events of churn, purchases. Accounts are numbered
 * as they come.
 *
 * Ownership: measure_input_fini frees. Errors: exit statuses, messages printed.
 * Threads: one. */
#ifndef CLI_MEASURE_INPUT_H
#define CLI_MEASURE_INPUT_H

#include "server/measure/measure_mrr.h"
#include "tools/cli/cli.h"
#include "tools/cli/measure_rows.h"

struct measure_input {
    struct text_count accounts; /* by number */
    struct measure_subscription *subscriptions;
    size_t count;
    size_t capacity;
    size_t skipped;       /* rows left out */
    uint32_t *segment_of; /* by account; of use where name_count > 0 */
    struct text_count segment_names;
    const char **names; /* of segments, zero-ended */
    size_t name_count;
    bool *flagged;       /* by account: --churn-flag says so */
    int64_t *churned_ms; /* events of churn … */
    uint32_t *churned;   /* … and their accounts */
    size_t churned_count;
    size_t churned_capacity;
};

/* Reads what the options name; --subscriptions is needed. */
int measure_input_read(const struct cli *cli, const struct measure_rules *rules,
                       struct measure_input *input);
void measure_input_fini(struct measure_input *input);
static inline struct measure_segments measure_input_segments(const struct measure_input *input)
{
    return (struct measure_segments){input->segment_of, input->names, (uint32_t)input->name_count};
}

/* measure_beside.c: accounts and events of churn, where options name files of them. */
int measure_beside_read(const struct cli *cli, struct measure_input *input);

#endif

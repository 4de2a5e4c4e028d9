/* SPDX-License-Identifier: Apache-2.0 */
/* The measures on recurring revenue as tables of measure.def: mrr, retention, survival.
 * Ownership: the table is filled, the caller frees it, also after a failure. Errors: NO_MEMORY,
 * BAD_FIELD (period, bounds of parameters), LIMIT for more rows than MEASURE_ROWS_MAX. Threads:
 * pure. Cost: see movement.h, retention.h, survival.h. */
#ifndef MEASURE_MEASURE_MRR_H
#define MEASURE_MEASURE_MRR_H

#include "server/measure/measure.h"
#include "server/measure/measure_state.h"

/* Days of four centuries; a table longer than this is read by nobody. */
#define MEASURE_ROWS_MAX 150000
/* Segments of one table; a field with more values is no segment. */
#define MEASURE_SEGMENTS_MAX 1024

/* Accounts in segments; names may be NULL with count 0 for none. */
struct measure_segments {
    const uint32_t *of;       /* by account, below count */
    const char *const *names; /* count of them */
    uint32_t count;
};

/* Segments in the order of their names, the first, of accounts without a value, before all; free().
 * NULL with *fault. */
uint32_t *measure_segments_order(const struct measure_segments *segments,
                                 struct proto_fault *fault);

/* Months of a period's word; 0 if it is none. */
int measure_period_months(const char *word);

/* Rows for [from, from + period], … as long as they end by to; at least one: of all accounts, then
 * of each segment that has one, by name. */
bool measure_mrr_table(const struct measure_spells *spells, const struct measure_rules *rules,
                       const struct measure_segments *segments, int64_t from_ms, int64_t to_ms,
                       int period_months, struct measure_table *table, struct proto_fault *fault);
/* All accounts, then each segment that has one, by name. */
bool measure_retention_table(const struct measure_spells *spells, const struct measure_rules *rules,
                             const struct measure_segments *segments, int64_t from_ms,
                             int64_t to_ms, struct measure_table *table, struct proto_fault *fault);

/* What a period comes to: movements, and the sums of the cohort forms of retention. */
struct measure_mrr_sums {
    struct measure_movement move;
    int64_t then, net, gross;
};
/* Adds all accounts to sums[0 …], then each to those of its segment behind them, moments->count - 1
 * periods each; members[] counts those of each segment. */
bool measure_mrr_sums_make(const struct measure_spells *spells, const struct measure_rules *rules,
                           const struct measure_segments *segments,
                           const struct measure_moments *moments, struct measure_mrr_sums *sums,
                           uint32_t *members, struct proto_fault *fault);
void measure_mrr_sums_join(struct measure_mrr_sums *to, const struct measure_mrr_sums *from);
/* Takes away what was joined. */
void measure_mrr_sums_part(struct measure_mrr_sums *from, const struct measure_mrr_sums *part);
/* The rows of a segment. */
bool measure_mrr_rows_add(struct measure_table *table, const char *segment,
                          const struct measure_moments *moments,
                          const struct measure_mrr_sums *sums, struct proto_fault *fault);

struct measure_survival_options {
    int64_t as_of_ms;
    int cohort_months; /* 0: no cohorts */
    unsigned step_months;
    unsigned points;
    unsigned grace_days;
};
/* Cohorts × segments, each with its curve at 0, step, 2 step … months as far as somebody was
 * watched. Cohorts are cut at the calendar's months, quarters, years in UTC. */
bool measure_survival_table(const struct measure_spells *spells,
                            const struct measure_segments *segments,
                            const struct measure_survival_options *options,
                            struct measure_table *table, struct proto_fault *fault);

#endif

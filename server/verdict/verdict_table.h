/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of server/measure/measure.def about cases of a list: lift, rate, forecast, promise; and
 * erosion, of weeks of work. Each adds rows to a table that measure_table_init made, so that
 * several outcomes stand in one.
 *
 * Shapes: cases as verdict_settle left them. Ownership: borrows; the table is filled. Errors:
 * NO_MEMORY, what the pace says. Threads: pure. Cost: of lift some 0.5 ms a block (term_range.h)
 * and 2 ms a row; the others n log n. Source: docs/methods/verdict.md, forecast.md, erosion.md. */
#ifndef VERDICT_VERDICT_TABLE_H
#define VERDICT_VERDICT_TABLE_H

#include "server/measure/measure.h"
#include "server/measure/spell.h"
#include "server/term/term_range.h"
#include "server/verdict/verdict_block.h"

struct verdict_options {
    const char *outcome; /* of its column */
    double alpha, best_at;
    bool dated;                      /* cases have days; else as_of of lift is not told */
    bool weekly;                     /* of lift: a row for each week instead of the newest */
    const struct measure_pace *pace; /* NULL: always goes on */
};

/* What the newest row of lift says. */
struct verdict_lift {
    struct term_bounds bounds;
    double ratio; /* NAN where no block tells */
    uint64_t on, won_on, off, won_off;
};
/* name: NULL for that of `against`. lift may be NULL. */
bool verdict_lift_add(struct measure_table *table, const struct verdict_case *cases, size_t count,
                      enum verdict_against against, const char *name,
                      const struct verdict_options *options, struct verdict_lift *lift,
                      struct proto_fault *fault);

/* One row: the rate of those of the cases that `keep` wants (NULL: all). */
bool verdict_rate_add(struct measure_table *table, const struct verdict_case *cases, size_t count,
                      const char *group, bool (*keep)(const struct verdict_case *one),
                      const struct verdict_options *options, struct proto_fault *fault);

/* Two predictions of each case, in order. */
struct verdict_pair {
    double p, rival;
    bool won;
};
bool verdict_forecast_add(struct measure_table *table, const struct verdict_pair *pairs,
                          size_t count, const char *rival, const struct verdict_options *options,
                          struct proto_fault *fault);
/* A row for each rival that there is: the rate of all cases known before, from the mean p of the
 * sample on; the version before; and, where points are, the rate so far of those that have as many,
 * drawn to that of all. A rival says nothing that was not known before its case. */
bool verdict_rivals_add(struct measure_table *table, const struct verdict_case *cases, size_t count,
                        const struct verdict_options *options, struct proto_fault *fault);

/* What groups are called. */
struct verdict_group {
    const char *of, *value;
};
/* A row for each group that has cases, those first whose promise was wrong. family: groups that are
 * corrected for, at least `group_count`. *wrong (may be NULL): how many rows are. */
bool verdict_promise_add(struct measure_table *table, const struct verdict_case *cases,
                         size_t count, const struct verdict_group *groups, size_t group_count,
                         size_t family, const struct verdict_options *options, size_t *wrong,
                         struct proto_fault *fault);

struct verdict_work {
    int64_t week_ms; /* VERDICT_NEVER: not told */
    uint64_t on, all;
};
/* A row for each week. *alarms (may be NULL): how many. */
bool verdict_erosion_add(struct measure_table *table, const struct verdict_work *weeks,
                         size_t count, double committed, double false_alarm, uint64_t *alarms,
                         struct proto_fault *fault);

#endif

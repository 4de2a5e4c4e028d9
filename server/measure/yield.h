/* SPDX-License-Identifier: Apache-2.0 */
/* Outcome against activity at equal fit: whether more work brought more, or volume went up and the
 * outcome stayed where it was. Each group (a person, a team) is held against all others, each
 * period against the one before.
 *
 * Of two sides a and b in strata of equal fit, w = n_a n_b / (n_a + n_b):
 *
 *   difference  D = Σ w (mean_a − mean_b) / Σ w, of touches for a journey and of the share won
 *   variance    Σ w² (σ²_a / n_a + σ²_b / n_b) / (Σ w)², σ² of a side pooled within its strata
 *
 * with normal intervals at 1 − 0.05/k for k rows. In proportion: what D of the share would be if
 * outcomes had grown as touches did, rate_b · D(touches) / mean_b, both of b as a's strata have it.
 * Volume is up where the interval of touches lies above 0. The outcome is then *flat* only where
 * its interval has 0 in it and lies below the half of what is in proportion: to have seen nothing
 * of too few journeys is *not known yet*.
 *
 * Assumptions: journeys are independent; touches of a journey that ended early are fewer, on both
 * sides alike. Not causal.
 *
 * Shapes: groups below MEASURE_GROUPS_MAX, fit a stratum's number or a score (tenths). Ownership:
 * measure_yields_fini frees; names are borrowed. Errors: NO_EVIDENCE where no row can be told,
 * LIMIT, NO_MEMORY, what the pace says. Threads: pure. Cost: some 20 ns a journey and a sort.
 * Memory: 32 bytes a journey. Source: Cochran 1954 (weights); docs/methods/yield.md. */
#ifndef MEASURE_YIELD_H
#define MEASURE_YIELD_H

#include "server/measure/journey.h"
#include "server/measure/measure.h"

#define MEASURE_GROUPS_MAX 10000

struct measure_yield_options {
    int64_t window_ms; /* from the creation, in which touches count */
    bool tenths;       /* fit is a score */
    bool chained;      /* groups are periods in the order of their numbers */
    unsigned least;
};

struct measure_worked {
    uint32_t group;
    uint32_t touches;
    int64_t fit;
    bool won;
};

struct measure_yields {
    struct measure_yield_options options;
    int64_t as_of_ms, mature_ms;
    const struct measure_pace *pace;
    int64_t fit; /* of the account under way */
    struct measure_worked *items;
    size_t count, room;
    size_t young;
};

/* Adds a journey of a group. */
bool measure_yields_add(struct measure_yields *yields, uint32_t group,
                        const struct measure_journey *journey, struct proto_fault *fault);
bool measure_yields_item(struct measure_yields *yields, const struct measure_worked *item,
                         struct proto_fault *fault);
void measure_yields_fini(struct measure_yields *yields);
/* names: `groups` of them. Groups by their journeys; periods in their order. */
bool measure_yields_table(struct measure_yields *yields, const char *const *names, uint32_t groups,
                          struct measure_table *table, struct proto_fault *fault);

/* A side in one stratum: journeys, sums and squares of touches, won. */
struct measure_side {
    double n, sum, square, won;
};
struct measure_held {
    double more, more_error, better, better_error; /* NAN: not defined */
    double in_proportion;
};
/* Two sides over `count` strata. */
void measure_yield_of(const struct measure_side *a, const struct measure_side *b, size_t count,
                      struct measure_held *held);

#endif

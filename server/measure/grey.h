/* SPDX-License-Identifier: Apache-2.0 */
/* The grey area: how much of the way to an outcome nobody saw. Credit and patterns are of what was
 * told; this says how much that is, before anybody reads them.
 *
 *   unseen           journeys without a touch at all
 *   untouched        journeys without a touch in the days before they were created
 *   covered          of the time from the first touch to the outcome, the share within some days of
 *                    a touch: Σ covered / Σ time over journeys with a touch
 *   silent           journeys with a touch and then a longer silence than so many days: between two
 *                    touches, or between the last and the outcome
 *   longest silence  median over journeys, in days
 *   typed in         touches that were told after the outcome was told
 *
 * Intervals at 95 %: shares by Wilson, covered by the ratio estimator over journeys, the median by
 * order statistics (binomial, normal approximation), so it says nothing of fewer than eight.
 *
 * Shapes: times in ms. Ownership: measure_grey_fini frees. Errors: NO_EVIDENCE for fewer journeys
 * than `least`, NO_MEMORY, what the pace says. Threads: pure. Cost: some 5 ns a touch. Memory: 8
 * bytes a journey and outcome. Source: Cochran 1977 (ratio estimator); docs/methods/grey.md. */
#ifndef MEASURE_GREY_H
#define MEASURE_GREY_H

#include "server/measure/journey.h"
#include "server/measure/measure.h"
#include "server/measure/ratio.h"

struct measure_grey_options {
    int64_t before_ms; /* of untouched */
    int64_t near_ms;   /* of covered, to either side of a touch */
    int64_t silent_ms;
    unsigned least;
};

/* Of the journeys that ended in one way. */
struct measure_grey_end {
    size_t journeys, unseen, untouched, silent, touches, late;
    struct measure_sums covered; /* days, of all days */
    double *longest;             /* days, by journey with a touch */
    size_t count, room;
};

struct measure_grey {
    struct measure_grey_options options;
    const struct measure_pace *pace; /* NULL: always */
    struct measure_grey_end ends[2]; /* won, lost */
};

/* Adds one that has ended; open ones are passed over. A measure_journey_each over measure_grey. */
bool measure_grey_add(void *grey, const struct measure_journey *journey, struct proto_fault *fault);
void measure_grey_fini(struct measure_grey *grey);
bool measure_grey_table(struct measure_grey *grey, struct measure_table *table,
                        struct proto_fault *fault);

#endif

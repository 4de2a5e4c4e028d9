/* SPDX-License-Identifier: Apache-2.0 */
/* Bad leads or poor follow-up: the gap between the rates of two groups, parted by strata of equal
 * quality (Kitagawa 1955), π the share of a group's cases in a stratum, r the rate there:
 *
 *   follow-up  Σ ½ (π_a + π_b) (r_a − r_b)   at equal mix
 *   mix        Σ ½ (r_a + r_b) (π_a − π_b)   at equal follow-up
 *   rest       strata that one group alone has: not comparable, and told as such
 *
 * over the strata that both have; the three add up to r_a − r_b, in whole millionths too (what
 * rounding leaves goes to the part that it moves least). Strata must not be made of what differs
 * between the groups by definition: not of source, not of owner.
 *
 * Intervals: percentiles of a Poisson bootstrap over cases: each cell of a stratum (group, reached
 * or not) is drawn anew, by a seed. Assumption: cases are independent of each other.
 *
 * Shapes: counts ≥ 0, won ≤ n. Ownership: borrows; the table is filled. Errors: NO_EVIDENCE for
 * fewer cases in a group than `least`, LIMIT for more strata than MEASURE_STRATA_MAX, NO_MEMORY,
 * what the pace says. Threads: pure. Cost: 4 draws a stratum and resample. Source: Kitagawa 1955,
 * JASA 50; Hanley and MacGibbon 2006 (Poisson bootstrap); docs/methods/gap.md. */
#ifndef MEASURE_GAP_H
#define MEASURE_GAP_H

#include "server/measure/measure.h"
#include "server/measure/spell.h"

#define MEASURE_STRATA_MAX 10000
#define MEASURE_MILLION 1000000

struct measure_stratum {
    double n[2], won[2]; /* of group a, of group b */
};

enum measure_part {
    MEASURE_PART_GAP,
    MEASURE_PART_FOLLOW_UP,
    MEASURE_PART_MIX,
    MEASURE_PART_REST,
    MEASURE_PARTS
};
struct measure_gap {
    double part[MEASURE_PARTS];
    int64_t millionths[MEASURE_PARTS]; /* the gap is the sum of the others */
};

/* NAN where a group is empty. */
void measure_gap_of(const struct measure_stratum *strata, size_t count, struct measure_gap *gap);

struct measure_gap_options {
    unsigned resamples;
    unsigned seed;
    unsigned least;
};
/* The gap and its parts, then the strata in the order in which they came. names by stratum. */
bool measure_gap_table(const struct measure_stratum *strata, const char *const *names, size_t count,
                       const struct measure_gap_options *options, const struct measure_pace *pace,
                       struct measure_table *table, struct proto_fault *fault);

#endif

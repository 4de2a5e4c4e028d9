/* SPDX-License-Identifier: Apache-2.0 */
/* A filter that somebody stated for the ideal customer, scored as a profile: who matches is
 * foretold to be a good one, who does not is not.
 *
 *   lift      rate of those who match / rate of all
 *   coverage  share of the good ones that match
 *   AUC       ½ (1 + coverage − share of the others that match): that of a profile of two values
 *
 * Intervals: of lift by the delta method on its logarithm, the four counts being multinomial; of
 * coverage Wilson's; of AUC normal, its two shares being independent. The verdict is by AUC at
 * 1 − 0.05/k for k filters. Assumptions: accounts are independent; the filter was stated before the
 * outcomes were looked at.
 *
 * Shapes: counts, matched_good ≤ matched and good ≤ all. Ownership: values. Errors: none; NAN where
 * a figure is not defined. Threads: pure. Source: Bamber 1975 (AUC and its variance);
 * docs/methods/agreement.md. */
#ifndef MEASURE_STATED_H
#define MEASURE_STATED_H

#include <stddef.h>
#include <stdint.h>

#define MEASURE_STATED_LEAST 10u /* who match, and of good and other accounts */

struct measure_stated_counts {
    uint64_t all, good, matched, matched_good;
};

struct measure_stated {
    double lift, lift_low, lift_high;
    double coverage, coverage_low, coverage_high;
    double auc, auc_low, auc_high;
    const char *verdict; /* "insufficient: …"; "better than chance", "worse than chance"; "no better
                            than chance" */
};

/* k: how many filters are scored. */
void measure_stated_of(const struct measure_stated_counts *counts, size_t k,
                       struct measure_stated *stated);

#endif

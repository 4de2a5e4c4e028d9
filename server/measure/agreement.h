/* SPDX-License-Identifier: Apache-2.0 */
/* How far people agree: rankings, ratings with gaps, lists of names, choices.
 *
 *   W       Kendall's coefficient of concordance of m rankings of n items, 0 to 1, corrected for
 *           ties: 12 S / (m² (n³ − n) − m Σ(t³ − t)), S the squares of the rank sums about their
 *           mean. p: the share of all ways to give each ranking's ranks to the items whose S is no
 *           less, the first one fixed; exact where that is few enough to count, else of draws by a
 *           seed, (1 + those) / (1 + draws), and `exact` says which.
 *   alpha   Krippendorff's, 1 − observed / expected disagreement over all pairs of values within
 *           units; a unit that fewer than two rated says nothing. Nominal or ordinal metric. Its
 *           interval is that of a bootstrap over units, at 95 %.
 *   Jaccard shared / all names of two lists; mean over pairs.
 *   RBO     rank-biased overlap of two ranked lists, extrapolated (RBO_ext), persistence .9: some
 *           86 % of the weight lies on the first ten ranks; mean over pairs.
 *   entropy of first choices over k options, 0 (all the same) to 1 (evenly spread).
 *
 * Assumption: who answers did so without the others. Intervals of means over pairs are those of a
 * jackknife over people, for pairs share people. Shapes: below. Ownership: borrows. Errors: false
 * with *fault: LIMIT, NO_MEMORY; what is not defined is NAN. Threads: pure. Cost: W some ms where
 * it is exact, 100 ms where it is drawn; alpha 20 ms. Source: Kendall and Babington Smith 1939;
 * Krippendorff 2011, Computing Krippendorff's Alpha-Reliability; Jaccard 1912; Webber, Moffat and
 * Zobel 2010, ACM TOIS 28; docs/methods/agreement.md. */
#ifndef MEASURE_AGREEMENT_H
#define MEASURE_AGREEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/fault.h"

enum {
    MEASURE_PEOPLE_MAX = 100,
    MEASURE_ITEMS_MAX = 100,
    MEASURE_NAMES_MAX = 100, /* of one list */
    MEASURE_LEVELS_MAX = 1000
};

struct measure_concordance {
    double w;
    double p;
    bool exact;
    size_t people, items;
};
/* ranks: people rows of items numbers, lower is better, ties equal; whole rows. */
bool measure_concordance_of(const double *ranks, size_t people, size_t items, uint64_t seed,
                            struct measure_concordance *concordance, struct proto_fault *fault);

struct measure_alpha {
    double alpha, low, high;
    size_t units;  /* that two or more rated */
    size_t values; /* in them */
};
/* values: people rows of units numbers, NAN where there is none. */
bool measure_alpha_of(const double *values, size_t people, size_t units, bool ordinal,
                      uint64_t seed, struct measure_alpha *alpha, struct proto_fault *fault);

/* Names by number, the most important first, none twice. */
struct measure_names {
    const uint32_t *names;
    size_t count;
};
double measure_jaccard(const struct measure_names *a, const struct measure_names *b);
double measure_overlap(const struct measure_names *a, const struct measure_names *b,
                       double persistence);

struct measure_mean {
    double value, low, high;
    size_t n; /* people */
};
/* Of all pairs of lists; persistence 0: Jaccard. */
struct measure_mean measure_pairs_mean(const struct measure_names *lists, size_t count,
                                       double persistence);

/* Of k options, counts of those who chose each; NAN for fewer than two options or nobody. */
double measure_entropy(const size_t *counts, size_t options);

#endif

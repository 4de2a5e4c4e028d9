/* SPDX-License-Identifier: Apache-2.0 */
/* Retention over time where many are still customers: Kaplan and Meier's estimate
 *   S(t) = Π_{t_j ≤ t} (1 − d_j / n_j)
 * with Greenwood's variance of ln S, V = Σ d_j / (n_j (n_j − d_j)), and log-log intervals
 *   S^exp(∓1.96 √V / ln S), which stay within 0 and 1.
 * Who is still there at the time of looking is censored; a tie of end and censoring counts the ends
 * first. Numbers at risk stand beside each point: a curve on three accounts shows that it is one.
 *
 * Assumptions: censoring says nothing of how long somebody will stay; lives are independent.
 * Shapes: durations ≥ 0 in any one unit. Ownership: the curve is the caller's,
 * measure_survival_fini. Errors: NO_MEMORY. Threads: pure. Cost: n log n. Source: Kaplan and Meier
 * 1958; Greenwood 1926; Kalbfleisch and Prentice 1980. docs/methods/survival.md. */
#ifndef MEASURE_SURVIVAL_H
#define MEASURE_SURVIVAL_H

#include "server/measure/spell.h"

struct measure_life {
    int64_t duration;
    bool ended; /* else censored at its duration */
};

struct measure_survival_point {
    int64_t time;
    uint32_t at_risk;  /* just before */
    uint32_t ended;    /* at it */
    uint32_t censored; /* at it, or since the point before */
    double survival;
    double error;     /* standard error of survival (Greenwood) */
    double low, high; /* both 0 once nobody is left and nobody censored; NAN: not defined */
};

struct measure_survival {
    struct measure_survival_point *points; /* one for each time at which somebody ended */
    size_t count;
    size_t n;
    int64_t last; /* the longest duration; beyond it nothing is known */
};

/* lives are sorted in place; the pace is asked meanwhile (NULL: always). */
bool measure_survival_of(struct measure_life *lives, size_t count, const struct measure_pace *pace,
                         struct measure_survival *curve, struct proto_fault *fault);
void measure_survival_fini(struct measure_survival *curve);
/* The curve at a time; *at_risk those who were watched until then at least. False beyond the last:
 * there is no number then. */
bool measure_survival_at(const struct measure_survival *curve, const struct measure_life *sorted,
                         int64_t time, struct measure_survival_point *point);
/* The first time at which S ≤ 0.5; MEASURE_NEVER if it stays above. */
int64_t measure_survival_median(const struct measure_survival *curve);

/* An account's life as a customer that pays: from its first spell with MRR to the first gap of more
 * than grace_ms, or to as_of_ms, where it is censored. False: it never paid before as_of_ms. */
bool measure_life_of(const struct measure_spells *spells, uint32_t account, int64_t as_of_ms,
                     int64_t grace_ms, int64_t *start_ms, struct measure_life *life);

#endif

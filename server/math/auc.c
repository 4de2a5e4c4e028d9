/* SPDX-License-Identifier: Apache-2.0 */
#include "server/math/auc.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "server/math/portable.h"

/* End of the run of equal scores that starts at `from` in the order. */
static size_t tie_end(const double *scores, const uint32_t *order, size_t count, size_t from)
{
    size_t end = from + 1;
    while (end < count && scores[order[end]] == scores[order[from]]) {
        end++;
    }
    return end;
}

static size_t positives_between(const uint8_t *labels, const uint32_t *order, size_t from,
                                size_t end)
{
    size_t positives = 0;
    for (size_t i = from; i < end; i++) {
        positives += labels[order[i]] != 0;
    }
    return positives;
}

/* Placement of each row: for a positive the share of negatives that it beats, for a negative the
 * share of positives that beat it, ties by half. Their mean over either class is the AUC. */
static double placements_fill(const double *scores, const uint8_t *labels, const uint32_t *order,
                              size_t count, const size_t totals[2], double *placements)
{
    double negatives = (double)totals[0];
    double positives = (double)totals[1];
    double negatives_below = 0.0;
    double positives_below = 0.0;
    double beaten = 0.0;
    for (size_t from = 0; from < count;) {
        size_t end = tie_end(scores, order, count, from);
        double tied_positives = (double)positives_between(labels, order, from, end);
        double tied_negatives = (double)(end - from) - tied_positives;
        double of_positive = (negatives_below + 0.5 * tied_negatives) / negatives;
        double of_negative =
            (positives - positives_below - tied_positives + 0.5 * tied_positives) / positives;
        for (size_t i = from; i < end; i++) {
            placements[order[i]] = labels[order[i]] != 0 ? of_positive : of_negative;
        }
        beaten += tied_positives * (negatives_below + 0.5 * tied_negatives);
        negatives_below += tied_negatives;
        positives_below += tied_positives;
        from = end;
    }
    return beaten / (positives * negatives);
}

/* DeLong: var = S10/m + S01/n with S the sample variances of the placements of each class. */
static double variance_delong(const double *placements, const uint8_t *labels, size_t count,
                              double auc, const size_t totals[2])
{
    double squares[2] = {0.0, 0.0};
    for (size_t i = 0; i < count; i++) {
        double gap = placements[i] - auc;
        squares[labels[i] != 0] += gap * gap;
    }
    double variance = 0.0;
    for (size_t class = 0; class < 2; class ++) {
        double n = (double)totals[class];
        if (totals[class] < 2) {
            return HUGE_VAL; /* one row of a class says nothing about its spread */
        }
        variance += squares[class] / (n - 1.0) / n;
    }
    return variance;
}

/* Obuchowski: the same sums taken per group first, so that rows of a group may depend on one
 * another. The correction I/(I−1) uses the number of groups. */
static double variance_grouped(const double *placements, const uint8_t *labels, size_t count,
                               double auc, const size_t totals[2], const uint32_t *groups,
                               size_t group_count, double *sums)
{
    for (size_t g = 0; g < group_count; g++) {
        sums[g] = 0.0;
    }
    for (size_t i = 0; i < count; i++) {
        assert(groups[i] < group_count);
        sums[groups[i]] += (placements[i] - auc) / (double)totals[labels[i] != 0];
    }
    double variance = 0.0;
    for (size_t g = 0; g < group_count; g++) {
        variance += sums[g] * sums[g];
    }
    double n = (double)group_count;
    return group_count < 2 ? HUGE_VAL : variance * n / (n - 1.0);
}

double math_student_95(double freedom)
{
    double z = MATH_Z_95;
    double z3 = z * z * z;
    double z5 = z3 * z * z;
    return z + (z3 + z) / (4.0 * freedom) +
           (5.0 * z5 + 16.0 * z3 + 3.0 * z) / (96.0 * freedom * freedom);
}

/* On the logit scale, where the AUC of few rows is nearer to normal than on its own, and by
 * Student's t, for the rarer class says how well the error itself is known. At 0 or 1 the logit has
 * no place, and that class counts as so many throws without a miss. `rarer`: its rows, or all
 * groups if those are fewer. */
static void interval_set(struct math_auc *result, size_t rarer)
{
    double auc = result->auc;
    if (!isfinite(result->error) || rarer < 2) {
        return;
    }
    if (!(auc > 0.0 && auc < 1.0)) {
        double bound = math_exp(math_log(0.025) / (double)rarer);
        result->low = auc > 0.5 ? bound : 0.0;
        result->high = auc > 0.5 ? 1.0 : 1.0 - bound;
        return;
    }
    double centre = math_log(auc / (1.0 - auc));
    double half = math_student_95((double)rarer - 1.0) * result->error / (auc * (1.0 - auc));
    result->low = math_logistic(centre - half);
    result->high = math_logistic(centre + half);
}

bool math_auc_grouped(const double *scores, const uint8_t *labels, const uint32_t *order,
                      size_t count, const uint32_t *groups, size_t group_count,
                      struct math_auc *result)
{
    size_t totals[2] = {0, 0};
    totals[1] = positives_between(labels, order, 0, count);
    totals[0] = count - totals[1];
    *result = (struct math_auc){.auc = 0.5,
                                .error = HUGE_VAL,
                                .low = 0.0,
                                .high = 1.0,
                                .positives = totals[1],
                                .negatives = totals[0]};
    if (totals[0] == 0 || totals[1] == 0) {
        return true;
    }
    double *placements = malloc(count * sizeof *placements);
    double *sums = malloc((group_count + 1) * sizeof *sums);
    bool ok = placements != NULL && sums != NULL;
    if (ok) {
        double auc = placements_fill(scores, labels, order, count, totals, placements);
        double variance = groups == NULL ? variance_delong(placements, labels, count, auc, totals)
                                         : variance_grouped(placements, labels, count, auc, totals,
                                                            groups, group_count, sums);
        result->auc = auc;
        result->error = sqrt(variance);
        size_t rarer = totals[0] < totals[1] ? totals[0] : totals[1];
        interval_set(result, groups == NULL || rarer < group_count ? rarer : group_count);
    }
    free(sums);
    free(placements);
    return ok;
}

bool math_auc(const double *scores, const uint8_t *labels, const uint32_t *order, size_t count,
              struct math_auc *result)
{
    return math_auc_grouped(scores, labels, order, count, NULL, 0, result);
}

double math_ks(const double *scores, const uint8_t *labels, const uint32_t *order, size_t count)
{
    size_t positives = positives_between(labels, order, 0, count);
    size_t negatives = count - positives;
    if (positives == 0 || negatives == 0) {
        return 0.0;
    }
    size_t positives_below = 0;
    double largest = 0.0;
    for (size_t from = 0; from < count;) {
        size_t end = tie_end(scores, order, count, from);
        positives_below += positives_between(labels, order, from, end);
        double gap = (double)(end - positives_below) / (double)negatives -
                     (double)positives_below / (double)positives;
        largest = fmax(largest, fabs(gap));
        from = end;
    }
    return largest;
}

double math_lift(const double *scores, const uint8_t *labels, const uint32_t *order, size_t count,
                 double share)
{
    size_t positives = positives_between(labels, order, 0, count);
    double wanted = ceil(share * (double)count - 1e-9);
    if (positives == 0 || wanted < 1.0) {
        return 0.0;
    }
    double taken = 0.0;
    double found = 0.0;
    for (size_t end = count; end > 0 && taken < wanted;) {
        size_t from = end;
        while (from > 0 && scores[order[from - 1]] == scores[order[end - 1]]) {
            from--;
        }
        double here = (double)(end - from);
        double part = fmin(1.0, (wanted - taken) / here);
        found += part * (double)positives_between(labels, order, from, end);
        taken += part * here;
        end = from;
    }
    return found / taken * (double)count / (double)positives;
}

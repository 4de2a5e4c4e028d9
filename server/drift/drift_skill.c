/* SPDX-License-Identifier: Apache-2.0 */
/* Order by the scores, rates by Wilson, p against what happened; and what p alone expects before
 * there are outcomes. With outcomes of one side alone only the latter and the rate are there. */
#include <math.h>
#include <stdlib.h>

#include "server/drift/drift_row.h"
#include "server/math/accuracy.h"
#include "server/math/order.h"
#include "server/math/sequence.h"

#define ALPHA 0.05
#define BEST_V 100.0 /* some thousand outcomes of a middling profile: docs/methods/drift.md */
#define TOP_SHARE 0.1

static bool no_memory(struct proto_fault *fault, size_t count)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to measure %zu rows", count);
}

/* By how much p came nearer than q. */
static double nearer(double q, double p, double y)
{
    return (q - p) * (q + p - 2 * y);
}

/* The least and the most that it can come to under this scorecard, whose p lies between those of
 * its calibration: known before any outcome. */
static double nearer_width(const struct model_scorecard *scorecard, double q)
{
    double least = HUGE_VAL;
    double most = -HUGE_VAL;
    for (int end = 0; end < 4; end++) {
        size_t point = end / 2 == 0 ? 0 : scorecard->calibration_count - 1;
        double p = scorecard->calibration_count > 0 ? scorecard->calibration_p[point] : q;
        double value = nearer(q, p, end % 2);
        least = value < least ? value : least;
        most = value > most ? value : most;
    }
    return most - least;
}

static bool skill_measure(const struct drift_rows *rows, struct drift_result *result,
                          struct proto_fault *fault)
{
    double q = result->then.base_rate;
    double *values = malloc((rows->settled + 1) * sizeof *values);
    if (!values) {
        return no_memory(fault, rows->settled);
    }
    for (size_t i = 0; i < rows->settled; i++) {
        values[i] = nearer(q, rows->p[i], rows->labels[i]);
    }
    const struct math_sequence_options options = {
        .width = nearer_width(result->document->scorecard, q), .best = BEST_V, .alpha = ALPHA};
    struct math_sequence skill = math_sequence_mean(values, rows->settled, &options);
    result->skill = (struct drift_figure){skill.mean, skill.low, skill.high};
    free(values);
    return true;
}

/* Rate less mean p, with an interval over accounts: rows of one may depend on one another. */
static bool gap_measure(const struct drift_rows *rows, struct drift_result *result,
                        struct proto_fault *fault)
{
    double n = (double)rows->settled;
    double *sums = calloc(rows->group_count + 1, sizeof *sums);
    double spread = 0;
    double p_sum = 0;
    if (!sums) {
        return no_memory(fault, rows->group_count);
    }
    for (size_t i = 0; i < rows->settled; i++) {
        p_sum += rows->p[i];
    }
    result->p_mean = p_sum / n;
    result->gap.value = (double)rows->positives / n - result->p_mean;
    for (size_t i = 0; i < rows->settled; i++) {
        sums[rows->groups ? rows->groups[i] : i] +=
            rows->labels[i] - rows->p[i] - result->gap.value;
    }
    for (size_t g = 0; g < rows->group_count; g++) {
        spread += sums[g] * sums[g];
    }
    free(sums);
    double error = sqrt(spread) / n;
    result->gap.low = result->gap.value - MATH_Z_95 * error;
    result->gap.high = result->gap.value + MATH_Z_95 * error;
    return true;
}

/* The rate of the top tenth over that of all, which is taken as known. */
static void lift_measure(const struct learn_evidence *evidence, struct drift_result *result)
{
    size_t top = (size_t)ceil((double)evidence->rows * TOP_SHARE);
    double base = result->rate.value;
    double low = 0;
    double high = 0;
    size_t won = (size_t)lround(evidence->lift_top_decile * base * (double)top);
    math_wilson(won < top ? won : top, top, &low, &high);
    result->lift = (struct drift_figure){evidence->lift_top_decile, low / base, high / base};
}

static bool outcomes_measure(const struct drift_rows *rows, struct drift_result *result,
                             struct proto_fault *fault)
{
    struct learn_evidence evidence;
    const struct model_scorecard *scorecard = result->document->scorecard;
    if (!learn_evidence_measure(scorecard, rows->codes, rows->stride, rows->labels, rows->settled,
                                rows->groups, rows->group_count, &evidence, fault) ||
        !skill_measure(rows, result, fault) || !gap_measure(rows, result, fault)) {
        return false;
    }
    result->auc = (struct drift_figure){evidence.auc.auc, evidence.auc.low, evidence.auc.high};
    result->brier = evidence.brier;
    memcpy(result->grades, evidence.grades, sizeof result->grades);
    lift_measure(&evidence, result);
    return true;
}

/* Brier and AUC that these p would have if they were right: sums over all pairs of rows, each of
 * which is one positive and the other not with p (1 − p'). */
static bool expectation_measure(const struct drift_rows *rows, struct drift_result *result,
                                struct proto_fault *fault)
{
    uint32_t *order = math_order_create(rows->p, rows->count);
    double brier = 0;
    double negatives = 0; /* below the run of equal p */
    double positives = 0;
    double wins = 0;
    if (!order) {
        return no_memory(fault, rows->count);
    }
    for (size_t from = 0, to = 0; from < rows->count; from = to) {
        double p = rows->p[order[from]];
        while (to < rows->count && rows->p[order[to]] == p) {
            to++;
        }
        double run = (double)(to - from);
        wins += run * p * negatives + 0.5 * p * (1 - p) * run * (run - 1);
        negatives += run * (1 - p);
        positives += run * p;
        brier += run * p * (1 - p);
    }
    free(order);
    double pairs = positives * negatives - brier;
    result->expected_brier = brier / (double)rows->count;
    result->expected_auc = pairs > 0 ? wins / pairs : 0.5;
    return true;
}

bool drift_skill_measure(const struct drift_rows *rows, struct drift_result *result,
                         struct proto_fault *fault)
{
    result->rows = rows->settled;
    result->positives = rows->positives;
    result->accounts = rows->group_count;
    result->open = rows->count - rows->settled;
    result->not_kept = rows->not_kept;
    result->both = rows->positives > 0 && rows->positives < rows->settled;
    if (rows->settled > 0) {
        result->rate.value = (double)rows->positives / (double)rows->settled;
        math_wilson(rows->positives, rows->settled, &result->rate.low, &result->rate.high);
    }
    return (rows->count == 0 || expectation_measure(rows, result, fault)) &&
           (!result->both || outcomes_measure(rows, result, fault));
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "server/learn/evidence.h"

#include <stdlib.h>

#include "server/math/accuracy.h"
#include "server/math/order.h"

struct scored {
    double *raw;
    double *p;
    uint32_t *order;
};

static void scored_fini(struct scored *scored)
{
    free(scored->raw);
    free(scored->p);
    free(scored->order);
}

static bool rows_score(const struct model_scorecard *scorecard, const uint8_t *codes, size_t stride,
                       size_t rows, struct scored *scored)
{
    int64_t *exact = malloc((rows + 1) * sizeof *exact);
    scored->raw = malloc((rows + 1) * sizeof *scored->raw);
    scored->p = malloc((rows + 1) * sizeof *scored->p);
    if (exact == NULL || scored->raw == NULL || scored->p == NULL) {
        free(exact);
        return false;
    }
    model_raw_many(scorecard, codes, stride, rows, exact);
    for (size_t i = 0; i < rows; i++) {
        scored->raw[i] = (double)exact[i]; /* below 2^53: exact */
        scored->p[i] = model_p(scorecard, exact[i]);
    }
    free(exact);
    scored->order = math_order_create(scored->raw, rows);
    return scored->order != NULL;
}

static void reliability_measure(const double *p, const uint8_t *labels, size_t rows,
                                struct learn_reliability *bins)
{
    for (size_t i = 0; i < rows; i++) {
        size_t b = (size_t)(p[i] * LEARN_RELIABILITY_BINS);
        struct learn_reliability *bin =
            &bins[b < LEARN_RELIABILITY_BINS ? b : LEARN_RELIABILITY_BINS - 1];
        bin->rows++;
        bin->positives += labels[i];
        bin->p_mean += p[i];
    }
    for (size_t b = 0; b < LEARN_RELIABILITY_BINS; b++) {
        if (bins[b].rows > 0) {
            bins[b].p_mean /= (double)bins[b].rows;
            math_wilson(bins[b].positives, bins[b].rows, &bins[b].low, &bins[b].high);
        }
    }
}

/* How each grade did. Raw scores are whole and below 2^53, so they come back exactly. */
static void grades_measure(const struct model_scorecard *scorecard, const double *raw,
                           const uint8_t *labels, size_t rows, struct learn_grade_rows *grades)
{
    for (size_t i = 0; i < rows; i++) {
        char grade = model_grade(scorecard, model_fit(scorecard, (int64_t)raw[i]));
        grades[grade - 'A'].rows++;
        grades[grade - 'A'].positives += labels[i];
    }
    for (size_t g = 0; g < LEARN_GRADES; g++) {
        if (grades[g].rows > 0) {
            math_wilson(grades[g].positives, grades[g].rows, &grades[g].low, &grades[g].high);
        }
    }
}

bool learn_evidence_measure(const struct model_scorecard *scorecard, const uint8_t *codes,
                            size_t stride, const uint8_t *labels, size_t rows,
                            const uint32_t *groups, size_t group_count,
                            struct learn_evidence *evidence, struct proto_fault *fault)
{
    struct scored scored = {0};
    *evidence = (struct learn_evidence){.rows = rows};
    bool ok =
        rows_score(scorecard, codes, stride, rows, &scored) &&
        math_auc_grouped(scored.raw, labels, scored.order, rows, groups, group_count,
                         &evidence->auc) &&
        math_log_loss_interval(scored.p, labels, rows, groups, group_count,
                               &evidence->log_loss_interval) &&
        math_ece_interval(scored.p, labels, rows, groups, group_count, &evidence->ece_interval);
    if (ok) {
        double base = (double)evidence->auc.positives / (double)rows;
        evidence->brier = math_brier(scored.p, labels, rows);
        evidence->brier_reference = base * (1.0 - base);
        evidence->log_loss = math_log_loss(scored.p, labels, rows);
        evidence->ece = math_ece(scored.p, labels, rows, MATH_ECE_BINS);
        evidence->lift_top_decile = math_lift(scored.raw, labels, scored.order, rows, 0.1);
        evidence->ks = math_ks(scored.raw, labels, scored.order, rows);
        reliability_measure(scored.p, labels, rows, evidence->reliability);
        grades_measure(scorecard, scored.raw, labels, rows, evidence->grades);
    } else {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to measure %zu rows", rows);
    }
    scored_fini(&scored);
    return ok;
}

bool learn_evidence_holds(const struct learn_evidence *evidence)
{
    return evidence->auc.low > 0.5 && evidence->out_of_fold.low > 0.5;
}

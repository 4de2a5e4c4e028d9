/* SPDX-License-Identifier: Apache-2.0 */
/* What the held-out part says of a model that has not seen it. It is looked at once, at the very
 * end: no setting, field or bin depends on it. Errors: PROTO_NO_MEMORY. Threads: pure. Source:
 * GLOSSARY.md, measures; docs/methods/evidence.md. */
#ifndef LEARN_EVIDENCE_H
#define LEARN_EVIDENCE_H

#include "server/math/accuracy_interval.h"
#include "server/math/auc.h"
#include "server/model/scorecard.h"

#define LEARN_RELIABILITY_BINS 10
#define LEARN_GRADES 4 /* A, B, C, D */

/* Rows whose p lies in one tenth of [0, 1], and the Wilson interval of their rate. */
struct learn_reliability {
    size_t rows, positives;
    double p_mean, low, high;
};

/* Rows of one grade, and the Wilson interval of their rate. */
struct learn_grade_rows {
    size_t rows, positives;
    double low, high;
};

struct learn_evidence {
    size_t rows;
    struct math_auc auc;
    struct math_auc out_of_fold;   /* on the part learned from; the caller sets it */
    double brier, brier_reference; /* reference: always the base rate */
    double log_loss, ece, lift_top_decile, ks;
    struct math_interval log_loss_interval, ece_interval;
    struct learn_reliability reliability[LEARN_RELIABILITY_BINS];
    struct learn_grade_rows grades[LEARN_GRADES]; /* from A; of the model that is measured */
};

/* Scores rows of codes (stride apart) and compares with their labels. groups as in
 * math_auc_grouped. */
bool learn_evidence_measure(const struct model_scorecard *scorecard, const uint8_t *codes,
                            size_t stride, const uint8_t *labels, size_t rows,
                            const uint32_t *groups, size_t group_count,
                            struct learn_evidence *evidence, struct proto_fault *fault);

/* True if the lower ends of both 95 % intervals are above one half: of the AUC on the held-out
 * part, and of the out-of-fold AUC on the part learned from. On noise the first alone passes in
 * 2.5 % of cases; the second asks other rows the same question, so that drawing the held-out part
 * anew until it pleases does not find an ICP in noise. */
bool learn_evidence_holds(const struct learn_evidence *evidence);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* How much each field matters in a scorecard: the mean size of what it adds to the score over all
 * rows of a block, in logits; a pair counts half to either field.
 * Errors: PROTO_NO_MEMORY. Threads: pure. Cost: rows · terms. */
#ifndef LEARN_WEIGHTS_H
#define LEARN_WEIGHTS_H

#include "server/learn/block.h"
#include "server/learn/leakage.h"

struct learn_field_weight {
    const char *name;
    double importance;
    double auc_alone;
};

/* weights[count of checked fields]; *used of them, those that the guard let pass, are filled in,
 * most important first, ties by name. */
bool learn_weights_measure(const struct learn_block *block, const struct model_scorecard *scorecard,
                           const struct learn_field_report *checked, size_t checked_count,
                           struct learn_field_weight *weights, size_t *used,
                           struct proto_fault *fault);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What an account is worth by a version that has learned that (learn/value_card.h): the value if it
 * has the outcome, between what eight of ten such accounts came to, and p times that.
 *
 * Ownership: borrows. Errors: PROTO_BAD_FIELD of `value` where the version has none, those of
 * engine_values_gather. Threads: the worker's, whose values and codes are written over. Cost: that
 * of a score from values; nothing where nobody asks. */
#ifndef ENGINE_EXPECTED_H
#define ENGINE_EXPECTED_H

#include "server/engine/engine.h"

struct engine_expected {
    double value, value_low, value_high; /* if it has the outcome */
    double expected, expected_low, expected_high;
};

/* Of codes by the document. */
bool engine_expected_of(const struct learn_document *document, const uint8_t *codes, double p,
                        struct engine_expected *expected, struct proto_fault *fault);
/* Of what a query has scored: answer is its answer. */
bool engine_expected_score(struct engine_worker *worker, const struct engine_query *query,
                           const struct engine_answer *answer, struct engine_expected *expected,
                           struct proto_fault *fault);

#endif

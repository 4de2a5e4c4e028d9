/* SPDX-License-Identifier: Apache-2.0 */
/* The second scorecard: what an account is worth if it has the outcome, so that p times that is its
 * expected value.
 *
 *   value = exp((intercept + Σ points[bin of its column]) / 10^6)      millionths of a logarithm
 *
 * over the columns of the version's codebook, learned from the accounts that had the outcome and a
 * value. Of ten such accounts eight came to ratio_low … ratio_high times what was said of them by a
 * model that had not seen them. Where held-out accounts do not say that the columns tell values
 * apart there are no terms, and every account has the mean.
 *
 * In a document it stands as `value` within `settings`, which builds that do not know it pass over:
 *   { "field", "n", "mean", "intercept", "ratio_low", "ratio_high",
 *     "terms": [ { "column": c, "points": [i …] } … ],
 *     "evidence": { "n", "gain", "gain_low", "gain_high", "total" } }
 * gain is by how much less Gamma deviance held-out accounts have than by the mean alone, a row;
 * total is what came of them together over what was said.
 *
 * Ownership: learn_value_destroy frees it. Errors: PROTO_BAD_DOCUMENT with the path,
 * PROTO_NO_MEMORY. Threads: immutable. Cost: a look-up a term. docs/methods/value.md. */
#ifndef LEARN_VALUE_CARD_H
#define LEARN_VALUE_CARD_H

#include <jansson.h>

#include "server/feature/codebook.h"

#define LEARN_VALUE_POINTS_MAX (1 << 28) /* of one bin or the intercept: e^268 either way */

struct learn_value_term {
    uint16_t column;
    const int32_t *points; /* by bin */
};

struct learn_value {
    char *field;
    int64_t intercept;
    struct learn_value_term *terms;
    size_t term_count;
    int32_t *points; /* of all terms */
    double ratio_low, ratio_high;
};

/* From the member of a document; NULL with *fault. */
struct learn_value *learn_value_parse(const json_t *json, const struct feature_codebook *codebook,
                                      struct proto_fault *fault);
void learn_value_destroy(struct learn_value *value); /* NULL is fine */
/* Of a row of codes: what it is worth if it has the outcome; the sum that it is the exponential of,
 * and the value of such a sum. */
double learn_value_of(const struct learn_value *value, const uint8_t *codes);
int64_t learn_value_sum(const struct learn_value *value, const uint8_t *codes);
double learn_value_of_sum(int64_t sum);

#endif

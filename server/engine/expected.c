/* SPDX-License-Identifier: Apache-2.0 */
/* The values of the query are gathered and coded once more, for the score may have come from memory
 * alone. A version without a value says so. */
#include "server/engine/expected.h"

#include "server/engine/explain.h"

bool engine_expected_of(const struct learn_document *document, const uint8_t *codes, double p,
                        struct engine_expected *expected, struct proto_fault *fault)
{
    const struct learn_value *card = document->value;
    if (!card) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "value",
                               "version %u was learned without a value: learn with one",
                               document->version);
    }
    double value = learn_value_of(card, codes);
    *expected = (struct engine_expected){
        .value = value,
        .value_low = value * card->ratio_low,
        .value_high = value * card->ratio_high,
        .expected = p * value,
        .expected_low = p * value * card->ratio_low,
        .expected_high = p * value * card->ratio_high,
    };
    return true;
}

bool engine_expected_score(struct engine_worker *worker, const struct engine_query *query,
                           const struct engine_answer *answer, struct engine_expected *expected,
                           struct proto_fault *fault)
{
    const struct learn_document *document = query->document;
    struct proto_span id;
    if (!engine_values_gather(worker, query, answer->slot, &id, fault) ||
        !ENGINE_SCRATCH(worker, codes, code_bytes, document->codebook->row_bytes, fault)) {
        return false;
    }
    feature_codebook_encode(document->codebook, worker->values,
                            worker->state->schema ? worker->state->schema->id_count : 0,
                            worker->codes);
    return engine_expected_of(document, worker->codes, answer->p, expected, fault);
}

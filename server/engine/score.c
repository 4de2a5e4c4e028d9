/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>

#include "server/engine/explain.h"
#include "server/engine/labels_parts.h"
#include "server/engine/walk.h"
#include "server/engine/worker.h"

bool engine_rows_usable(struct engine_worker *worker, const struct learn_document *document)
{
    return store_view_rows_digest(worker->view) == document->codebook->digest;
}

/* Codes from values, in the worker's scratch. */
static const uint8_t *encode_values(struct engine_worker *worker,
                                    const struct learn_document *document,
                                    struct proto_fault *fault)
{
    if (!ENGINE_SCRATCH(worker, codes, code_bytes, document->codebook->row_bytes, fault)) {
        return NULL;
    }
    feature_codebook_encode(document->codebook, worker->values,
                            worker->state->schema ? worker->state->schema->id_count : 0,
                            worker->codes);
    return worker->codes;
}

/* The stored row if the query brings no values; NULL without a fault where there is none. */
static const uint8_t *stored_codes(struct engine_worker *worker, const struct engine_query *query,
                                   uint32_t slot, struct proto_fault *fault)
{
    if (slot == STORE_NO_SLOT || query->values || query->was ||
        !engine_rows_usable(worker, query->document)) {
        return NULL;
    }
    return store_row(worker->view, slot, fault);
}

/* The primary id of an account that was found by something else. */
static bool id_read(struct engine_worker *worker, uint32_t slot, struct proto_span *id,
                    struct proto_fault *fault)
{
    struct feature_record record;
    if (!engine_record(worker, slot, &record, fault)) {
        return false;
    }
    *id = record.id;
    return true;
}

/* Of a stored account as it is: from memory, or from its record. */
static bool label_stored(struct engine_worker *worker, struct engine_answer *answer,
                         struct proto_fault *fault)
{
    const struct engine_labels *labels = worker->state->labels;
    if (labels == NULL || answer->slot == STORE_NO_SLOT) {
        return true;
    }
    engine_labels_read(labels, worker->view, &answer->slot, 1, &answer->label);
    if (answer->label != ENGINE_LABEL_UNKNOWN) {
        return true;
    }
    if (!engine_values(worker, answer->slot, NULL, fault)) {
        return false;
    }
    answer->label = engine_labels_match(labels, worker->values, worker->value_slots);
    return true;
}

bool engine_score_row(struct engine_worker *worker, const struct engine_query *query, uint32_t slot,
                      const uint8_t *codes, struct engine_answer *answer, struct proto_fault *fault)
{
    *answer =
        (struct engine_answer){.found = slot != STORE_NO_SLOT, .slot = slot, .id = query->name.id};
    if (!label_stored(worker, answer, fault)) {
        return false;
    }
    if (query->reasons > 0) {
        /* The id of a source record finds its account, whose primary id may be another. */
        bool renamed = answer->found && store_view_folds(worker->view) > 0;
        return (!renamed || id_read(worker, slot, &answer->id, fault)) &&
               engine_explain(worker, query, codes, false, answer, fault);
    }
    engine_answer_from_raw(query->document, model_raw(query->document->scorecard, codes), answer);
    return true;
}

/* Scores the values of the query, laid over those of the account. */
static bool score_values(struct engine_worker *worker, const struct engine_query *query,
                         struct engine_answer *answer, struct proto_fault *fault)
{
    if (!engine_values_gather(worker, query, answer->slot, &answer->id, fault)) {
        return false;
    }
    const uint8_t *codes = encode_values(worker, query->document, fault);
    if (!codes) {
        return false;
    }
    if (worker->state->labels) {
        answer->label =
            engine_labels_match(worker->state->labels, worker->values,
                                worker->state->schema ? worker->state->schema->id_count : 0);
    }
    if (query->reasons > 0) {
        return engine_explain(worker, query, codes, true, answer, fault);
    }
    engine_answer_from_raw(query->document, model_raw(query->document->scorecard, codes), answer);
    return true;
}

bool engine_score(struct engine_worker *worker, const struct engine_query *query,
                  struct engine_answer *answer, struct proto_fault *fault)
{
    *answer = (struct engine_answer){.slot = STORE_NO_SLOT};
    struct proto_fault local = {0};
    if (!engine_query_find(worker, query, "score", answer, fault)) {
        return false;
    }
    const uint8_t *codes = stored_codes(worker, query, answer->slot, &local);
    if (local.code != PROTO_OK) {
        *fault = local;
        return false;
    }
    if (!codes) {
        return score_values(worker, query, answer, fault);
    }
    if (!engine_score_row(worker, query, answer->slot, codes, answer, fault)) {
        return false;
    }
    return query->reasons == 0 || answer->id.bytes > 0 ||
           id_read(worker, answer->slot, &answer->id, fault);
}

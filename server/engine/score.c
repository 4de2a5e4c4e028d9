/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>

#include "server/engine/explain.h"
#include "server/engine/worker.h"

void *engine_scratch_grow(void *memory, size_t *count, size_t wanted, size_t bytes_each,
                          struct proto_fault *fault)
{
    if (wanted <= *count) {
        return memory;
    }
    void *larger = realloc(memory, wanted * bytes_each);
    if (!larger) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to score");
        return memory;
    }
    *count = wanted;
    return larger;
}

bool engine_rows_usable(struct engine_worker *worker, const struct icp_document *document)
{
    return store_view_rows_digest(worker->view) == document->codebook->digest;
}

void engine_answer_from_raw(const struct icp_document *document, int64_t raw,
                            struct engine_answer *answer)
{
    answer->raw = raw;
    answer->p = model_p(document->scorecard, raw);
    answer->fit = model_fit(document->scorecard, raw);
    answer->grade = model_grade(document->scorecard, answer->fit);
}

/* Fills worker->values with the stored values of the account (all missing if there is none), then
 * lays the query's over them. */
static bool gather_values(struct engine_worker *worker, const struct engine_query *query,
                          uint32_t slot, struct proto_span *id, struct proto_fault *fault)
{
    size_t slots = worker->state->schema ? worker->state->schema->id_count : 0;
    if (!ENGINE_SCRATCH(worker, values, value_slots, slots, fault)) {
        return false;
    }
    for (size_t i = 0; i < slots; i++) {
        worker->values[i].present = false;
    }
    if (slot != STORE_NO_SLOT) {
        struct proto_span bytes;
        struct feature_record record;
        if (!store_record(worker->view, slot, &bytes, fault) ||
            !feature_record_open(bytes, false, &record, fault)) {
            return false;
        }
        feature_record_values(&record, worker->values, slots);
        *id = record.id;
    }
    for (size_t i = 0; i < query->value_slots && i < slots; i++) {
        if (query->values[i].present) {
            worker->values[i] = query->values[i];
        }
    }
    return true;
}

/* Codes from values, in the worker's scratch. */
static const uint8_t *encode_values(struct engine_worker *worker,
                                    const struct icp_document *document, struct proto_fault *fault)
{
    if (!ENGINE_SCRATCH(worker, codes, code_bytes, document->codebook->row_bytes, fault)) {
        return NULL;
    }
    feature_codebook_encode(document->codebook, worker->values,
                            worker->state->schema ? worker->state->schema->id_count : 0,
                            worker->codes);
    return worker->codes;
}

/* The stored row if the query asks for nothing else; NULL without a fault where there is none. */
static const uint8_t *stored_codes(struct engine_worker *worker, const struct engine_query *query,
                                   uint32_t slot, struct proto_fault *fault)
{
    if (slot == STORE_NO_SLOT || query->values || query->reasons > 0 ||
        !engine_rows_usable(worker, query->document)) {
        return NULL;
    }
    return store_row(worker->view, slot, fault);
}

bool engine_score(struct engine_worker *worker, const struct engine_query *query,
                  struct engine_answer *answer, struct proto_fault *fault)
{
    *answer = (struct engine_answer){.slot = STORE_NO_SLOT};
    struct proto_fault local = {0};
    answer->slot = engine_find(worker, &query->name, &local);
    answer->found = answer->slot != STORE_NO_SLOT;
    if (local.code != PROTO_OK) {
        *fault = local;
        return false;
    }
    if (!answer->found && !query->values) {
        return proto_fault_set(fault, PROTO_NOT_FOUND, "",
                               "no account has this id, key or email domain, and no values are "
                               "given to score instead");
    }
    const uint8_t *codes = stored_codes(worker, query, answer->slot, &local);
    if (!codes && local.code == PROTO_OK) {
        if (gather_values(worker, query, answer->slot, &answer->id, &local)) {
            codes = encode_values(worker, query->document, &local);
        }
    }
    if (!codes) {
        *fault = local;
        return false;
    }
    engine_answer_from_raw(query->document, model_raw(query->document->scorecard, codes), answer);
    return query->reasons == 0 || engine_explain(worker, query, codes, answer, fault);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What plain scores and explained ones share: numbers from a raw score, whom a query means, and the
 * values that it is about. */
#include "server/engine/before.h"
#include "server/engine/explain.h"
#include "server/engine/worker.h"

void engine_answer_from_raw(const struct learn_document *document, int64_t raw,
                            struct engine_answer *answer)
{
    answer->raw = raw;
    answer->p = model_p(document->scorecard, raw);
    answer->fit = model_fit(document->scorecard, raw);
    answer->grade = model_grade(document->scorecard, answer->fit);
}

bool engine_query_find(struct engine_worker *worker, const struct engine_query *query,
                       const char *doing, struct engine_answer *answer, struct proto_fault *fault)
{
    struct proto_fault local = {.code = PROTO_OK};
    answer->slot = engine_find(worker, &query->name, &local);
    answer->found = answer->slot != ENGINE_NO_SLOT;
    if (local.code != PROTO_OK) {
        *fault = local;
        return false;
    }
    return answer->found || query->values ||
           proto_fault_set(fault, PROTO_NOT_FOUND, "",
                           "no account has this id, key or email domain, and no values are given "
                           "to %s instead",
                           doing);
}

/* A value that the account had and that is not kept must not pass for a missing one, if the
 * document looks at it and the query brings no other. */
static bool kept_check(const struct engine_worker *worker, const struct engine_query *query,
                       struct proto_fault *fault)
{
    const struct feature_codebook *codebook = query->document->codebook;
    size_t slots = worker->state->schema ? worker->state->schema->id_count : 0;
    for (size_t i = 0; i < codebook->column_count; i++) {
        size_t field = codebook->columns[i].field_id;
        bool given = query->values && field < query->value_slots && query->values[field].present;
        if (field < slots && query->was[field].unkept && !given) {
            return proto_fault_set(fault, PROTO_NOT_FOUND, "",
                                   "what the field \"%s\" was then is not kept: it is too long",
                                   codebook->columns[i].field_name);
        }
    }
    return true;
}

bool engine_values_gather(struct engine_worker *worker, const struct engine_query *query,
                          uint32_t slot, struct proto_span *id, struct proto_fault *fault)
{
    size_t slots = worker->state->schema ? worker->state->schema->id_count : 0;
    if ((query->was && !kept_check(worker, query, fault)) ||
        !ENGINE_SCRATCH(worker, values, value_slots, slots, fault)) {
        return false;
    }
    for (size_t i = 0; i < slots; i++) {
        worker->values[i].present = false;
    }
    if (slot != STORE_NO_SLOT) {
        struct feature_record record;
        if (!engine_record(worker, slot, &record, fault)) {
            return false;
        }
        *id = record.id;
        if (query->was == NULL) {
            feature_record_values(&record, worker->values, slots);
        }
    }
    for (size_t i = 0; query->was != NULL && i < slots; i++) {
        worker->values[i] = query->was[i].value;
    }
    for (size_t i = 0; i < query->value_slots && i < slots; i++) {
        if (query->values[i].present) {
            worker->values[i] = query->values[i];
        }
    }
    return true;
}

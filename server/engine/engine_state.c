/* SPDX-License-Identifier: Apache-2.0 */
/* The state as its readers see it: a reference to one consistent set of schemas, versions and
 * lists, whatever is put or activated meanwhile (registry.c). */
#include <inttypes.h>
#include <stdlib.h>

#include "server/engine/definitions.h"
#include "server/engine/labels_parts.h"
#include "server/engine/scores.h"
#include "server/engine/version.h"

struct engine_state *engine_state_get(struct engine *engine)
{
    pthread_mutex_lock(&engine->state_lock);
    struct engine_state *state = engine->state;
    __atomic_add_fetch(&state->references, 1, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&engine->state_lock);
    return state;
}

void engine_state_release(struct engine_state *state)
{
    if (!state || __atomic_sub_fetch(&state->references, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    for (size_t i = 0; i < state->schema_count; i++) {
        feature_schema_release(state->schemas[i]);
    }
    for (size_t i = 0; i < state->document_count; i++) {
        engine_version_release(state->versions[i]);
    }
    engine_lists_release(state->lists);
    engine_definitions_release(state->definitions);
    engine_segments_release(state->segments);
    engine_labels_release(state->labels);
    engine_scores_release(state->scores);
    free(state->schemas);
    free(state->versions);
    free(state);
}

bool engine_state_list_slots(const struct engine_state *state, struct proto_span name,
                             const uint32_t **slots, size_t *count, struct proto_fault *fault)
{
    *slots = NULL;
    *count = 0;
    if (name.bytes == 0) {
        *slots = state->lists ? state->lists->any : NULL;
        *count = state->lists ? state->lists->any_count : 0;
        return !engine_lists_unsure(state->lists) ||
               proto_fault_set(fault, PROTO_CORRUPT, "",
                               "%zu of the target account lists are damaged: who is on them cannot "
                               "be said",
                               state->lists->damaged);
    }
    const struct engine_list *list = engine_lists_find(state->lists, name, fault);
    *slots = list ? list->slots : NULL;
    *count = list ? list->count : 0;
    return list != NULL;
}

struct learn_document *engine_state_document(const struct engine_state *state, uint64_t version,
                                             struct proto_fault *fault)
{
    if (version == 0) {
        if (state->active) {
            return state->active;
        }
        if (state->active_version == 0) {
            proto_fault_set(fault, PROTO_NO_ICP, "icp",
                            "no ICP version is active: learn or put one, then activate it");
            return NULL;
        }
        version = state->active_version; /* it cannot be used: say why */
    }
    if (version > state->document_count) {
        proto_fault_set(fault, PROTO_NOT_FOUND, "icp",
                        "there is no ICP version %" PRIu64 ", the newest is %zu", version,
                        state->document_count);
        return NULL;
    }
    return engine_version_open(state->versions[version - 1], state, fault);
}

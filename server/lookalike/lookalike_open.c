/* SPDX-License-Identifier: Apache-2.0 */
/* A set from the blocks of the store: read once, checked, then brought up to date by the slots that
 * have changed since. */
#include <inttypes.h>
#include <stdlib.h>

#include "server/feature/json_text.h"
#include "server/lookalike/lookalike_parts.h"
#include "server/store/vector_blocks.h"

/* An opening under way. */
struct opening {
    struct lookalike *lookalike;
    struct store_view *view;
    struct store_vectors_head head;
    struct lookalike_set *made;
    struct feature_schema *schema;
};

static bool corrupt(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_CORRUPT, "vector", "the head of the vectors is not valid");
}

/* One block into memory; a missing one is a block that was freed. */
static bool block_load(struct opening *opening, enum similar_kind kind, uint32_t number,
                       struct proto_fault *fault)
{
    struct proto_span block;
    size_t bytes = similar_block_bytes(kind, opening->made->plan->dims);
    if (!store_vectors_block(opening->view, opening->head.generation, (unsigned)kind, number,
                             &block, fault)) {
        return false;
    }
    if (block.bytes == 0) {
        return true;
    }
    if (block.bytes != bytes) {
        return corrupt(fault);
    }
    struct similar_source source = lookalike_blocks_source(opening->made->blocks);
    void *to = source.on_write(source.context, kind, number, bytes);
    if (!to) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the vectors");
    }
    memcpy(to, block.data, bytes);
    return true;
}

static bool is_stopping(struct lookalike *lookalike)
{
    pthread_mutex_lock(&lookalike->lock);
    bool stopping = lookalike->stopping;
    pthread_mutex_unlock(&lookalike->lock);
    return stopping;
}

static bool blocks_load(struct opening *opening, const json_t *counts, struct proto_fault *fault)
{
    /* What was stored before there were graphs counts one kind less. */
    size_t kinds = json_array_size(counts);
    if (kinds != SIMILAR_KINDS && kinds != SIMILAR_KIND_GRAPH) {
        return corrupt(fault);
    }
    /* A graph that is not wanted is not read. */
    kinds = opening->made->graph_bytes_max > 0 ? kinds : (size_t)SIMILAR_KIND_GRAPH;
    for (int kind = 0; kind < (int)kinds; kind++) {
        json_int_t count = json_integer_value(json_array_get(counts, (size_t)kind));
        for (json_int_t i = 0; i < count && i < UINT32_MAX; i++) {
            if (is_stopping(opening->lookalike)) {
                return proto_fault_set(fault, PROTO_SHUTTING_DOWN, "", "the server is stopping");
            }
            if (!block_load(opening, (enum similar_kind)kind, (uint32_t)i, fault)) {
                return false;
            }
        }
    }
    return true;
}

static bool set_open(struct opening *opening, const json_t *head, struct proto_fault *fault)
{
    struct lookalike_set *made = opening->made;
    const json_t *plan = json_object_get(head, "plan");
    enum similar_status status;
    if (!json_is_string(plan)) {
        return corrupt(fault);
    }
    made->plan = feature_vectorizer_parse(feature_json_span(plan), opening->schema, fault);
    if (!made->plan) {
        return false;
    }
    made->schema_version = (uint32_t)json_integer_value(json_object_get(head, "schema"));
    made->opened = true;
    made->graph_bytes_max = opening->lookalike->graph_bytes_max;
    made->wish = json_deep_copy(json_object_get(head, "wish"));
    if (!made->wish) {
        made->wish = json_object(); /* stored before there were any */
    }
    made->blocks = lookalike_blocks_create(made->plan->dims);
    if (!made->blocks) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the vectors");
    }
    if (!blocks_load(opening, json_object_get(head, "counts"), fault)) {
        return false;
    }
    struct similar_options options = lookalike_options(made);
    /* The checks of the blocks were just verified, each with its place. */
    made->set = similar_open(&options, false, &status);
    made->scratch = made->set ? similar_scratch_create(made->set) : NULL;
    return made->scratch || lookalike_fault(made->set ? SIMILAR_ERROR_MEMORY : status, fault);
}

static bool each_touched(void *context, const uint32_t *slots, size_t count)
{
    struct lookalike *lookalike = context;
    pthread_mutex_lock(&lookalike->lock);
    bool good = lookalike_slots_add(&lookalike->replayed, slots, count);
    pthread_mutex_unlock(&lookalike->lock);
    return good;
}

static bool open_stored(struct opening *opening, struct proto_fault *fault)
{
    json_t *head = feature_json_load(opening->head.text, PROTO_CORRUPT, fault);
    /* Also for the build that follows if opening fails. */
    lookalike_wish_note(opening->lookalike, json_object_get(head, "wish"));
    opening->made = head ? calloc(1, sizeof *opening->made) : NULL;
    bool good = opening->made && set_open(opening, head, fault) &&
                store_vectors_touched(opening->view, opening->head.seq, each_touched,
                                      opening->lookalike, fault);
    json_decref(head);
    return good;
}

/* With building set, so that commits are noted from before the view was taken. */
void lookalike_open(struct lookalike *lookalike)
{
    struct proto_fault fault = {0};
    struct opening opening = {.lookalike = lookalike};
    struct engine_state *state = engine_state_get(lookalike->engine);
    bool good = false;
    opening.schema = state->schema;
    opening.view = store_view_open(engine_store(lookalike->engine), &fault);
    if (opening.view && store_vectors_head(opening.view, &opening.head, &fault) &&
        opening.head.generation > 0 && opening.schema) {
        good = open_stored(&opening, &fault);
    }
    if (good) {
        uint64_t seen = store_view_seq(opening.view);
        pthread_mutex_lock(&lookalike->lock);
        if (lookalike->noted_seq < seen) {
            lookalike->noted_seq = seen;
        }
        size_t changed = lookalike->replayed.count;
        pthread_mutex_unlock(&lookalike->lock);
        base_log(engine_log(lookalike->engine), BASE_LOG_INFO, "lookalike",
                 "vectors are opened from the store",
                 BASE_FIELDS(base_field_uint("vectors", similar_count(opening.made->set)),
                             base_field_uint("changes", changed)));
    } else {
        lookalike_set_destroy(opening.made);
        opening.made = NULL;
    }
    if (fault.code != PROTO_OK) {
        base_log(engine_log(lookalike->engine), BASE_LOG_WARN, "lookalike",
                 "stored vectors cannot be used and must be built anew",
                 BASE_FIELDS(base_field_error(fault.code)));
    }
    engine_state_release(state);
    lookalike_build_end(lookalike, opening.made, opening.head.seq);
    store_view_close(opening.view);
    if (fault.code != PROTO_OK && opening.head.generation > 0 && !is_stopping(lookalike)) {
        struct lookalike_rebuild build = {0};
        (void)lookalike_rebuild(lookalike, &build, &fault);
    }
}

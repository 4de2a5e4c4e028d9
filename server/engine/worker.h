/* SPDX-License-Identifier: Apache-2.0 */
/* For the engine and the use cases on it, not for requests. A worker's own view, state and scratch
 * memory. Scratch grows to what the largest schema and document need and is kept, so that a score
 * allocates nothing. */
#ifndef ENGINE_WORKER_H
#define ENGINE_WORKER_H

#include "server/engine/engine_create.h"
#include "server/engine/job.h"

struct engine_plan;

enum {
    ENGINE_PLANS = 4
}; /* versions that are explained by turns: the active one and a few others */

struct engine_worker {
    struct engine *engine;
    struct store_view *view;
    struct engine_state *state;
    int64_t as_of;                /* what the view shows at least (applied.h) */
    struct feature_value *values; /* by field id */
    size_t value_slots;
    uint8_t *codes;
    size_t code_bytes;
    /* Of explanations: explain.c. */
    struct engine_plan *plans[ENGINE_PLANS];
    size_t plan_next;
    struct model_strong_scratch strong;
    size_t entry_count, mark_count, key_count;
    struct model_part *parts; /* by term at most */
    size_t part_count;
    struct engine_reason *reasons;
    size_t reason_count;
    uint16_t *gaps; /* one a field at most, as the next two */
    size_t gap_count;
    struct proto_span *missing;
    size_t missing_count;
    struct proto_span *stale;
    size_t stale_count;
};

/* Makes scratch hold at least `wanted` elements; false with PROTO_NO_MEMORY. */
#define ENGINE_SCRATCH(worker, name, counter, wanted, fault)                                       \
    ((worker)->name = engine_scratch_grow((worker)->name, &(worker)->counter, (wanted),            \
                                          sizeof *(worker)->name, (fault)),                        \
     (worker)->counter >= (wanted))
/* Returns the memory, larger or (on a fault, with *count as it was) as it was. */
void *engine_scratch_grow(void *memory, size_t *count, size_t wanted, size_t bytes_each,
                          struct proto_fault *fault);

#endif

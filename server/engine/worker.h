/* SPDX-License-Identifier: Apache-2.0 */
/* A worker's own view, state and scratch memory. Scratch grows to what the largest schema and
 * document need and is kept, so that a score allocates nothing. */
#ifndef ENGINE_WORKER_H
#define ENGINE_WORKER_H

#include "server/engine/engine_internal.h"

/* A term and the magnitude of its contribution, for sorting. */
struct engine_strength {
    int64_t size;
    uint32_t term;
};

struct engine_worker {
    struct engine *engine;
    struct store_view *view;
    struct engine_state *state;
    struct feature_value *values; /* by field id */
    size_t value_slots;
    uint8_t *codes;
    size_t code_bytes;
    int32_t *contributions; /* by term */
    size_t contribution_count;
    struct engine_strength *order;
    size_t order_count;
    struct engine_reason *reasons;
    size_t reason_count;
    const char **missing; /* one entry a column at most */
    size_t missing_count;
    const char **stale;
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

/* SPDX-License-Identifier: Apache-2.0 */
/* What an explanation needs of an ICP version beside its scorecard, worked out once and not for
 * every score: which columns belong to one field, what the absence of a field could do to the raw
 * score, and whether a value of it can be stale.
 *
 * Ownership: plans belong to their worker, which keeps the last few; texts point into the document.
 * A plan is for one generation of the engine's state, since what can be stale is the schema's to
 * say. Threads: the worker's. Errors: PROTO_NO_MEMORY. Cost: microseconds to make, a compare to
 * find; 50 bytes a field. */
#ifndef ENGINE_EXPLAIN_PLAN_H
#define ENGINE_EXPLAIN_PLAN_H

#include "server/engine/worker.h"

/* One field of the codebook. Its columns stand together and are missing together. */
struct engine_gap {
    struct proto_span name;
    uint16_t column; /* its first */
    uint16_t field_id;
    int64_t low;  /* ≤ 0: what is added to raw if the field, missing, had its worst value */
    int64_t high; /* its best */
    int64_t stale_after_ms; /* 0: never */
};

struct engine_plan {
    const struct learn_document *document; /* borrowed from the state of that generation */
    uint64_t generation;
    struct engine_gap *gaps;
    size_t gap_count;
    uint16_t *gap_of_column; /* by column */
    uint16_t *firsts;        /* bit c % 16 of firsts[c / 16]: column c is the first of its field */
    size_t first_pair;       /* terms from here on have two columns */
    bool can_be_stale;
    bool has_scratch; /* the worker's scratch is large enough for this document; it never shrinks */
};

/* Borrowed until the worker is refreshed. NULL with a fault. */
struct engine_plan *engine_plan_get(struct engine_worker *worker,
                                    const struct learn_document *document,
                                    struct proto_fault *fault);
void engine_plan_destroy(struct engine_plan *plan); /* NULL is fine */

/* The fields that are missing in a row, as places in plan->gaps; room for gap_count. */
size_t engine_plan_missing(const struct engine_plan *plan, const uint8_t *row, uint16_t *missing);
/* What model_interval says, from the raw score of the row and its missing fields. */
void engine_plan_interval(const struct engine_plan *plan, const uint8_t *row, int64_t raw,
                          const uint16_t *missing, size_t missing_count, int64_t *low,
                          int64_t *high);

#endif

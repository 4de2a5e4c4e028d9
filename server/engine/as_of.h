/* SPDX-License-Identifier: Apache-2.0 */
/* The values of an account as they were at a moment that something is to be predicted from, the one
 * place that says which. An account that was stored by then is as it was **known** then: what was
 * told later is not seen, however it was dated, and what was overwritten since is there as it was.
 * One that was stored later, from files of the past, is as it was **true** then, by all that is
 * known now: of each field the value that holds for that moment (server/engine/before.h).
 *
 * Ownership: values, sources and record borrow from the worker's view, until that is refreshed, and
 * from the arena. Errors: PROTO_NOT_FOUND for a deleted slot, PROTO_CORRUPT, PROTO_NO_MEMORY.
 * Threads: the worker's. Cost: that of a record, and of a history some 20 ns an entry. */
#ifndef ENGINE_AS_OF_H
#define ENGINE_AS_OF_H

#include "server/base/arena.h"
#include "server/engine/worker.h"

struct engine_as_of {
    int64_t moment_ms;
    const bool *timeless; /* by field id: values that hold at any time; NULL: none */
    const bool *fields;   /* by field id: which are asked for; NULL: all */
    struct base_arena *arena;
};

/* How a row came about. */
enum engine_row_kind {
    ENGINE_ROW_KNOWN,    /* as it was known then */
    ENGINE_ROW_TRUE,     /* as it was true then, by what was told later */
    ENGINE_ROW_NOT_KEPT, /* no row: of something that is asked for it is not kept what it was */
};

/* Fills values and the names of their sources, [0 … slots) by field id. */
bool engine_values_as_of(struct engine_worker *worker, uint32_t slot,
                         const struct engine_as_of *as_of, struct feature_record *record,
                         struct feature_value *values, struct proto_span *sources, size_t slots,
                         enum engine_row_kind *kind, struct proto_fault *fault);

#endif

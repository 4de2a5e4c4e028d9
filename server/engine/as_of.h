/* SPDX-License-Identifier: Apache-2.0 */
/* The values of an account as they were at a moment of true time, the one place that says which:
 * of each field the newest value that was true by then. What was true only later is absent, however
 * it stands now.
 *
 * Ownership: values and record borrow from the worker's view, until that is refreshed. Errors:
 * PROTO_NOT_FOUND for a deleted slot, PROTO_CORRUPT, PROTO_NO_MEMORY. Threads: the worker's. Cost:
 * that of a record. */
#ifndef ENGINE_AS_OF_H
#define ENGINE_AS_OF_H

#include "server/engine/worker.h"

struct engine_as_of {
    int64_t moment_ms;
    const bool *timeless; /* by field id: values that hold at any time; NULL: none */
};

/* Fills values[0 … slots) by field id. */
bool engine_values_as_of(struct engine_worker *worker, uint32_t slot,
                         const struct engine_as_of *as_of, struct feature_record *record,
                         struct feature_value *values, size_t slots, struct proto_fault *fault);

#endif

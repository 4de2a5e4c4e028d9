/* SPDX-License-Identifier: Apache-2.0 */
/* How ready the rows that are read for learning are, counted while they are read
 * (server/measure/readiness_floor.h): values that are there and not stale, names that two accounts
 * share, accounts that two sources know. An account of several cases counts in each for its values,
 * and once for its name and its sources.
 *
 * Ownership: learn_ready_fini frees. Errors: PROTO_NO_MEMORY. Threads: one. Memory: 8 bytes an
 * account. Cost: a pass over the values of a row, some 1 µs a name. */
#ifndef ENGINE_LEARN_READY_H
#define ENGINE_LEARN_READY_H

#include "server/feature/record.h"
#include "server/feature/schema.h"
#include "server/measure/readiness_floor.h"

struct engine_ready {
    const struct feature_schema *schema;
    const uint16_t *field_ids; /* to learn from */
    size_t field_count;
    struct measure_ready ready;
    uint64_t *names; /* hashes of them, without forms and case */
    size_t name_count, name_room;
    /* By source, found by the hash of its name: accounts that it knows, and of them those that
     * another knows too. What does not fit any more is left out. */
    struct engine_ready_source {
        uint64_t hash, accounts, shared;
    } sources[64];
    size_t source_count;
    uint64_t last; /* hash of the id of the account before */
    bool any;
};

void engine_ready_init(struct engine_ready *ready, const struct feature_schema *schema,
                       const uint16_t *field_ids, size_t field_count);
/* sources: by field id; NULL: values name those of the record. */
bool engine_ready_row(struct engine_ready *ready, const struct feature_record *record,
                      const struct feature_value *values, const struct proto_span *sources,
                      int64_t moment_ms, struct proto_fault *fault);
/* Names and sources of all rows are settled into ready->ready. */
void engine_ready_end(struct engine_ready *ready);
/* The shares that are of something, as a JSON array for the document; free(). NULL: no memory. */
char *engine_ready_print(const struct engine_ready *ready);
void engine_ready_fini(struct engine_ready *ready);

#endif

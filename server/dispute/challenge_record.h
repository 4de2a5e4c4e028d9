/* SPDX-License-Identifier: Apache-2.0 */
/* A challenge as it is kept: one JSON document that is stored once and never changes, with what was
 * claimed, by whom, of which version on which data, and what came of it then. Its members are those
 * of the shape challenge (proto/shape.def) but number and time, which the store gives; so what is
 * answered, kept, listed and exported is the same.
 *
 * Ownership: JSON is returned, the caller drops it. Errors: PROTO_NO_MEMORY, PROTO_NOT_FOUND,
 * PROTO_CORRUPT of one that is damaged or was given up, those of the store. Threads: that of the
 * worker, which waits for the writer in dispute_record_store. Cost: a commit. */
#ifndef DISPUTE_CHALLENGE_RECORD_H
#define DISPUTE_CHALLENGE_RECORD_H

#include <jansson.h>

#include "server/dispute/challenge.h"

/* by: who asks, "" if nobody is known; seq: of the data that the finding is of. */
json_t *dispute_record_make(const struct dispute_claim *claim,
                            const struct dispute_finding *finding, const char *by,
                            struct proto_span note, uint64_t seq, struct proto_fault *fault);

struct dispute_recorded {
    uint32_t number;
    uint64_t seq;  /* log sequence that holds it */
    bool repeated; /* by the same operation: it was kept then */
};
/* Stores *record, and puts it as it is kept in its place, with number and time. */
bool dispute_record_store(struct engine_worker *worker, json_t **record,
                          const struct engine_operation *operation,
                          struct dispute_recorded *recorded, struct proto_fault *fault);
/* A kept one by its number, with number and time. NULL with *fault. */
json_t *dispute_record_read(struct engine_worker *worker, uint32_t number,
                            struct proto_fault *fault);
uint32_t dispute_record_count(const struct engine_worker *worker);
/* The claim of a kept one; borrows from it. */
void dispute_record_claim(const json_t *record, struct dispute_claim *claim);

#endif

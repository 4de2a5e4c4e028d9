/* SPDX-License-Identifier: Apache-2.0 */
/* Segments that are kept: put under a name, dropped, and read as they are kept.
 *
 * A segment that is put becomes the next version of its name, in force at once; the ones before
 * stay and can be read. What says the same as the one in force is not stored again. Its filter is
 * kept in canonical form, with the segments that it names written out, so that none changes because
 * another does. With it is kept the evidence of that moment (segment_evidence.h), by whom and why.
 * One that is dropped is one more version, without a filter: nothing is edited.
 *
 * Documents are JSON objects of the shape "kept segment" without number, time and in_force, which
 * the store and the state give (server/engine/segments.h).
 * Ownership: JSON is returned, the caller drops it. Errors: BAD_FIELD (name, filter), BAD_FILTER
 * (filter, outcome), NOT_FOUND (drop), LIMIT, CONFLICT, those of the store and of the evidence.
 * Threads: that of the lane SCAN, which waits for the writer. Cost: the evidence and a commit. */
#ifndef DISPUTE_SEGMENT_RECORD_H
#define DISPUTE_SEGMENT_RECORD_H

#include <jansson.h>

#include "server/dispute/segment_evidence.h"
#include "server/engine/segments.h"

struct dispute_segment_put {
    struct proto_span name, filter, outcome, note;
    uint64_t icp;
    bool drop, dry_run;
    struct engine_operation operation;
};

struct dispute_segment_kept {
    json_t *json;    /* of the shape "kept segment" */
    bool unchanged;  /* nothing was stored: what is in force says the same */
    bool repeated;   /* the operation was applied before */
    uint32_t before; /* version that was in force; 0: none, or nobody can say */
    uint64_t seq;    /* of the log; 0 where nothing was stored */
};

bool dispute_segment_put(struct dispute *dispute, struct engine_worker *worker,
                         const struct engine_job *job, const struct dispute_segment_put *put,
                         struct dispute_segment_kept *kept, struct proto_fault *fault);

/* One of a set, with number, time and in_force. NULL: no memory, and *fault says so. */
json_t *dispute_segment_json(const struct engine_segments *set,
                             const struct engine_segment *segment, struct proto_fault *fault);
/* Evidence as a map of the shape "evidence of a segment"; NULL as above. */
json_t *dispute_evidence_json(const struct dispute_evidence *evidence, struct proto_fault *fault);
/* What "name" or "name@3" means. */
const struct engine_segment *dispute_segment_refer(const struct engine_segments *set,
                                                   struct proto_span reference,
                                                   struct proto_fault *fault);

#endif

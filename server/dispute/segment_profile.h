/* SPDX-License-Identifier: Apache-2.0 */
/* What a segment is like now, and what several hold together.
 *
 * A profile: the evidence as of now (segment_evidence.h), how many accounts have which grade within
 * and in all, and the fields of the version whose values are spread otherwise within than outside
 * (server/segment/segment_apart.h), those with a chance of at most 5 % over all fields, the most
 * different first. Fields that the segment is defined by are marked.
 * A frontier: the exact best of so many segments, of those in force, the first
 * SEGMENT_FRONTIER_MAX of them in the stored order (server/segment/segment_frontier.h).
 *
 * Ownership: freed by the _fini functions. Errors: those of the evidence. Threads: that of the lane
 * SCAN. Cost: some 100 ns an account; of a frontier a walk a segment. */
#ifndef DISPUTE_SEGMENT_PROFILE_H
#define DISPUTE_SEGMENT_PROFILE_H

#include "server/dispute/challenge.h"
#include "server/dispute/segment_evidence.h"
#include "server/segment/segment_apart.h"
#include "server/segment/segment_frontier.h"

struct dispute_apart_field {
    const char *field; /* of the document */
    bool own;          /* the segment's filter reads it */
    struct segment_apart apart;
    char bin[DISPUTE_BIN_TEXT];
};

struct dispute_profile {
    struct dispute_evidence evidence;
    const struct learn_document
        *document;         /* NULL: there is no version, and nothing of what follows */
    uint64_t grades[4][2]; /* A … D: within, in all */
    struct dispute_apart_field *fields;
    size_t field_count;
};

/* most: of the fields. */
bool dispute_profile_make(struct dispute *dispute, struct engine_worker *worker,
                          const struct engine_job *job, const struct dispute_evidence_ask *ask,
                          size_t most, struct dispute_profile *profile, struct proto_fault *fault);
void dispute_profile_fini(struct dispute_profile *profile);

struct dispute_frontier {
    struct segment_counts all;
    struct segment_step steps[SEGMENT_FRONTIER_MAX];
    double low[SEGMENT_FRONTIER_MAX], high[SEGMENT_FRONTIER_MAX]; /* Wilson 95 % */
    size_t count;
};
/* PROTO_BAD_FIELD at "outcome" where nobody says what it is. */
bool dispute_frontier_make(struct dispute *dispute, struct engine_worker *worker,
                           const struct engine_job *job, uint64_t icp, struct proto_span outcome,
                           struct dispute_frontier *frontier, struct proto_fault *fault);

#endif

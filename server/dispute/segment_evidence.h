/* SPDX-License-Identifier: Apache-2.0 */
/* Who is in a segment, and what came of them, at one moment: what is frozen with a segment that is
 * kept (segment_record.h) and what a profile tells as of now.
 *
 * Counted are the accounts that match the filter; of those and of all others the ones that have the
 * outcome or have it not (dispute_column.h); and of the segment those that segment-find never
 * searches (segment_find.h): a segment that it found looks better among the accounts that it was
 * found on than it is, and no better among these.
 *
 * Assumptions: accounts are independent; `chance` is of one segment that is looked at once.
 * Ownership: bits and texts are freed by dispute_evidence_fini. Errors: those of engine_walk and of
 * dispute_column, BAD_FILTER at "outcome". Threads: that of the lane SCAN. Cost: two walks, some 40
 * ns an account. Source: Wilson 1927; Fisher 1935; docs/methods/segments.md. */
#ifndef DISPUTE_SEGMENT_EVIDENCE_H
#define DISPUTE_SEGMENT_EVIDENCE_H

#include "server/dispute/dispute_label.h"
#include "server/segment/segment_mine.h"

struct dispute_evidence_ask {
    const struct filter *filter; /* of the segment */
    uint64_t icp;                /* whose outcome; 0: the active version, if there is one */
    struct proto_span outcome;   /* empty: the version's own, if it has one */
};

struct dispute_evidence {
    uint64_t seq, base, size;
    uint64_t *bits; /* who is in it, by slot */
    size_t words;
    bool known;   /* there is an outcome: all below is set */
    uint32_t icp; /* 0: none, the outcome was given */
    struct dispute_label label;
    const uint32_t *outcomes; /* cells of DISPUTE_OUTCOME, until the next question */
    size_t outcome_count;
    uint32_t negative;                   /* the second cell that says no */
    struct segment_counts in, out, held; /* held: of those within */
    double low, high, held_low, held_high;
    double chance;
};

bool dispute_evidence_make(struct dispute *dispute, struct engine_worker *worker,
                           const struct engine_job *job, const struct dispute_evidence_ask *ask,
                           struct dispute_evidence *evidence, struct proto_fault *fault);
void dispute_evidence_fini(struct dispute_evidence *evidence);

/* Whose outcome counts, as above; *known false: there is none, and nothing is to be freed. */
bool dispute_evidence_label(struct engine_worker *worker, uint64_t icp, struct proto_span outcome,
                            struct dispute_label *label, uint32_t *version, bool *known,
                            struct proto_fault *fault);
/* Bitmap by slot of who matches, malloc'd. */
bool dispute_evidence_members(struct engine_worker *worker, const struct engine_job *job,
                              const struct filter *filter, uint64_t **bits, size_t *words,
                              uint64_t *size, struct proto_fault *fault);

static inline bool dispute_evidence_known(uint32_t cell, uint32_t negative)
{
    return cell == DISPUTE_POSITIVE || cell == DISPUTE_NEGATIVE || cell == negative;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Target account lists: build one and freeze it, read it, and see whether it would come out the
 * same today. A list is stored once and never changes; its document (tal_document.h) says all of
 * it.
 *
 * Ownership: results are the caller's; JSON is dropped with json_decref. Errors: PROTO_CONFLICT for
 * a name that is taken, PROTO_NOT_FOUND, PROTO_NO_ICP, PROTO_CORRUPT for a list that is damaged,
 * and those of listing_select.h. Threads: that of its lane, one alone, which builds every list: so
 * a name that is free when a list is begun is free when it is stored, and the number it gets proves
 * it. Cost: a walk, and some 10 µs an entry. */
#ifndef LISTING_LISTING_H
#define LISTING_LISTING_H

#include "server/listing/listing_select.h"

struct listing_built {
    uint32_t number;
    uint32_t icp;
    size_t count, unassigned;
    uint64_t matched, excluded;
    uint64_t seq; /* of the data it was built from */
    char digest[17];
    size_t held_out, just_missed, sample;
    char seed[PROTO_SEED_BYTES_MAX + 1]; /* of what was drawn */
    bool repeated;                       /* it was built before, by the same operation */
};

bool listing_build(struct engine_worker *worker, const struct engine_job *job,
                   const struct listing_request *request, struct listing_built *built,
                   struct proto_fault *fault);

/* The document of a stored list, its digest checked. text (may be NULL) borrows from the worker's
 * view. NULL with *fault. */
json_t *listing_open(struct engine_worker *worker, struct proto_span name, struct proto_span *text,
                     struct proto_fault *fault);

struct listing_checked {
    json_t *document;
    uint64_t changed; /* entries whose raw score is another now */
    uint64_t gone;    /* entries whose account is no longer stored */
    json_t *changes;  /* [ { id, fit, fit_now } ] of those that changed; fit_now null if gone */
    /* Whether it could be built again from what it says of itself, and what would differ. */
    bool rebuilt;
    struct proto_fault refused; /* why not */
    json_t *entering;           /* ids that would be on it now and are not, by rank */
    json_t *leaving;            /* the other way round */
};

bool listing_check(struct engine_worker *worker, const struct engine_job *job,
                   struct proto_span name, struct listing_checked *checked,
                   struct proto_fault *fault);
void listing_checked_fini(struct listing_checked *checked);

/* Gives up a list that is damaged, by its name, where a start before the damage has read it, or by
 * its number (0: by name): the name becomes free, the number stays taken, and which list is who's
 * is sure again. Whether it is damaged is read off the store: PROTO_CONFLICT for one that is sound,
 * which is never given up. */
struct listing_drop {
    struct proto_span name, reason;
    uint32_t number;
    struct engine_operation operation;
};
struct listing_dropped {
    uint32_t number;
    uint64_t seq; /* log sequence that holds it */
    bool repeated;
};
bool listing_drop(struct engine_worker *worker, const struct listing_drop *request,
                  struct listing_dropped *dropped, struct proto_fault *fault);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing the accounts of a target account list and sharing them among owners.
 *
 * Accounts that match the filter and are not excluded are taken by rank (listing_rank.h) until
 * there are k. With segments, an account belongs to the first segment whose filter matches and that
 * has room left; one that belongs to none is passed over. With a quota, at most so many are taken
 * of each value of a field, a missing value being a value of its own. Owners take what was chosen
 * by rank: among the owners whose territory matches and who have capacity left, the one with the
 * most left, the first of those that tie. All of it depends on the data and the request alone.
 *
 * Chosen beside them is what the list is to be compared with. Just missed: the next k by rank, and
 * before those whom a segment or a quota that was used up passed over; who belongs to no segment
 * was never meant. A sample of all that match (listing_draw.h), members or not. And of the members
 * those that are held out.
 *
 * Ownership: the selection is the caller's to fini; ids borrow from the worker's view. Errors:
 * PROTO_BAD_FILTER with the field at fault ("segments[1].filter"), PROTO_BAD_FIELD, those of
 * expression.h. Threads: that of its lane. Cost: a walk, and about 2 µs an account that is looked
 * at for a segment, quota or owner. */
#ifndef LISTING_SELECT_H
#define LISTING_SELECT_H

#include "server/listing/listing_draw.h"
#include "server/listing/listing_page.h"

/* A segment with its quota, or an owner with a territory and capacity. */
struct listing_part {
    struct proto_span name;
    struct proto_span filter; /* empty: every account */
    uint64_t limit;
};

struct listing_request {
    struct proto_span name, filter, note;
    struct engine_operation operation;
    uint64_t icp; /* 0: the active version */
    size_t k;
    struct proto_span quota_field; /* empty: no quota */
    uint64_t quota;
    const struct proto_span *ids, *keys, *domains; /* to leave out */
    size_t id_count, key_count, domain_count;
    const struct listing_part *segments, *owners;
    size_t segment_count, owner_count;
    double hold_out;        /* share of the members, 0 … LISTING_HOLD_OUT_MOST */
    struct proto_span seed; /* of what is drawn */
    size_t sample;          /* accounts, at most */
    uint64_t last_icp;      /* whose p is frozen beside; 0: the version before, if it can be used */
};

#define LISTING_NONE SIZE_MAX

enum listing_why { LISTING_ASSIGNED, LISTING_NO_TERRITORY, LISTING_NO_CAPACITY };
const char *listing_why_text(enum listing_why why);

struct listing_pick {
    struct listing_ranked account;
    size_t segment; /* LISTING_NONE without segments */
    size_t owner;   /* LISTING_NONE if it has none */
    enum listing_why why;
    bool held_out;
};

struct listing_selection {
    struct engine_expression expression;
    struct listing_pick *picks; /* by rank */
    size_t count;
    uint64_t matched, excluded; /* accounts that match; of those, left out on request */
    size_t unassigned, held_out;
    size_t *segment_counts, *owner_counts;
    struct listing_ranked *missed; /* by rank */
    size_t missed_count;
    struct listing_sample sample;
};

bool listing_select(struct engine_worker *worker, const struct engine_job *job,
                    const struct listing_request *request, struct listing_selection *selection,
                    struct proto_fault *fault);
/* Zero is fine. */
void listing_selection_fini(struct listing_selection *selection);

#endif

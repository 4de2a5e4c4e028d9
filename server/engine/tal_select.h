/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing the accounts of a target account list and sharing them among owners.
 *
 * Accounts that match the filter and are not excluded are taken by rank (ranking.h) until there are
 * k. With segments, an account belongs to the first segment whose filter matches and that has room
 * left; one that belongs to none is passed over. With a quota, at most so many are taken of each
 * value of a field, a missing value being a value of its own. Owners take what was chosen by rank:
 * among the owners whose territory matches and who have capacity left, the one with the most left,
 * the first of those that tie. All of it depends on the data and the request alone.
 *
 * Ownership: the selection is the caller's to fini; ids borrow from the worker's view. Errors:
 * PROTO_BAD_FILTER with the field at fault ("segments[1].filter"), PROTO_BAD_FIELD, those of
 * filtering.h. Threads: the scan thread. Cost: a walk, and about 2 µs an account that is looked at
 * for a segment, quota or owner. */
#ifndef ENGINE_TAL_SELECT_H
#define ENGINE_TAL_SELECT_H

#include "server/engine/filtering.h"

/* A segment with its quota, or an owner with a territory and capacity. */
struct engine_tal_part {
    struct proto_span name;
    struct proto_span filter; /* empty: every account */
    uint64_t limit;
};

struct engine_tal_request {
    struct proto_span name, filter, note;
    uint64_t icp; /* 0: the active version */
    size_t k;
    struct proto_span quota_field; /* empty: no quota */
    uint64_t quota;
    const struct proto_span *ids, *keys, *domains; /* to leave out */
    size_t id_count, key_count, domain_count;
    const struct engine_tal_part *segments, *owners;
    size_t segment_count, owner_count;
};

#define ENGINE_TAL_NONE SIZE_MAX

enum engine_tal_why { ENGINE_TAL_ASSIGNED, ENGINE_TAL_NO_TERRITORY, ENGINE_TAL_NO_CAPACITY };
const char *engine_tal_why_text(enum engine_tal_why why);

struct engine_tal_pick {
    struct engine_ranked account;
    size_t segment; /* ENGINE_TAL_NONE without segments */
    size_t owner;   /* ENGINE_TAL_NONE if it has none */
    enum engine_tal_why why;
};

struct engine_tal_selection {
    struct engine_expression expression;
    struct engine_tal_pick *picks; /* by rank */
    size_t count;
    uint64_t matched, excluded; /* accounts that match; of those, left out on request */
    size_t unassigned;
    size_t *segment_counts, *owner_counts;
};

bool engine_tal_select(struct engine_worker *worker, const struct engine_job *job,
                       const struct engine_tal_request *request,
                       struct engine_tal_selection *selection, struct proto_fault *fault);
/* Zero is fine. */
void engine_tal_selection_fini(struct engine_tal_selection *selection);

#endif

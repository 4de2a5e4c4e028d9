/* SPDX-License-Identifier: Apache-2.0 */
/* The accounts that a stored list froze, by slot: where each stood, what was said of it, and the
 * groups that it is of (fields of its reasons with their values, segment, owner, grade).
 *
 * An account that is no longer stored is counted and left out; where two have become one since, it
 * stands where the first of members, held out, just missed and sample stood. A group counts if as
 * many accounts as TRIAL_GROUP_LEAST were frozen with it, which nothing that came after can change.
 * Ownership: a list is the caller's to fini. Errors: those of listing_open, CORRUPT, NO_MEMORY.
 * Threads: the worker's. Cost: some 5 µs an account. */
#ifndef TRIAL_TRIAL_LIST_H
#define TRIAL_TRIAL_LIST_H

#include <jansson.h>

#include "server/lifecycle/lifecycle_segment.h"
#include "server/verdict/verdict_table.h"

#define TRIAL_GROUP_LEAST 10u

struct trial_account {
    uint32_t slot;
    uint8_t part; /* enum verdict_part */
    bool sampled;
    uint8_t group_count;
    uint32_t groups[VERDICT_GROUPS_MOST];
    double p, last_p;
};

struct trial_list {
    json_t *document;
    int64_t created_ms;
    bool compares;                  /* it froze what it is to be compared with: format 2 */
    struct trial_account *accounts; /* by slot */
    size_t count;
    uint64_t gone;
    uint64_t parts[VERDICT_OTHER + 1]; /* accounts of each; of VERDICT_OTHER the sample alone */
    bool has_last;                     /* the version before was frozen beside */
    struct lifecycle_names names;      /* of groups, "of\x1fvalue" */
    struct verdict_group *groups;      /* those that count */
    size_t group_count;
};

bool trial_list_open(struct engine_worker *worker, struct proto_span name, struct trial_list *list,
                     struct proto_fault *fault);
void trial_list_fini(struct trial_list *list);
/* NULL: it is in none of the parts. */
const struct trial_account *trial_list_find(const struct trial_list *list, uint32_t slot);

#endif

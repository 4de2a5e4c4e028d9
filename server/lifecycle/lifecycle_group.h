/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a query while they are counted: found by what they are of, each with the account that was
 * counted last, so that accounts are counted once where they come one after the other.
 *
 * Ownership: owns its rows until _fini. Errors: NULL where there is no memory or there are more
 * than PROTO_QUERY_ROWS_MAX. Threads: one. Cost: some 5 ns to find. */
#ifndef LIFECYCLE_LIFECYCLE_GROUP_H
#define LIFECYCLE_LIFECYCLE_GROUP_H

#include "server/lifecycle/lifecycle_query.h"

struct lifecycle_group_key {
    uint32_t segment;
    int32_t cohort, period;
    uint32_t members[PROTO_QUERY_MEMBERS_MAX];
};

struct lifecycle_group {
    struct lifecycle_group_key key;
    uint32_t last; /* number of the account that was counted last, from 1 */
    uint64_t events, accounts;
    int64_t sum;
};

struct lifecycle_groups {
    struct lifecycle_group *rows;
    uint32_t *cells; /* row + 1; 0: free */
    uint32_t count, room, cell_count;
};

struct lifecycle_group *lifecycle_group_find(struct lifecycle_groups *groups,
                                             const struct lifecycle_group_key *key,
                                             struct proto_fault *fault);
/* NULL: there is none. */
const struct lifecycle_group *lifecycle_group_look(const struct lifecycle_groups *groups,
                                                   const struct lifecycle_group_key *key);
void lifecycle_groups_fini(struct lifecycle_groups *groups);

/* The groups as the rows of the result, in order; `bases` are groups of segment and cohort alone,
 * whose accounts are those that each row is of. */
bool lifecycle_groups_rows(const struct lifecycle_groups *groups,
                           const struct lifecycle_groups *bases,
                           struct lifecycle_query_result *result, struct proto_fault *fault);

#endif

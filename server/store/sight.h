/* SPDX-License-Identifier: Apache-2.0 */
/* What one reader sees: the tables as its snapshot holds them, and over them the generations of the
 * overlay up to one sequence. Whatever is read of accounts, ids, keys and documents is read through
 * here; a sight without generations is the tables alone.
 *
 * Ownership: borrows snapshot and generations. Errors: those of the tables. Threads: its owner's.
 * Cost: a probe of each generation (two cache misses), then a get. */
#ifndef STORE_SIGHT_H
#define STORE_SIGHT_H

#include "server/disk/txn.h"
#include "server/store/index.h"
#include "server/store/overlay.h"

struct store_sight {
    const struct disk_txn *base;           /* holds everything up to base->state.seq */
    const struct store_generation *newest; /* NULL: the tables alone */
    uint64_t seq;                          /* and this of what is above; UINT64_MAX: all of it */
    const struct disk_state *state;        /* counters as of seq */
    /* The writer's: ids and keys as of all that is committed, and so of all but what the newest
     * generation says besides; NULL: not there, or not equal to that. */
    const struct store_index_table *index;
};

/* The tables alone, as a transaction sees them. */
static inline struct store_sight store_sight_of(const struct disk_txn *txn)
{
    return (struct store_sight){.base = txn, .seq = txn->state.seq, .state = &txn->state};
}

/* What the overlay has; NULL: nothing, the tables are right. */
const struct store_version *store_sight_version(const struct store_sight *sight, uint32_t slot);
const struct store_owner *store_sight_owner(const struct store_sight *sight, enum store_kind kind,
                                            uint64_t hash, struct proto_span text);
/* A value of the tables `account`, `schema`, `icp`, `switch` or `tal`. */
enum disk_got store_sight_get(const struct store_sight *sight, enum disk_table table, uint64_t key,
                              struct proto_span *value, struct proto_fault *fault);

#endif

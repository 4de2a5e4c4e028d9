/* SPDX-License-Identifier: Apache-2.0 */
/* How much the tables may still take. LMDB gets a range of addresses that is larger than map_bytes
 * from the start, for addresses cost nothing and LMDB's map cannot grow under views; map_bytes is a
 * limit of ours, which can be raised while the server runs. It is held where work is taken on, not
 * where pages are written: what was acknowledged can always be folded, deletions always are taken,
 * and so the pages kept back below the limit, and the range above it, are what they need.
 *
 *   0 ── pages in use ── what is not folded ──┄┄ room ┄┄── kept back ──│ map_bytes ┄┄ range ┄┄
 *
 * Pages that wait to be used again count as room, and so do the places of deleted accounts.
 * Ownership: a plain value. Threads: the folder measures, any thread asks and raises. Cost: asking
 * two loads. */
#ifndef STORE_ROOM_H
#define STORE_ROOM_H

#include <stdatomic.h>

#include "server/disk/env.h"

struct store_room {
    _Atomic size_t limit;  /* bytes of pages in use, at most */
    _Atomic uint64_t used; /* of the tables, when that was last measured */
    size_t range;          /* of addresses: the limit can be raised so far */
};

/* The range of addresses for a limit. */
size_t store_room_range(size_t limit);
/* Below which nothing more is taken that adds. */
size_t store_room_kept_back(size_t limit);
/* The folder: after a transaction. */
void store_room_measure(struct store_room *room, const struct disk_env *env,
                        const struct disk_state *state);
/* Bytes that may still be added beside `unfolded` of which the tables know nothing yet. */
size_t store_room_left(const struct store_room *room, size_t unfolded);
/* Whether what adds may be taken: PROTO_DISK_FULL. */
bool store_room_admits(const struct store_room *room, size_t unfolded, struct proto_fault *fault);

#endif

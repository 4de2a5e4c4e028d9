/* SPDX-License-Identifier: Apache-2.0 */
/* Pages in use are counted after each transaction; what the limit leaves, less what is kept back so
 * that deletions and folds always find pages, is the room that new work may take. */
#include "server/store/room.h"

#include "server/disk/trunk.h"

enum {
    RANGE_TIMES = 4,     /* the limit can be raised to so much of what it was at the start */
    KEPT_BACK_PART = 64, /* of the limit */
};
static const size_t range_least = (size_t)256 << 30;
static const size_t range_most = (size_t)1 << 45; /* a quarter of what a process may address */
static const size_t kept_back_least = (size_t)1 << 20;
static const size_t kept_back_most = (size_t)1 << 30;

size_t store_room_range(size_t limit)
{
    size_t range = limit > range_most / RANGE_TIMES ? range_most : limit * RANGE_TIMES;
    range = range < range_least ? range_least : range;
    return range < limit ? limit : range;
}

size_t store_room_kept_back(size_t limit)
{
    size_t kept = limit / KEPT_BACK_PART;
    kept = kept < kept_back_least ? kept_back_least : kept;
    return kept > kept_back_most ? kept_back_most : kept;
}

void store_room_measure(struct store_room *room, const struct disk_env *env,
                        const struct disk_state *state)
{
    uint64_t pages = disk_env_pages(env);
    uint64_t unused = disk_trunk_free(env);
    /* A deleted slot keeps its place in a leaf, and the next account fills it again. */
    if (state->slots > state->accounts) {
        unused += disk_env_leaves(env, DISK_TABLE_ACCOUNT) * (state->slots - state->accounts) /
                  state->slots;
    }
    atomic_store(&room->used, (pages > unused ? pages - unused : 0) * DISK_PAGE_BYTES);
}

size_t store_room_left(const struct store_room *room, size_t unfolded)
{
    size_t limit = atomic_load_explicit(&room->limit, memory_order_relaxed);
    uint64_t taken = atomic_load_explicit(&room->used, memory_order_relaxed) + unfolded +
                     store_room_kept_back(limit);
    return taken < limit ? limit - taken : 0;
}

bool store_room_admits(const struct store_room *room, size_t unfolded, struct proto_fault *fault)
{
    if (store_room_left(room, unfolded) > 0) {
        return true;
    }
    return proto_fault_set(
        fault, PROTO_DISK_FULL, "",
        "the tables take %llu of %zu bytes, their limit but for what deletions need: raise "
        "map_bytes (a reload takes it over), or delete accounts",
        (unsigned long long)atomic_load_explicit(&room->used, memory_order_relaxed),
        atomic_load_explicit(&room->limit, memory_order_relaxed));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The bound of the overlay: above a share of overlay_bytes_max groups are let in at a rate of
 * bytes, lower the fuller it is, so that it comes to rest where folding keeps up; at the bound
 * batches are refused as busy. A small write waits little for what large ones have filled. Where
 * nothing can be folded they are refused from that share on, for what keeps the folder from
 * folding. What adds is refused where the tables have no room for it (room.h). */
#include "server/store/store_parts.h"

enum {
    DELAY_MOST_MS = 500, /* that a group is held back */
    SOFT_PERCENT = 67,   /* of the bound: where that begins */
    EMPTY_BYTES = 2 << 20,
    /* Bytes a second that are let in there, and just before the bound. The first is more than any
     * folder does, the last less than each: a fold of one generation writes whole pages for single
     * records, at 10 to 50 MB of them a second. */
    RATE_MOST = 64 << 20,
    RATE_LEAST = 256 << 10,
};

size_t store_overlay_unfolded(const struct store *store)
{
    size_t bytes = atomic_load_explicit(&store->overlay_bytes, memory_order_relaxed);
    return bytes > EMPTY_BYTES ? bytes - EMPTY_BYTES : 0;
}

bool store_overlay_admits(struct store *store, const struct store_batch *batch,
                          struct proto_fault *fault)
{
    if (batch->adds && !store_room_admits(&store->room, store_overlay_unfolded(store), fault)) {
        return false;
    }
    size_t bytes = atomic_load_explicit(&store->overlay_bytes, memory_order_relaxed);
    size_t most = store->options.overlay_bytes_max;
    if (bytes < most / 100 * SOFT_PERCENT) {
        return true;
    }
    pthread_mutex_lock(&store->folder.mutex);
    struct proto_fault last = store->folder.fault;
    pthread_mutex_unlock(&store->folder.mutex);
    if (last.code != PROTO_OK) {
        *fault = last;
        return false;
    }
    return bytes < most ||
           proto_fault_set(fault, PROTO_BUSY, "",
                           "%zu bytes of changes wait to be folded into the tables, "
                           "and %zu are the limit",
                           bytes, most);
}

uint64_t store_overlay_delay_ns(const struct store *store, size_t group_bytes)
{
    size_t bytes = atomic_load_explicit(&store->overlay_bytes, memory_order_relaxed);
    size_t most = store->options.overlay_bytes_max;
    size_t soft = most / 100 * SOFT_PERCENT;
    if (bytes <= soft) {
        return 0;
    }
    double left = bytes < most ? (double)(most - bytes) / (double)(most - soft) : 0;
    double ns = (double)group_bytes / (RATE_LEAST + RATE_MOST * left * left) * 1e9;
    return ns < DELAY_MOST_MS * 1e6 ? (uint64_t)ns : (uint64_t)(DELAY_MOST_MS * 1e6);
}

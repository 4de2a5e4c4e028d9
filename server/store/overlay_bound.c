/* SPDX-License-Identifier: Apache-2.0 */
/* The bound of the overlay: above a share of overlay_bytes_max each group is held back a little,
 * longer the fuller it is; at the bound batches are refused as busy. Where nothing can be folded
 * they are refused from that share on, for what keeps the folder from folding. What adds is refused
 * where the tables have no room for it (room.h). */
#include "server/store/store_parts.h"

enum {
    DELAY_MOST_MS = 100, /* that a group is held back */
    SOFT_PERCENT = 67,   /* of the bound: where that begins */
    EMPTY_BYTES = 2 << 20,
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

uint64_t store_overlay_delay_ns(const struct store *store)
{
    size_t bytes = atomic_load_explicit(&store->overlay_bytes, memory_order_relaxed);
    size_t most = store->options.overlay_bytes_max;
    size_t soft = most / 100 * SOFT_PERCENT;
    if (bytes <= soft) {
        return 0;
    }
    size_t above = bytes < most ? bytes - soft : most - soft;
    return (uint64_t)((double)above / (double)(most - soft) * DELAY_MOST_MS * 1e6);
}

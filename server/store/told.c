/* SPDX-License-Identifier: Apache-2.0 */
/* A segment is made when the first slot of it is told of; only memory can run out. */
#include "server/store/told.h"

#include <stdlib.h>

void store_tolds_fini(struct store_tolds *tolds)
{
    for (size_t i = 0; i < STORE_TOLD_SEGMENTS; i++) {
        free(atomic_load(&tolds->segments[i]));
    }
}

bool store_told_set(struct store_tolds *tolds, uint32_t slot, uint64_t seq,
                    struct proto_fault *fault)
{
    _Atomic(_Atomic uint64_t *) *place = &tolds->segments[slot / STORE_TOLD_SEGMENT];
    _Atomic uint64_t *segment = atomic_load_explicit(place, memory_order_relaxed);
    if (segment == NULL) {
        segment =
            calloc(STORE_TOLD_SEGMENT + STORE_TOLD_SEGMENT / STORE_TOLD_GROUP, sizeof *segment);
        if (segment == NULL) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for stamps of timelines");
        }
        atomic_store_explicit(place, segment, memory_order_release);
    }
    _Atomic uint64_t *group = &segment[store_told_group_at(slot)];
    if (seq > atomic_load_explicit(group, memory_order_relaxed)) {
        atomic_store_explicit(group, seq, memory_order_release);
    }
    atomic_store_explicit(&segment[slot % STORE_TOLD_SEGMENT], seq, memory_order_release);
    return true;
}

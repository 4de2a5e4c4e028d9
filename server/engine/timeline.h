/* SPDX-License-Identifier: Apache-2.0 */
/* A page of an account's timeline, as the worker's view sees it or as it was known before. All of
 * the account's events are looked at for each page, which is why nobody asks on an event loop.
 * Ownership: the page and its texts lie in the arena. Errors: PROTO_CORRUPT where the timeline is
 * damaged, PROTO_NO_MEMORY. Threads: the worker's. Cost: some 100 ns an event of the account. */
#ifndef ENGINE_TIMELINE_H
#define ENGINE_TIMELINE_H

#include "server/base/arena.h"
#include "server/engine/engine.h"
#include "server/event/event_timeline.h"

struct engine_told {
    struct event event;
    bool retracted;
};

struct engine_timeline {
    struct engine_told *events;
    size_t count;
    uint64_t total; /* on all pages */
};

bool engine_timeline(struct engine_worker *worker, uint32_t slot, const struct event_choice *choice,
                     uint64_t skip, size_t limit, struct base_arena *arena,
                     struct engine_timeline *page, struct proto_fault *fault);

#endif

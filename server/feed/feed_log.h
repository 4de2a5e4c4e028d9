/* SPDX-License-Identifier: Apache-2.0 */
/* A stretch of the log as what it touched. Within this folder.
 *
 * Ownership: ids are copied into the arena. Errors: CORRUPT, NO_MEMORY, CANCELLED, DEADLINE.
 * Threads: one. */
#ifndef FEED_FEED_LOG_H
#define FEED_FEED_LOG_H

#include "server/feed/feed.h"

struct feed_stretch {
    struct proto_span *ids; /* touched, each as often as it was */
    size_t id_count, id_room;
    uint32_t *lists; /* numbers of lists that were built */
    size_t list_count, list_room;
    bool switches;        /* one batch: of the active version */
    uint32_t segments;    /* one batch: so many were put or dropped */
    bool sweeps;          /* one of these, or another schema: all accounts are to be seen */
    bool any;             /* there was a batch */
    uint64_t first, last; /* sequences of its batches */
    int64_t first_ms;
};

/* From behind `since`, at most to `last`: until about `limit` ids are there, or a batch that sweeps
 * is next; one that is first is the stretch by itself. */
bool feed_stretch_read(struct engine_worker *worker, const struct engine_job *job, uint64_t since,
                       uint64_t last, size_t limit, struct base_arena *arena,
                       struct feed_stretch *stretch, struct proto_fault *fault);
/* The versions that were active just before the first batch of a stretch, and with it; 0: none. */
bool feed_active(struct engine_worker *worker, const struct feed_stretch *stretch, uint32_t *before,
                 uint32_t *now, struct proto_fault *fault);
/* How many segments were put just before it, and with it. */
bool feed_segments(struct engine_worker *worker, const struct feed_stretch *stretch, size_t *before,
                   size_t *now, struct proto_fault *fault);

#endif

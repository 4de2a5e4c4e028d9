/* SPDX-License-Identifier: Apache-2.0 */
/* One account compared at two sequences, and what came of it put onto a page. Within this folder.
 *
 * Ownership: what a page holds lies in its arena. Errors: CORRUPT, NO_MEMORY. Threads: one. Cost:
 * some µs. */
#ifndef FEED_FEED_MOVE_H
#define FEED_FEED_MOVE_H

#include "server/engine/labels.h"
#include "server/engine/worker.h"
#include "server/feed/feed.h"

/* What a comparison goes by. */
struct feed_between {
    struct engine_worker *worker;
    struct base_arena *arena;   /* of the page */
    struct base_arena *scratch; /* of one account */
    struct feed_page *page;
    uint64_t since, next;
    const struct learn_document *before, *now;        /* NULL: no version was active */
    struct engine_labels *labels_before, *labels_now; /* NULL: no segment was in force */
};

/* Adds to the page what changed of the account at the slot, if anything did. */
bool feed_compare(struct feed_between *between, uint32_t slot, struct proto_fault *fault);
/* The account as it is. */
bool feed_tell(struct feed_between *between, uint32_t slot, struct proto_fault *fault);
/* It is gone. */
bool feed_gone(struct feed_between *between, struct proto_span id, struct proto_fault *fault);
/* On a list, or off it. */
bool feed_listed(struct feed_between *between, uint32_t slot, enum feed_what what, const char *list,
                 struct proto_fault *fault);

#endif

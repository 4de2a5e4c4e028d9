/* SPDX-License-Identifier: Apache-2.0 */
/* The change feed: whose grade or segment changed since a sequence of the log, who is new or gone,
 * and who came onto a target account list or off one, so that other systems stay in step without
 * asking for everything each time.
 *
 *   page   a stretch (since, next] of the log; each account that it touches is compared as it was
 *          known at since and as it was known at next, by the version that was active then. A
 *          grade that went and came back within a page is no change
 *   switch of the active version, another schema, a segment that is put or dropped: a page of its
 *          own, for which all accounts are looked at, piece by piece (`after`)
 *   full   where the log does not reach back, or since is 0, all accounts as they are are listed
 *          instead, piece by piece, and said so; next is where changes go on. An account that
 *          changes meanwhile is told again: what is read once more does no harm
 *
 * So whoever applies page after page from next to next has every account as it is at the last one.
 * The segment is an account's label (engine/labels.h), by the segments that were in force then as
 * the schema of today reads them. A grade and a segment that change are two moves.
 *
 * Shapes: pages end between batches of the log, so that one batch may make a page longer than
 * `limit`. Ownership: moves, their ids and keys lie in the arena. Errors: BAD_FIELD (a since that
 * lies ahead), CORRUPT, NO_MEMORY, CANCELLED, DEADLINE. Threads: that of lane SCAN, with its
 * worker. Cost: the log of the page, some 3 µs an account that it touches; of a switch 3 µs for
 * each account that is looked at. Source: docs/views.md. */
#ifndef FEED_FEED_H
#define FEED_FEED_H

#include "server/base/arena.h"
#include "server/engine/engine.h"

enum feed_what {
    FEED_GRADE,
    FEED_SEGMENT,
    FEED_NEW,
    FEED_GONE,
    FEED_ON_LIST,
    FEED_OFF_LIST,
    FEED_IS
};

struct feed_move {
    enum feed_what what;
    struct proto_span id;
    const struct proto_span *keys;
    size_t key_count;
    char before, now; /* grades; 0: none */
    double fit_before, fit;
    struct proto_span segment_before, segment; /* labels; empty: none */
    struct proto_span list;
};

struct feed_request {
    uint64_t since;
    uint64_t until; /* of a page that goes on: next of the one before; 0: it begins */
    uint32_t after; /* accounts to pass over, of such a page */
    size_t limit;
};

struct feed_page {
    struct feed_move *moves;
    size_t count, room;
    uint64_t next;
    uint32_t after; /* 0: the page is whole */
    bool full;
    const char *why; /* NULL: it is not full */
    uint64_t oldest, seq;
    uint32_t icp; /* active at next */
};

bool feed_read(struct engine_worker *worker, const struct engine_job *job,
               const struct feed_request *request, struct base_arena *arena, struct feed_page *page,
               struct proto_fault *fault);
const char *feed_what_name(enum feed_what what);

#endif

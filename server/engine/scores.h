/* SPDX-License-Identifier: Apache-2.0 */
/* The raw score of every account under one ICP version, in memory: what a lead router asks for most
 * is then one load, without the account's row (a cache line or two of the map, at random) and
 * without the sum over its columns.
 *
 *   score of a slot: u32, raw + 2^31; 0: look at the row (not filled in yet, no account, changing,
 *   or a raw score beyond ±2,147 logits, which 32 bits do not hold)
 *
 * A score that is there is that of the reader's own view, always:
 *   - before a commit becomes visible the writer takes the scores of its accounts away (BEGIN), and
 *     puts the new ones in afterwards (DONE), so a view never finds a score older than itself;
 *   - `filled` names the newest commit that scores were worked out from. A reader whose view is
 *     older trusts a score only if nothing wrote near its row since (store_view_is_latest);
 *   - a version that is no longer active is not kept up: `closed` is the last commit it knows.
 * The rest is filled in from the rows by a thread of its own, which is kept apart from the writer's
 * BEGIN … DONE by a lock that no reader takes.
 *
 * Shapes: segments of 2^19 slots, 2 MiB each, on huge pages. Ownership: counted references.
 * Errors: without memory scores stay 0 and rows are read. Threads: reading any; the rest as said.
 * Cost: 4 bytes a slot; a read 2 ns in cache; filling 30 ns an account.
 * docs/decisions/scores-in-memory.md. */
#ifndef ENGINE_SCORES_H
#define ENGINE_SCORES_H

#include <stdatomic.h>

#include "server/base/pages.h"
#include "server/engine/engine_internal.h"

#define ENGINE_SCORES_SEGMENT ((uint32_t)(BASE_HUGE_BYTES / sizeof(uint32_t)))
#define ENGINE_SCORES_SEGMENTS (PROTO_ACCOUNTS_MAX / ENGINE_SCORES_SEGMENT)

struct engine_scores {
    struct learn_document *document;
    _Atomic int references;
    _Atomic uint64_t filled; /* newest commit that a score was worked out from */
    _Atomic uint64_t closed; /* last commit that is followed; UINT64_MAX while it is active */
    _Atomic uint32_t next;   /* slots before it are worked out */
    _Atomic(_Atomic uint32_t *) segments[ENGINE_SCORES_SEGMENTS];
};

/* References 1; NULL: no memory. */
struct engine_scores *engine_scores_create(struct learn_document *document);
struct engine_scores *engine_scores_retain(struct engine_scores *scores); /* NULL is fine */
void engine_scores_release(struct engine_scores *scores);                 /* NULL is fine */
size_t engine_scores_bytes(const struct engine_scores *scores);

/* Where the score of a slot stands; NULL if its segment is not there. */
static inline _Atomic uint32_t *engine_scores_place(const struct engine_scores *scores,
                                                    uint32_t slot)
{
    if (slot >= PROTO_ACCOUNTS_MAX) {
        return NULL;
    }
    _Atomic uint32_t *segment =
        atomic_load_explicit(&scores->segments[slot / ENGINE_SCORES_SEGMENT], memory_order_acquire);
    return segment ? &segment[slot % ENGINE_SCORES_SEGMENT] : NULL;
}

/* Begins to load the scores of slots; any slots. */
static inline void engine_scores_prefetch(const struct engine_scores *scores, const uint32_t *slots,
                                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        __builtin_prefetch(engine_scores_place(scores, slots[i]));
    }
}

/* The raw scores of accounts of a view, best prefetched: known[i] tells whether raws[i] is set.
 * Slots may be STORE_NO_SLOT. Returns how many are known. */
size_t engine_scores_read(const struct engine_scores *scores, const struct store_view *view,
                          const uint32_t *slots, size_t count, int64_t *raws, bool *known);

/* The same of neighbouring slots, `slot` … `slot` + count - 1, count ≤ 64: bit i of what is
 * returned says that raws[i] is set. */
uint64_t engine_scores_run(const struct engine_scores *scores, const struct store_view *view,
                           uint32_t slot, unsigned count, int64_t *raws);

/* The keeper (scores_keep.c): the writer's part, and the thread that fills. */
struct engine_scores_keeper;
struct engine_scores_keeper *engine_scores_keeper_create(struct engine *engine,
                                                         struct proto_fault *fault);
/* When the store is open: follows the scores of the state that there is. What is there already is
 * worked out at once or, where it `waits`, from engine_scores_keeper_go on. */
bool engine_scores_keeper_start(struct engine_scores_keeper *keeper, bool waits,
                                struct proto_fault *fault);
void engine_scores_keeper_go(struct engine_scores_keeper *keeper);
/* Before the store closes: ends the thread and closes the views. The writer may go on. */
void engine_scores_keeper_stop(struct engine_scores_keeper *keeper);
/* After the store is closed. NULL is fine. */
void engine_scores_keeper_destroy(struct engine_scores_keeper *keeper);
/* On the writer thread, of every commit. */
void engine_scores_keeper_commit(void *keeper, const struct store_commit *commit);
/* On the writer thread: these are the scores of the version that is active from now on. NULL: none
 * is. */
void engine_scores_keeper_follow(struct engine_scores_keeper *keeper, struct engine_scores *scores);

/* The same of the labels of accounts. NULL: no segment is in force. */
struct engine_labels;
void engine_scores_keeper_label(struct engine_scores_keeper *keeper, struct engine_labels *labels);

#endif

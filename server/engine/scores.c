/* SPDX-License-Identifier: Apache-2.0 */
#include "server/engine/scores.h"

#include <stdlib.h>

struct engine_scores *engine_scores_create(struct icp_document *document)
{
    struct engine_scores *scores = calloc(1, sizeof *scores);
    if (!scores) {
        return NULL;
    }
    scores->document = icp_document_retain(document);
    atomic_init(&scores->references, 1);
    atomic_init(&scores->closed, UINT64_MAX);
    return scores;
}

struct engine_scores *engine_scores_retain(struct engine_scores *scores)
{
    if (scores) {
        atomic_fetch_add_explicit(&scores->references, 1, memory_order_relaxed);
    }
    return scores;
}

void engine_scores_release(struct engine_scores *scores)
{
    if (!scores || atomic_fetch_sub_explicit(&scores->references, 1, memory_order_acq_rel) > 1) {
        return;
    }
    for (size_t i = 0; i < ENGINE_SCORES_SEGMENTS; i++) {
        base_pages_give(atomic_load(&scores->segments[i]), BASE_HUGE_BYTES);
    }
    icp_document_release(scores->document);
    free(scores);
}

size_t engine_scores_bytes(const struct engine_scores *scores)
{
    size_t bytes = sizeof *scores;
    for (size_t i = 0; i < ENGINE_SCORES_SEGMENTS; i++) {
        bytes += atomic_load(&scores->segments[i]) ? BASE_HUGE_BYTES : 0;
    }
    return bytes;
}

/* Codes of the slots, 0 where there is none. */
static void codes_load(const struct engine_scores *scores, const uint32_t *slots, size_t count,
                       uint32_t *codes)
{
    for (size_t i = 0; i < count; i++) {
        const _Atomic uint32_t *place = engine_scores_place(scores, slots[i]);
        codes[i] = place ? atomic_load_explicit(place, memory_order_acquire) : 0;
    }
}

enum { GROUP = 64 };

static size_t group_read(const struct engine_scores *scores, const struct store_view *view,
                         const uint32_t *slots, size_t count, int64_t *raws, bool *known)
{
    uint32_t codes[GROUP];
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        __builtin_prefetch(engine_scores_place(scores, slots[i]));
    }
    codes_load(scores, slots, count, codes);
    bool all_older =
        atomic_load_explicit(&scores->filled, memory_order_acquire) <= store_view_txn(view);
    for (size_t i = 0; i < count; i++) {
        known[i] = codes[i] != 0 && (all_older || store_view_is_latest(view, slots[i]));
        raws[i] = (int64_t)codes[i] + INT32_MIN;
        found += known[i];
    }
    return found;
}

size_t engine_scores_read(const struct engine_scores *scores, const struct store_view *view,
                          const uint32_t *slots, size_t count, int64_t *raws, bool *known)
{
    bool follows = scores && atomic_load_explicit(&scores->closed, memory_order_acquire) >=
                                 store_view_txn(view);
    size_t found = 0;
    for (size_t at = 0; at < count; at += GROUP) {
        size_t group = count - at < GROUP ? count - at : GROUP;
        if (follows) {
            found += group_read(scores, view, slots + at, group, raws + at, known + at);
            continue;
        }
        for (size_t i = 0; i < group; i++) {
            known[at + i] = false;
        }
    }
    return found;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "server/engine/scores.h"

#include <stdlib.h>

struct engine_scores *engine_scores_create(struct learn_document *document)
{
    struct engine_scores *scores = calloc(1, sizeof *scores);
    if (!scores) {
        return NULL;
    }
    scores->document = learn_document_retain(document);
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
    learn_document_release(scores->document);
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

static bool follows(const struct engine_scores *scores, const struct store_view *view)
{
    return scores &&
           atomic_load_explicit(&scores->closed, memory_order_acquire) >= store_view_seq(view);
}

/* To be asked after the scores were loaded: whether all of them were worked out from commits that
 * the view sees. */
static bool all_seen(const struct engine_scores *scores, const struct store_view *view)
{
    return atomic_load_explicit(&scores->filled, memory_order_acquire) <= store_view_seq(view);
}

static int64_t raw_of(uint32_t code)
{
    return (int64_t)code + INT32_MIN;
}

enum { GROUP = 64 };

static size_t group_read(const struct engine_scores *scores, const struct store_view *view,
                         const uint32_t *slots, size_t count, int64_t *raws, bool *known)
{
    uint32_t codes[GROUP];
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        const _Atomic uint32_t *place = engine_scores_place(scores, slots[i]);
        codes[i] = place ? atomic_load_explicit(place, memory_order_acquire) : 0;
    }
    bool seen = all_seen(scores, view);
    for (size_t i = 0; i < count; i++) {
        known[i] = codes[i] != 0 && (seen || store_view_is_latest(view, slots[i]));
        raws[i] = raw_of(codes[i]);
        found += known[i];
    }
    return found;
}

size_t engine_scores_read(const struct engine_scores *scores, const struct store_view *view,
                          const uint32_t *slots, size_t count, int64_t *raws, bool *known)
{
    bool usable = follows(scores, view);
    size_t found = 0;
    for (size_t at = 0; at < count; at += GROUP) {
        size_t group = count - at < GROUP ? count - at : GROUP;
        if (usable) {
            found += group_read(scores, view, slots + at, group, raws + at, known + at);
            continue;
        }
        for (size_t i = 0; i < group; i++) {
            known[at + i] = false;
        }
    }
    return found;
}

uint64_t engine_scores_run(const struct engine_scores *scores, const struct store_view *view,
                           uint32_t slot, unsigned count, int64_t *raws)
{
    uint64_t known = 0;
    if (!follows(scores, view)) {
        return 0;
    }
    for (unsigned i = 0; i < count; i++) {
        const _Atomic uint32_t *place = engine_scores_place(scores, slot + i);
        uint32_t code = place ? atomic_load_explicit(place, memory_order_acquire) : 0;
        known |= (uint64_t)(code != 0) << i;
        raws[i] = raw_of(code);
    }
    if (all_seen(scores, view)) {
        return known;
    }
    for (uint64_t left = known; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        known &= ~((uint64_t)!store_view_is_latest(view, slot + i) << i);
    }
    return known;
}

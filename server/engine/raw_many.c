/* SPDX-License-Identifier: Apache-2.0 */
#include "server/engine/scores.h"
#include "server/engine/worker.h"

enum {
    GROUP = ENGINE_RAW_GROUP,
    FOUND_TOGETHER = 32, /* their scores are on their way while the next slots are found */
};

/* The ids of a group whose scores are not in memory: from their rows. */
static void raw_from_rows(struct engine_worker *worker, const struct learn_document *document,
                          const struct proto_span *ids, size_t count, struct engine_raw *raw)
{
    struct proto_span left[GROUP] = {{0}};
    size_t places[GROUP];
    uint32_t slots[GROUP];
    const uint8_t *rows[GROUP];
    size_t wanted = 0;
    for (size_t i = 0; i < count; i++) {
        if (!raw->known[i]) {
            places[wanted] = i;
            left[wanted++] = ids[i];
        }
    }
    store_find_many(worker->view, left, wanted, slots, rows);
    for (size_t i = 0; i < wanted; i++) {
        size_t at = places[i];
        raw->slots[at] = slots[i];
        if (rows[i]) {
            raw->raws[at] = model_raw(document->scorecard, rows[i]);
            raw->known[at] = true;
        }
    }
}

bool engine_raw_many(struct engine_worker *worker, const struct learn_document *document,
                     const struct proto_span *ids, size_t count, struct engine_raw *raw)
{
    if (!engine_rows_usable(worker, document)) {
        return false;
    }
    const struct engine_scores *scores = worker->state->scores;
    size_t known = 0;
    if (scores && scores->document == document) {
        for (size_t at = 0; at < count; at += FOUND_TOGETHER) {
            size_t group = count - at < FOUND_TOGETHER ? count - at : FOUND_TOGETHER;
            store_find_slots(worker->view, ids + at, group, raw->slots + at);
            engine_scores_prefetch(scores, raw->slots + at, group);
        }
        known = engine_scores_read(scores, worker->view, raw->slots, count, raw->raws, raw->known);
    } else {
        memset(raw->known, 0, count * sizeof *raw->known);
    }
    if (known < count) {
        raw_from_rows(worker, document, ids, count, raw);
    }
    return true;
}

void engine_raw_peek(const struct engine_worker *worker, struct proto_span id, unsigned step)
{
    uint32_t slot = store_peek(worker->view, id, step);
    if (slot != STORE_NO_SLOT && worker->state->scores) {
        __builtin_prefetch(engine_scores_place(worker->state->scores, slot));
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "server/engine/ranking.h"

#include <stdlib.h>

#include "proto/span.h"

void engine_ranking_fini(struct engine_ranking *ranking)
{
    free(ranking->heap);
    free(ranking->ties);
    *ranking = (struct engine_ranking){0};
}

bool engine_ranking_add(struct engine_ranking *ranking, uint32_t slot, int64_t raw,
                        struct proto_fault *fault)
{
    if (ranking->count == ranking->room) {
        size_t room = ranking->room == 0 ? 1024 : ranking->room * 2;
        struct engine_found *heap = realloc(ranking->heap, room * sizeof *heap);
        if (!heap) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to rank %zu accounts",
                                   room);
        }
        ranking->heap = heap;
        ranking->room = room;
    }
    ranking->heap[ranking->count++] = (struct engine_found){raw, slot};
    return true;
}

/* The largest raw score at the root. */
static void sink(struct engine_found *heap, size_t count, size_t at)
{
    struct engine_found moved = heap[at];
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && heap[child + 1].raw > heap[child].raw) {
            child++;
        }
        if (heap[child].raw <= moved.raw) {
            break;
        }
        heap[at] = heap[child];
    }
    heap[at] = moved;
}

static struct engine_found pop(struct engine_ranking *ranking)
{
    struct engine_found top = ranking->heap[0];
    ranking->heap[0] = ranking->heap[--ranking->count];
    if (ranking->count > 0) {
        sink(ranking->heap, ranking->count, 0);
    }
    return top;
}

static bool tie_add(struct engine_ranking *ranking, struct engine_worker *worker,
                    struct engine_found found, struct proto_fault *fault)
{
    if (ranking->tie_count == ranking->tie_room) {
        size_t room = ranking->tie_room == 0 ? 64 : ranking->tie_room * 2;
        struct engine_ranked *ties = realloc(ranking->ties, room * sizeof *ties);
        if (!ties) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to rank %zu accounts",
                                   room);
        }
        ranking->ties = ties;
        ranking->tie_room = room;
    }
    struct proto_span bytes;
    struct feature_record record;
    if (!store_record(worker->view, found.slot, &bytes, fault) ||
        !feature_record_open(bytes, false, &record, fault)) {
        return false;
    }
    ranking->ties[ranking->tie_count++] = (struct engine_ranked){found.raw, found.slot, record.id};
    return true;
}

static int compare_ids(const void *a, const void *b)
{
    return proto_span_compare(((const struct engine_ranked *)a)->id,
                              ((const struct engine_ranked *)b)->id);
}

/* Takes all accounts of the best score left. */
static bool ties_take(struct engine_ranking *ranking, struct engine_worker *worker,
                      struct proto_fault *fault)
{
    int64_t raw = ranking->heap[0].raw;
    ranking->tie_count = 0;
    ranking->tie_next = 0;
    while (ranking->count > 0 && ranking->heap[0].raw == raw) {
        if (!tie_add(ranking, worker, pop(ranking), fault)) {
            return false;
        }
    }
    qsort(ranking->ties, ranking->tie_count, sizeof *ranking->ties, compare_ids);
    return true;
}

bool engine_ranking_next(struct engine_ranking *ranking, struct engine_worker *worker,
                         struct engine_ranked *next, struct proto_fault *fault)
{
    if (!ranking->heaped) {
        for (size_t i = ranking->count / 2; i-- > 0;) {
            sink(ranking->heap, ranking->count, i);
        }
        ranking->heaped = true;
    }
    if (ranking->tie_next == ranking->tie_count &&
        (ranking->count == 0 || !ties_take(ranking, worker, fault))) {
        return false;
    }
    *next = ranking->ties[ranking->tie_next++];
    return true;
}

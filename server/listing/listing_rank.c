/* SPDX-License-Identifier: Apache-2.0 */
#include "server/listing/listing_rank.h"

#include <stdlib.h>

#include "proto/span.h"

enum { TRIM_LEAST = 4096 }; /* so many are collected before it pays to drop some */

void listing_ranking_fini(struct listing_ranking *ranking)
{
    free(ranking->heap);
    free(ranking->ties);
    *ranking = (struct listing_ranking){0};
}

static void swap(struct listing_found *a, struct listing_found *b)
{
    struct listing_found kept = *a;
    *a = *b;
    *b = kept;
}

/* Puts the `place` largest in front, in any order (quickselect, Hoare 1961); the pivot is the
 * median of three, and equal scores go to both sides. */
static void largest_first(struct listing_found *found, size_t count, size_t place)
{
    size_t low = 0;
    size_t high = count - 1;
    while (low < high) {
        int64_t a = found[low].raw;
        int64_t b = found[low + (high - low) / 2].raw;
        int64_t c = found[high].raw;
        int64_t pivot = a < b ? (b < c ? b : (a < c ? c : a)) : (a < c ? a : (b < c ? c : b));
        size_t i = low;
        size_t j = high;
        for (;;) {
            while (found[i].raw > pivot) {
                i++;
            }
            while (found[j].raw < pivot) {
                j--;
            }
            if (i >= j) {
                break;
            }
            swap(&found[i++], &found[j--]);
        }
        if (place <= j) {
            high = j;
        } else {
            low = j + 1;
        }
    }
}

/* Raises the floor to the score of the last one wanted and drops what lies below it. */
static void trim(struct listing_ranking *ranking)
{
    largest_first(ranking->heap, ranking->count, ranking->wanted - 1);
    ranking->floor = ranking->heap[ranking->wanted - 1].raw;
    size_t kept = ranking->wanted;
    for (size_t i = ranking->wanted; i < ranking->count; i++) {
        if (ranking->heap[i].raw >= ranking->floor) {
            ranking->heap[kept++] = ranking->heap[i];
        }
    }
    ranking->count = kept;
    ranking->trim_at = 2 * kept + TRIM_LEAST;
}

bool listing_ranking_collect(struct listing_ranking *ranking, uint32_t slot, int64_t raw,
                             struct proto_fault *fault)
{
    if (ranking->wanted > 0 && ranking->trim_at == 0) {
        ranking->floor = INT64_MIN;
        ranking->trim_at = 2 * ranking->wanted + TRIM_LEAST;
    }
    if (ranking->trim_at > 0 && ranking->count >= ranking->trim_at) {
        trim(ranking);
    }
    if (ranking->count == ranking->room) {
        size_t room = ranking->room == 0 ? 1024 : ranking->room * 2;
        struct listing_found *heap = realloc(ranking->heap, room * sizeof *heap);
        if (!heap) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to rank %zu accounts",
                                   room);
        }
        ranking->heap = heap;
        ranking->room = room;
    }
    ranking->heap[ranking->count++] = (struct listing_found){raw, slot};
    return true;
}

/* The largest raw score at the root. */
static void sink(struct listing_found *heap, size_t count, size_t at)
{
    struct listing_found moved = heap[at];
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

static struct listing_found pop(struct listing_ranking *ranking)
{
    struct listing_found top = ranking->heap[0];
    ranking->heap[0] = ranking->heap[--ranking->count];
    if (ranking->count > 0) {
        sink(ranking->heap, ranking->count, 0);
    }
    return top;
}

static bool tie_add(struct listing_ranking *ranking, struct engine_worker *worker,
                    struct listing_found found, struct proto_fault *fault)
{
    if (ranking->tie_count == ranking->tie_room) {
        size_t room = ranking->tie_room == 0 ? 64 : ranking->tie_room * 2;
        struct listing_ranked *ties = realloc(ranking->ties, room * sizeof *ties);
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
    ranking->ties[ranking->tie_count++] = (struct listing_ranked){found.raw, found.slot, record.id};
    return true;
}

static int compare_ids(const void *a, const void *b)
{
    return proto_span_compare(((const struct listing_ranked *)a)->id,
                              ((const struct listing_ranked *)b)->id);
}

/* Takes all accounts of the best score left. */
static bool ties_take(struct listing_ranking *ranking, struct engine_worker *worker,
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

bool listing_ranking_next(struct listing_ranking *ranking, struct engine_worker *worker,
                          struct listing_ranked *next, struct proto_fault *fault)
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

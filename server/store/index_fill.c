/* SPDX-License-Identifier: Apache-2.0 */
/* The first index: filled bucket by bucket from the tables as one view holds them, in slices
 * between commits, then brought up to now by what the overlay has beyond that view, and published.
 * Commits meanwhile go past it. A bucket that is damaged leaves a hole, and absence then proves
 * nothing. Without memory there is no index, and look-ups go through the file. */
#include <stdlib.h>

#include "server/store/store_parts.h"

enum { INDEX_BUDGET_NS = 2000000 };

void store_index_fill_begin(struct store *store)
{
    struct store_writer *writer = &store->writer;
    struct proto_fault fault = {.code = PROTO_OK};
    writer->filler = store_view_open_own(store, &fault);
    writer->filling = writer->filler != NULL &&
                      store_index_begin(&store->index, writer->filler->txn.state.id_entries);
    if (!writer->filling) {
        base_log(store->options.log, BASE_LOG_ERROR, "store",
                 "no index of ids: look-ups go through the file", BASE_NO_FIELDS);
    }
}

static void fill_end(struct store_writer *writer)
{
    store_view_close(writer->filler);
    writer->filler = NULL;
    writer->filling = false;
}

static bool bucket_fill(struct store *store, uint32_t number)
{
    struct store_bucket bucket;
    struct proto_fault fault;
    if (!store_bucket_get(&store->writer.filler->txn, number, &bucket, &fault)) {
        store_damage(store, &fault);
        atomic_store(&store->index.holes, true);
        return true;
    }
    for (uint32_t i = 0; i < bucket.count; i++) {
        uint32_t ref = store_bucket_ref(&bucket, i);
        ref = (ref & STORE_REF_SHARED) != 0 ? STORE_REF_SHARED : ref & STORE_REF_SLOT;
        if (!store_index_fill(&store->index, store_bucket_hash(&bucket, i), ref)) {
            return false;
        }
    }
    return true;
}

/* What a generation as a whole has changed: from its first owner to its last. */
static bool generation_fill(struct store *store, const struct store_generation *generation)
{
    size_t count = generation->text_count;
    struct store_text_cell **cells = malloc((count + 1) * sizeof *cells);
    bool good = cells != NULL;
    count = good ? store_generation_texts(generation, cells) : 0;
    for (size_t i = 0; i < count && good; i++) {
        uint32_t before = cells[i]->before;
        uint32_t now = atomic_load_explicit(&cells[i]->newest, memory_order_acquire)->slot;
        struct store_id_edit edits[2];
        size_t made = 0;
        if (before != now && before != STORE_NO_SLOT) {
            edits[made++] = (struct store_id_edit){.hash = cells[i]->hash, .ref = before};
        }
        if (before != now && now != STORE_NO_SLOT) {
            edits[made++] = (struct store_id_edit){.hash = cells[i]->hash, .ref = now, .add = true};
        }
        good = store_index_fill_change(&store->index, edits, made);
    }
    free(cells);
    return good;
}

/* Generations that the view's tables have not, oldest first; the writer runs no commit meanwhile.
 */
static bool overlay_fill(struct store *store)
{
    const struct store_writer *writer = &store->writer;
    uint64_t folded = writer->filler->txn.state.seq;
    for (size_t i = 0; i < writer->sealed_count; i++) {
        if (writer->sealed[i]->end > folded && !generation_fill(store, writer->sealed[i])) {
            return false;
        }
    }
    return generation_fill(store, writer->active);
}

bool store_slice_index(struct store *store)
{
    struct store_writer *writer = &store->writer;
    if (!writer->filling) {
        return store_index_step(&store->index);
    }
    uint32_t buckets = writer->filler->txn.state.id_buckets;
    uint64_t until = store_clock_ns() + INDEX_BUDGET_NS;
    bool good = true;
    while (good && writer->filled < buckets && store_clock_ns() < until) {
        good = bucket_fill(store, writer->filled++);
    }
    if (good && writer->filled < buckets) {
        return true;
    }
    good = good && overlay_fill(store);
    if (good) {
        store_index_publish(&store->index, writer->state.seq);
    } else {
        base_log(store->options.log, BASE_LOG_ERROR, "store",
                 "no memory for the index of ids: look-ups go through the file", BASE_NO_FIELDS);
    }
    fill_end(writer);
    return false;
}

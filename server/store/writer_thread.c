/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "server/store/store_parts.h"

enum {
    HOUSEKEEPING_MS = 5000,
    PAUSE_MS = 1000, /* between tries of slices that failed */
};

void store_publish_stats(struct store *store)
{
    struct store_stats *own = &store->writer.own;
    const struct disk_state *state = &store->writer.state;
    own->seq = state->seq;
    own->accounts = state->accounts;
    own->slots = state->slots;
    own->log_bytes = state->log_bytes;
    own->rows_done = state->rows_slots;
    own->rows_total = state->rows_digest == 0 ? 0 : state->slots;
    own->file_bytes = disk_env_pages(&store->env) * DISK_PAGE_BYTES;
    own->map_bytes = store->env.map_bytes;
    own->index_bytes = store_index_bytes(&store->index);
    own->index_entries = store_index_entries(&store->index);
    own->index_ready = atomic_load(&store->index.table) != NULL;
    pthread_mutex_lock(&store->figures.mutex);
    store->figures.published = *own;
    pthread_mutex_unlock(&store->figures.mutex);
}

static void housekeep(struct store *store)
{
    uint64_t now = store_clock_ns();
    if (now - store->writer.housekept_ns < (uint64_t)HOUSEKEEPING_MS * 1000000)
        return;
    store->writer.housekept_ns = now;
    unsigned dead = disk_env_clear_readers(&store->env);
    if (dead > 0)
        base_log(store->options.log, BASE_LOG_INFO, "store", "let go of readers that had died",
                 BASE_FIELDS(base_field_uint("readers", dead)));
    store->writer.own.readers_cleared += dead;
    /* A file that only grows has a view that never rests. */
    store->writer.own.free_pages = disk_env_free_pages(&store->env);
}

static void list_finish(struct store *store, struct store_ticket *list)
{
    size_t bytes = 0;
    for (const struct store_ticket *ticket = list; ticket != NULL; ticket = ticket->next)
        bytes += ticket->batch->bytes;
    /* Room in the queue before the answers: whoever hears of a commit may submit the next batch. */
    pthread_mutex_lock(&store->queue.mutex);
    store->queue.bytes -= bytes;
    pthread_mutex_unlock(&store->queue.mutex);
    while (list != NULL) {
        struct store_ticket *next = list->next;
        list->on_done(list->context, &list->result);
        store_batch_destroy(list->batch);
        free(list);
        list = next;
    }
}

static void take_turn(struct store *store, struct store_ticket *list)
{
    if (list->turn != NULL) {
        store_vectors_take_turn(store, list->turn);
        list->result.fault = list->turn->fault;
        list->on_done(list->context, &list->result);
        free(list);
        return;
    }
    if (list->batch == NULL) {
        store_encoder_switch(store, &list->encoder);
        free(list);
        return;
    }
    store_commit(store, list);
    store_publish_stats(store);
    list_finish(store, list);
}

/* One slice of each kind of work that is left; true if there is more of any. */
static bool slices(struct store *store)
{
    if (store_clock_ns() < store->writer.pause_until_ns)
        return false;
    store->writer.pause_until_ns = 0;
    bool more = store_slice_index(store);
    more |= store_slice_rows(store);
    more |= store_slice_drop(store);
    more |= store_slice_vectors(store);
    return more;
}

void *store_writer_run(void *context)
{
    struct store *store = context;
    bool closed = false;
    bool more = true;
    while (!closed) {
        int wait_ms = more ? 0 : store->writer.pause_until_ns != 0 ? PAUSE_MS : HOUSEKEEPING_MS;
        struct store_ticket *list =
            store_queue_take(&store->queue, store->options.commit_bytes_max, wait_ms, &closed);
        if (list != NULL)
            take_turn(store, list);
        if (closed)
            break;
        more = slices(store);
        store_reclaim(store);
        housekeep(store);
        if (list == NULL)
            store_publish_stats(store);
    }
    if (store->writer.encoder.release != NULL)
        store->writer.encoder.release(store->writer.encoder.context);
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The writer thread: takes what waits, commits it, answers; between commits it fills the index,
 * seals generations that are due, and lets go of folded ones. While the overlay is fuller than it
 * should be, it holds each group back a little. When the store closes, what was submitted is
 * committed and what is committed is sealed. */
#include <stdlib.h>
#include <time.h>

#include "server/store/store_parts.h"

enum { LOOK_MS = 1000 }; /* views that let go of a generation say nothing */

void store_publish_stats(struct store *store)
{
    const struct store_writer *writer = &store->writer;
    struct store_stats *published = &store->figures.published;
    struct log_stats log;
    log_stats(store->log, &log);
    pthread_mutex_lock(&store->figures.mutex);
    published->seq = writer->state.seq;
    store_position_of(&writer->state, &store->figures.position);
    published->accounts = writer->state.accounts;
    published->slots = writer->state.slots;
    published->slots_given_again = writer->reuse.given;
    published->commits = writer->own.commits;
    published->batches = writer->own.batches;
    published->commands = writer->own.commands;
    published->refused = writer->own.refused;
    published->commit_ns_last = writer->own.commit_ns_last;
    published->commit_ns_max = writer->own.commit_ns_max;
    published->commit_ns_sum = writer->own.commit_ns_sum;
    published->held_back_ns_sum = writer->own.held_back_ns_sum;
    published->log_bytes = log.bytes;
    published->overlay_bytes = atomic_load_explicit(&store->overlay_bytes, memory_order_relaxed);
    published->overlay_generations = writer->sealed_count + 1;
    published->index_bytes = store_index_bytes(&store->index);
    published->index_entries = store_index_entries(&store->index);
    published->index_ready = atomic_load(&store->index.table) != NULL;
    pthread_mutex_unlock(&store->figures.mutex);
}

static size_t list_bytes(const struct store_ticket *list)
{
    size_t bytes = 0;
    for (; list != NULL; list = list->next) {
        bytes += list->bytes;
    }
    return bytes;
}

static void list_finish(struct store *store, struct store_ticket *list)
{
    size_t bytes = list_bytes(list);
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

static void hold_back(struct store *store, size_t group_bytes)
{
    uint64_t ns = store_overlay_delay_ns(store, group_bytes);
    if (ns == 0) {
        return;
    }
    store->writer.own.held_back_ns_sum += ns;
    nanosleep(
        &(struct timespec){.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)},
        NULL);
}

/* A ticket that is neither batch nor encoder wishes that all be sealed. */
static void seal_for(struct store *store, struct store_ticket *ticket)
{
    ticket->result = (struct store_result){.fault.code = PROTO_OK, .seq = store->writer.state.seq};
    (void)store_generation_seal(store, &ticket->result.fault);
    ticket->on_done(ticket->context, &ticket->result);
    free(ticket);
}

static void take_turn(struct store *store, struct store_ticket *list)
{
    if (list->encoder != NULL) {
        store_generation_encoder(store, list->encoder);
        store_encoder_drop(list->encoder);
        free(list);
        return;
    }
    if (list->batch == NULL) {
        seal_for(store, list);
        return;
    }
    hold_back(store, list_bytes(list));
    store_commit(store, list);
    store_publish_stats(store);
    list_finish(store, list);
}

/* The tables have changed: rows are there that were not. */
static void tables_look(struct store *store)
{
    uint64_t tables = atomic_load(&store->tables);
    if (tables == store->writer.told_tables) {
        return;
    }
    store->writer.told_tables = tables;
    store_commit_nothing(store);
}

static int wait_of(const struct store *store, bool more)
{
    int due_ms = store_generation_wait_ms(store);
    if (more) {
        return 0;
    }
    return due_ms >= 0 && due_ms < LOOK_MS ? due_ms : LOOK_MS;
}

/* What is done between commits, once the start is over; true if there is more to do. */
static bool slices(struct store *store)
{
    if (atomic_load_explicit(&store->starting, memory_order_relaxed)) {
        return false;
    }
    bool more = store_slice_index(store);
    return store_slice_slots(store) || more;
}

void *store_writer_run(void *context)
{
    struct store *store = context;
    struct proto_fault fault;
    bool closed = false;
    bool more = true;
    (void)pthread_setname_np(pthread_self(), "writer");
    while (!closed) {
        struct store_ticket *list = store_queue_take(&store->queue, store->options.commit_bytes_max,
                                                     wait_of(store, more), &closed);
        if (list != NULL) {
            take_turn(store, list);
        }
        if (closed) {
            break;
        }
        more = slices(store);
        store_generation_look(store);
        store_reclaim(store);
        tables_look(store);
        if (list == NULL) {
            store_publish_stats(store);
        }
    }
    if (!store->tuning.abandon && !store_generation_seal(store, &fault)) {
        base_log(
            store->options.log, BASE_LOG_WARN, "store", "the next start will read the log",
            BASE_FIELDS(base_field_error(fault.code), base_field_text("reason", fault.message)));
    }
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Generations of the overlay as they come and go. The active one takes every commit; it is sealed
 * when it is large enough, when writing has paused, when it is old, or when rows are to be of
 * another codebook, and goes to the folder. Once it is folded and the writer's own snapshot has
 * moved on, it is freed as soon as no view looks into it. Without memory for a new one the active
 * one goes on. */
#include <stdlib.h>

#include "server/store/store_parts.h"

enum {
    IDLE_MS = 3000,  /* a pause in writing after which what there is gets folded */
    AGE_MS = 300000, /* and so long after the first commit in any case */
};

static struct store_generation *active_of(const struct store *store)
{
    return store->writer.active;
}

static void bytes_publish(struct store *store)
{
    atomic_store_explicit(&store->overlay_bytes,
                          store->writer.sealed_bytes + active_of(store)->bytes,
                          memory_order_relaxed);
}

bool store_generations_begin(struct store *store, struct proto_fault *fault)
{
    struct store_writer *writer = &store->writer;
    if (!disk_txn_read(&writer->base, &store->env, fault)) {
        return false;
    }
    writer->state = writer->next = writer->base.state;
    writer->active = store_generation_create(writer->state.seq, 0, NULL, fault);
    if (writer->active == NULL) {
        return false;
    }
    store_moment_set(&store->moments, &writer->state, writer->active);
    return true;
}

static bool sealed_reserve(struct store_writer *writer)
{
    if (writer->sealed_count < writer->sealed_room) {
        return true;
    }
    size_t room = writer->sealed_room == 0 ? 8 : writer->sealed_room * 2;
    struct store_generation **sealed = realloc(writer->sealed, room * sizeof *sealed);
    if (sealed == NULL) {
        return false;
    }
    writer->sealed = sealed;
    writer->sealed_room = room;
    return true;
}

bool store_generation_seal(struct store *store, struct proto_fault *fault)
{
    struct store_writer *writer = &store->writer;
    struct store_generation *active = writer->active;
    if (active->begin == writer->state.seq) {
        return true;
    }
    struct store_generation *fresh = store_generation_create(
        writer->state.seq, atomic_load_explicit(&active->digest, memory_order_relaxed), active,
        fault);
    if (fresh == NULL) {
        return false;
    }
    if (!sealed_reserve(writer)) {
        store_generation_destroy(fresh);
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for one more generation");
    }
    active->end = writer->state.seq;
    active->after = writer->state;
    active->time_ms = writer->time_ms;
    writer->sealed[writer->sealed_count++] = active;
    writer->sealed_bytes += active->bytes;
    writer->active = fresh;
    /* Before it can be folded and freed, nobody new is led to it. */
    store_moment_set(&store->moments, &writer->state, fresh);
    atomic_fetch_add(&store->turn, 1);
    bytes_publish(store);
    store_folder_take(&store->folder, active);
    return true;
}

static uint64_t idle_ms(const struct store *store)
{
    return (store_clock_ns() - store->writer.committed_ns) / 1000000;
}

void store_generation_look(struct store *store)
{
    struct store_writer *writer = &store->writer;
    struct proto_fault fault;
    bytes_publish(store);
    if (writer->active->begin == writer->state.seq) {
        return;
    }
    uint64_t age_ms = (store_clock_ns() - writer->begun_ns) / 1000000;
    bool due = writer->active->bytes >= store->options.fold_bytes || idle_ms(store) >= IDLE_MS ||
               age_ms >= AGE_MS;
    if (due && !store_generation_seal(store, &fault)) {
        base_log(
            store->options.log, BASE_LOG_WARN, "store", "what is committed cannot be folded yet",
            BASE_FIELDS(base_field_error(fault.code), base_field_text("reason", fault.message)));
    }
}

int store_generation_wait_ms(const struct store *store)
{
    if (store->writer.active->begin == store->writer.state.seq) {
        return -1;
    }
    uint64_t idle = idle_ms(store);
    return idle >= IDLE_MS ? 0 : IDLE_MS - (int)idle;
}

void store_generation_encoder(struct store *store, struct store_held_encoder *encoder)
{
    struct store_writer *writer = &store->writer;
    struct proto_fault fault;
    uint64_t digest = 0;
    /* A generation has rows of one codebook. If it cannot be sealed it goes on with the old one,
     * whose rows a fold passes over. */
    if (!store_generation_seal(store, &fault)) {
        base_log(
            store->options.log, BASE_LOG_ERROR, "store", "rows are not encoded as they are written",
            BASE_FIELDS(base_field_error(fault.code), base_field_text("reason", fault.message)));
        store_folder_encoder(&store->folder, encoder);
        return;
    }
    if (!store_row_maker_set(&writer->rows, encoder->encoder.digest == 0 ? NULL : &encoder->encoder,
                             &fault)) {
        base_log(
            store->options.log, BASE_LOG_ERROR, "store", "no rows are kept",
            BASE_FIELDS(base_field_error(fault.code), base_field_text("reason", fault.message)));
    } else {
        digest = encoder->encoder.digest;
    }
    atomic_store_explicit(&writer->active->digest, digest, memory_order_release);
    store_encoder_drop(writer->encoder);
    writer->encoder = store_encoder_share(encoder);
    store_folder_encoder(&store->folder, encoder);
}

/* A view looks into the generations between what its tables hold and what it sees. What it is about
 * to look into while it is being refreshed, it announces first. */
static bool looked_into(struct store *store, const struct store_generation *generation)
{
    bool found = false;
    pthread_mutex_lock(&store->views.mutex);
    for (struct store_view *view = store->views.first; view != NULL && !found; view = view->next) {
        uint64_t low = atomic_load(&view->low);
        uint64_t high = atomic_load(&view->high);
        found = low < generation->end && high >= generation->begin;
    }
    pthread_mutex_unlock(&store->views.mutex);
    return found;
}

static bool base_renew(struct store *store)
{
    struct store_writer *writer = &store->writer;
    struct proto_fault fault;
    if (atomic_load(&store->tables) == writer->base.state.txn) {
        return true;
    }
    struct disk_txn fresh;
    if (!disk_txn_read(&fresh, &store->env, &fault)) {
        base_log(
            store->options.log, BASE_LOG_ERROR, "store", "the writer cannot take a new snapshot",
            BASE_FIELDS(base_field_error(fault.code), base_field_text("reason", fault.message)));
        return false;
    }
    disk_txn_abort(&writer->base);
    writer->base = fresh;
    return true;
}

static void index_reclaim(struct store *store)
{
    if (store->index.retired == NULL) {
        return;
    }
    uint64_t least = UINT64_MAX;
    pthread_mutex_lock(&store->views.mutex);
    for (struct store_view *view = store->views.first; view != NULL; view = view->next) {
        uint64_t epoch = atomic_load(&view->epoch);
        least = epoch < least ? epoch : least;
    }
    pthread_mutex_unlock(&store->views.mutex);
    store_index_reclaim(&store->index, least);
}

void store_reclaim(struct store *store)
{
    struct store_writer *writer = &store->writer;
    index_reclaim(store);
    if (!base_renew(store) || writer->sealed_count == 0) {
        return;
    }
    size_t kept = 0;
    for (size_t i = 0; i < writer->sealed_count; i++) {
        struct store_generation *generation = writer->sealed[i];
        if (!atomic_load_explicit(&generation->folded, memory_order_acquire) ||
            generation->end > writer->base.state.seq || looked_into(store, generation)) {
            writer->sealed[kept++] = generation;
            continue;
        }
        writer->sealed_bytes -= generation->bytes;
        store_generation_destroy(generation);
    }
    writer->sealed_count = kept;
    bytes_publish(store);
}

void store_generations_end(struct store *store)
{
    struct store_writer *writer = &store->writer;
    for (size_t i = 0; i < writer->sealed_count; i++) {
        store_generation_destroy(writer->sealed[i]);
    }
    free(writer->sealed);
    store_generation_destroy(writer->active);
    if (writer->base.mdb != NULL) {
        disk_txn_abort(&writer->base);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "server/store/store_parts.h"

/* What 0 in the options stands for. */
static const size_t map_bytes_default = (size_t)64 << 30;
static const size_t queue_bytes_default = (size_t)256 << 20;
static const size_t commit_bytes_default = (size_t)32 << 20;
static const size_t log_bytes_default = (size_t)256 << 20;
static const unsigned readers_default = 126;
/* Beside the views: the writer reads too, and so does the scrub. */
static const unsigned readers_own = 4;

static struct store_options options_filled(const struct store_options *options)
{
    struct store_options filled = *options;
    if (filled.map_bytes_max == 0)
        filled.map_bytes_max = map_bytes_default;
    filled.map_bytes_max =
        (filled.map_bytes_max + DISK_PAGE_BYTES - 1) / DISK_PAGE_BYTES * DISK_PAGE_BYTES;
    if (filled.queue_bytes_max == 0)
        filled.queue_bytes_max = queue_bytes_default;
    if (filled.commit_bytes_max == 0)
        filled.commit_bytes_max = commit_bytes_default;
    if (filled.log_bytes_max == 0)
        filled.log_bytes_max = log_bytes_default;
    if (filled.readers_max == 0)
        filled.readers_max = readers_default;
    return filled;
}

static bool document_tell(struct store *store, const struct disk_txn *txn,
                          enum store_document_kind kind, uint32_t number, struct proto_fault *fault)
{
    struct proto_fault found = {.code = PROTO_OK};
    struct store_change change;
    uint8_t *slots = NULL;
    bool good = store_document_read(txn, kind, number, &change, &found) &&
                store_tal_resolve(txn, &store->hasher, &change, &slots, &found);
    if (!good && store_document_info(kind)->told != STORE_TOLD_ALL_LOSABLE) {
        *fault = found;
        return false;
    }
    if (found.code != PROTO_OK)
        store_damage(store, &found);
    if (!good)
        change = (struct store_change){.kind = kind, .version = number};
    store->options.on_change(store->options.change_context, &change);
    free(slots);
    return true;
}

/* Tells the documents of every kind. One that is damaged or missing ends the opening, for an ICP
 * version must never be another than it was; a list costs itself alone: it is told without a text,
 * and cannot be used. */
static bool documents_tell(struct store *store, const struct disk_txn *txn,
                           struct proto_fault *fault)
{
    for (unsigned i = 0; i < STORE_DOCUMENT_COUNT; i++) {
        enum store_document_kind kind = (enum store_document_kind)i;
        uint32_t last = store_document_last(&txn->state, kind);
        bool newest = store_document_info(kind)->told == STORE_TOLD_LAST;
        for (uint32_t number = newest && last > 0 ? last : 1; number <= last; number++) {
            if (!document_tell(store, txn, kind, number, fault))
                return false;
        }
    }
    return true;
}

static bool content_tell(struct store *store, struct proto_fault *fault)
{
    struct disk_txn txn;
    if (!disk_txn_read(&txn, &store->env, fault))
        return false;
    store->writer.state = txn.state;
    bool good = store_vectors_load(store, &txn, fault) &&
                store_operations_load(&store->operations, &store->hasher, &txn, fault) &&
                documents_tell(store, &txn, fault);
    disk_txn_abort(&txn);
    return good;
}

/* Signals are for the thread that waits for them; SIGXFSZ, blocked, becomes EFBIG. */
static bool writer_start(struct store *store, struct proto_fault *fault)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    sigdelset(&all, SIGSEGV);
    sigdelset(&all, SIGBUS);
    sigdelset(&all, SIGFPE);
    sigdelset(&all, SIGILL);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&store->thread, NULL, store_writer_run, store);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code == 0 || proto_fault_set(fault, PROTO_NO_MEMORY, "", "no thread for the writer: %s",
                                        strerror(code));
}

static void store_free(struct store *store)
{
    store_index_fini(&store->index);
    store_stamps_fini(&store->stamps);
    store_plan_fini(&store->writer.plan);
    store_bucket_room_fini(&store->writer.bucket_room);
    store_row_writer_fini(&store->writer.rows);
    free(store->writer.edits.list);
    free(store->writer.changes);
    free(store->writer.touched);
    disk_env_close(&store->env);
    store_queue_fini(&store->queue);
    store_operations_fini(&store->operations);
    pthread_mutex_destroy(&store->views.mutex);
    pthread_mutex_destroy(&store->figures.mutex);
    free(store);
}

/* The members that need no file. NULL: no memory. */
static struct store *store_create(const struct store_options *options)
{
    struct store *store = calloc(1, sizeof *store);
    if (store == NULL)
        return NULL;
    store->options = options_filled(options);
    store->env.lock_fd = -1;
    store->env.witness_fd = -1;
    store_plan_init(&store->writer.plan, &store->hasher);
    store->writer.rows =
        (struct store_row_writer){.hasher = &store->hasher, .stamps = &store->stamps};
    if (!store_queue_init(&store->queue)) {
        free(store);
        return NULL;
    }
    if (!store_operations_init(&store->operations)) {
        store_queue_fini(&store->queue);
        free(store);
        return NULL;
    }
    pthread_mutex_init(&store->views.mutex, NULL);
    pthread_mutex_init(&store->figures.mutex, NULL);
    return store;
}

struct store *store_open_tuned(const struct store_options *options,
                               const struct store_tuning *tuning, struct proto_fault *fault)
{
    assert(options->now_ms != NULL && options->on_change != NULL);
    struct store *store = store_create(options);
    if (store == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a store");
        return NULL;
    }
    struct disk_env_options env_options = {.path = store->options.path,
                                           .map_bytes = store->options.map_bytes_max,
                                           .readers = store->options.readers_max + readers_own,
                                           .now_ms = options->now_ms(options->now_context),
                                           .on_lost = options->on_lost,
                                           .lost_context = options->lost_context};
    if (!disk_env_open(&store->env, &env_options, fault))
        goto fail;
    memcpy(store->hasher.seeds, store->env.format.seeds, sizeof store->hasher.seeds);
    store->hasher.mask = tuning == NULL || tuning->hash_mask == 0 ? UINT64_MAX : tuning->hash_mask;
    if (!content_tell(store, fault))
        goto fail;
    atomic_store(&store->committing, store->writer.state.txn);
    atomic_store(&store->committed, store->writer.state.txn);
    store->writer.own.readers_cleared = disk_env_clear_readers(&store->env);
    store->writer.dropping = true;
    store->writer.filling = store_index_begin(&store->index, store->writer.state.id_entries);
    store_publish_stats(store);
    if (!writer_start(store, fault))
        goto fail;
    return store;
fail:
    store_free(store);
    return NULL;
}

struct store *store_open(const struct store_options *options, struct proto_fault *fault)
{
    return store_open_tuned(options, NULL, fault);
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    assert(store->views.first == NULL);
    pthread_mutex_lock(&store->queue.mutex);
    store->queue.closing = true;
    pthread_cond_signal(&store->queue.arrived);
    pthread_mutex_unlock(&store->queue.mutex);
    pthread_join(store->thread, NULL);
    store_free(store);
}

void store_stats(struct store *store, struct store_stats *stats)
{
    pthread_mutex_lock(&store->figures.mutex);
    *stats = store->figures.published;
    pthread_mutex_unlock(&store->figures.mutex);
    pthread_mutex_lock(&store->queue.mutex);
    stats->queue_bytes = store->queue.bytes;
    stats->queue_batches = store->queue.count;
    pthread_mutex_unlock(&store->queue.mutex);
    pthread_mutex_lock(&store->views.mutex);
    stats->readers = store->views.count;
    pthread_mutex_unlock(&store->views.mutex);
    stats->corrupt_found = atomic_load(&store->figures.corrupt_found);
}

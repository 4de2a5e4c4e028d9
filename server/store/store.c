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

uint64_t store_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void store_log(const struct store *store, int level, const char *format, ...)
{
    char message[640];
    va_list args;
    if (store->options.on_log == NULL)
        return;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    store->options.on_log(store->options.log_context, level, message);
}

void store_damage(struct store *store, const struct proto_fault *fault)
{
    /* Read a million times, one damaged row must not fill the log: the first few, then each
     * doubling. */
    uint64_t found = atomic_fetch_add(&store->corrupt_found, 1) + 1;
    if (found <= 16 || (found & (found - 1)) == 0)
        store_log(store, 2, "damage: %s (%llu found so far)", fault->message,
                  (unsigned long long)found);
}

static struct store_options options_filled(const struct store_options *options)
{
    struct store_options filled = *options;
    if (filled.map_bytes_max == 0)
        filled.map_bytes_max = map_bytes_default;
    filled.map_bytes_max =
        (filled.map_bytes_max + STORE_PAGE_BYTES - 1) / STORE_PAGE_BYTES * STORE_PAGE_BYTES;
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

/* Tells every document of a table, in order of version; one that is damaged or missing ends the
 * opening: an ICP version must never be another than it was. */
static bool documents_tell(struct store *store, const struct store_txn *txn, enum store_table table,
                           uint32_t last, enum store_change_kind kind, struct proto_fault *fault)
{
    for (uint32_t version = 1; version <= last; version++) {
        struct proto_span value = {0};
        struct store_sealed sealed;
        if (store_txn_get(txn, table, version, &value, fault) == STORE_GOT_FAULT ||
            !store_unseal(table, version, value, &sealed, fault))
            return false;
        struct store_change change = {
            .kind = kind, .version = version, .time_ms = sealed.time_ms, .text = sealed.text};
        store->options.on_change(store->options.change_context, &change);
    }
    return true;
}

static bool active_tell(struct store *store, const struct store_txn *txn, struct proto_fault *fault)
{
    uint64_t number = txn->state.switches;
    struct proto_span value = {0};
    struct store_sealed sealed;
    if (number == 0)
        return true;
    if (store_txn_get(txn, STORE_TABLE_SWITCH, number, &value, fault) == STORE_GOT_FAULT ||
        !store_unseal(STORE_TABLE_SWITCH, number, value, &sealed, fault))
        return false;
    struct store_change change = {.kind = STORE_CHANGE_ACTIVE,
                                  .version = sealed.a,
                                  .previous = sealed.b,
                                  .time_ms = sealed.time_ms,
                                  .text = sealed.text};
    store->options.on_change(store->options.change_context, &change);
    return true;
}

/* A damaged list costs itself alone: it is told without a text, and cannot be used. */
static void tals_tell(struct store *store, const struct store_txn *txn)
{
    for (uint32_t number = 1; number <= txn->state.tals; number++) {
        struct store_change change;
        struct proto_fault fault = {.code = PROTO_OK};
        if (!store_tal_change(txn, number, &change, &fault))
            store_damage(store, &fault);
        store->options.on_change(store->options.change_context, &change);
    }
}

static bool content_tell(struct store *store, struct proto_fault *fault)
{
    struct store_txn txn = {.env = &store->env};
    int code = mdb_txn_begin(store->env.mdb, NULL, MDB_RDONLY, &txn.mdb);
    if (code != MDB_SUCCESS)
        return store_env_fault(&store->env, code, "reading", fault);
    bool good = store_txn_load(&txn, fault);
    if (good)
        store->state = txn.state;
    good = good &&
           documents_tell(store, &txn, STORE_TABLE_SCHEMA, txn.state.schema_version,
                          STORE_CHANGE_SCHEMA, fault) &&
           documents_tell(store, &txn, STORE_TABLE_ICP, txn.state.icp_version, STORE_CHANGE_ICP,
                          fault) &&
           active_tell(store, &txn, fault) && store_vectors_load(store, &txn, fault);
    if (good)
        tals_tell(store, &txn);
    mdb_txn_abort(txn.mdb);
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
    store_plan_fini(&store->plan);
    store_bucket_room_fini(&store->bucket_room);
    store_row_writer_fini(&store->rows);
    free(store->edits.list);
    free(store->changes);
    free(store->touched);
    store_env_close(&store->env);
    store_queue_fini(&store->queue);
    pthread_mutex_destroy(&store->views_mutex);
    pthread_mutex_destroy(&store->stats_mutex);
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
    store_plan_init(&store->plan, &store->hasher);
    store->rows = (struct store_row_writer){.hasher = &store->hasher, .stamps = &store->stamps};
    if (!store_queue_init(&store->queue)) {
        free(store);
        return NULL;
    }
    pthread_mutex_init(&store->views_mutex, NULL);
    pthread_mutex_init(&store->stats_mutex, NULL);
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
    struct store_env_options env_options = {.path = store->options.path,
                                            .map_bytes = store->options.map_bytes_max,
                                            .readers = store->options.readers_max + readers_own,
                                            .now_ms = options->now_ms(options->now_context)};
    if (!store_env_open(&store->env, &env_options, fault) || !content_tell(store, fault))
        goto fail;
    memcpy(store->hasher.seeds, store->env.format.seeds, sizeof store->hasher.seeds);
    store->hasher.mask = tuning == NULL || tuning->hash_mask == 0 ? UINT64_MAX : tuning->hash_mask;
    atomic_store(&store->committing, store->state.txn);
    atomic_store(&store->committed, store->state.txn);
    store->own.readers_cleared = store_env_clear_readers(&store->env);
    store->dropping = true;
    store->filling = store_index_begin(&store->index, store->state.id_entries);
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
    assert(store->views == NULL);
    pthread_mutex_lock(&store->queue.mutex);
    store->queue.closing = true;
    pthread_cond_signal(&store->queue.arrived);
    pthread_mutex_unlock(&store->queue.mutex);
    pthread_join(store->thread, NULL);
    store_free(store);
}

void store_stats(struct store *store, struct store_stats *stats)
{
    pthread_mutex_lock(&store->stats_mutex);
    *stats = store->stats;
    pthread_mutex_unlock(&store->stats_mutex);
    pthread_mutex_lock(&store->queue.mutex);
    stats->queue_bytes = store->queue.bytes;
    stats->queue_batches = store->queue.count;
    pthread_mutex_unlock(&store->queue.mutex);
    pthread_mutex_lock(&store->views_mutex);
    stats->readers = store->view_count;
    pthread_mutex_unlock(&store->views_mutex);
    stats->corrupt_found = atomic_load(&store->corrupt_found);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Opens a store: the environment; the log, brought up to date if the store is of an earlier format;
 * what of the log the tables have not yet, planned again into the overlay; then every document is
 * told, and folder and writer start. Whatever fails on the way closes what was opened. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/store/store_parts.h"
#include "server/store/upgrade.h"

/* What 0 in the options stands for. */
static const size_t map_bytes_default = (size_t)64 << 30;
static const size_t queue_bytes_default = (size_t)256 << 20;
static const size_t commit_bytes_default = (size_t)32 << 20;
static const size_t log_bytes_default = (size_t)256 << 20;
static const size_t fold_bytes_default = (size_t)256 << 20;
static const size_t overlay_bytes_default = (size_t)768 << 20;
static const unsigned readers_default = 126;
/* Beside the views: the writer reads too, so does the index's filling, and so does the scrub. */
static const unsigned readers_own = 8;
/* A generation is sealed before a group, which may be as large again: there must be room for two.
 */
enum { OVERLAY_FOLDS_LEAST = 2 };

static struct store_options options_filled(const struct store_options *options)
{
    struct store_options filled = *options;
    if (filled.map_bytes_max == 0) {
        filled.map_bytes_max = map_bytes_default;
    }
    filled.map_bytes_max =
        (filled.map_bytes_max + DISK_PAGE_BYTES - 1) / DISK_PAGE_BYTES * DISK_PAGE_BYTES;
    if (filled.queue_bytes_max == 0) {
        filled.queue_bytes_max = queue_bytes_default;
    }
    if (filled.commit_bytes_max == 0) {
        filled.commit_bytes_max = commit_bytes_default;
    }
    if (filled.log_bytes_max == 0) {
        filled.log_bytes_max = log_bytes_default;
    }
    if (filled.readers_max == 0) {
        filled.readers_max = readers_default;
    }
    if (filled.fold_bytes == 0) {
        filled.fold_bytes = fold_bytes_default;
    }
    if (filled.overlay_bytes_max == 0) {
        filled.overlay_bytes_max = overlay_bytes_default;
    }
    if (filled.fold_bytes > filled.overlay_bytes_max / OVERLAY_FOLDS_LEAST) {
        filled.fold_bytes = filled.overlay_bytes_max / OVERLAY_FOLDS_LEAST;
    }
    return filled;
}

static bool document_tell(struct store *store, const struct store_sight *sight,
                          enum store_document_kind kind, uint32_t number, struct proto_fault *fault)
{
    struct proto_fault found = {.code = PROTO_OK};
    struct store_change change;
    uint8_t *slots = NULL;
    bool good = store_document_read(sight, kind, number, &change, &found) &&
                store_tal_resolve(sight, &store->hasher, &change, &slots, &found);
    if (!good && found.code != PROTO_CORRUPT) {
        free(slots);
        *fault = found; /* no memory, a read that failed: nothing is known to be lost */
        return false;
    }
    if (found.code != PROTO_OK) {
        store_damage(store, &found);
    }
    if (!good) {
        change = (struct store_change){.kind = kind, .version = number};
    }
    if (!good && kind == STORE_DOCUMENT_SWITCH) {
        /* Which version is active stands in the state too; what is lost is the reason. */
        change.version = sight->state->active;
        change.previous = sight->state->previous;
    }
    store_reuse_list(&store->writer.reuse, &change);
    store->options.on_change(store->options.change_context, &change);
    free(slots);
    return true;
}

/* Tells the documents of every kind. One that is damaged or missing costs itself alone: it is told
 * without a text, and cannot be used. */
static bool documents_tell(struct store *store, struct proto_fault *fault)
{
    const struct store_writer *writer = &store->writer;
    struct store_sight sight = {.base = &writer->base,
                                .newest = writer->active,
                                .seq = writer->state.seq,
                                .state = &writer->state};
    for (unsigned i = 0; i < STORE_DOCUMENT_COUNT; i++) {
        enum store_document_kind kind = (enum store_document_kind)i;
        uint32_t last = store_document_last(&writer->state, kind);
        bool newest = store_document_info(kind)->told == STORE_TOLD_LAST;
        for (uint32_t number = newest && last > 0 ? last : 1; number <= last; number++) {
            if (!document_tell(store, &sight, kind, number, fault)) {
                return false;
            }
        }
    }
    return true;
}

/* Whole segments are dropped, so a log that keeps little is made of small ones. */
static size_t segment_bytes_of(const struct store *store)
{
    size_t quarter = store->options.log_bytes_max / 4;
    if (store->tuning.segment_bytes > 0) {
        return store->tuning.segment_bytes;
    }
    return quarter < LOG_SEGMENT_BYTES_MIN ? LOG_SEGMENT_BYTES_MIN
           : quarter < LOG_SEGMENT_BYTES   ? quarter
                                           : LOG_SEGMENT_BYTES;
}

/* The log of a store whose tables hold everything up to `folded`. The tables say with which
 * sequence it began, so that one that is gone is noticed. */
static bool log_begin(struct store *store, struct proto_fault *fault)
{
    char path[4200];
    struct disk_txn txn;
    struct disk_env *env = &store->env;
    snprintf(path, sizeof path, "%s/log", store->options.path);
    struct log_options options = {.path = path,
                                  .segment_bytes = segment_bytes_of(store),
                                  .identity =
                                      XXH3_64bits(env->format.seeds, sizeof env->format.seeds)};
    if (env->format.version != DISK_FORMAT_VERSION) {
        base_log(store->options.log, BASE_LOG_INFO, "store",
                 "the store is brought up to another format",
                 BASE_FIELDS(base_field_uint("from", env->format.version),
                             base_field_uint("to", DISK_FORMAT_VERSION)));
        if (!store_upgrade(env, &options, fault)) {
            return false;
        }
    }
    if (!disk_txn_read(&txn, env, fault)) {
        return false;
    }
    options.first = txn.state.log_begins;
    options.head_min = txn.state.seq;
    disk_txn_abort(&txn);
    store->log = log_open(&options, fault);
    return store->log != NULL;
}

/* What was acknowledged and had not been folded. */
static bool log_replay(struct store *store, struct proto_fault *fault)
{
    uint64_t folded = store->writer.state.seq;
    uint64_t head = log_head(store->log);
    if (head <= folded) {
        return true;
    }
    base_log(store->options.log, BASE_LOG_INFO, "store", "what was not folded is read from the log",
             BASE_FIELDS(base_field_uint("batches", head - folded)));
    struct log_reader *reader = log_reader_open(store->log, folded, fault);
    if (reader == NULL) {
        return false;
    }
    struct log_entry entry;
    enum log_got got;
    bool good = true;
    while (good && (got = log_reader_next(reader, &entry, fault)) == LOG_GOT_ENTRY) {
        good = store_replay(store, &entry, fault);
        if (good && store->writer.active->bytes >= store->options.fold_bytes) {
            good = store_generation_seal(store, fault);
        }
    }
    log_reader_close(reader);
    return good && got != LOG_GOT_FAULT;
}

static void store_free(struct store *store)
{
    struct store_writer *writer = &store->writer;
    store_view_close(writer->filler);
    store_generations_end(store);
    store_index_fini(&store->index);
    store_stamps_fini(&store->stamps);
    store_stamps_fini(&store->written);
    store_tolds_fini(&store->tolds);
    store_plan_fini(&writer->plan);
    store_reuse_fini(&writer->reuse);
    store_row_maker_fini(&writer->rows);
    store_encoder_drop(writer->encoder);
    free(writer->edits.list);
    free(writer->links.list);
    free(writer->entries);
    free(writer->changes);
    free(writer->touched);
    store_folder_fini(&store->folder);
    log_close(store->log);
    disk_env_close(&store->env);
    store_queue_fini(&store->queue);
    store_operations_fini(&store->operations);
    pthread_mutex_destroy(&store->views.mutex);
    pthread_mutex_destroy(&store->figures.mutex);
    free(store);
}

/* The members that need no file. NULL: no memory. */
static struct store *store_create(const struct store_options *options,
                                  const struct store_tuning *tuning)
{
    struct store *store = calloc(1, sizeof *store);
    if (store == NULL) {
        return NULL;
    }
    store->options = options_filled(options);
    if (tuning != NULL) {
        store->tuning = *tuning;
    }
    atomic_init(&store->starting, store->options.starting);
    store->env.lock_fd = -1;
    store->env.witness_fd = -1;
    store->hasher.mask = store->tuning.hash_mask == 0 ? UINT64_MAX : store->tuning.hash_mask;
    store_plan_init(&store->writer.plan, &store->hasher);
    if (store->tuning.events_max != 0) {
        store->writer.plan.events_max = store->tuning.events_max;
    }
    store->writer.rows.hasher = store->folder.maker.hasher = &store->hasher;
    store->folder.rows.stamps = &store->written;
    if (!store_queue_init(&store->queue)) {
        free(store);
        return NULL;
    }
    if (!store_operations_init(&store->operations)) {
        store_queue_fini(&store->queue);
        free(store);
        return NULL;
    }
    if (!store_folder_init(&store->folder)) {
        store_operations_fini(&store->operations);
        store_queue_fini(&store->queue);
        free(store);
        return NULL;
    }
    pthread_mutex_init(&store->views.mutex, NULL);
    pthread_mutex_init(&store->figures.mutex, NULL);
    return store;
}

/* Tables that are gone must not pass for a new store. */
static const char *no_new_of(const struct store_options *options)
{
    char log[4200];
    snprintf(log, sizeof log, "%s/log", options->path);
    if (log_there(log)) {
        return "the log of a store lies beside it; put the data back, or remove the log too to "
               "begin a new store";
    }
    return options->must_exist ? "a store is required there (require_data)" : NULL;
}

/* Where so much of addresses is not to be had, the limit itself is enough. The kernel says ENOMEM
 * then, others (valgrind) EINVAL, which is told as PROTO_IO. */
static bool env_open(struct store *store, struct disk_env_options *options,
                     struct proto_fault *fault)
{
    size_t limit = options->map_bytes;
    options->map_bytes = store_room_range(limit);
    if (!disk_env_open(&store->env, options, fault)) {
        if (fault->code != PROTO_NO_MEMORY && fault->code != PROTO_IO) {
            return false;
        }
        options->map_bytes = limit;
        *fault = (struct proto_fault){.code = PROTO_OK};
        if (!disk_env_open(&store->env, options, fault)) {
            return false;
        }
    }
    store->room.range = store->env.map_bytes;
    atomic_store(&store->room.limit, limit);
    return true;
}

size_t store_map_bytes_set(struct store *store, size_t bytes)
{
    size_t limit = bytes < store->room.range ? bytes : store->room.range;
    atomic_store(&store->room.limit, limit);
    return limit;
}

/* Everything before the first thread. */
static bool store_load(struct store *store, struct proto_fault *fault)
{
    struct store_options *options = &store->options;
    struct disk_env_options env_options = {.path = options->path,
                                           .map_bytes = options->map_bytes_max,
                                           .readers = options->readers_max + readers_own,
                                           .now_ms = options->now_ms(options->now_context),
                                           .no_new = no_new_of(options),
                                           .on_lost = options->on_lost,
                                           .lost_context = options->lost_context};
    if (!env_open(store, &env_options, fault) || !log_begin(store, fault)) {
        return false;
    }
    memcpy(store->hasher.seeds, store->env.format.seeds, sizeof store->hasher.seeds);
    if (!store_generations_begin(store, fault)) {
        return false;
    }
    struct disk_state *tables = &store->folder.state;
    *tables = store->writer.base.state;
    store_room_measure(&store->room, &store->env, tables);
    atomic_store(&store->writing, tables->txn);
    atomic_store(&store->tables, tables->txn);
    atomic_store(&store->folded, tables->seq);
    store->writer.told_tables = tables->txn;
    store->folder.own.readers_cleared = disk_env_clear_readers(&store->env);
    if (!store_operations_load(&store->operations, &store->hasher, &store->writer.base, fault) ||
        !store_vectors_load(store, &store->writer.base, fault) || !log_replay(store, fault) ||
        !documents_tell(store, fault)) {
        return false;
    }
    /* What was read from the log has waited long enough. */
    store->writer.begun_ns = store->writer.committed_ns = store_clock_ns();
    return store_generation_seal(store, fault);
}

struct store *store_open_tuned(const struct store_options *options,
                               const struct store_tuning *tuning, struct proto_fault *fault)
{
    assert(options->now_ms != NULL && options->on_change != NULL);
    struct store *store = store_create(options, tuning);
    if (store == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a store");
        return NULL;
    }
    if (!store_load(store, fault)) {
        goto fail;
    }
    store_index_fill_begin(store);
    store_publish_stats(store);
    if (!store_folder_start(store, fault)) {
        goto fail;
    }
    if (store_thread_start(&store->thread, store_writer_run, store, fault)) {
        return store;
    }
    store->tuning.abandon = true; /* nothing has changed: nothing is to be folded now */
    store_folder_stop(store);
fail:
    store_free(store);
    return NULL;
}

struct store *store_open(const struct store_options *options, struct proto_fault *fault)
{
    return store_open_tuned(options, NULL, fault);
}

void store_started(struct store *store)
{
    if (atomic_exchange(&store->starting, false)) {
        store_queue_poke(&store->queue);
    }
}

void store_close(struct store *store)
{
    if (store == NULL) {
        return;
    }
    pthread_mutex_lock(&store->queue.mutex);
    store->queue.closing = true;
    pthread_cond_signal(&store->queue.arrived);
    pthread_mutex_unlock(&store->queue.mutex);
    pthread_join(store->thread, NULL);
    store_folder_stop(store);
    assert(store->views.count == 0); /* the writer has one of its own while it fills the index */
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
    uint64_t old_since_ns = atomic_load(&store->old_since_ns);
    stats->view_age_ns = old_since_ns == 0 ? 0 : store_clock_ns() - old_since_ns;
    pthread_mutex_unlock(&store->views.mutex);
    stats->corrupt_found = atomic_load(&store->figures.corrupt_found);
}

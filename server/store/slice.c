/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "server/store/store_parts.h"

enum {
    INDEX_BUDGET_NS = 2000000,
    ROWS_BUDGET_NS = 20000000,
    DROP_BLOCKS = 512, /* blocks of an old generation that one transaction drops */
    PAUSE_NS = 1000000000,
};

/* A slice that fails (full disk) is tried again after a while; requests go on meanwhile. */
static bool slice_failed(struct store *store, const char *what, const struct proto_fault *fault)
{
    base_log(store->options.log, BASE_LOG_WARN, "store", "a slice of background work failed",
             BASE_FIELDS(base_field_text("what", what), base_field_error(fault->code),
                         base_field_text("reason", fault->message)));
    if (fault->code == PROTO_CORRUPT)
        store_damage(store, fault);
    store->writer.pause_until_ns = store_clock_ns() + PAUSE_NS;
    return false;
}

void store_encoder_switch(struct store *store, const struct store_encoder *encoder)
{
    if (store->writer.encoder.release != NULL)
        store->writer.encoder.release(store->writer.encoder.context);
    store->writer.encoder = *encoder;
    store->writer.encoder_set = true;
    store->writer.rows.encoder = NULL;
    if (encoder->digest == 0)
        return;
    struct proto_fault fault;
    store->writer.rows.encoder = &store->writer.encoder;
    if (!store_row_writer_fit(&store->writer.rows, &fault)) {
        base_log(store->options.log, BASE_LOG_ERROR, "store", "no rows are kept",
                 BASE_FIELDS(base_field_error(fault.code)));
        store->writer.rows.encoder = NULL;
    }
}

/* Rows of another codebook begin a new generation; the old one is dropped in slices. */
static bool generation_begin(struct store *store)
{
    struct disk_txn txn;
    struct proto_fault fault = {.code = PROTO_OK};
    if (!disk_txn_write(&txn, &store->env, &fault))
        return slice_failed(store, "cannot begin new rows", &fault);
    txn.state.rows_generation++;
    txn.state.rows_digest = store->writer.encoder.digest;
    txn.state.rows_slots = 0;
    txn.state.row_bytes = store->writer.encoder.digest == 0
                              ? 0
                              : (uint32_t)store_row_bytes(store->writer.encoder.code_bytes);
    if (!store_commit_txn(store, &txn, &fault))
        return slice_failed(store, "cannot begin new rows", &fault);
    store->writer.dropping = true;
    return true;
}

static bool row_encode(struct store *store, struct disk_txn *txn, uint32_t slot,
                       struct proto_fault *fault)
{
    struct store_account account;
    struct proto_fault damage;
    if (!store_account_get(txn, slot, &account, &damage)) {
        if (damage.code != PROTO_CORRUPT) {
            *fault = damage;
            return false;
        }
        /* Without a row the account is served from its record, and that says what is wrong. */
        store_damage(store, &damage);
        account.record = (struct proto_span){NULL, 0};
    }
    return store_row_set(&store->writer.rows, slot, account.record, fault);
}

bool store_rows_advance(struct store *store, struct disk_txn *txn, uint64_t budget_ns, bool yield,
                        struct proto_fault *fault)
{
    struct disk_state *state = &txn->state;
    if (store->writer.rows.encoder == NULL || store->writer.encoder.digest != state->rows_digest ||
        state->rows_slots >= state->slots)
        return true;
    uint64_t until = store_clock_ns() + budget_ns;
    while (state->rows_slots < state->slots) {
        if (!row_encode(store, txn, state->rows_slots, fault))
            return false;
        state->rows_slots++;
        if (state->rows_slots % STORE_BLOCK_ROWS == 0 &&
            (store_clock_ns() >= until || (yield && store_queue_waits(&store->queue))))
            break;
    }
    return store_row_flush(&store->writer.rows, fault);
}

bool store_slice_rows(struct store *store)
{
    const struct store_encoder *encoder = &store->writer.encoder;
    if (!store->writer.encoder_set)
        return false; /* rows of the last run are kept until the engine says what it wants */
    if (encoder->digest != store->writer.state.rows_digest ||
        (encoder->digest != 0 &&
         store_row_bytes(encoder->code_bytes) != store->writer.state.row_bytes))
        return generation_begin(store);
    if (store->writer.rows.encoder == NULL ||
        store->writer.state.rows_slots >= store->writer.state.slots)
        return false;
    struct disk_txn txn;
    struct proto_fault fault = {.code = PROTO_OK};
    if (!disk_txn_write(&txn, &store->env, &fault))
        return slice_failed(store, "cannot encode rows", &fault);
    store->writer.rows.txn = &txn;
    store->writer.rows.loaded = false;
    if (!store_rows_advance(store, &txn, ROWS_BUDGET_NS, true, &fault)) {
        disk_txn_abort(&txn);
        return slice_failed(store, "cannot encode rows", &fault);
    }
    if (!store_commit_txn(store, &txn, &fault))
        return slice_failed(store, "cannot encode rows", &fault);
    return store->writer.state.rows_slots < store->writer.state.slots;
}

/* Key of the first block, if it is of an older generation. Reading with a cursor, deleting by key.
 */
static bool oldest_block(const struct disk_txn *txn, uint64_t *key, uint64_t *check)
{
    struct disk_cursor cursor;
    struct proto_fault ignored;
    if (!disk_cursor_open(&cursor, txn, DISK_TABLE_ROW, &ignored))
        return false;
    bool found = disk_cursor_next(&cursor, &ignored) == DISK_GOT_ONE && cursor.value.bytes > 0;
    if (found) {
        *key = cursor.key;
        *check = disk_get_u64(cursor.value.data);
    }
    disk_cursor_close(&cursor);
    return found && *key >> 32 < txn->state.rows_generation;
}

bool store_slice_drop(struct store *store)
{
    if (!store->writer.dropping)
        return false;
    struct disk_txn txn;
    struct proto_fault fault = {.code = PROTO_OK};
    uint64_t key;
    uint64_t check;
    if (!disk_txn_write(&txn, &store->env, &fault))
        return slice_failed(store, "cannot drop old rows", &fault);
    int dropped = 0;
    for (; dropped < DROP_BLOCKS && oldest_block(&txn, &key, &check); dropped++) {
        if (!disk_txn_delete(&txn, DISK_TABLE_ROW, key, &fault)) {
            disk_txn_abort(&txn);
            return slice_failed(store, "cannot drop old rows", &fault);
        }
        disk_sum_change(&txn.state, DISK_TABLE_ROW, true, check, false, 0);
    }
    store->writer.dropping = dropped == DROP_BLOCKS;
    if (dropped == 0) {
        disk_txn_abort(&txn);
        return false;
    }
    if (!store_commit_txn(store, &txn, &fault)) {
        store->writer.dropping = true;
        return slice_failed(store, "cannot drop old rows", &fault);
    }
    return store->writer.dropping;
}

static bool bucket_fill(struct store *store, const struct disk_txn *txn, uint32_t number)
{
    struct store_bucket bucket;
    struct proto_fault fault;
    if (!store_bucket_get(txn, number, &bucket, &fault)) {
        store_damage(store, &fault);
        atomic_store(&store->index.holes, true);
        return true;
    }
    for (uint32_t i = 0; i < bucket.count; i++) {
        uint32_t ref = store_bucket_ref(&bucket, i);
        ref = (ref & STORE_REF_SHARED) != 0 ? STORE_REF_SHARED : ref & STORE_REF_SLOT;
        if (!store_index_fill(&store->index, store_bucket_hash(&bucket, i), ref))
            return false;
    }
    return true;
}

static bool index_fill(struct store *store)
{
    struct disk_txn txn;
    struct proto_fault fault;
    if (!disk_txn_read(&txn, &store->env, &fault))
        return true; /* out of readers or memory: tried again */
    uint64_t until = store_clock_ns() + INDEX_BUDGET_NS;
    while (store->writer.filled < store->writer.state.id_buckets && store_clock_ns() < until) {
        if (!bucket_fill(store, &txn, store->writer.filled++)) {
            base_log(store->options.log, BASE_LOG_ERROR, "store",
                     "no memory for the index of ids: look-ups go through the file",
                     BASE_NO_FIELDS);
            store->writer.filling = false;
            break;
        }
    }
    disk_txn_abort(&txn);
    if (store->writer.filling && store->writer.filled >= store->writer.state.id_buckets) {
        store_index_publish(&store->index, store->writer.state.txn);
        store->writer.filling = false;
    }
    return store->writer.filling;
}

void store_reclaim(struct store *store)
{
    if (store->index.retired == NULL)
        return;
    uint64_t least = UINT64_MAX;
    pthread_mutex_lock(&store->views.mutex);
    for (struct store_view *view = store->views.first; view != NULL; view = view->next) {
        uint64_t epoch = atomic_load(&view->epoch);
        least = epoch < least ? epoch : least;
    }
    pthread_mutex_unlock(&store->views.mutex);
    store_index_reclaim(&store->index, least);
}

bool store_slice_index(struct store *store)
{
    if (store->writer.filling)
        return index_fill(store);
    return store_index_step(&store->index);
}

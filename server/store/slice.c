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
    store_log(store, 4, "%s: %s", what, fault->message);
    if (fault->code == PROTO_CORRUPT)
        store_damage(store, fault);
    store->pause_until_ns = store_clock_ns() + PAUSE_NS;
    return false;
}

void store_encoder_switch(struct store *store, const struct store_encoder *encoder)
{
    if (store->encoder.release != NULL)
        store->encoder.release(store->encoder.context);
    store->encoder = *encoder;
    store->encoder_set = true;
    store->rows.encoder = NULL;
    if (encoder->digest == 0)
        return;
    struct proto_fault fault;
    store->rows.encoder = &store->encoder;
    if (!store_row_writer_fit(&store->rows, &fault)) {
        store_log(store, 3, "no rows are kept: %s", fault.message);
        store->rows.encoder = NULL;
    }
}

/* Rows of another codebook begin a new generation; the old one is dropped in slices. */
static bool generation_begin(struct store *store)
{
    struct store_txn txn;
    struct proto_fault fault = {.code = PROTO_OK};
    if (!store_txn_write(&txn, &store->env, &fault))
        return slice_failed(store, "cannot begin new rows", &fault);
    txn.state.rows_generation++;
    txn.state.rows_digest = store->encoder.digest;
    txn.state.rows_slots = 0;
    txn.state.row_bytes =
        store->encoder.digest == 0 ? 0 : (uint32_t)store_row_bytes(store->encoder.code_bytes);
    if (!store_commit_txn(store, &txn, &fault))
        return slice_failed(store, "cannot begin new rows", &fault);
    store->dropping = true;
    return true;
}

static bool row_encode(struct store *store, struct store_txn *txn, uint32_t slot,
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
    return store_row_set(&store->rows, slot, account.record, fault);
}

bool store_rows_advance(struct store *store, struct store_txn *txn, uint64_t budget_ns, bool yield,
                        struct proto_fault *fault)
{
    struct store_state *state = &txn->state;
    if (store->rows.encoder == NULL || store->encoder.digest != state->rows_digest ||
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
    return store_row_flush(&store->rows, fault);
}

bool store_slice_rows(struct store *store)
{
    const struct store_encoder *encoder = &store->encoder;
    if (!store->encoder_set)
        return false; /* rows of the last run are kept until the engine says what it wants */
    if (encoder->digest != store->state.rows_digest ||
        (encoder->digest != 0 && store_row_bytes(encoder->code_bytes) != store->state.row_bytes))
        return generation_begin(store);
    if (store->rows.encoder == NULL || store->state.rows_slots >= store->state.slots)
        return false;
    struct store_txn txn;
    struct proto_fault fault = {.code = PROTO_OK};
    if (!store_txn_write(&txn, &store->env, &fault))
        return slice_failed(store, "cannot encode rows", &fault);
    store->rows.txn = &txn;
    store->rows.loaded = false;
    if (!store_rows_advance(store, &txn, ROWS_BUDGET_NS, true, &fault)) {
        store_txn_abort(&txn);
        return slice_failed(store, "cannot encode rows", &fault);
    }
    if (!store_commit_txn(store, &txn, &fault))
        return slice_failed(store, "cannot encode rows", &fault);
    return store->state.rows_slots < store->state.slots;
}

/* Key of the first block, if it is of an older generation. Reading with a cursor, deleting by key.
 */
static bool oldest_block(const struct store_txn *txn, uint64_t *key, uint64_t *check)
{
    MDB_cursor *cursor;
    MDB_val name, data;
    if (mdb_cursor_open(txn->mdb, txn->env->tables[STORE_TABLE_ROW], &cursor) != MDB_SUCCESS)
        return false;
    int code = mdb_cursor_get(cursor, &name, &data, MDB_FIRST);
    mdb_cursor_close(cursor);
    if (code != MDB_SUCCESS || name.mv_size != sizeof *key || data.mv_size < 8)
        return false;
    *key = store_get_u64(name.mv_data);
    *check = store_get_u64(data.mv_data);
    return *key >> 32 < txn->state.rows_generation;
}

bool store_slice_drop(struct store *store)
{
    if (!store->dropping)
        return false;
    struct store_txn txn;
    struct proto_fault fault = {.code = PROTO_OK};
    uint64_t key;
    uint64_t check;
    if (!store_txn_write(&txn, &store->env, &fault))
        return slice_failed(store, "cannot drop old rows", &fault);
    int dropped = 0;
    for (; dropped < DROP_BLOCKS && oldest_block(&txn, &key, &check); dropped++) {
        if (!store_txn_delete(&txn, STORE_TABLE_ROW, key, &fault)) {
            store_txn_abort(&txn);
            return slice_failed(store, "cannot drop old rows", &fault);
        }
        store_sum_change(&txn.state, STORE_TABLE_ROW, true, check, false, 0);
    }
    store->dropping = dropped == DROP_BLOCKS;
    if (dropped == 0) {
        store_txn_abort(&txn);
        return false;
    }
    if (!store_commit_txn(store, &txn, &fault)) {
        store->dropping = true;
        return slice_failed(store, "cannot drop old rows", &fault);
    }
    return store->dropping;
}

static bool bucket_fill(struct store *store, const struct store_txn *txn, uint32_t number)
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
    struct store_txn txn = {.env = &store->env, .state = store->state};
    int code = mdb_txn_begin(store->env.mdb, NULL, MDB_RDONLY, &txn.mdb);
    if (code != MDB_SUCCESS)
        return true; /* out of readers or memory: tried again */
    uint64_t until = store_clock_ns() + INDEX_BUDGET_NS;
    while (store->filled < store->state.id_buckets && store_clock_ns() < until) {
        if (!bucket_fill(store, &txn, store->filled++)) {
            store_log(store, 3, "no memory for the index of ids: look-ups go through the file");
            store->filling = false;
            break;
        }
    }
    mdb_txn_abort(txn.mdb);
    if (store->filling && store->filled >= store->state.id_buckets) {
        store_index_publish(&store->index, store->state.txn);
        store->filling = false;
    }
    return store->filling;
}

void store_reclaim(struct store *store)
{
    if (store->index.retired == NULL)
        return;
    uint64_t least = UINT64_MAX;
    pthread_mutex_lock(&store->views_mutex);
    for (struct store_view *view = store->views; view != NULL; view = view->next) {
        uint64_t epoch = atomic_load(&view->epoch);
        least = epoch < least ? epoch : least;
    }
    pthread_mutex_unlock(&store->views_mutex);
    store_index_reclaim(&store->index, least);
}

bool store_slice_index(struct store *store)
{
    if (store->filling)
        return index_fill(store);
    return store_index_step(&store->index);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the folder does between folds: rows encoded for another codebook, and rows of older ones
 * dropped, each in transactions of its own that take a fraction of a second. A slice that fails
 * (full disk) is tried again after a while; folds go on meanwhile. */
#include "server/store/store_parts.h"

enum {
    ROWS_BUDGET_NS = 100000000, /* of encoding in one transaction */
    ROWS_LEAST_NS = 20000000,   /* and so much of it whatever waits */
    DROP_BLOCKS = 512,          /* blocks of an old generation that one transaction drops */
    PAUSE_NS = 1000000000,
};

static bool slice_failed(struct store *store, const char *what, const struct proto_fault *fault)
{
    base_log(store->options.log, BASE_LOG_WARN, "store", "a slice of background work failed",
             BASE_FIELDS(base_field_text("what", what), base_field_error(fault->code),
                         base_field_text("reason", fault->message)));
    if (fault->code == PROTO_CORRUPT) {
        store_damage(store, fault);
    }
    store->folder.pause_until_ns = store_clock_ns() + PAUSE_NS;
    return false;
}

/* Rows of another codebook begin a new generation; the old one is dropped in slices. */
static bool generation_begin(struct store *store, const struct store_encoder *encoder)
{
    struct disk_txn txn;
    struct proto_fault fault = {.code = PROTO_OK};
    if (!disk_txn_write(&txn, &store->env, &fault)) {
        return slice_failed(store, "cannot begin new rows", &fault);
    }
    txn.state.rows_generation++;
    txn.state.rows_digest = encoder->digest;
    txn.state.rows_slots = 0;
    txn.state.row_bytes = encoder->digest == 0 ? 0 : (uint32_t)store_row_bytes(encoder->code_bytes);
    if (!store_tables_commit(store, &txn, &fault)) {
        return slice_failed(store, "cannot begin new rows", &fault);
    }
    store->folder.dropping = true;
    return true;
}

static bool row_encode(struct store *store, struct disk_txn *txn, uint32_t slot,
                       struct proto_fault *fault)
{
    struct store_folder *folder = &store->folder;
    struct store_sight stored = store_sight_of(txn);
    struct store_account account;
    struct proto_fault damage;
    if (!store_account_get(&stored, slot, &account, &damage)) {
        if (damage.code != PROTO_CORRUPT) {
            *fault = damage;
            return false;
        }
        /* Without a row the account is served from its record, and that says what is wrong. */
        store_damage(store, &damage);
        account.record = (struct proto_span){NULL, 0};
        account.fold = STORE_NO_SLOT;
    }
    if (account.fold != STORE_NO_SLOT) {
        account.record = (struct proto_span){NULL, 0}; /* its fold answers for it */
    }
    uint8_t *row = store_row_place(&folder->rows, slot, slot % STORE_BLOCK_ROWS == 0, fault);
    return row != NULL && store_row_make(&folder->maker, slot, account.record, row, fault);
}

/* Encodes rows above the mark until time is up or something more urgent waits. */
static bool rows_advance(struct store *store, struct disk_txn *txn, struct proto_fault *fault)
{
    struct disk_state *state = &txn->state;
    uint64_t begun = store_clock_ns();
    store_row_writer_begin(&store->folder.rows, txn);
    while (state->rows_slots < state->slots) {
        if (!row_encode(store, txn, state->rows_slots, fault)) {
            return false;
        }
        state->rows_slots++;
        if (state->rows_slots % STORE_BLOCK_ROWS != 0) {
            continue;
        }
        uint64_t spent = store_clock_ns() - begun;
        if (spent >= ROWS_BUDGET_NS ||
            (spent >= ROWS_LEAST_NS && store_folder_waits(&store->folder))) {
            break;
        }
    }
    return store_row_flush(&store->folder.rows, fault);
}

bool store_slice_rows(struct store *store)
{
    if (!store->folder.encoder_set) {
        return false; /* rows of the last run are kept until the engine says what it wants */
    }
    const struct store_encoder *encoder = &store->folder.encoder->encoder;
    if (encoder->digest != store->folder.state.rows_digest ||
        (encoder->digest != 0 &&
         store_row_bytes(encoder->code_bytes) != store->folder.state.row_bytes)) {
        return generation_begin(store, encoder);
    }
    if (store->folder.maker.encoder == NULL ||
        store->folder.state.rows_slots >= store->folder.state.slots) {
        return false;
    }
    struct disk_txn txn;
    struct proto_fault fault = {.code = PROTO_OK};
    if (!disk_txn_write(&txn, &store->env, &fault)) {
        return slice_failed(store, "cannot encode rows", &fault);
    }
    if (!rows_advance(store, &txn, &fault)) {
        disk_txn_abort(&txn);
        return slice_failed(store, "cannot encode rows", &fault);
    }
    if (!store_tables_commit(store, &txn, &fault)) {
        return slice_failed(store, "cannot encode rows", &fault);
    }
    return store->folder.state.rows_slots < store->folder.state.slots;
}

/* Key of the first block, if it is of an older generation. Reading with a cursor, deleting by key.
 */
static bool oldest_block(const struct disk_txn *txn, uint64_t *key, uint64_t *check)
{
    struct disk_cursor cursor;
    struct proto_fault ignored;
    if (!disk_cursor_open(&cursor, txn, DISK_TABLE_ROW, &ignored)) {
        return false;
    }
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
    if (!store->folder.dropping) {
        return false;
    }
    struct disk_txn txn;
    struct proto_fault fault = {.code = PROTO_OK};
    uint64_t key;
    uint64_t check;
    if (!disk_txn_write(&txn, &store->env, &fault)) {
        return slice_failed(store, "cannot drop old rows", &fault);
    }
    int dropped = 0;
    for (; dropped < DROP_BLOCKS && oldest_block(&txn, &key, &check); dropped++) {
        if (!disk_txn_delete(&txn, DISK_TABLE_ROW, key, &fault)) {
            disk_txn_abort(&txn);
            /* Beside a damaged page they stay: they cost room alone. */
            store->folder.dropping = fault.code != PROTO_CORRUPT;
            return slice_failed(store, "cannot drop old rows", &fault);
        }
        disk_sum_change(&txn.state, DISK_TABLE_ROW, true, check, false, 0);
    }
    store->folder.dropping = dropped == DROP_BLOCKS;
    if (dropped == 0) {
        disk_txn_abort(&txn);
        return false;
    }
    if (!store_tables_commit(store, &txn, &fault)) {
        store->folder.dropping = true;
        return slice_failed(store, "cannot drop old rows", &fault);
    }
    return store->folder.dropping;
}

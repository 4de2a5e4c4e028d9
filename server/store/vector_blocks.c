/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "server/store/store_parts.h"

enum { DROP_ENTRIES = 256 }; /* blocks or touches that one transaction drops: some 10 MB of pages */

bool store_vectors_load(struct store *store, const struct store_txn *txn, struct proto_fault *fault)
{
    struct store_vectors *vectors = &store->vectors;
    struct proto_span value = {0};
    struct store_sealed sealed;
    struct proto_fault damage = {.code = PROTO_OK};
    enum store_got got =
        store_txn_get(txn, STORE_TABLE_VECTOR, STORE_VECTOR_HEAD_KEY, &value, fault);
    if (got == STORE_GOT_FAULT)
        return false;
    *vectors = (struct store_vectors){.dropping = true};
    if (got == STORE_GOT_NONE)
        return true;
    if (!store_unseal(STORE_TABLE_VECTOR, STORE_VECTOR_HEAD_KEY, value, &sealed, &damage) ||
        sealed.text.bytes < 8) {
        /* Vectors can be built anew: no reason not to open. The slots are kept all the same. */
        store_damage(store, &damage);
        vectors->dropping = false;
        return true;
    }
    vectors->keeping = true;
    vectors->generation = sealed.a;
    vectors->seq = store_get_u64(sealed.text.data);
    return true;
}

static bool entry_put(struct store_txn *txn, uint64_t key, const struct store_sealed *sealed,
                      struct proto_fault *fault)
{
    struct proto_span was = {0};
    enum store_got got = store_txn_get(txn, STORE_TABLE_VECTOR, key, &was, fault);
    if (got == STORE_GOT_FAULT)
        return false;
    uint64_t was_check = got == STORE_GOT_ONE && was.bytes >= 8 ? store_get_u64(was.data) : 0;
    uint8_t *at = store_txn_put(txn, STORE_TABLE_VECTOR, key, store_seal_bytes(sealed), 0, fault);
    if (at == NULL)
        return false;
    uint64_t check = store_seal(STORE_TABLE_VECTOR, key, sealed, at);
    store_sum_change(&txn->state, STORE_TABLE_VECTOR, got == STORE_GOT_ONE, was_check, true, check);
    return true;
}

bool store_vectors_touch(struct store *store, struct store_txn *txn, struct proto_fault *fault)
{
    if (!store->vectors.keeping || store->touched_count == 0)
        return true;
    struct store_sealed sealed = {
        .a = (uint32_t)store->touched_count,
        .text = {(const uint8_t *)store->touched, store->touched_count * sizeof(uint32_t)}};
    return entry_put(txn, STORE_VECTOR_TOUCH | txn->state.seq, &sealed, fault);
}

/* The highest generation of which a block is stored, whole or not. */
static bool generation_last(const struct store_txn *txn, uint32_t *generation,
                            struct proto_fault *fault)
{
    MDB_cursor *cursor;
    uint64_t touch = STORE_VECTOR_TOUCH;
    MDB_val key = {sizeof touch, &touch};
    MDB_val data;
    int code = mdb_cursor_open(txn->mdb, txn->env->tables[STORE_TABLE_VECTOR], &cursor);
    if (code != MDB_SUCCESS)
        return store_env_fault(txn->env, code, "reading vectors", fault);
    code = mdb_cursor_get(cursor, &key, &data, MDB_SET_RANGE);
    code = mdb_cursor_get(cursor, &key, &data, code == MDB_SUCCESS ? MDB_PREV : MDB_LAST);
    *generation = code == MDB_SUCCESS && key.mv_size == sizeof(uint64_t)
                      ? (uint32_t)(store_get_u64(key.mv_data) >> 40)
                      : 0;
    mdb_cursor_close(cursor);
    return true;
}

static bool begin(struct store *store, struct store_txn *txn, struct store_vectors_turn *turn)
{
    uint32_t last = 0;
    if (!generation_last(txn, &last, &turn->fault))
        return false;
    last = last > store->vectors.generation ? last : store->vectors.generation;
    turn->generation = last + 1;
    return last + 1 < 1U << 23 ||
           proto_fault_set(&turn->fault, PROTO_LIMIT, "",
                           "%u generations of vectors: no number is left", last);
}

static bool block_put(struct store_txn *txn, uint32_t generation,
                      const struct store_vector_block *block, struct proto_fault *fault)
{
    uint64_t key = store_vector_key(generation, block->kind, block->number);
    size_t bytes = STORE_VECTOR_HEADER_BYTES + block->bytes.bytes;
    uint8_t *at = store_txn_put(txn, STORE_TABLE_VECTOR, key, bytes, MDB_NOOVERWRITE, fault);
    if (at == NULL)
        return false;
    memset(at, 0, STORE_VECTOR_HEADER_BYTES);
    memcpy(at + STORE_VECTOR_HEADER_BYTES, block->bytes.data, block->bytes.bytes);
    uint64_t check = store_check(STORE_TABLE_VECTOR, key, at + 8, bytes - 8);
    store_set_u64(at, check);
    store_sum_change(&txn->state, STORE_TABLE_VECTOR, false, 0, true, check);
    return true;
}

static bool put(struct store_txn *txn, struct store_vectors_turn *turn)
{
    for (size_t i = 0; i < turn->count; i++)
        if (!block_put(txn, turn->generation, &turn->blocks[i], &turn->fault))
            return false;
    return true;
}

static bool publish(struct store_txn *txn, struct store_vectors_turn *turn)
{
    size_t bytes = 8 + turn->text.bytes;
    uint8_t *text = malloc(bytes);
    if (text == NULL)
        return proto_fault_set(&turn->fault, PROTO_NO_MEMORY, "",
                               "no memory for a head of %zu "
                               "bytes",
                               bytes);
    store_set_u64(text, turn->seq);
    memcpy(text + 8, turn->text.data, turn->text.bytes);
    struct store_sealed sealed = {.a = turn->generation, .text = {text, bytes}};
    bool good = entry_put(txn, STORE_VECTOR_HEAD_KEY, &sealed, &turn->fault);
    free(text);
    return good;
}

/* What is true once the step is on disk. */
static void turn_done(struct store_vectors *vectors, const struct store_vectors_turn *turn)
{
    if (turn->step == STORE_VECTORS_BEGIN) {
        vectors->keeping = true;
        vectors->writing = turn->generation;
        vectors->dropping = true; /* of one that was begun and never published */
    } else if (turn->step == STORE_VECTORS_PUBLISH) {
        vectors->generation = turn->generation;
        vectors->seq = turn->seq;
        vectors->writing = 0;
        vectors->dropping = true;
    }
}

void store_vectors_take_turn(struct store *store, struct store_vectors_turn *turn)
{
    struct store_txn txn;
    if (!store_txn_write(&txn, &store->env, &turn->fault))
        return;
    bool good = turn->step == STORE_VECTORS_BEGIN ? begin(store, &txn, turn)
                : turn->step == STORE_VECTORS_PUT ? put(&txn, turn)
                                                  : publish(&txn, turn);
    if (!good || turn->step == STORE_VECTORS_BEGIN)
        store_txn_abort(&txn); /* beginning changes nothing on disk */
    else
        good = store_commit_txn(store, &txn, &turn->fault);
    if (good)
        turn_done(&store->vectors, turn);
}

/* The first key at or above `key`, with its check; false at the end of the table. */
static bool key_from(const struct store_txn *txn, uint64_t *key, uint64_t *check)
{
    MDB_cursor *cursor;
    MDB_val name = {sizeof *key, key};
    MDB_val data;
    if (mdb_cursor_open(txn->mdb, txn->env->tables[STORE_TABLE_VECTOR], &cursor) != MDB_SUCCESS)
        return false;
    int code = mdb_cursor_get(cursor, &name, &data, MDB_SET_RANGE);
    mdb_cursor_close(cursor);
    if (code != MDB_SUCCESS || name.mv_size != sizeof *key || data.mv_size < 8)
        return false;
    *key = store_get_u64(name.mv_data);
    *check = store_get_u64(data.mv_data);
    return true;
}

/* The next entry that nobody needs: blocks of generations that are neither in force nor being
 * written, and slots of commits that the generation in force has seen. */
static bool key_needless(const struct store *store, const struct store_txn *txn, uint64_t *key,
                         uint64_t *check)
{
    const struct store_vectors *vectors = &store->vectors;
    *key = STORE_VECTOR_HEAD_KEY + 1;
    while (key_from(txn, key, check)) {
        if (*key >= STORE_VECTOR_TOUCH)
            return vectors->generation > 0 && *key - STORE_VECTOR_TOUCH <= vectors->seq;
        uint32_t generation = (uint32_t)(*key >> 40);
        if (generation != vectors->generation && generation != vectors->writing)
            return true;
        *key = (uint64_t)(generation + 1) << 40;
    }
    return false;
}

bool store_slice_vectors(struct store *store)
{
    struct store_txn txn;
    struct proto_fault fault = {.code = PROTO_OK};
    uint64_t key;
    uint64_t check;
    int dropped = 0;
    if (!store->vectors.dropping || !store_txn_write(&txn, &store->env, &fault))
        return false;
    for (; dropped < DROP_ENTRIES && key_needless(store, &txn, &key, &check); dropped++) {
        if (!store_txn_delete(&txn, STORE_TABLE_VECTOR, key, &fault)) {
            store_txn_abort(&txn);
            goto failed;
        }
        store_sum_change(&txn.state, STORE_TABLE_VECTOR, true, check, false, 0);
    }
    store->vectors.dropping = dropped == DROP_ENTRIES;
    if (dropped == 0) {
        store_txn_abort(&txn);
        return false;
    }
    if (store_commit_txn(store, &txn, &fault))
        return store->vectors.dropping;
failed:
    /* Left for the next publication or start: it costs room alone. */
    store_log(store, 4, "cannot drop old vectors: %s", fault.message);
    store->vectors.dropping = false;
    return false;
}

bool store_vectors_begin(struct store *store, uint32_t *generation, struct proto_fault *fault)
{
    struct store_vectors_turn turn = {.step = STORE_VECTORS_BEGIN};
    bool good = store_turn_wait(store, &turn, fault);
    *generation = turn.generation;
    return good;
}

bool store_vectors_put(struct store *store, uint32_t generation,
                       const struct store_vector_block *blocks, size_t count,
                       struct proto_fault *fault)
{
    struct store_vectors_turn turn = {
        .step = STORE_VECTORS_PUT, .generation = generation, .blocks = blocks, .count = count};
    return store_turn_wait(store, &turn, fault);
}

bool store_vectors_publish(struct store *store, uint32_t generation, uint64_t seq,
                           struct proto_span text, struct proto_fault *fault)
{
    struct store_vectors_turn turn = {
        .step = STORE_VECTORS_PUBLISH, .generation = generation, .seq = seq, .text = text};
    return store_turn_wait(store, &turn, fault);
}

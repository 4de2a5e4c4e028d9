/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "server/store/store_parts.h"

enum { DROP_ENTRIES = 256 }; /* blocks or touches that one transaction drops: some 10 MB of pages */

bool store_vectors_load(struct store *store, const struct disk_txn *txn, struct proto_fault *fault)
{
    struct store_vectors *vectors = &store->folder.vectors;
    struct proto_span value = {0};
    struct disk_sealed sealed;
    struct proto_fault damage = {.code = PROTO_OK};
    enum disk_got got = disk_txn_get(txn, DISK_TABLE_VECTOR, STORE_VECTOR_HEAD_KEY, &value, fault);
    if (got == DISK_GOT_FAULT) {
        return false;
    }
    *vectors = (struct store_vectors){.dropping = true};
    if (got == DISK_GOT_NONE) {
        return true;
    }
    if (!disk_unseal(DISK_TABLE_VECTOR, STORE_VECTOR_HEAD_KEY, value, &sealed, &damage) ||
        sealed.text.bytes < 8) {
        /* Vectors can be built anew: no reason not to open. The slots are kept all the same. */
        store_damage(store, &damage);
        vectors->dropping = false;
        return true;
    }
    vectors->keeping = true;
    vectors->generation = sealed.a;
    vectors->seq = disk_get_u64(sealed.text.data);
    return true;
}

static bool entry_put(struct disk_txn *txn, uint64_t key, const struct disk_sealed *sealed,
                      struct proto_fault *fault)
{
    struct proto_span was = {0};
    enum disk_got got = disk_txn_get(txn, DISK_TABLE_VECTOR, key, &was, fault);
    if (got == DISK_GOT_FAULT) {
        return false;
    }
    uint64_t was_check = got == DISK_GOT_ONE && was.bytes >= 8 ? disk_get_u64(was.data) : 0;
    uint8_t *at =
        disk_txn_put(txn, DISK_TABLE_VECTOR, key, disk_seal_bytes(sealed), DISK_PUT_ANY, fault);
    if (at == NULL) {
        return false;
    }
    uint64_t check = disk_seal(DISK_TABLE_VECTOR, key, sealed, at);
    disk_sum_change(&txn->state, DISK_TABLE_VECTOR, got == DISK_GOT_ONE, was_check, true, check);
    return true;
}

bool store_vectors_touch(struct disk_txn *txn, const uint32_t *slots, size_t count,
                         struct proto_fault *fault)
{
    struct disk_sealed sealed = {.a = (uint32_t)count,
                                 .text = {(const uint8_t *)slots, count * sizeof *slots}};
    return entry_put(txn, STORE_VECTOR_TOUCH | txn->state.seq, &sealed, fault);
}

/* The highest generation of which a block is stored, whole or not. */
static bool generation_last(const struct disk_txn *txn, uint32_t *generation,
                            struct proto_fault *fault)
{
    struct disk_cursor cursor;
    if (!disk_cursor_open(&cursor, txn, DISK_TABLE_VECTOR, fault)) {
        return false;
    }
    enum disk_got got = disk_cursor_before(&cursor, STORE_VECTOR_TOUCH, fault);
    bool ours = got == DISK_GOT_ONE && cursor.value.bytes > 0;
    *generation = ours ? (uint32_t)(cursor.key >> 40) : 0;
    disk_cursor_close(&cursor);
    return got != DISK_GOT_FAULT;
}

static bool begin(struct store *store, struct disk_txn *txn, struct store_vectors_turn *turn)
{
    uint32_t last = 0;
    if (!generation_last(txn, &last, &turn->fault)) {
        return false;
    }
    last = last > store->folder.vectors.generation ? last : store->folder.vectors.generation;
    turn->generation = last + 1;
    return last + 1 < 1U << 23 ||
           proto_fault_set(&turn->fault, PROTO_LIMIT, "",
                           "%u generations of vectors: no number is left", last);
}

static bool block_put(struct disk_txn *txn, uint32_t generation,
                      const struct store_vector_block *block, struct proto_fault *fault)
{
    uint64_t key = store_vector_key(generation, block->kind, block->number);
    size_t bytes = STORE_VECTOR_HEADER_BYTES + block->bytes.bytes;
    uint8_t *at = disk_txn_put(txn, DISK_TABLE_VECTOR, key, bytes, DISK_PUT_NEW, fault);
    if (at == NULL) {
        return false;
    }
    memset(at, 0, STORE_VECTOR_HEADER_BYTES);
    memcpy(at + STORE_VECTOR_HEADER_BYTES, block->bytes.data, block->bytes.bytes);
    uint64_t check = disk_check(DISK_TABLE_VECTOR, key, at + 8, bytes - 8);
    disk_set_u64(at, check);
    disk_sum_change(&txn->state, DISK_TABLE_VECTOR, false, 0, true, check);
    return true;
}

static bool put(struct disk_txn *txn, struct store_vectors_turn *turn)
{
    for (size_t i = 0; i < turn->count; i++) {
        if (!block_put(txn, turn->generation, &turn->blocks[i], &turn->fault)) {
            return false;
        }
    }
    return true;
}

static bool publish(struct disk_txn *txn, struct store_vectors_turn *turn)
{
    size_t bytes = 8 + turn->text.bytes;
    uint8_t *text = malloc(bytes);
    if (text == NULL) {
        return proto_fault_set(&turn->fault, PROTO_NO_MEMORY, "",
                               "no memory for a head of %zu "
                               "bytes",
                               bytes);
    }
    disk_set_u64(text, turn->seq);
    memcpy(text + 8, turn->text.data, turn->text.bytes);
    struct disk_sealed sealed = {.a = turn->generation, .text = {text, bytes}};
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
    struct disk_txn txn;
    if (turn->step == STORE_VECTORS_PUT && !store_room_admits(&store->room, 0, &turn->fault)) {
        return;
    }
    if (!disk_txn_write(&txn, &store->env, &turn->fault)) {
        return;
    }
    bool good = turn->step == STORE_VECTORS_BEGIN ? begin(store, &txn, turn)
                : turn->step == STORE_VECTORS_PUT ? put(&txn, turn)
                                                  : publish(&txn, turn);
    if (!good || turn->step == STORE_VECTORS_BEGIN) {
        disk_txn_abort(&txn); /* beginning changes nothing on disk */
    } else {
        good = store_tables_commit(store, &txn, &turn->fault);
    }
    if (good) {
        turn_done(&store->folder.vectors, turn);
    }
}

/* The first key at or above `key`, with its check; false at the end of the table. */
static bool key_from(const struct disk_txn *txn, uint64_t *key, uint64_t *check)
{
    struct disk_cursor cursor;
    struct proto_fault ignored;
    if (!disk_cursor_open(&cursor, txn, DISK_TABLE_VECTOR, &ignored)) {
        return false;
    }
    bool found =
        disk_cursor_seek(&cursor, *key, &ignored) == DISK_GOT_ONE && cursor.value.bytes > 0;
    if (found) {
        *key = cursor.key;
        *check = disk_get_u64(cursor.value.data);
    }
    disk_cursor_close(&cursor);
    return found;
}

/* The next entry that nobody needs: blocks of generations that are neither in force nor being
 * written, and slots of commits that the generation in force has seen. */
static bool key_needless(const struct store *store, const struct disk_txn *txn, uint64_t *key,
                         uint64_t *check)
{
    const struct store_vectors *vectors = &store->folder.vectors;
    *key = STORE_VECTOR_HEAD_KEY + 1;
    while (key_from(txn, key, check)) {
        if (*key >= STORE_VECTOR_TOUCH) {
            return vectors->generation > 0 && *key - STORE_VECTOR_TOUCH <= vectors->seq;
        }
        uint32_t generation = (uint32_t)(*key >> 40);
        if (generation != vectors->generation && generation != vectors->writing) {
            return true;
        }
        *key = (uint64_t)(generation + 1) << 40;
    }
    return false;
}

bool store_slice_vectors(struct store *store)
{
    struct disk_txn txn;
    struct proto_fault fault = {.code = PROTO_OK};
    uint64_t key;
    uint64_t check;
    int dropped = 0;
    if (!store->folder.vectors.dropping || !disk_txn_write(&txn, &store->env, &fault)) {
        return false;
    }
    for (; dropped < DROP_ENTRIES && key_needless(store, &txn, &key, &check); dropped++) {
        if (!disk_txn_delete(&txn, DISK_TABLE_VECTOR, key, &fault)) {
            disk_txn_abort(&txn);
            goto failed;
        }
        disk_sum_change(&txn.state, DISK_TABLE_VECTOR, true, check, false, 0);
    }
    store->folder.vectors.dropping = dropped == DROP_ENTRIES;
    if (dropped == 0) {
        disk_txn_abort(&txn);
        return false;
    }
    if (store_tables_commit(store, &txn, &fault)) {
        return store->folder.vectors.dropping;
    }
failed:
    /* Left for the next publication or start: it costs room alone. */
    base_log(store->options.log, BASE_LOG_WARN, "store", "old vectors cannot be dropped",
             BASE_FIELDS(base_field_error(fault.code), base_field_text("reason", fault.message)));
    store->folder.vectors.dropping = false;
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

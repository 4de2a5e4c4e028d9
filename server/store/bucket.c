/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/bucket.h"
#include <assert.h>

#include <stdlib.h>

enum { HEADER_BYTES = 16, ENTRY_BYTES = 12 };

static size_t value_bytes(size_t entries)
{
    return (HEADER_BYTES + entries * ENTRY_BYTES + 15) & ~(size_t)15;
}

uint32_t store_bucket_of(uint64_t hash, uint32_t buckets)
{
    uint64_t mask = buckets <= 1 ? 0 : (UINT64_MAX >> __builtin_clzll((uint64_t)buckets - 1));
    uint64_t number = hash & mask;
    return (uint32_t)(number < buckets ? number : number & (mask >> 1));
}

bool store_bucket_get(const struct disk_txn *txn, uint32_t number, struct store_bucket *bucket,
                      struct proto_fault *fault)
{
    struct proto_span value = {0};
    enum disk_got got = disk_txn_get(txn, DISK_TABLE_ID, number, &value, fault);
    if (got == DISK_GOT_FAULT) {
        return false;
    }
    /* The length is settled before anything is hashed: a damaged one must not lead past the map. */
    if (got == DISK_GOT_NONE || value.bytes < HEADER_BYTES ||
        value.bytes != value_bytes(disk_get_u32(value.data + 8)) ||
        disk_get_u64(value.data) !=
            disk_check(DISK_TABLE_ID, number, value.data + 8, value.bytes - 8)) {
        return proto_fault_set(fault, PROTO_CORRUPT, "id",
                               "bucket %u of table id does not match its checksum", number);
    }
    bucket->count = disk_get_u32(value.data + 8);
    bucket->hashes = value.data + HEADER_BYTES;
    bucket->refs = bucket->hashes + (size_t)bucket->count * 8;
    return true;
}

void store_bucket_room_fini(struct store_bucket_room *room)
{
    free(room->hashes);
    free(room->refs);
    *room = (struct store_bucket_room){0};
}

static bool room_reserve(struct store_bucket_room *room, size_t entries, struct proto_fault *fault)
{
    if (entries <= room->capacity) {
        return true;
    }
    size_t capacity = entries * 2;
    uint64_t *hashes = realloc(room->hashes, capacity * sizeof *hashes);
    if (hashes != NULL) {
        room->hashes = hashes;
    }
    uint32_t *refs = hashes == NULL ? NULL : realloc(room->refs, capacity * sizeof *refs);
    if (refs == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu entries", capacity);
    }
    room->refs = refs;
    room->capacity = capacity;
    return true;
}

/* Copies a bucket out of the transaction, with room for `more` entries; keeps its check for the
 * sums. */
static bool bucket_load(struct disk_txn *txn, struct store_bucket_room *room, uint32_t number,
                        size_t more, uint32_t *count, struct proto_fault *fault)
{
    struct store_bucket bucket = {0};
    if (!store_bucket_get(txn, number, &bucket, fault) ||
        !room_reserve(room, bucket.count + more + 1, fault)) {
        return false;
    }
    assert(bucket.hashes != NULL && bucket.refs != NULL); /* of what was read */
    memcpy(room->hashes, bucket.hashes, (size_t)bucket.count * 8);
    memcpy(room->refs, bucket.refs, (size_t)bucket.count * 4);
    *count = bucket.count;
    disk_sum_change(&txn->state, DISK_TABLE_ID, true, disk_get_u64(bucket.hashes - HEADER_BYTES),
                    false, 0);
    return true;
}

/* By hash, then by slot: so a bucket is the same whatever the order in which its entries came.
 * Nearly all are in order already. */
static void entries_sort(uint64_t *hashes, uint32_t *refs, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        uint64_t hash = hashes[i];
        uint32_t ref = refs[i];
        uint32_t at = i;
        for (; at > 0 && (hashes[at - 1] > hash || (hashes[at - 1] == hash && refs[at - 1] > ref));
             at--) {
            hashes[at] = hashes[at - 1];
            refs[at] = refs[at - 1];
        }
        hashes[at] = hash;
        refs[at] = ref;
    }
}

static bool bucket_store(struct disk_txn *txn, uint32_t number, uint64_t *hashes, uint32_t *refs,
                         uint32_t count, struct proto_fault *fault)
{
    size_t bytes = value_bytes(count);
    entries_sort(hashes, refs, count);
    uint8_t *at = disk_txn_put(txn, DISK_TABLE_ID, number, bytes, DISK_PUT_ANY, fault);
    if (at == NULL) {
        return false;
    }
    memset(at + bytes - 16, 0, 16); /* the padding, before what may overlap it */
    disk_set_u32(at + 8, count);
    disk_set_u32(at + 12, 0);
    if (count > 0) {
        memcpy(at + HEADER_BYTES, hashes, (size_t)count * 8);
        memcpy(at + HEADER_BYTES + (size_t)count * 8, refs, (size_t)count * 4);
    }
    uint64_t check = disk_check(DISK_TABLE_ID, number, at + 8, bytes - 8);
    disk_set_u64(at, check);
    disk_sum_change(&txn->state, DISK_TABLE_ID, false, 0, true, check);
    return true;
}

static bool edit_make(struct disk_txn *txn, struct store_bucket_room *room, uint32_t *count,
                      const struct store_id_edit *edit, struct proto_fault *fault)
{
    if (edit->add) {
        room->hashes[*count] = edit->hash;
        room->refs[(*count)++] = edit->ref;
        txn->state.id_entries++;
        return true;
    }
    for (uint32_t i = 0; i < *count; i++) {
        if (room->hashes[i] == edit->hash && (room->refs[i] & ~STORE_REF_SHARED) == edit->ref) {
            room->hashes[i] = room->hashes[--*count];
            room->refs[i] = room->refs[*count];
            txn->state.id_entries--;
            return true;
        }
    }
    return proto_fault_set(fault, PROTO_CORRUPT, "id", "an id or key of slot %u is not in table id",
                           edit->ref & STORE_REF_SLOT);
}

/* Marks the entries of a hash as shared or not. */
static void mark_shared(struct store_bucket_room *room, uint32_t count, uint64_t hash)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        found += room->hashes[i] == hash;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (room->hashes[i] == hash) {
            room->refs[i] =
                found > 1 ? room->refs[i] | STORE_REF_SHARED : room->refs[i] & ~STORE_REF_SHARED;
        }
    }
}

/* The edits of one bucket. Removals come first, so that a text can pass from one slot to another.
 */
static bool bucket_edit_one(struct disk_txn *txn, struct store_bucket_room *room, uint32_t number,
                            const struct store_id_edit *edits, size_t edit_count, uint32_t *damaged,
                            struct proto_fault *fault)
{
    uint32_t count = 0;
    if (!bucket_load(txn, room, number, edit_count, &count, fault)) {
        *damaged += fault->code == PROTO_CORRUPT;
        return fault->code == PROTO_CORRUPT;
    }
    for (int add = 0; add <= 1; add++) {
        for (size_t i = 0; i < edit_count; i++) {
            if (edits[i].add == (add == 1)) {
                *damaged += !edit_make(txn, room, &count, &edits[i], fault);
            }
        }
    }
    for (size_t i = 0; i < edit_count; i++) {
        mark_shared(room, count, edits[i].hash);
    }
    return bucket_store(txn, number, room->hashes, room->refs, count, fault);
}

/* Splits the next bucket in turn: its entries go to it and to a new one at the end. */
static bool bucket_split(struct disk_txn *txn, struct store_bucket_room *room,
                         struct proto_fault *fault)
{
    uint32_t next = txn->state.id_buckets;
    uint32_t half = UINT32_C(1) << (31 - __builtin_clz(next));
    uint32_t low = next - half;
    uint32_t count = 0;
    if (!bucket_load(txn, room, low, 0, &count, fault)) {
        return false;
    }
    /* Partition in place: [0, stay) remains, [stay, count) moves. */
    uint32_t stay = count;
    for (uint32_t i = 0; i < stay;) {
        if (store_bucket_of(room->hashes[i], next + 1) == low) {
            i++;
            continue;
        }
        stay--;
        uint64_t hash = room->hashes[i];
        uint32_t ref = room->refs[i];
        room->hashes[i] = room->hashes[stay];
        room->refs[i] = room->refs[stay];
        room->hashes[stay] = hash;
        room->refs[stay] = ref;
    }
    txn->state.id_buckets = next + 1;
    return bucket_store(txn, low, room->hashes, room->refs, stay, fault) &&
           bucket_store(txn, next, room->hashes + stay, room->refs + stay, count - stay, fault);
}

/* Sorting by bucket makes each bucket be read and written once, in the order of the tree. */
static int compare_edits(const void *a, const void *b, void *context)
{
    uint32_t buckets = *(const uint32_t *)context;
    const struct store_id_edit *left = a;
    const struct store_id_edit *right = b;
    uint32_t x = store_bucket_of(left->hash, buckets);
    uint32_t y = store_bucket_of(right->hash, buckets);
    return (x > y) - (x < y);
}

/* Makes as many buckets as the entries will need, while they are still few. One that is damaged
 * cannot be split: then it stays at fewer and longer ones. */
static bool buckets_split(struct disk_txn *txn, struct store_bucket_room *room, uint64_t entries,
                          uint32_t *damaged, struct proto_fault *fault)
{
    while (entries > (uint64_t)txn->state.id_buckets * STORE_BUCKET_TARGET) {
        if (bucket_split(txn, room, fault)) {
            continue;
        }
        *damaged += fault->code == PROTO_CORRUPT;
        return fault->code == PROTO_CORRUPT;
    }
    return true;
}

bool store_bucket_edit(struct disk_txn *txn, struct store_bucket_room *room,
                       struct store_id_edit *edits, size_t count, uint32_t *damaged,
                       struct proto_fault *fault)
{
    uint64_t entries = txn->state.id_entries;
    *damaged = 0;
    if (count == 0) {
        return true;
    }
    if (txn->state.id_buckets == 0) {
        if (!bucket_store(txn, 0, NULL, NULL, 0, fault)) {
            return false;
        }
        txn->state.id_buckets = 1;
    }
    uint64_t gone = 0;
    for (size_t i = 0; i < count; i++) {
        entries += edits[i].add;
        gone += !edits[i].add;
    }
    entries -= gone < entries ? gone : entries;
    if (!buckets_split(txn, room, entries, damaged, fault)) {
        return false;
    }
    uint32_t buckets = txn->state.id_buckets;
    qsort_r(edits, count, sizeof *edits, compare_edits, &buckets);
    for (size_t first = 0, end = 0; first < count; first = end) {
        uint32_t number = store_bucket_of(edits[first].hash, buckets);
        for (end = first + 1; end < count; end++) {
            if (store_bucket_of(edits[end].hash, buckets) != number) {
                break;
            }
        }
        if (!bucket_edit_one(txn, room, number, edits + first, end - first, damaged, fault)) {
            return false;
        }
    }
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* An id is hashed, looked for in the index of the ring, and answered from there. What was applied
 * is added behind the others and written to the table with the commit, or whenever the tables are
 * written. What is older than it is kept leaves from the front. A commit that fails takes back what
 * it added; one whose table could not be written is written with the next. */
#include "server/store/operation.h"

#include <stdlib.h>

#include "proto/table.h"

enum { CAPACITY_FIRST = 1024, DROPPED_MIN = 256 };

bool store_operations_init(struct store_operations *operations)
{
    *operations = (struct store_operations){.most = PROTO_OPERATIONS_MAX,
                                            .keep_ms = INT64_C(1000) * PROTO_OPERATION_SECONDS};
    return pthread_mutex_init(&operations->mutex, NULL) == 0;
}

void store_operations_fini(struct store_operations *operations)
{
    pthread_mutex_destroy(&operations->mutex);
    free(operations->ring);
    free(operations->cells);
}

static void hash_of(const struct store_operations *operations, struct proto_span id,
                    uint64_t hash[2])
{
    XXH128_hash_t wide = XXH3_128bits_withSeed(id.data, id.bytes, operations->seed);
    hash[0] = wide.low64;
    hash[1] = wide.high64;
}

static struct store_operation *at(const struct store_operations *operations, uint64_t position)
{
    return &operations->ring[position & (operations->capacity - 1)];
}

/* The cell that holds the id, or the empty one where it would be. */
static size_t cell_of(const struct store_operations *operations, const uint64_t hash[2])
{
    size_t mask = 2 * operations->capacity - 1;
    size_t cell = hash[0] & mask;
    for (; operations->cells[cell] != 0; cell = (cell + 1) & mask) {
        const struct store_operation *operation = &operations->ring[operations->cells[cell] - 1];
        if (operation->id[0] == hash[0] && operation->id[1] == hash[1]) {
            break;
        }
    }
    return cell;
}

/* Empties a cell and closes the gap that it leaves in its run. */
static void cell_free(struct store_operations *operations, size_t cell)
{
    size_t mask = 2 * operations->capacity - 1;
    size_t gap = cell;
    operations->cells[gap] = 0;
    for (size_t i = (gap + 1) & mask; operations->cells[i] != 0; i = (i + 1) & mask) {
        size_t home = operations->ring[operations->cells[i] - 1].id[0] & mask;
        if (((i - home) & mask) < ((i - gap) & mask)) {
            continue;
        }
        operations->cells[gap] = operations->cells[i];
        operations->cells[i] = 0;
        gap = i;
    }
}

/* Takes the id of a position out of the index; one that was used again since stays. */
static void forget(struct store_operations *operations, uint64_t position)
{
    uint32_t place = (uint32_t)(position & (operations->capacity - 1)) + 1;
    size_t cell = cell_of(operations, at(operations, position)->id);
    if (operations->cells[cell] == place) {
        cell_free(operations, cell);
    }
}

static void index_put(struct store_operations *operations, uint64_t position)
{
    size_t cell = cell_of(operations, at(operations, position)->id);
    operations->cells[cell] = (uint32_t)(position & (operations->capacity - 1)) + 1;
}

static bool grow(struct store_operations *operations, struct proto_fault *fault)
{
    size_t capacity = operations->capacity == 0 ? CAPACITY_FIRST : 2 * operations->capacity;
    struct store_operation *ring = malloc(capacity * sizeof *ring);
    uint32_t *cells = calloc(2 * capacity, sizeof *cells);
    if (ring == NULL || cells == NULL) {
        free(ring);
        free(cells);
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu operation ids",
                               capacity);
    }
    for (uint64_t i = operations->first; i < operations->next; i++) {
        ring[i & (capacity - 1)] = *at(operations, i);
    }
    free(operations->ring);
    free(operations->cells);
    operations->ring = ring;
    operations->cells = cells;
    operations->capacity = capacity;
    for (uint64_t i = operations->first; i < operations->next; i++) {
        index_put(operations, i);
    }
    return true;
}

static bool reserve(struct store_operations *operations, struct proto_fault *fault)
{
    return operations->next - operations->first < operations->capacity || grow(operations, fault);
}

static void add(struct store_operations *operations, const struct store_operation *operation)
{
    if (operations->next - operations->first >= operations->most) {
        forget(operations, operations->first++);
    }
    uint64_t position = operations->next++;
    *at(operations, position) = *operation;
    index_put(operations, position);
}

static void encode(const struct store_operation *operation, uint8_t *out)
{
    memset(out, 0, STORE_OPERATION_VALUE_BYTES);
    disk_set_u64(out + 8, (uint64_t)operation->time_ms);
    disk_set_u64(out + 16, operation->id[0]);
    disk_set_u64(out + 24, operation->id[1]);
    disk_set_u64(out + 32, operation->digest);
    disk_set_u32(out + 40, operation->count);
    disk_set_u32(out + 44, operation->created);
    disk_set_u32(out + 48, operation->version);
    disk_set_u32(out + 52, operation->previous);
    disk_set_u64(out, disk_check(DISK_TABLE_OPERATION, operation->seq, out + 8,
                                 STORE_OPERATION_VALUE_BYTES - 8));
}

static bool decode(uint64_t key, struct proto_span value, struct store_operation *operation,
                   struct proto_fault *fault)
{
    const uint8_t *from = value.data;
    if (value.bytes != STORE_OPERATION_VALUE_BYTES || disk_get_u64(from + 56) != 0 ||
        disk_get_u64(from) !=
            disk_check(DISK_TABLE_OPERATION, key, from + 8, STORE_OPERATION_VALUE_BYTES - 8)) {
        return proto_fault_set(fault, PROTO_CORRUPT, "operation",
                               "operation %llu does not match its checksum",
                               (unsigned long long)key);
    }
    *operation = (struct store_operation){.seq = key,
                                          .time_ms = (int64_t)disk_get_u64(from + 8),
                                          .id = {disk_get_u64(from + 16), disk_get_u64(from + 24)},
                                          .digest = disk_get_u64(from + 32),
                                          .count = disk_get_u32(from + 40),
                                          .created = disk_get_u32(from + 44),
                                          .version = disk_get_u32(from + 48),
                                          .previous = disk_get_u32(from + 52)};
    return true;
}

bool store_operations_load(struct store_operations *operations, const struct store_hasher *hasher,
                           const struct disk_txn *txn, struct proto_fault *fault)
{
    struct disk_cursor cursor;
    enum disk_got got;
    operations->seed = hasher->seeds[STORE_KIND_ID];
    operations->written = txn->state.seq;
    if (txn->state.sums[DISK_TABLE_OPERATION].count == 0) {
        return true;
    }
    if (!disk_cursor_open(&cursor, txn, DISK_TABLE_OPERATION, fault)) {
        return false;
    }
    while ((got = disk_cursor_next(&cursor, fault)) == DISK_GOT_ONE) {
        struct store_operation operation;
        if (operations->table_first == 0) {
            operations->table_first = cursor.key;
        }
        if (!decode(cursor.key, cursor.value, &operation, fault) || !reserve(operations, fault)) {
            got = DISK_GOT_FAULT;
            break;
        }
        add(operations, &operation);
    }
    disk_cursor_close(&cursor);
    return got != DISK_GOT_FAULT;
}

static bool find(struct store_operations *operations, struct proto_span id,
                 struct store_operation *found)
{
    uint64_t hash[2];
    uint32_t place = 0;
    hash_of(operations, id, hash);
    pthread_mutex_lock(&operations->mutex);
    if (operations->capacity > 0) {
        place = operations->cells[cell_of(operations, hash)];
    }
    if (place > 0) {
        *found = operations->ring[place - 1];
    }
    pthread_mutex_unlock(&operations->mutex);
    return place > 0;
}

bool store_operations_answer(struct store_operations *operations, const struct store_batch *batch,
                             int64_t now_ms, struct store_result *result)
{
    struct proto_span id = {batch->operation, batch->operation_bytes};
    struct store_operation found;
    if (id.bytes == 0) {
        return false;
    }
    /* One that is too old is not known, whether it was forgotten yet or not. */
    if (!find(operations, id, &found) || found.time_ms < now_ms - operations->keep_ms) {
        if (batch->commands > 1) {
            return false;
        }
        proto_fault_set(&result->fault, PROTO_NOT_FOUND, "operation",
                        "no operation of this id was applied");
        return true;
    }
    if (found.digest != batch->operation_digest) {
        proto_fault_set(&result->fault, PROTO_CONFLICT, "operation",
                        "the operation id was given to another request before");
        return true;
    }
    *result = (struct store_result){.seq = found.seq,
                                    .count = found.count,
                                    .created = found.created,
                                    .version = found.version,
                                    .previous = found.previous,
                                    .repeated = true};
    return true;
}

bool store_operations_reserve(struct store_operations *operations, struct proto_fault *fault)
{
    pthread_mutex_lock(&operations->mutex);
    bool good = reserve(operations, fault);
    pthread_mutex_unlock(&operations->mutex);
    return good;
}

void store_operations_add(struct store_operations *operations, struct proto_span id,
                          uint64_t digest, int64_t time_ms, const struct store_result *result)
{
    struct store_operation operation = {.seq = result->seq,
                                        .time_ms = time_ms,
                                        .digest = digest,
                                        .count = result->count,
                                        .created = result->created,
                                        .version = result->version,
                                        .previous = result->previous};
    hash_of(operations, id, operation.id);
    pthread_mutex_lock(&operations->mutex);
    add(operations, &operation);
    pthread_mutex_unlock(&operations->mutex);
}

void store_operations_expire(struct store_operations *operations, int64_t now_ms)
{
    pthread_mutex_lock(&operations->mutex);
    while (operations->next > operations->first &&
           at(operations, operations->first)->time_ms < now_ms - operations->keep_ms) {
        forget(operations, operations->first++);
    }
    pthread_mutex_unlock(&operations->mutex);
}

void store_operations_take_back(struct store_operations *operations, uint64_t seq)
{
    pthread_mutex_lock(&operations->mutex);
    while (operations->next > operations->first &&
           at(operations, operations->next - 1)->seq > seq) {
        forget(operations, operations->next - 1);
        operations->next--;
    }
    pthread_mutex_unlock(&operations->mutex);
}

/* The sequence of the oldest that is kept. */
static uint64_t oldest(const struct store_operations *operations)
{
    return operations->next > operations->first ? at(operations, operations->first)->seq
                                                : UINT64_MAX;
}

/* Takes entries below the sequence out of the table, `most` of them; those beside a damaged page
 * stay. */
static bool table_drop(struct store_operations *operations, struct disk_txn *txn, uint64_t seq,
                       size_t most, struct proto_fault *fault)
{
    struct disk_cursor cursor;
    enum disk_got got = DISK_GOT_ONE;
    while (most > 0 && got == DISK_GOT_ONE) {
        uint64_t keys[64];
        uint64_t checks[64];
        size_t count = 0;
        if (!disk_cursor_open(&cursor, txn, DISK_TABLE_OPERATION, fault)) {
            return false;
        }
        while (count < 64 && count < most &&
               (got = disk_cursor_next(&cursor, fault)) == DISK_GOT_ONE) {
            if (cursor.key >= seq || cursor.value.bytes < sizeof(uint64_t)) {
                got = DISK_GOT_NONE;
                break;
            }
            keys[count] = cursor.key;
            checks[count++] = disk_get_u64(cursor.value.data);
        }
        disk_cursor_close(&cursor);
        for (size_t i = 0; i < count; i++) {
            if (!disk_txn_delete(txn, DISK_TABLE_OPERATION, keys[i], fault)) {
                return fault->code == PROTO_CORRUPT;
            }
            disk_sum_change(&txn->state, DISK_TABLE_OPERATION, true, checks[i], false, 0);
            operations->table_first = keys[i] + 1;
        }
        most -= count;
    }
    return got != DISK_GOT_FAULT || fault->code == PROTO_CORRUPT;
}

static bool table_put(struct disk_txn *txn, const struct store_operation *operation,
                      struct proto_fault *fault)
{
    uint8_t *to = disk_txn_put(txn, DISK_TABLE_OPERATION, operation->seq,
                               STORE_OPERATION_VALUE_BYTES, DISK_PUT_LAST, fault);
    if (to == NULL) {
        return false;
    }
    encode(operation, to);
    disk_sum_change(&txn->state, DISK_TABLE_OPERATION, false, 0, true, disk_get_u64(to));
    return true;
}

/* The first position above the sequence that the table holds; positions ascend by sequence. */
static uint64_t unwritten(const struct store_operations *operations)
{
    uint64_t position = operations->next;
    while (position > operations->first &&
           at(operations, position - 1)->seq > operations->written) {
        position--;
    }
    return position;
}

bool store_operations_write(struct store_operations *operations, struct disk_txn *txn, uint64_t seq,
                            int64_t now_ms, struct proto_fault *fault)
{
    bool good = true;
    size_t put = 0;
    pthread_mutex_lock(&operations->mutex);
    while (operations->next > operations->first &&
           at(operations, operations->first)->time_ms < now_ms - operations->keep_ms &&
           at(operations, operations->first)->seq <= seq) {
        forget(operations, operations->first++);
    }
    for (uint64_t i = unwritten(operations);
         good && i < operations->next && at(operations, i)->seq <= seq; i++, put++) {
        good = table_put(txn, at(operations, i), fault);
    }
    uint64_t keep = oldest(operations);
    bool drop =
        good && txn->state.sums[DISK_TABLE_OPERATION].count > 0 && operations->table_first < keep;
    pthread_mutex_unlock(&operations->mutex);
    return drop ? table_drop(operations, txn, keep, 2 * put + DROPPED_MIN, fault) : good;
}

void store_operations_written(struct store_operations *operations, uint64_t seq)
{
    pthread_mutex_lock(&operations->mutex);
    operations->written = seq;
    pthread_mutex_unlock(&operations->mutex);
}

size_t store_operations_count(struct store_operations *operations)
{
    pthread_mutex_lock(&operations->mutex);
    size_t count = (size_t)(operations->next - operations->first);
    pthread_mutex_unlock(&operations->mutex);
    return count;
}

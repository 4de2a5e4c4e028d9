/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "server/store/store_parts.h"

static bool damaged(struct store_view *view, struct proto_fault *fault)
{
    store_damage(view->store, fault);
    return false;
}

bool store_vectors_head(struct store_view *view, struct store_vectors_head *head,
                        struct proto_fault *fault)
{
    struct proto_span value = {0};
    struct disk_sealed sealed;
    *head = (struct store_vectors_head){0};
    assert(view->active);
    enum disk_got got =
        disk_txn_get(&view->txn, DISK_TABLE_VECTOR, STORE_VECTOR_HEAD_KEY, &value, fault);
    if (got != DISK_GOT_ONE) {
        return got == DISK_GOT_NONE;
    }
    if (!disk_unseal(DISK_TABLE_VECTOR, STORE_VECTOR_HEAD_KEY, value, &sealed, fault)) {
        return damaged(view, fault);
    }
    if (sealed.text.bytes < 8) {
        return proto_fault_set(fault, PROTO_CORRUPT, "vector", "the head of the vectors is short");
    }
    *head = (struct store_vectors_head){.generation = sealed.a,
                                        .seq = disk_get_u64(sealed.text.data),
                                        .text = {sealed.text.data + 8, sealed.text.bytes - 8}};
    return true;
}

bool store_vectors_block(struct store_view *view, uint32_t generation, unsigned kind,
                         uint32_t number, struct proto_span *block, struct proto_fault *fault)
{
    struct proto_span value = {0};
    uint64_t key = store_vector_key(generation, kind, number);
    assert(view->active);
    *block = (struct proto_span){0};
    enum disk_got got = disk_txn_get(&view->txn, DISK_TABLE_VECTOR, key, &value, fault);
    if (got != DISK_GOT_ONE) {
        return got == DISK_GOT_NONE;
    }
    if (value.bytes <= STORE_VECTOR_HEADER_BYTES ||
        disk_get_u64(value.data) !=
            disk_check(DISK_TABLE_VECTOR, key, value.data + 8, value.bytes - 8)) {
        proto_fault_set(fault, PROTO_CORRUPT, "vector",
                        "block %u of kind %u of the vectors does not match its checksum", number,
                        kind);
        return damaged(view, fault);
    }
    *block = (struct proto_span){value.data + STORE_VECTOR_HEADER_BYTES,
                                 value.bytes - STORE_VECTOR_HEADER_BYTES};
    return true;
}

/* Tells the slots of one commit, in pieces that lie aligned. */
static bool touch_tell(const struct disk_sealed *sealed,
                       bool (*each)(void *context, const uint32_t *slots, size_t count),
                       void *context)
{
    uint32_t slots[256];
    for (size_t at = 0; at < sealed->text.bytes;) {
        size_t bytes = sealed->text.bytes - at;
        bytes = bytes < sizeof slots ? bytes : sizeof slots;
        memcpy(slots, sealed->text.data + at, bytes);
        if (!each(context, slots, bytes / sizeof *slots)) {
            return false;
        }
        at += bytes;
    }
    return true;
}

/* What generations that the tables have not hold, as far as the view sees them. */
static bool overlay_tell(const struct store_view *view, uint64_t seq,
                         bool (*each)(void *context, const uint32_t *slots, size_t count),
                         void *context, struct proto_fault *fault)
{
    bool good = true;
    for (const struct store_generation *generation = view->sight.newest; good && generation != NULL;
         generation = store_generation_older(generation, view->txn.state.seq)) {
        good = store_generation_each(generation, seq, view->state.seq, each, context);
    }
    return good || proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for what has changed");
}

bool store_vectors_touched(struct store_view *view, uint64_t seq,
                           bool (*each)(void *context, const uint32_t *slots, size_t count),
                           void *context, struct proto_fault *fault)
{
    struct disk_cursor cursor;
    bool good = true;
    assert(view->active);
    if (!disk_cursor_open(&cursor, &view->txn, DISK_TABLE_VECTOR, fault)) {
        return false;
    }
    enum disk_got got = disk_cursor_seek(&cursor, STORE_VECTOR_TOUCH | (seq + 1), fault);
    for (; good && got == DISK_GOT_ONE; got = good ? disk_cursor_next(&cursor, fault) : got) {
        struct disk_sealed sealed;
        good = disk_unseal(DISK_TABLE_VECTOR, cursor.key, cursor.value, &sealed, fault) &&
               (touch_tell(&sealed, each, context) ||
                proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for what has changed"));
    }
    disk_cursor_close(&cursor);
    return good && got != DISK_GOT_FAULT && overlay_tell(view, seq, each, context, fault);
}

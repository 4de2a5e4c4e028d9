/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of events as values of the table. Every read is a look-up by key with its check; a put
 * takes the check of what was there out of the sum first. */
#include "server/store/store_event.h"

#define EVENT_LOST_BIT 0x80000000u

static bool damaged(uint32_t slot, uint32_t number, struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_CORRUPT, "event",
                           "block %u of the events of slot %u is damaged", number, slot);
}

bool store_event_value_open(uint64_t key, struct proto_span value, struct store_event_head *head)
{
    if (value.bytes < STORE_EVENT_HEADER_BYTES || value.bytes > STORE_EVENT_VALUE_BYTES_MAX ||
        disk_get_u64(value.data) !=
            disk_check(DISK_TABLE_EVENT, key, value.data + 8, value.bytes - 8)) {
        return false;
    }
    uint32_t first = disk_get_u32(value.data + 8);
    *head = (struct store_event_head){
        .there = true,
        .block = {value.data + STORE_EVENT_HEADER_BYTES, value.bytes - STORE_EVENT_HEADER_BYTES}};
    if ((uint32_t)key == 0) {
        head->lost = (first & EVENT_LOST_BIT) != 0;
        head->closed = first & STORE_EVENT_BLOCKS_MAX;
        head->events_closed = disk_get_u32(value.data + 12);
    }
    return true;
}

bool store_event_head_look(const struct disk_txn *txn, uint32_t slot, bool expected,
                           struct store_event_head *head, struct proto_fault *fault)
{
    struct proto_span value = {0};
    uint64_t key = store_event_key(slot, 0);
    *head = (struct store_event_head){.there = false};
    enum disk_got got = disk_txn_get(txn, DISK_TABLE_EVENT, key, &value, fault);
    if (got == DISK_GOT_NONE) {
        return !expected || damaged(slot, 0, fault);
    }
    return got == DISK_GOT_ONE &&
           (store_event_value_open(key, value, head) || damaged(slot, 0, fault));
}

bool store_event_head_get(const struct disk_txn *txn, uint32_t slot, struct store_event_head *head,
                          struct proto_fault *fault)
{
    bool expected;
    if (!store_event_head_look(txn, slot, false, head, fault)) {
        return false;
    }
    if (head->there || txn->state.sums[DISK_TABLE_EVENT].count == 0) {
        return true;
    }
    return store_event_expected(txn, slot, &expected, fault) &&
           (!expected || damaged(slot, 0, fault));
}

bool store_event_block_get(const struct disk_txn *txn, uint32_t slot, uint32_t number,
                           struct proto_span *block, struct proto_fault *fault)
{
    struct proto_span value = {0};
    struct store_event_head head;
    uint64_t key = store_event_key(slot, number);
    enum disk_got got = disk_txn_get(txn, DISK_TABLE_EVENT, key, &value, fault);
    if (got == DISK_GOT_FAULT) {
        return false;
    }
    if (got == DISK_GOT_NONE || !store_event_value_open(key, value, &head)) {
        return damaged(slot, number, fault);
    }
    *block = head.block;
    return true;
}

size_t store_event_encode(const struct event_block_writer *writer, uint32_t slot, uint32_t number,
                          const struct store_event_head *head, uint8_t *out)
{
    size_t bytes = STORE_EVENT_HEADER_BYTES + event_block_bytes(writer);
    uint32_t lost = head->lost ? EVENT_LOST_BIT : 0;
    disk_set_u32(out + 8, number == 0 ? head->closed | lost : writer->events);
    disk_set_u32(out + 12, number == 0 ? head->events_closed : 0);
    event_block_write(writer, out + STORE_EVENT_HEADER_BYTES);
    disk_set_u64(out,
                 disk_check(DISK_TABLE_EVENT, store_event_key(slot, number), out + 8, bytes - 8));
    return bytes;
}

/* Takes the check of what is there out of the sum. What is behind a damaged page is not known, and
 * the sum is wrong from then on, as a scrub tells. */
static bool sum_leave(struct disk_txn *txn, uint64_t key, bool *there, struct proto_fault *fault)
{
    struct proto_span was = {0};
    enum disk_got got = disk_txn_get(txn, DISK_TABLE_EVENT, key, &was, fault);
    *there = got == DISK_GOT_ONE;
    if (*there && was.bytes >= sizeof(uint64_t)) {
        disk_sum_change(&txn->state, DISK_TABLE_EVENT, true, disk_get_u64(was.data), false, 0);
    }
    return got != DISK_GOT_FAULT || fault->code == PROTO_CORRUPT;
}

bool store_event_put(struct disk_txn *txn, uint64_t key, struct proto_span value,
                     struct proto_fault *fault)
{
    bool there;
    if (!sum_leave(txn, key, &there, fault)) {
        return false;
    }
    uint8_t *at = disk_txn_put(txn, DISK_TABLE_EVENT, key, value.bytes, DISK_PUT_ANY, fault);
    if (at == NULL) {
        return false;
    }
    memcpy(at, value.data, value.bytes);
    disk_sum_change(&txn->state, DISK_TABLE_EVENT, false, 0, true, disk_get_u64(value.data));
    return true;
}

static bool value_delete(struct disk_txn *txn, uint64_t key, struct proto_fault *fault)
{
    bool there;
    struct disk_state before = txn->state;
    if (!sum_leave(txn, key, &there, fault)) {
        return false;
    }
    if (there && !disk_txn_delete(txn, DISK_TABLE_EVENT, key, fault)) {
        txn->state = before;
        return false;
    }
    return true;
}

bool store_event_clear(struct disk_txn *txn, struct store_event_directory *directory, uint32_t slot,
                       struct proto_fault *fault)
{
    struct store_event_head head;
    struct proto_fault why = {.code = PROTO_OK};
    uint8_t empty[STORE_EVENT_HEADER_BYTES + EVENT_BLOCK_HEAD_BYTES];
    bool expected = store_event_directory_has(directory, slot);
    /* A value that was put aside has an older one in its place perhaps, which must not come back.
     */
    bool whole = store_event_head_look(txn, slot, expected, &head, &why) &&
                 txn->state.sums[DISK_TABLE_ASIDE].count == 0;
    if (whole && !head.there) {
        return true;
    }
    for (uint32_t number = head.closed; whole && number > 0; number--) {
        whole = value_delete(txn, store_event_key(slot, number), &why);
    }
    whole = whole && value_delete(txn, store_event_key(slot, 0), &why);
    if (whole) {
        store_event_directory_mark(directory, slot, false);
        return true;
    }
    store_event_directory_mark(directory, slot, true);
    if (why.code != PROTO_OK && why.code != PROTO_CORRUPT) {
        *fault = why;
        return false;
    }
    struct event_block_writer none;
    event_block_begin(&none);
    head = (struct store_event_head){.there = true};
    size_t bytes = store_event_encode(&none, slot, 0, &head, empty);
    return store_event_put(txn, store_event_key(slot, 0), (struct proto_span){empty, bytes}, fault);
}

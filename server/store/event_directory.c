/* SPDX-License-Identifier: Apache-2.0 */
/* Which slots have block 0 of a timeline: pieces of 8,192 slots, without a gap from slot 0 on. A
 * fold takes one piece after the other, for it goes in the order of slots, and puts back those that
 * it changed. */
#include "server/store/store_event.h"

static uint32_t number_of(uint32_t slot)
{
    return slot / STORE_EVENT_DIRECTORY_SLOTS;
}

/* The value of a piece, checked. */
static bool piece_get(const struct disk_txn *txn, uint32_t number, struct proto_span *value,
                      struct proto_fault *fault)
{
    uint64_t key = STORE_EVENT_DIRECTORY_KEY + number;
    enum disk_got got = disk_txn_get(txn, DISK_TABLE_EVENT, key, value, fault);
    if (got == DISK_GOT_FAULT) {
        return false;
    }
    bool good = got == DISK_GOT_ONE && value->bytes == STORE_EVENT_DIRECTORY_BYTES &&
                disk_get_u64(value->data) ==
                    disk_check(DISK_TABLE_EVENT, key, value->data + 8, value->bytes - 8);
    return good || proto_fault_set(fault, PROTO_CORRUPT, "event",
                                   "piece %u of the directory of events is damaged", number);
}

bool store_event_expected(const struct disk_txn *txn, uint32_t slot, bool *expected,
                          struct proto_fault *fault)
{
    struct proto_span value = {0};
    uint32_t bit = slot % STORE_EVENT_DIRECTORY_SLOTS;
    if (!piece_get(txn, number_of(slot), &value, fault)) {
        return false;
    }
    *expected = (value.data[STORE_EVENT_HEADER_BYTES + bit / 8] >> bit % 8 & 1) != 0;
    return true;
}

void store_event_directory_seal(uint8_t value[STORE_EVENT_DIRECTORY_BYTES], uint32_t number)
{
    disk_set_u32(value + 8, number);
    disk_set_u32(value + 12, 0);
    disk_set_u64(value, disk_check(DISK_TABLE_EVENT, STORE_EVENT_DIRECTORY_KEY + number, value + 8,
                                   STORE_EVENT_DIRECTORY_BYTES - 8));
}

bool store_event_directory_grow(struct disk_txn *txn, uint32_t first, uint32_t slots,
                                struct proto_fault *fault)
{
    uint8_t value[STORE_EVENT_DIRECTORY_BYTES] = {0};
    for (uint32_t number = first; slots > 0 && number <= number_of(slots - 1); number++) {
        store_event_directory_seal(value, number);
        if (!store_event_put(txn, STORE_EVENT_DIRECTORY_KEY + number,
                             (struct proto_span){value, sizeof value}, fault)) {
            return false;
        }
    }
    return true;
}

/* Of what is there; a block that cannot be read is there. */
static bool piece_make(const struct disk_txn *txn, struct store_event_directory *directory,
                       struct proto_fault *fault)
{
    uint32_t first = directory->number * STORE_EVENT_DIRECTORY_SLOTS;
    memset(directory->value, 0, sizeof directory->value);
    for (uint32_t i = 0; i < STORE_EVENT_DIRECTORY_SLOTS; i++) {
        struct store_event_head head;
        struct proto_fault why = {.code = PROTO_OK};
        bool known = store_event_head_look(txn, first + i, false, &head, &why);
        if (!known && why.code != PROTO_CORRUPT) {
            *fault = why;
            return false;
        }
        store_event_directory_mark(directory, first + i, !known || head.there);
    }
    directory->changed = true;
    return true;
}

bool store_event_directory_load(struct disk_txn *txn, struct store_event_directory *directory,
                                uint32_t slot, bool *damaged, struct proto_fault *fault)
{
    struct proto_span value = {0};
    struct proto_fault why = {.code = PROTO_OK};
    if (directory->loaded && directory->number == number_of(slot)) {
        return true;
    }
    if (!store_event_directory_flush(txn, directory, fault)) {
        return false;
    }
    directory->number = number_of(slot);
    directory->loaded = true;
    if (piece_get(txn, directory->number, &value, &why)) {
        memcpy(directory->value, value.data, value.bytes);
        return true;
    }
    if (why.code != PROTO_CORRUPT) {
        *fault = why;
        return false;
    }
    *damaged = true;
    return piece_make(txn, directory, fault);
}

bool store_event_directory_flush(struct disk_txn *txn, struct store_event_directory *directory,
                                 struct proto_fault *fault)
{
    if (!directory->loaded || !directory->changed) {
        return true;
    }
    directory->changed = false;
    store_event_directory_seal(directory->value, directory->number);
    return store_event_put(txn, STORE_EVENT_DIRECTORY_KEY + directory->number,
                           (struct proto_span){directory->value, sizeof directory->value}, fault);
}

void store_event_directory_mark(struct store_event_directory *directory, uint32_t slot, bool has)
{
    uint32_t bit = slot % STORE_EVENT_DIRECTORY_SLOTS;
    uint8_t *at = &directory->value[STORE_EVENT_HEADER_BYTES + bit / 8];
    uint8_t mask = (uint8_t)(1U << bit % 8);
    directory->changed |= ((*at & mask) != 0) != has;
    *at = (uint8_t)(has ? *at | mask : *at & ~mask);
}

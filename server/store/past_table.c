/* SPDX-License-Identifier: Apache-2.0 */
/* A put takes the check of what was there out of the sum first; what is behind a damaged page is
 * not known, and the sum is wrong from then on, as a scrub tells. A reader goes through the
 * versions of the account from the newest to the one with which its history begins, or to the
 * tables, and gives their groups the other way round. */
#include "server/store/past_table.h"

#include <stdlib.h>

static bool damaged(uint32_t slot, struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_CORRUPT, "history",
                           "what values of slot %u were before cannot be found", slot);
}

bool store_past_table_get(const struct disk_txn *txn, uint32_t slot, bool must,
                          struct store_history *history, struct proto_fault *fault)
{
    struct proto_span value = {0};
    enum disk_got got = disk_txn_get(txn, DISK_TABLE_HISTORY, slot, &value, fault);
    if (got == DISK_GOT_NONE) {
        return !must || damaged(slot, fault);
    }
    return got == DISK_GOT_ONE && store_history_value_open(slot, value, history, fault);
}

static bool sum_leave(struct disk_txn *txn, uint32_t slot, bool *there, struct proto_fault *fault)
{
    struct proto_span was = {0};
    enum disk_got got = disk_txn_get(txn, DISK_TABLE_HISTORY, slot, &was, fault);
    *there = got == DISK_GOT_ONE;
    if (*there && was.bytes >= sizeof(uint64_t)) {
        disk_sum_change(&txn->state, DISK_TABLE_HISTORY, true, disk_get_u64(was.data), false, 0);
    }
    return got != DISK_GOT_FAULT || fault->code == PROTO_CORRUPT;
}

static bool value_put(struct disk_txn *txn, uint32_t slot, struct proto_span value,
                      struct proto_fault *fault)
{
    bool there;
    if (!sum_leave(txn, slot, &there, fault)) {
        return false;
    }
    uint8_t *at = disk_txn_put(txn, DISK_TABLE_HISTORY, slot, value.bytes, DISK_PUT_ANY, fault);
    if (at == NULL) {
        return false;
    }
    memcpy(at, value.data, value.bytes);
    disk_sum_change(&txn->state, DISK_TABLE_HISTORY, false, 0, true, disk_get_u64(value.data));
    return true;
}

bool store_past_table_put(struct disk_txn *txn, uint32_t slot, const struct store_history *history,
                          struct proto_fault *fault)
{
    uint8_t *value = malloc(STORE_HISTORY_VALUE_BYTES_MAX);
    if (value == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to fold a history");
    }
    size_t bytes = store_history_encode(history, slot, value);
    bool good = value_put(txn, slot, (struct proto_span){value, bytes}, fault);
    free(value);
    return good;
}

bool store_past_table_clear(struct disk_txn *txn, uint32_t slot, struct proto_fault *fault)
{
    struct proto_fault why = {.code = PROTO_OK};
    struct disk_state before = txn->state;
    bool there = false;
    /* A value that was put aside has an older one in its place perhaps, which must not come back.
     */
    bool aside = txn->state.sums[DISK_TABLE_ASIDE].count > 0;
    if (!aside && sum_leave(txn, slot, &there, &why) && (there || why.code == PROTO_OK) &&
        (!there || disk_txn_delete(txn, DISK_TABLE_HISTORY, slot, &why))) {
        return true;
    }
    if (why.code != PROTO_OK && why.code != PROTO_CORRUPT) {
        *fault = why;
        return false;
    }
    txn->state = before;
    uint8_t empty[STORE_HISTORY_HEADER_BYTES];
    const struct store_history none = {.count = 0};
    size_t bytes = store_history_encode(&none, slot, empty);
    return value_put(txn, slot, (struct proto_span){empty, bytes}, fault);
}

/* The versions that a reader looks at, newest first. */
struct versions {
    const struct store_version **list;
    size_t count, room;
    bool anew; /* nothing before the last of them counts */
};

static bool versions_add(struct versions *versions, const struct store_version *version,
                         struct proto_fault *fault)
{
    if (versions->count == versions->room) {
        size_t room = versions->room == 0 ? 32 : versions->room * 2;
        const struct store_version **list = realloc(versions->list, room * sizeof *list);
        if (list == NULL) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu changes", room);
        }
        versions->list = list;
        versions->room = room;
    }
    versions->list[versions->count++] = version;
    versions->anew = version->past_anew;
    return true;
}

static bool versions_collect(const struct store_sight *sight, uint32_t slot,
                             struct versions *versions, struct proto_fault *fault)
{
    uint64_t folded = sight->base->state.seq;
    const struct store_generation *generation = sight->newest;
    while (generation != NULL && !versions->anew) {
        const struct store_version *version =
            store_generation_version(generation, slot, sight->seq);
        for (; version != NULL && version->seq > folded && !versions->anew;
             version = version->older) {
            if (!versions_add(versions, version, fault)) {
                return false;
            }
        }
        generation = store_generation_older(generation, folded);
    }
    return true;
}

/* What the tables have, if they have any of it. */
static bool base_read(const struct store_sight *sight, uint32_t slot,
                      const struct versions *versions, struct store_history *history,
                      struct proto_fault *fault)
{
    bool had = false;
    if (versions->anew) {
        return true;
    }
    if (versions->count > 0) {
        had = versions->list[versions->count - 1]->past_had;
    } else {
        struct store_sight tables = store_sight_of(sight->base);
        struct store_account account;
        if (!store_account_get(&tables, slot, &account, fault)) {
            return false;
        }
        had = account.past;
    }
    return !had || store_past_table_get(sight->base, slot, true, history, fault);
}

bool store_history_read(const struct store_sight *sight, uint32_t slot,
                        struct store_history *history, struct proto_fault *fault)
{
    struct versions versions = {.count = 0};
    *history = (struct store_history){.count = 0};
    bool good = versions_collect(sight, slot, &versions, fault) &&
                base_read(sight, slot, &versions, history, fault);
    for (size_t i = versions.count; good && i > 0; i--) {
        const struct store_version *version = versions.list[i - 1];
        good = store_history_add_run(history, version->past, version->seq, fault);
    }
    free(versions.list);
    store_history_trim(history);
    return good;
}

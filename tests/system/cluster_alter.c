/* SPDX-License-Identifier: Apache-2.0 */
/* Alters one account of a store that is not being served, under good checksums, as a fault of
 * icpd itself would: cluster_alter DATA ID. A control for test_cluster.py. Threads: one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "server/store/store_parts.h"

enum { RECORD_AT = STORE_ACCOUNT_HEADER_BYTES, CREATED_AT = 16, HASHED_AT = 16, HASH_AT = 8 };

static int64_t now_ms(void *context)
{
    (void)context;
    return 0;
}

static void on_change(void *context, const struct store_change *change)
{
    (void)context;
    (void)change;
}

/* The account was made a second later than it was. */
static void value_alter(uint8_t *value, size_t bytes, uint32_t slot)
{
    uint8_t *record = value + RECORD_AT;
    size_t length = disk_get_u32(record + 4);
    disk_set_u32(record + CREATED_AT, disk_get_u32(record + CREATED_AT) + 1);
    disk_set_u64(record + HASH_AT, XXH3_64bits(record + HASHED_AT, length - HASHED_AT));
    disk_set_u64(value, disk_check(DISK_TABLE_ACCOUNT, slot, value + 8, bytes - 8));
}

static bool alter(struct store *store, uint32_t slot, struct proto_fault *fault)
{
    struct disk_txn txn;
    struct proto_span was;
    if (!disk_txn_write(&txn, &store->env, fault)) {
        return false;
    }
    uint8_t copy[4096];
    if (disk_txn_get(&txn, DISK_TABLE_ACCOUNT, slot, &was, fault) != DISK_GOT_ONE ||
        was.bytes > sizeof copy) {
        disk_txn_abort(&txn);
        return false;
    }
    memcpy(copy, was.data, was.bytes);
    uint64_t before = disk_get_u64(copy);
    value_alter(copy, was.bytes, slot);
    size_t bytes = was.bytes;
    uint8_t *to = disk_txn_put(&txn, DISK_TABLE_ACCOUNT, slot, bytes, DISK_PUT_ANY, fault);
    if (to == NULL) {
        disk_txn_abort(&txn);
        return false;
    }
    memcpy(to, copy, bytes);
    disk_sum_change(&txn.state, DISK_TABLE_ACCOUNT, true, before, true, disk_get_u64(copy));
    return disk_txn_commit(&txn, fault);
}

int main(int argc, char **argv)
{
    struct proto_fault fault = {.code = PROTO_OK};
    if (argc != 3) {
        fprintf(stderr, "usage: cluster_alter DATA ID\n");
        return 64;
    }
    const struct store_options options = {
        .path = argv[1], .must_exist = true, .now_ms = now_ms, .on_change = on_change};
    struct store *store = store_open(&options, &fault);
    struct store_view *view = store == NULL ? NULL : store_view_open(store, &fault);
    if (view == NULL) {
        fprintf(stderr, "cluster_alter: %s\n", fault.message);
        return 1;
    }
    uint32_t slot = store_find_id(view, proto_span_text(argv[2]), &fault);
    store_view_close(view);
    bool good = slot != STORE_NO_SLOT && alter(store, slot, &fault);
    store_close(store);
    if (!good) {
        fprintf(stderr, "cluster_alter: %s\n",
                fault.code == PROTO_OK ? "no such account" : fault.message);
    }
    return good ? 0 : 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The log as batches: each is read from the table, unsealed, and handed on as it was accepted. A
 * gap or a batch that does not match its check ends the reading; a batch that was dropped for its
 * age says so, so that the caller can take a copy of everything instead. */
#include <stdlib.h>

#include "server/store/dump.h"
#include "server/store/store_parts.h"

uint64_t store_log_link(const struct store_logged *logged)
{
    uint64_t seed = logged->seq * UINT64_C(0x9E3779B97F4A7C15) + (uint64_t)logged->time_ms;
    return XXH3_64bits_withSeed(logged->text.data, logged->text.bytes, seed);
}

uint64_t store_log_head(struct store *store, struct proto_fault *fault)
{
    struct disk_txn txn;
    if (!disk_txn_read(&txn, &store->env, fault))
        return 0;
    uint64_t head = txn.state.seq;
    disk_txn_abort(&txn);
    return head;
}

static bool batch_read(const struct disk_txn *txn, uint64_t seq, struct store_logged *logged,
                       struct proto_fault *fault)
{
    struct proto_span value = {0};
    struct disk_sealed sealed;
    if (disk_txn_get(txn, DISK_TABLE_LOG, seq, &value, fault) == DISK_GOT_FAULT ||
        !disk_unseal(DISK_TABLE_LOG, seq, value, &sealed, fault))
        return false;
    *logged = (struct store_logged){seq, sealed.time_ms, sealed.a, sealed.text};
    return true;
}

bool store_log_read(struct store *store, uint64_t after, uint64_t last,
                    bool (*each)(void *context, const struct store_logged *logged), void *context,
                    struct proto_fault *fault)
{
    struct disk_txn txn;
    struct store_logged logged;
    if (!disk_txn_read(&txn, &store->env, fault))
        return false;
    bool good = after + 1 >= txn.state.log_first || after >= last;
    if (!good)
        proto_fault_set(fault, PROTO_NOT_FOUND, "",
                        "the log begins with batch %llu, those before were dropped (log_bytes_max)",
                        (unsigned long long)txn.state.log_first);
    if (last > txn.state.seq)
        last = txn.state.seq;
    for (uint64_t seq = after + 1; good && seq <= last; seq++) {
        good = batch_read(&txn, seq, &logged, fault);
        if (good && !each(context, &logged))
            break;
    }
    disk_txn_abort(&txn);
    if (!good && fault->code == PROTO_CORRUPT)
        store_damage(store, fault);
    return good;
}

struct store_batch *store_batch_again(const struct store_logged *logged)
{
    struct store_batch *batch = store_batch_create();
    uint8_t *data = batch == NULL ? NULL : malloc(logged->text.bytes + 1);
    if (data == NULL) {
        store_batch_destroy(batch);
        return NULL;
    }
    if (logged->text.bytes > 0)
        memcpy(data, logged->text.data, logged->text.bytes);
    free(batch->data);
    batch->data = data;
    batch->bytes = batch->capacity = logged->text.bytes;
    batch->commands = logged->commands;
    batch->time_ms = logged->time_ms;
    batch->timed = true;
    return batch;
}

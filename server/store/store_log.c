/* SPDX-License-Identifier: Apache-2.0 */
/* The log as batches: each is read, checked, and handed on as it was accepted. A
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
    (void)fault;
    return log_head(store->log);
}

uint64_t store_log_floor(struct store *store, struct proto_fault *fault)
{
    (void)fault;
    return log_floor(store->log);
}

bool store_log_read(struct store *store, uint64_t after, uint64_t last,
                    bool (*each)(void *context, const struct store_logged *logged), void *context,
                    struct proto_fault *fault)
{
    if (after >= last) {
        return true;
    }
    struct log_reader *reader = log_reader_open(store->log, after, fault);
    if (reader == NULL) {
        return false;
    }
    struct log_entry entry;
    enum log_got got = LOG_GOT_ENTRY;
    bool more = true;
    while (more && (got = log_reader_next(reader, &entry, fault)) == LOG_GOT_ENTRY &&
           entry.sequence <= last) {
        struct store_logged logged = {entry.sequence, entry.time_ms, entry.commands, entry.payload};
        more = each(context, &logged) && entry.sequence < last;
    }
    log_reader_close(reader);
    if (got == LOG_GOT_FAULT && fault->code == PROTO_CORRUPT) {
        store_damage(store, fault);
    }
    return got != LOG_GOT_FAULT;
}

struct store_batch *store_batch_again(const struct store_logged *logged)
{
    struct store_batch *batch = store_batch_create();
    uint8_t *data = batch == NULL ? NULL : malloc(logged->text.bytes + 1);
    if (data == NULL) {
        store_batch_destroy(batch);
        return NULL;
    }
    if (logged->text.bytes > 0) {
        memcpy(data, logged->text.data, logged->text.bytes);
    }
    free(batch->data);
    batch->data = data;
    batch->bytes = batch->capacity = logged->text.bytes;
    batch->commands = logged->commands;
    batch->time_ms = logged->time_ms;
    batch->timed = true;
    return batch;
}

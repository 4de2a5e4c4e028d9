/* SPDX-License-Identifier: Apache-2.0 */
/* An entry's batch is copied behind its position, and read through once: it must be commands, and
 * none that only a writer gives. What came of it is hashed over what came of all before. */
#include "server/store/position.h"

#include <stdlib.h>

#include "server/store/store_parts.h"

enum { SEQ_AT = 8, ID_AT = 16, CHAIN_AT = 32, OUTCOME_AT = 48, CODE_AT = 4 };

static void position_write(uint8_t *to, const struct store_shared_entry *entry)
{
    uint8_t *text = to + STORE_COMMAND_HEADER_BYTES;
    memset(to, 0, STORE_COMMAND_HEADER_BYTES + STORE_POSITION_BYTES);
    to[0] = STORE_COMMAND_POSITION;
    disk_set_u32(to + 8, STORE_POSITION_BYTES);
    disk_set_u64(text + SEQ_AT, entry->seq);
    memcpy(text + ID_AT, entry->id, STORE_ENTRY_ID_BYTES);
    memcpy(text + CHAIN_AT, entry->chain, STORE_DIGEST_BYTES);
}

/* Counts the commands, and takes the operation out. */
static bool commands_read(struct store_batch *batch, struct proto_span payload,
                          struct proto_fault *fault)
{
    struct store_command command;
    struct proto_fault why = {.code = PROTO_OK};
    for (size_t at = 0; store_command_next(payload, &at, &command, &why); batch->commands++) {
        bool own = command.kind == STORE_COMMAND_SLOTS || command.kind == STORE_COMMAND_POSITION ||
                   (command.kind == STORE_COMMAND_OPERATION &&
                    (command.text.bytes > sizeof batch->operation ||
                     command.extra.bytes != sizeof(uint64_t)));
        if (own) {
            return proto_fault_set(fault, PROTO_CORRUPT, "log",
                                   "command %u of the entry is none that a client gives",
                                   batch->commands);
        }
        if (command.kind == STORE_COMMAND_OPERATION && command.text.bytes > 0) {
            memcpy(batch->operation, command.text.data, command.text.bytes);
            batch->operation_bytes = (uint8_t)command.text.bytes;
            batch->operation_digest = disk_get_u64(command.extra.data);
        }
    }
    if (why.code != PROTO_OK) {
        *fault = why;
    }
    return why.code == PROTO_OK;
}

struct store_batch *store_batch_shared(const struct store_shared_entry *entry,
                                       struct proto_fault *fault)
{
    size_t first = STORE_COMMAND_HEADER_BYTES + STORE_POSITION_BYTES;
    struct store_batch *batch = store_batch_create();
    uint8_t *data = batch == NULL ? NULL : malloc(first + entry->payload.bytes);
    if (data == NULL) {
        store_batch_destroy(batch);
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for an entry of %zu bytes",
                        entry->payload.bytes);
        return NULL;
    }
    position_write(data, entry);
    if (entry->payload.bytes > 0) {
        memcpy(data + first, entry->payload.data, entry->payload.bytes);
    }
    batch->data = data;
    batch->bytes = batch->capacity = first + entry->payload.bytes;
    batch->commands = 1;
    batch->timed = true;
    batch->time_ms = entry->time_ms;
    batch->shared_seq = entry->seq;
    if (!commands_read(batch, (struct proto_span){data + first, entry->payload.bytes}, fault)) {
        store_batch_destroy(batch);
        return NULL;
    }
    return batch;
}

struct proto_span store_batch_payload(const struct store_batch *batch)
{
    return (struct proto_span){batch->data, batch->bytes};
}

int64_t store_batch_waits_until(const struct store_batch *batch)
{
    return batch->deadline_ms;
}

static void digest_put(uint8_t to[STORE_DIGEST_BYTES], uint64_t low, uint64_t high)
{
    disk_set_u64(to, low);
    disk_set_u64(to + 8, high);
}

bool store_position_plan(const struct store_command *command, struct disk_state *next,
                         struct proto_fault *fault)
{
    const uint8_t *text = command->text.data;
    if (command->text.bytes != STORE_POSITION_BYTES || disk_get_u64(text) != 0 ||
        disk_get_u64(text + SEQ_AT) != next->seq + 1) {
        return proto_fault_set(fault, PROTO_CORRUPT, "log",
                               "a position in a shared log that is none of this place");
    }
    next->chain_low = disk_get_u64(text + CHAIN_AT);
    next->chain_high = disk_get_u64(text + CHAIN_AT + 8);
    next->outcome_low = disk_get_u64(text + OUTCOME_AT);
    next->outcome_high = disk_get_u64(text + OUTCOME_AT + 8);
    return true;
}

bool store_position_settles(enum proto_error code)
{
    switch (code) {
    case PROTO_BUSY:
    case PROTO_DEADLINE:
    case PROTO_CANCELLED:
    case PROTO_SHUTTING_DOWN:
    case PROTO_DISK_FULL:
    case PROTO_IO:
    case PROTO_CORRUPT:
    case PROTO_NO_MEMORY:
    case PROTO_INTERNAL:
    case PROTO_LOCKED:
        return false;
    default:
        return true;
    }
}

void store_position_say(struct store_batch *batch, const struct disk_state *before,
                        const struct store_result *result, struct disk_state *next)
{
    uint8_t said[STORE_DIGEST_BYTES + 8 + 5 * 4 + 1];
    uint8_t *text = batch->data + STORE_COMMAND_HEADER_BYTES;
    digest_put(said, before->outcome_low, before->outcome_high);
    disk_set_u64(said + 16, batch->shared_seq);
    disk_set_u32(said + 24, (uint32_t)result->fault.code);
    disk_set_u32(said + 28, result->count);
    disk_set_u32(said + 32, result->created);
    disk_set_u32(said + 36, result->version);
    disk_set_u32(said + 40, result->previous);
    said[44] = result->repeated;
    XXH128_hash_t outcome = XXH3_128bits(said, sizeof said);
    disk_set_u32(batch->data + CODE_AT, (uint32_t)result->fault.code);
    digest_put(text + OUTCOME_AT, outcome.low64, outcome.high64);
    next->outcome_low = outcome.low64;
    next->outcome_high = outcome.high64;
}

void store_position_leave(struct store_batch *batch)
{
    batch->bytes = STORE_COMMAND_HEADER_BYTES + STORE_POSITION_BYTES;
    batch->commands = 1;
}

void store_position_of(const struct disk_state *state, struct store_position *position)
{
    *position = (struct store_position){.seq = state->seq,
                                        .follows = (state->chain_low | state->chain_high) != 0};
    digest_put(position->chain, state->chain_low, state->chain_high);
    digest_put(position->outcome, state->outcome_low, state->outcome_high);
}

void store_position_get(struct store *store, struct store_position *position)
{
    pthread_mutex_lock(&store->figures.mutex);
    *position = store->figures.position;
    pthread_mutex_unlock(&store->figures.mutex);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* An account is checked, its keys are brought into the form in which they are looked up, and it is
 * encoded as a record within the batch; at the commit the batch goes to the writer and the ingest
 * waits for it, to tell what it did. What is refused before that leaves nothing behind; what the
 * writer refuses is told through on_done. */
#include "server/engine/ingest.h"

#include <stdlib.h>

#include "server/engine/ingest_internal.h"
#include "server/identity/grammar.h"

struct engine_ingest *engine_ingest_begin(struct proto_fault *fault)
{
    struct engine_ingest *ingest = calloc(1, sizeof *ingest);
    struct store_batch *batch = store_batch_create();
    if (!ingest || !batch) {
        free(ingest);
        store_batch_destroy(batch);
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the request");
        return NULL;
    }
    ingest->batch = batch;
    base_arena_init(&ingest->arena, 0, 0);
    return ingest;
}

void engine_ingest_drop(struct engine_ingest *ingest)
{
    if (ingest) {
        base_arena_fini(&ingest->arena);
        store_batch_destroy(ingest->batch);
        free(ingest);
    }
}

/* The keys as they are stored, in the arena; NULL with *fault. */
static const struct proto_span *keys_normal(struct engine_ingest *ingest,
                                            const struct engine_account *account,
                                            struct proto_fault *fault)
{
    struct proto_span *keys =
        base_arena_array(&ingest->arena, account->key_count + 1, sizeof *keys);
    for (size_t i = 0; i < account->key_count; i++) {
        struct proto_span given = account->keys[i];
        uint8_t *room = base_arena_take(&ingest->arena, given.bytes);
        if (!keys || !room) {
            break;
        }
        if (!identity_key_normal(given, room, &keys[i], "keys", fault)) {
            return NULL;
        }
    }
    if (!base_arena_ok(&ingest->arena)) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "keys", "no memory for the keys");
        return NULL;
    }
    return keys;
}

/* What is stored of the account; its keys lie in the arena. */
static bool account_record(struct engine_ingest *ingest, const struct engine_account *account,
                           struct feature_record *record, struct proto_fault *fault)
{
    *record = (struct feature_record){
        .id = account->id,
        .sources = &account->source,
        .source_count = 1,
        .key_count = account->key_count,
        .values = account->values,
        .value_slots = account->value_slots,
    };
    if (!identity_id_check(account->id, "id", fault)) {
        return false;
    }
    if (account->source.bytes > PROTO_SOURCE_BYTES_MAX) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "source",
                               "%zu bytes, at most %d are allowed", account->source.bytes,
                               PROTO_SOURCE_BYTES_MAX);
    }
    if (account->key_count > PROTO_KEYS_MAX) {
        return proto_fault_set(fault, PROTO_TOO_LARGE, "keys", "%zu keys, at most %d are allowed",
                               account->key_count, PROTO_KEYS_MAX);
    }
    base_arena_reset(&ingest->arena);
    record->keys = keys_normal(ingest, account, fault);
    return record->keys != NULL;
}

bool engine_ingest_put(struct engine_ingest *ingest, const struct engine_account *account,
                       struct proto_fault *fault)
{
    struct feature_record record;
    return account_record(ingest, account, &record, fault) &&
           store_batch_put_record(ingest->batch, &record, fault);
}

bool engine_ingest_patch(struct engine_ingest *ingest, const struct engine_account *account,
                         struct proto_fault *fault)
{
    struct feature_record record;
    unsigned flags =
        (account->create ? STORE_PATCH_CREATE : 0) | (account->dated ? STORE_PATCH_DATED : 0);
    if (!account_record(ingest, account, &record, fault)) {
        return false;
    }
    record.changed_s = account->dated ? account->time_ms / 1000 : 0;
    return store_batch_patch_record(ingest->batch, &record, account->removed,
                                    account->removed_count, flags, fault);
}

bool engine_ingest_delete(struct engine_ingest *ingest, struct proto_span id,
                          struct proto_fault *fault)
{
    return identity_id_check(id, "ids", fault) && store_batch_delete(ingest->batch, id, fault);
}

/* An act says just what it needs. */
static bool entry_check(const struct identity_entry *entry, struct proto_fault *fault)
{
    static const char *const fields[] = {"account", "other"};
    unsigned records = identity_act_records(entry->act);
    for (unsigned i = 0; i < 2; i++) {
        if ((entry->ids[i].bytes > 0) != (i < records)) {
            return proto_fault_set(fault, i < records ? PROTO_MISSING_FIELD : PROTO_BAD_FIELD,
                                   fields[i],
                                   i < records ? "%s names %u of the accounts"
                                               : "%s names %u of the accounts, not this one",
                                   identity_act_word(entry->act), records);
        }
        if (i < records && !identity_id_check(entry->ids[i], fields[i], fault)) {
            return false;
        }
    }
    if ((entry->what != 0) != (entry->act == IDENTITY_UNDO)) {
        return proto_fault_set(fault, entry->what != 0 ? PROTO_BAD_FIELD : PROTO_MISSING_FIELD,
                               "entry",
                               "an undo says which entry it takes away, and nothing else "
                               "does");
    }
    return entry->reason.bytes <= IDENTITY_REASON_BYTES_MAX ||
           proto_fault_set(fault, PROTO_TOO_LARGE, "reason", "%zu bytes, at most %u are allowed",
                           entry->reason.bytes, IDENTITY_REASON_BYTES_MAX);
}

bool engine_ingest_identity(struct engine_ingest *ingest, const struct identity_entry *entry,
                            struct proto_fault *fault)
{
    uint8_t rooms[2][PROTO_ID_BYTES_MAX];
    struct proto_span keys[2];
    struct identity_entry said = *entry;
    if (!entry_check(entry, fault)) {
        return false;
    }
    for (unsigned i = 0; i < 2; i++) {
        keys[i] = identity_key_wanted(entry->ids[i], rooms[i]);
    }
    said.author.bytes =
        entry->author.bytes < STORE_AUTHOR_BYTES_MAX ? entry->author.bytes : STORE_AUTHOR_BYTES_MAX;
    return store_batch_identity(ingest->batch, &said, keys, fault);
}

bool engine_ingest_identity_known(struct engine_ingest *ingest, int64_t time_ms,
                                  const struct identity_entry *entry, bool gone,
                                  struct proto_fault *fault)
{
    return store_batch_time(ingest->batch, time_ms, fault) &&
           (gone ? store_batch_identity_gone(ingest->batch, entry, fault)
                 : engine_ingest_identity(ingest, entry, fault));
}

bool engine_ingest_event(struct engine_ingest *ingest, struct engine *engine, struct proto_span id,
                         struct proto_span key, const struct event *event,
                         struct proto_fault *fault)
{
    uint8_t room[PROTO_ID_BYTES_MAX];
    if (id.bytes + key.bytes == 0) {
        return proto_fault_set(fault, PROTO_MISSING_FIELD, "account",
                               "say whose event it is by account or key");
    }
    if (id.bytes > 0 && key.bytes > 0) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "key", "give account or key, not both");
    }
    if (key.bytes > sizeof room) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "key", "%zu bytes, at most %zu are allowed",
                               key.bytes, sizeof room);
    }
    bool named = id.bytes > 0 ? identity_id_check(id, "account", fault)
                              : identity_key_normal(key, room, &id, "key", fault);
    return named && event_check(event, engine_now_ms(engine), fault) &&
           store_batch_event(ingest->batch, id, key.bytes > 0, event, fault);
}

bool engine_ingest_event_known(struct engine_ingest *ingest, struct proto_span id,
                               const struct event *event, struct proto_fault *fault)
{
    return event_check(event, INT64_MAX, fault) &&
           store_batch_time(ingest->batch, event->known_ms, fault) &&
           store_batch_event(ingest->batch, id, false, event, fault);
}

bool engine_ingest_place(struct engine_ingest *ingest, struct proto_span record,
                         const struct proto_span *groups, struct proto_fault *fault)
{
    return store_batch_place(ingest->batch, record, groups, fault);
}

bool engine_ingest_document(struct engine_ingest *ingest, int64_t time_ms,
                            const struct store_document *document, struct proto_fault *fault)
{
    return store_batch_time(ingest->batch, time_ms, fault) &&
           store_batch_document(ingest->batch, document, fault);
}

bool engine_ingest_activate(struct engine_ingest *ingest, int64_t time_ms, uint32_t version,
                            struct proto_span reason, struct proto_fault *fault)
{
    return store_batch_time(ingest->batch, time_ms, fault) &&
           store_batch_activate(ingest->batch, version, reason, fault);
}

bool engine_ingest_import(struct engine_ingest *ingest, struct proto_span id,
                          enum engine_import_word word, struct proto_span more,
                          struct proto_fault *fault)
{
    static const enum store_import_word words[] = {[ENGINE_IMPORT_PART] = STORE_IMPORT_PART,
                                                   [ENGINE_IMPORT_BEGUN] = STORE_IMPORT_BEGUN,
                                                   [ENGINE_IMPORT_DONE] = STORE_IMPORT_DONE};
    return store_batch_import(ingest->batch, id, words[word], more, fault);
}

static struct engine_written written_of(const struct store_result *result)
{
    return (struct engine_written){
        .fault = result->fault,
        .seq = result->seq,
        .count = result->count,
        .created = result->created,
        .version = result->version,
        .previous = result->previous,
        .repeated = result->repeated,
    };
}

/* On the writer thread, when the batch is on disk or refused. */
static void ingest_done(void *context, const struct store_result *result)
{
    struct engine_ingest *ingest = context;
    struct engine_written written = written_of(result);
    ingest->write.on_done(ingest->write.context, &written);
    free(ingest);
}

bool engine_ingest_commit(struct engine_ingest *ingest, struct engine *engine,
                          const struct engine_write *write, struct proto_fault *fault)
{
    struct store_batch *batch = ingest->batch;
    base_arena_fini(&ingest->arena);
    ingest->write = *write;
    ingest->batch = NULL; /* the store's, or freed below: the ingest may be gone after this */
    store_batch_deadline(batch, write->deadline_ms);
    if (!engine_operation_add(batch, &write->operation, fault) ||
        !engine_submit(engine, batch, ingest_done, ingest, fault)) {
        store_batch_destroy(batch);
        free(ingest);
        return false;
    }
    return true;
}

bool engine_operation_add(struct store_batch *batch, const struct engine_operation *operation,
                          struct proto_fault *fault)
{
    struct proto_span author = proto_span_text(operation->author);
    return (author.bytes == 0 || store_batch_author(batch, author, fault)) &&
           (operation->id.bytes == 0 ||
            store_batch_operation(batch, operation->id, operation->digest, fault));
}

void engine_operation_keep(const struct engine_operation *operation, struct engine_operation *kept,
                           uint8_t *id)
{
    *kept = *operation;
    kept->id = (struct proto_span){0};
    if (operation->id.bytes > 0 && operation->id.bytes <= PROTO_OPERATION_BYTES_MAX) {
        memcpy(id, operation->id.data, operation->id.bytes);
        kept->id = (struct proto_span){id, operation->id.bytes};
    }
}

bool engine_operation_find(struct engine *engine, const struct engine_operation *operation,
                           struct engine_written *written, struct proto_fault *fault)
{
    struct store_result result;
    *written = (struct engine_written){0};
    if (operation->id.bytes == 0) {
        return true;
    }
    struct store_batch *batch = store_batch_create();
    if (!batch) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the request");
    }
    if (!store_batch_operation(batch, operation->id, operation->digest, fault)) {
        store_batch_destroy(batch);
        return false;
    }
    if (!store_submit_wait(engine->store, batch, &result) && result.fault.code != PROTO_NOT_FOUND) {
        *fault = result.fault;
        return false;
    }
    *written = written_of(&result);
    return true;
}

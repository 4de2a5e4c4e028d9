/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/command.h"

#include <assert.h>
#include <stdlib.h>

#include "server/store/past.h"

struct store_batch *store_batch_create(void)
{
    return calloc(1, sizeof(struct store_batch));
}

void store_batch_destroy(struct store_batch *batch)
{
    if (batch == NULL) {
        return;
    }
    free(batch->data);
    free(batch);
}

static bool batch_reserve(struct store_batch *batch, size_t bytes, struct proto_fault *fault)
{
    if (bytes > STORE_BATCH_BYTES_MAX - batch->bytes) {
        return proto_fault_set(fault, PROTO_TOO_LARGE, "",
                               "a batch of more than %zu bytes; split it into several",
                               STORE_BATCH_BYTES_MAX);
    }
    if (bytes <= batch->capacity - batch->bytes) {
        return true;
    }
    size_t capacity = batch->capacity == 0 ? 1024 : batch->capacity;
    while (capacity < batch->bytes + bytes) {
        capacity *= 2;
    }
    uint8_t *data = realloc(batch->data, capacity);
    if (data == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a batch of %zu bytes",
                               batch->bytes + bytes);
    }
    batch->data = data;
    batch->capacity = capacity;
    return true;
}

/* Adds the command whose text lies in its place already; the room is reserved. */
static void batch_close(struct store_batch *batch, const struct store_command *command)
{
    uint8_t *at = batch->data + batch->bytes;
    at[0] = (uint8_t)command->kind;
    at[1] = (uint8_t)(command->activate | command->patch);
    disk_set_u16(at + 2, 0);
    disk_set_u32(at + 4, command->version);
    disk_set_u32(at + 8, (uint32_t)command->text.bytes);
    disk_set_u32(at + 12, (uint32_t)command->extra.bytes);
    at += STORE_COMMAND_HEADER_BYTES + command->text.bytes;
    if (command->extra.bytes > 0) {
        memcpy(at, command->extra.data, command->extra.bytes);
    }
    batch->bytes += STORE_COMMAND_HEADER_BYTES + command->text.bytes + command->extra.bytes;
    batch->commands++;
    batch->adds |= command->kind == STORE_COMMAND_PUT || command->kind == STORE_COMMAND_PATCH ||
                   command->kind == STORE_COMMAND_SCHEMA || command->kind == STORE_COMMAND_ICP ||
                   command->kind == STORE_COMMAND_LIST || command->kind == STORE_COMMAND_EVENT ||
                   command->kind == STORE_COMMAND_UNDO || command->kind == STORE_COMMAND_IDENTITY ||
                   command->kind == STORE_COMMAND_TERM || command->kind == STORE_COMMAND_METRIC ||
                   command->kind == STORE_COMMAND_CHALLENGE;
}

static bool batch_add(struct store_batch *batch, const struct store_command *command,
                      struct proto_fault *fault)
{
    size_t need = STORE_COMMAND_HEADER_BYTES + command->text.bytes + command->extra.bytes;
    if (!batch_reserve(batch, need, fault)) {
        return false;
    }
    if (command->text.bytes > 0) {
        memcpy(batch->data + batch->bytes + STORE_COMMAND_HEADER_BYTES, command->text.data,
               command->text.bytes);
    }
    batch_close(batch, command);
    return true;
}

/* Encodes a record as the text of the command, at its place in the batch. */
static bool record_add(struct store_batch *batch, struct store_command *command,
                       const struct feature_record *record, struct proto_fault *fault)
{
    size_t more = STORE_COMMAND_HEADER_BYTES + command->extra.bytes;
    size_t need = 0;
    do {
        if (!batch_reserve(batch, more + need, fault)) {
            return false;
        }
        uint8_t *at = batch->data + batch->bytes + STORE_COMMAND_HEADER_BYTES;
        size_t room = batch->capacity - batch->bytes - more;
        need = feature_record_encode(record, at, room, fault);
        command->text = (struct proto_span){at, need};
        if (need > 0 && need <= room) {
            batch_close(batch, command);
            return true;
        }
    } while (need > 0);
    return false;
}

static bool record_checked(struct proto_span record, struct proto_fault *fault)
{
    struct feature_record parts;
    if (record.bytes > PROTO_RECORD_BYTES_MAX) {
        return proto_fault_set(fault, PROTO_TOO_LARGE, "", "an account of %zu bytes; at most %d",
                               record.bytes, PROTO_RECORD_BYTES_MAX);
    }
    if (!feature_record_open(record, true, &parts, fault)) {
        return false;
    }
    if (parts.id.bytes == 0) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "id", "the id is empty");
    }
    return true;
}

bool store_batch_put(struct store_batch *batch, struct proto_span record, struct proto_fault *fault)
{
    struct store_command command = {.kind = STORE_COMMAND_PUT, .text = record};
    return record_checked(record, fault) && batch_add(batch, &command, fault);
}

bool store_batch_place(struct store_batch *batch, struct proto_span record,
                       const struct proto_span *groups, struct proto_fault *fault)
{
    struct store_command command = {.kind = STORE_COMMAND_PLACE, .text = record};
    if (groups != NULL) {
        command.version = 1;
        command.extra = *groups;
    }
    if (!store_past_groups_sound(command.extra, false)) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "history", "this is no history");
    }
    return record_checked(record, fault) && batch_add(batch, &command, fault);
}

bool store_batch_time(struct store_batch *batch, int64_t time_ms, struct proto_fault *fault)
{
    uint8_t text[sizeof time_ms];
    struct store_command command = {.kind = STORE_COMMAND_TIME, .text = {text, sizeof text}};
    disk_set_u64(text, (uint64_t)time_ms);
    return batch_add(batch, &command, fault);
}

/* The event is encoded at its place, behind a copy of the account's name. */
bool store_batch_event(struct store_batch *batch, struct proto_span account, bool key,
                       const struct event *event, struct proto_fault *fault)
{
    size_t bytes = event_bytes(event);
    if (!batch_reserve(batch, STORE_COMMAND_HEADER_BYTES + account.bytes + bytes, fault)) {
        return false;
    }
    uint8_t *at = batch->data + batch->bytes + STORE_COMMAND_HEADER_BYTES;
    memcpy(at, account.data, account.bytes);
    event_encode(event, at + account.bytes);
    struct store_command command = {.kind = STORE_COMMAND_EVENT,
                                    .version = key,
                                    .text = {at, account.bytes},
                                    .extra = {NULL, 0}};
    batch_close(batch, &command);
    disk_set_u32(at - 4, (uint32_t)bytes); /* of extra, which lies there already */
    batch->bytes += bytes;
    return true;
}

static bool identity_add(struct store_batch *batch, const struct identity_entry *entry,
                         struct proto_span keys, bool gone, struct proto_fault *fault)
{
    uint8_t text[IDENTITY_ENTRY_HEADER_BYTES + 3 * UINT8_MAX + IDENTITY_REASON_BYTES_MAX];
    const struct store_command command = {.kind = STORE_COMMAND_IDENTITY,
                                          .version = gone,
                                          .text = {text, identity_entry_bytes(entry)},
                                          .extra = keys};
    identity_entry_encode(entry, text);
    return batch_add(batch, &command, fault);
}

bool store_batch_identity(struct store_batch *batch, const struct identity_entry *entry,
                          const struct proto_span keys[2], struct proto_fault *fault)
{
    uint8_t packed[2 * (1 + PROTO_ID_BYTES_MAX)];
    size_t bytes = 0;
    for (unsigned i = 0; i < 2; i++) {
        packed[bytes++] = (uint8_t)keys[i].bytes;
        if (keys[i].bytes > 0) {
            memcpy(packed + bytes, keys[i].data, keys[i].bytes);
        }
        bytes += keys[i].bytes;
    }
    return identity_add(batch, entry, (struct proto_span){packed, bytes}, false, fault);
}

bool store_batch_identity_gone(struct store_batch *batch, const struct identity_entry *entry,
                               struct proto_fault *fault)
{
    return identity_add(batch, entry, (struct proto_span){NULL, 0}, true, fault);
}

bool store_batch_put_record(struct store_batch *batch, const struct feature_record *record,
                            struct proto_fault *fault)
{
    struct store_command command = {.kind = STORE_COMMAND_PUT};
    return record_add(batch, &command, record, fault);
}

static bool removed_checked(size_t removed_count, struct proto_fault *fault)
{
    return removed_count <= UINT16_MAX ||
           proto_fault_set(fault, PROTO_LIMIT, "removed", "%zu fields to take away; at most %d",
                           removed_count, UINT16_MAX);
}

bool store_batch_patch_record(struct store_batch *batch, const struct feature_record *record,
                              const uint16_t *removed, size_t removed_count, unsigned flags,
                              struct proto_fault *fault)
{
    struct store_command command = {.kind = STORE_COMMAND_PATCH, .patch = flags};
    command.extra = (struct proto_span){(const uint8_t *)removed, removed_count * 2};
    return removed_checked(removed_count, fault) && record_add(batch, &command, record, fault);
}

bool store_batch_patch(struct store_batch *batch, struct proto_span record, const uint16_t *removed,
                       size_t removed_count, struct proto_fault *fault)
{
    struct store_command command = {.kind = STORE_COMMAND_PATCH, .text = record};
    command.extra = (struct proto_span){(const uint8_t *)removed, removed_count * 2};
    return removed_checked(removed_count, fault) && record_checked(record, fault) &&
           batch_add(batch, &command, fault);
}

static bool id_checked(struct proto_span id, struct proto_fault *fault)
{
    return (id.bytes > 0 && id.bytes <= PROTO_ID_BYTES_MAX) ||
           proto_fault_set(fault, PROTO_BAD_FIELD, "id", "an id has 1 to %d bytes, not %zu",
                           PROTO_ID_BYTES_MAX, id.bytes);
}

bool store_batch_delete(struct store_batch *batch, struct proto_span id, struct proto_fault *fault)
{
    struct store_command command = {.kind = STORE_COMMAND_DELETE, .text = id};
    return id_checked(id, fault) && batch_add(batch, &command, fault);
}

static bool document_checked(struct proto_span text, struct proto_span reason,
                             struct proto_fault *fault)
{
    if (text.bytes > PROTO_DOCUMENT_BYTES_MAX) {
        return proto_fault_set(fault, PROTO_TOO_LARGE, "document",
                               "a document of %zu bytes; at most %d", text.bytes,
                               PROTO_DOCUMENT_BYTES_MAX);
    }
    if (reason.bytes > STORE_REASON_BYTES_MAX) {
        return proto_fault_set(fault, PROTO_TOO_LARGE, "reason",
                               "a reason of %zu bytes; at most %u", reason.bytes,
                               STORE_REASON_BYTES_MAX);
    }
    return true;
}

/* What a document says beside its text: the reason of an activation, or packed ids; *packed is
 * malloc'd, or NULL. */
static bool document_extra(const struct store_document *document, struct proto_span *extra,
                           uint8_t **packed, struct proto_fault *fault)
{
    size_t bytes = 0;
    *packed = NULL;
    *extra = document->reason;
    if (document->kind != STORE_DOCUMENT_TAL) {
        return true;
    }
    if (document->id_count > PROTO_TAL_ENTRIES_MAX) {
        return proto_fault_set(fault, PROTO_TOO_LARGE, "k", "a list of %zu accounts; at most %d",
                               document->id_count, PROTO_TAL_ENTRIES_MAX);
    }
    uint8_t *room = malloc(document->id_count * (1 + PROTO_ID_BYTES_MAX) + 1);
    if (room == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a list");
    }
    for (size_t i = 0; i < document->id_count; i++) {
        struct proto_span id = document->ids[i];
        if (!id_checked(id, fault)) {
            free(room);
            return false;
        }
        room[bytes] = (uint8_t)id.bytes;
        memcpy(room + bytes + 1, id.data, id.bytes);
        bytes += 1 + id.bytes;
    }
    *packed = room;
    *extra = (struct proto_span){room, bytes};
    return true;
}

bool store_batch_document(struct store_batch *batch, const struct store_document *document,
                          struct proto_fault *fault)
{
    static const enum store_command_kind kinds[STORE_DOCUMENT_COUNT] = {
        [STORE_DOCUMENT_SCHEMA] = STORE_COMMAND_SCHEMA,
        [STORE_DOCUMENT_ICP] = STORE_COMMAND_ICP,
        [STORE_DOCUMENT_TAL] = STORE_COMMAND_LIST,
        [STORE_DOCUMENT_TERM] = STORE_COMMAND_TERM,
        [STORE_DOCUMENT_METRIC] = STORE_COMMAND_METRIC,
        [STORE_DOCUMENT_CHALLENGE] = STORE_COMMAND_CHALLENGE,
        [STORE_DOCUMENT_SEGMENT] = STORE_COMMAND_SEGMENT,
    };
    struct store_command command = {.kind = kinds[document->kind],
                                    .activate = document->activate,
                                    .version = document->number,
                                    .text = document->text};
    uint8_t *packed;
    assert(command.kind != 0);
    bool good = document_checked(document->text, document->reason, fault) &&
                document_extra(document, &command.extra, &packed, fault);
    if (!good) {
        return false;
    }
    good = batch_add(batch, &command, fault);
    free(packed);
    return good;
}

bool store_batch_activate(struct store_batch *batch, uint32_t version, struct proto_span reason,
                          struct proto_fault *fault)
{
    struct store_command command = {
        .kind = STORE_COMMAND_ACTIVATE, .version = version, .extra = reason};
    return document_checked(command.text, reason, fault) && batch_add(batch, &command, fault);
}

bool store_batch_revert(struct store_batch *batch, struct proto_span reason,
                        struct proto_fault *fault)
{
    struct store_command command = {.kind = STORE_COMMAND_REVERT, .extra = reason};
    return document_checked(command.text, reason, fault) && batch_add(batch, &command, fault);
}

bool store_batch_drop(struct store_batch *batch, uint32_t number, struct proto_span reason,
                      struct proto_fault *fault)
{
    struct store_command command = {.kind = STORE_COMMAND_DROP, .version = number, .extra = reason};
    return document_checked(command.text, reason, fault) && batch_add(batch, &command, fault);
}

bool store_batch_operation(struct store_batch *batch, struct proto_span id, uint64_t digest,
                           struct proto_fault *fault)
{
    uint8_t extra[sizeof digest];
    struct store_command command = {.kind = STORE_COMMAND_OPERATION, .text = id};
    if (id.bytes == 0 || id.bytes > PROTO_OPERATION_BYTES_MAX) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "operation",
                               "an operation id has 1 to %d bytes, not %zu",
                               PROTO_OPERATION_BYTES_MAX, id.bytes);
    }
    assert(batch->operation_bytes == 0);
    disk_set_u64(extra, digest);
    command.extra = (struct proto_span){extra, sizeof extra};
    if (!batch_add(batch, &command, fault)) {
        return false;
    }
    memcpy(batch->operation, id.data, id.bytes);
    batch->operation_bytes = (uint8_t)id.bytes;
    batch->operation_digest = digest;
    return true;
}

bool store_batch_author(struct store_batch *batch, struct proto_span author,
                        struct proto_fault *fault)
{
    struct store_command command = {.kind = STORE_COMMAND_AUTHOR, .text = author};
    assert(author.bytes <= STORE_AUTHOR_BYTES_MAX);
    return batch_add(batch, &command, fault);
}

bool store_batch_import(struct store_batch *batch, struct proto_span id,
                        enum store_import_word word, struct proto_span more,
                        struct proto_fault *fault)
{
    struct store_command command = {
        .kind = STORE_COMMAND_IMPORT, .version = word, .text = id, .extra = more};
    if (id.bytes == 0 || id.bytes > PROTO_IMPORT_BYTES_MAX) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "import_id",
                               "the id of an import has 1 to %d bytes, not %zu",
                               PROTO_IMPORT_BYTES_MAX, id.bytes);
    }
    return batch_add(batch, &command, fault);
}

bool store_batch_undo(struct store_batch *batch, struct proto_span told, const uint64_t *seqs,
                      size_t count, struct proto_fault *fault)
{
    uint8_t *extra = malloc(count * sizeof *seqs + 1);
    if (extra == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a batch");
    }
    for (size_t i = 0; i < count; i++) {
        disk_set_u64(extra + i * sizeof *seqs, seqs[i]);
    }
    struct store_command command = {
        .kind = STORE_COMMAND_UNDO, .text = told, .extra = {extra, count * sizeof *seqs}};
    bool good = record_checked(told, fault) && batch_add(batch, &command, fault);
    free(extra);
    return good;
}

bool store_batch_slots(struct store_batch *batch, struct proto_span slots,
                       struct proto_fault *fault)
{
    struct store_command command = {.kind = STORE_COMMAND_SLOTS, .text = slots};
    return batch_add(batch, &command, fault);
}

size_t store_batch_slots_room(struct store_batch *batch, size_t most)
{
    struct proto_fault none;
    most = most < batch->commands ? most : batch->commands;
    bool room = most > 0 &&
                batch_reserve(batch, STORE_COMMAND_HEADER_BYTES + most * sizeof(uint32_t), &none);
    return room ? most : 0;
}

void store_batch_deadline(struct store_batch *batch, int64_t deadline_ms)
{
    batch->deadline_ms = deadline_ms;
}

static unsigned flags_most(uint8_t kind)
{
    return kind == STORE_COMMAND_PATCH ? STORE_PATCH_CREATE | STORE_PATCH_DATED : 1;
}

bool store_command_next(struct proto_span bytes, size_t *at, struct store_command *command,
                        struct proto_fault *fault)
{
    assert(*at <= bytes.bytes);
    size_t left = bytes.bytes - *at;
    if (left == 0) {
        return false;
    }
    const uint8_t *head = bytes.data + *at;
    if (left < STORE_COMMAND_HEADER_BYTES || head[0] < STORE_COMMAND_PUT ||
        head[0] > STORE_COMMAND_LAST || head[1] > flags_most(head[0]) ||
        disk_get_u16(head + 2) != 0) {
        return proto_fault_set(fault, PROTO_CORRUPT, "log", "byte %zu of a batch begins no command",
                               *at);
    }
    size_t text = disk_get_u32(head + 8);
    size_t extra = disk_get_u32(head + 12);
    left -= STORE_COMMAND_HEADER_BYTES;
    if (text > left || extra > left - text) {
        return proto_fault_set(fault, PROTO_CORRUPT, "log",
                               "the command at byte %zu of a batch is longer than the batch", *at);
    }
    command->kind = (enum store_command_kind)head[0];
    bool patch = command->kind == STORE_COMMAND_PATCH;
    command->patch = patch ? head[1] : 0;
    command->activate = head[1] == 1 && !patch;
    command->version = disk_get_u32(head + 4);
    command->text = (struct proto_span){head + STORE_COMMAND_HEADER_BYTES, text};
    command->extra = (struct proto_span){command->text.data + text, extra};
    *at += STORE_COMMAND_HEADER_BYTES + text + extra;
    return true;
}

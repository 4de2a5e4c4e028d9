/* SPDX-License-Identifier: Apache-2.0 */
/* An identity entry of a batch. The records that it names are found; it becomes the newest of their
 * chains: an entry knows the one before it of each record, and a record the newest of its own. Then
 * which records are one account is worked out anew from there (plan_regroup.c). One that takes
 * another away writes that once more; an entry that is none, or names nobody, is refused. */
#include "server/store/plan_identity.h"

#include <assert.h>
#include <stdlib.h>

#include "server/store/command.h"

/* The entry of a number as this batch or, before it, the table has it. */
bool store_plan_entry(const struct store_plan *plan, uint32_t number, struct identity_entry *entry,
                      int64_t *time_ms, struct proto_fault *fault)
{
    struct store_change change = {.text = {NULL, 0}};
    size_t at = plan->document_count;
    while (at > 0 && (plan->documents[at - 1].kind != STORE_DOCUMENT_IDENTITY ||
                      plan->documents[at - 1].number != number)) {
        at--;
    }
    if (at > 0) {
        change.text = plan->documents[at - 1].sealed.text;
        change.time_ms = plan->documents[at - 1].sealed.time_ms;
    } else if (!store_document_read(plan->sight, STORE_DOCUMENT_IDENTITY, number, &change, fault)) {
        return false;
    }
    *time_ms = change.time_ms;
    *entry = (struct identity_entry){.act = IDENTITY_NO_ACT};
    return change.text.bytes == 0 || identity_entry_decode(change.text, entry) ||
           proto_fault_set(fault, PROTO_CORRUPT, "identity", "identity entry %u is none", number);
}

static bool entry_put(struct store_plan *plan, uint32_t number, const struct identity_entry *entry,
                      int64_t time_ms, struct proto_fault *fault)
{
    struct disk_sealed sealed = {.text.bytes = identity_entry_bytes(entry)};
    uint8_t *text = malloc(sealed.text.bytes);
    if (text == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for an identity entry");
    }
    identity_entry_encode(entry, text);
    sealed.text.data = text;
    if (!store_plan_keep(plan, text, fault)) {
        return false;
    }
    struct store_plan_document *document =
        store_plan_document_put(plan, STORE_DOCUMENT_IDENTITY, number, &sealed, fault);
    if (document == NULL) {
        return false;
    }
    document->sealed.time_ms = time_ms;
    return true;
}

bool store_plan_record_id(struct store_plan *plan, uint32_t slot, struct proto_span *id,
                          struct proto_fault *fault)
{
    const struct store_plan_account *account = store_plan_account_load(plan, slot, fault);
    struct feature_record parts;
    if (account == NULL || !feature_record_open(account->record, false, &parts, fault)) {
        return false;
    }
    *id = parts.id;
    return true;
}

bool store_plan_source_find(struct store_plan *plan, struct proto_span id, uint32_t *slot,
                            struct proto_fault *fault)
{
    const struct store_plan_text *text =
        store_plan_text_load(plan, STORE_KIND_ID, id, STORE_NO_SLOT, fault);
    *slot = text == NULL ? STORE_NO_SLOT : text->now;
    return text != NULL && store_plan_source(plan, STORE_KIND_ID, id, slot, fault);
}

/* The source record that an entry names by id or, where that is nobody's, by key. */
static bool named_find(struct store_plan *plan, struct proto_span id, struct proto_span key,
                       const char *field, uint32_t *slot, struct proto_fault *fault)
{
    const struct store_plan_text *text =
        store_plan_text_load(plan, STORE_KIND_ID, id, STORE_NO_SLOT, fault);
    enum store_kind kind = STORE_KIND_ID;
    struct proto_span named = id;
    if (text != NULL && text->now == STORE_NO_SLOT && key.bytes > 0) {
        kind = STORE_KIND_KEY;
        named = key;
        text = store_plan_text_load(plan, kind, key, STORE_NO_SLOT, fault);
    }
    if (text == NULL) {
        return false;
    }
    *slot = text->now;
    return *slot == STORE_NO_SLOT
               ? proto_fault_set(fault, PROTO_NOT_FOUND, field, "there is no account \"%.*s\"",
                                 (int)id.bytes, (const char *)id.data)
               : store_plan_source(plan, kind, named, slot, fault);
}

static bool records_name(struct store_plan *plan, struct identity_entry *entry,
                         struct proto_span keys, uint32_t number, uint8_t *slots,
                         struct proto_fault *fault)
{
    static const char *const fields[] = {"account", "other"};
    uint32_t found[2] = {STORE_NO_SLOT, STORE_NO_SLOT};
    unsigned count = identity_act_records(entry->act);
    size_t at = 0;
    assert(count <= 2);
    for (unsigned i = 0; i < count; i++) {
        struct proto_span key = {NULL, 0};
        if (at < keys.bytes && keys.data[at] < keys.bytes - at) {
            key = (struct proto_span){keys.data + at + 1, keys.data[at]};
            at += 1 + key.bytes;
        }
        if (!named_find(plan, entry->ids[i], key, fields[i], &found[i], fault)) {
            return false;
        }
    }
    if (count == 2 && found[0] == found[1]) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "other",
                               "both are the same source record \"%.*s\"", (int)entry->ids[0].bytes,
                               (const char *)entry->ids[0].data);
    }
    for (unsigned i = 0; i < count; i++) {
        if (!store_plan_record_id(plan, found[i], &entry->ids[i], fault)) {
            return false;
        }
        struct store_plan_account *account = store_plan_account_find(plan, found[i]);
        entry->before[i] = account->entry;
        account->entry = number;
        account->changed = true;
        disk_set_u32(slots + i * sizeof(uint32_t), found[i]);
    }
    return true;
}

/* The entry that an undo takes away is written once more, and whom it names is where something
 * changes. */
static bool entry_take_away(struct store_plan *plan, uint32_t what, uint32_t number, uint8_t *slots,
                            size_t *count, struct proto_fault *fault)
{
    struct identity_entry entry;
    int64_t time_ms;
    if (what == 0 || what >= number) {
        return proto_fault_set(fault, PROTO_NOT_FOUND, "entry", "there is no identity entry %u",
                               what);
    }
    if (!store_plan_entry(plan, what, &entry, &time_ms, fault)) {
        return false;
    }
    if (entry.act == IDENTITY_NO_ACT) {
        return proto_fault_set(fault, PROTO_NOT_FOUND, "entry",
                               "identity entry %u was damaged and given up", what);
    }
    if (entry.act == IDENTITY_UNDO || entry.taken_by != 0) {
        return proto_fault_set(fault, PROTO_CONFLICT, "entry",
                               entry.act == IDENTITY_UNDO
                                   ? "entry %u is an undo: say again what it took away"
                                   : "entry %u was taken away by entry %u already",
                               what, entry.taken_by);
    }
    entry.taken_by = number;
    if (!entry_put(plan, what, &entry, time_ms, fault)) {
        return false;
    }
    for (unsigned i = 0; i < identity_act_records(entry.act); i++) {
        uint32_t slot;
        if (!store_plan_source_find(plan, entry.ids[i], &slot, fault)) {
            return false;
        }
        if (slot != STORE_NO_SLOT) {
            disk_set_u32(slots + *count * sizeof slot, slot);
            ++*count;
        }
    }
    return true;
}

bool store_plan_identity(struct store_plan *plan, const struct store_command *command,
                         struct proto_fault *fault)
{
    struct identity_entry entry;
    uint8_t slots[2 * sizeof(uint32_t)];
    size_t count = 0;
    uint32_t number = 0;
    if (!identity_entry_decode(command->text, &entry)) {
        return proto_fault_set(fault, PROTO_CORRUPT, "log", "an identity entry that is none");
    }
    if (!store_plan_document_number(plan, STORE_DOCUMENT_IDENTITY, 0, &number, fault)) {
        return false;
    }
    if (entry.act == IDENTITY_UNDO) {
        if (!entry_take_away(plan, entry.what, number, slots, &count, fault)) {
            return false;
        }
    } else if (command->version == 0) {
        count = identity_act_records(entry.act);
        if (!records_name(plan, &entry, command->extra, number, slots, fault)) {
            return false;
        }
    }
    plan->count++;
    return entry_put(plan, number, &entry, plan->now_ms, fault) &&
           store_plan_regroup(plan, (struct proto_span){slots, count * sizeof(uint32_t)}, number,
                              fault);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/plan.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/store/command.h"
#include "server/store/past_table.h"
#include "server/store/plan_ahead.h"
#include "server/store/position.h"

void store_plan_init(struct store_plan *plan, const struct store_hasher *hasher)
{
    *plan = (struct store_plan){.hasher = hasher, .events_max = PROTO_ACCOUNT_EVENTS_MAX};
}

void store_plan_fini(struct store_plan *plan)
{
    store_plan_reset(plan);
    store_patch_room_fini(&plan->patch_room);
    store_plan_turn(plan);
    free(plan->held);
    free(plan->accounts);
    free(plan->texts);
    free(plan->documents);
    free(plan->kept);
    free(plan->again);
    free(plan->account_cells.at);
    free(plan->text_cells.at);
    free(plan->past_room);
    free(plan->events);
    free(plan->event_cells.at);
}

struct store_plan_account *store_plan_account_load(struct store_plan *plan, uint32_t slot,
                                                   struct proto_fault *fault)
{
    struct store_plan_account *account = store_plan_account_find(plan, slot);
    if (account != NULL) {
        return account;
    }
    struct store_account was;
    struct feature_record parts;
    if (!store_account_get(plan->sight, slot, &was, fault) ||
        (!was.deleted && !feature_record_open(was.record, false, &parts, fault))) {
        return NULL;
    }
    account = store_plan_account_add(plan, slot, fault);
    if (account == NULL) {
        return NULL;
    }
    account->record = was.record;
    account->created_s = was.deleted ? 0 : (uint32_t)parts.created_s;
    account->changed_s = was.deleted ? 0 : (uint32_t)parts.changed_s;
    account->begun = was.begun;
    account->past_had = was.past;
    account->entry = was.entry;
    account->fold = was.fold;
    account->members = was.members;
    return account;
}

struct store_plan_text *store_plan_text_load(struct store_plan *plan, enum store_kind kind,
                                             struct proto_span text, uint32_t owner,
                                             struct proto_fault *fault)
{
    uint64_t hash = store_hash_text(plan->hasher, kind, text);
    struct store_plan_text *entry = store_plan_text_find(plan, kind, hash, text);
    if (entry != NULL) {
        return entry;
    }
    if (owner == STORE_NO_SLOT && !store_resolve(plan->sight, kind, text, hash, &owner, fault)) {
        return NULL;
    }
    entry = store_plan_text_add(plan, kind, hash, text, fault);
    if (entry != NULL) {
        entry->was = entry->now = owner;
    }
    return entry;
}

static bool conflict(struct store_plan *plan, struct proto_span key, size_t position,
                     uint32_t owner, struct proto_fault *fault)
{
    struct store_plan_account *other = store_plan_account_load(plan, owner, fault);
    struct feature_record parts;
    char field[24];
    if (other == NULL || !feature_record_open(other->record, false, &parts, fault)) {
        return false;
    }
    snprintf(field, sizeof field, "keys[%zu]", position);
    return proto_fault_set(
        fault, PROTO_CONFLICT, field,
        "the key \"%.*s\" already names the account \"%.*s\"; take it from there "
        "first",
        (int)key.bytes, (const char *)key.data, (int)parts.id.bytes, (const char *)parts.id.data);
}

/* Lets go of the keys that the record has and `keep` (or nothing, if its id is empty) has not. */
static bool keys_release(struct store_plan *plan, const struct feature_record *record,
                         struct proto_span keep, uint32_t owner, struct proto_fault *fault)
{
    size_t at = 0;
    struct proto_span key;
    while (feature_record_key_next(record, &at, &key)) {
        if (keep.bytes > 0 && store_record_has(keep, STORE_KIND_KEY, key)) {
            continue;
        }
        struct store_plan_text *text =
            store_plan_text_load(plan, STORE_KIND_KEY, key, owner, fault);
        if (text == NULL) {
            return false;
        }
        text->now = STORE_NO_SLOT;
    }
    return true;
}

/* Another source record of the same account that has the key; STORE_NO_SLOT: none has. */
static uint32_t sibling_with(struct store_plan *plan, uint32_t fold, uint32_t slot,
                             struct proto_span key, struct proto_fault *fault)
{
    const struct store_plan_account *account = store_plan_account_load(plan, fold, fault);
    struct proto_span members = account == NULL ? (struct proto_span){NULL, 0} : account->members;
    for (size_t i = 0; i < store_member_count(members); i++) {
        uint32_t member = store_member(members, i);
        account = store_plan_account_load(plan, member, fault);
        if (account == NULL) {
            break;
        }
        if (member != slot && account->record.bytes > 0 &&
            store_record_has(account->record, STORE_KIND_KEY, key)) {
            return member;
        }
    }
    return STORE_NO_SLOT;
}

/* Takes the keys of the record of the slot for its owner, itself or its fold; what `had` (the
 * record before) has needs no look-up. */
static bool keys_take(struct store_plan *plan, const struct feature_record *record,
                      struct proto_span had, uint32_t slot, uint32_t owner,
                      struct proto_fault *fault)
{
    size_t at = 0;
    struct proto_span key;
    for (size_t i = 0; feature_record_key_next(record, &at, &key); i++) {
        if (had.bytes > 0 && store_record_has(had, STORE_KIND_KEY, key)) {
            continue;
        }
        struct store_plan_text *text =
            store_plan_text_load(plan, STORE_KIND_KEY, key, STORE_NO_SLOT, fault);
        if (text == NULL) {
            return false;
        }
        uint32_t other = text->now == owner ? STORE_NO_SLOT : text->now;
        text->now = other == STORE_NO_SLOT ? owner : text->now;
        if (owner != slot && other == STORE_NO_SLOT) {
            other = sibling_with(plan, owner, slot, key, fault);
        }
        if (other != STORE_NO_SLOT) {
            return conflict(plan, key, i, other, fault);
        }
        if (fault->code != PROTO_OK) {
            return false;
        }
    }
    return true;
}

bool store_plan_set(struct store_plan *plan, uint32_t slot, struct proto_span record,
                    struct proto_fault *fault)
{
    struct store_plan_account *account = store_plan_account_find(plan, slot);
    struct proto_span had = account->record;
    uint32_t owner = account->fold == STORE_NO_SLOT ? slot : account->fold;
    struct feature_record old = {0};
    struct feature_record parts = {0};
    account->record = record;
    account->changed = true;
    account->changed_s = (uint32_t)(plan->now_ms / 1000);
    return (had.bytes == 0 || feature_record_open(had, false, &old, fault)) &&
           (record.bytes == 0 || feature_record_open(record, false, &parts, fault)) &&
           (had.bytes == 0 || keys_release(plan, &old, record, owner, fault)) &&
           (record.bytes == 0 || keys_take(plan, &parts, had, slot, owner, fault));
}

/* A new account, in a slot that is new or free. */
static struct store_plan_account *account_begin(struct store_plan *plan, struct proto_fault *fault)
{
    uint32_t slot = store_plan_slot(plan, fault);
    if (slot == STORE_NO_SLOT) {
        return NULL;
    }
    bool last = slot == plan->next.slots;
    plan->next.slots += last;
    struct store_plan_account *account = last ? store_plan_account_add(plan, slot, fault)
                                              : store_plan_account_load(plan, slot, fault);
    if (account != NULL && account->record.bytes > 0) {
        proto_fault_set(fault, PROTO_CORRUPT, "log", "slot %u was given again, and is not free",
                        slot);
        return NULL;
    }
    if (account != NULL) {
        account->fresh = account->past_anew = true;
    }
    return account;
}

struct store_plan_text *store_plan_named(struct store_plan *plan,
                                         const struct store_command *command,
                                         struct feature_record *parts, struct proto_fault *fault)
{
    return feature_record_open(command->text, false, parts, fault)
               ? store_plan_text_load(plan, STORE_KIND_ID, parts->id, STORE_NO_SLOT, fault)
               : NULL;
}

static bool plan_put(struct store_plan *plan, const struct store_command *command,
                     struct proto_fault *fault)
{
    struct feature_record parts;
    struct store_plan_text *id = store_plan_named(plan, command, &parts, fault);
    if (id == NULL) {
        return false;
    }
    uint32_t slot = id->now;
    if (!store_plan_source(plan, STORE_KIND_ID, parts.id, &slot, fault)) {
        return false;
    }
    if (slot == STORE_NO_SLOT) {
        struct store_plan_account *account = account_begin(plan, fault);
        if (account == NULL) {
            return false;
        }
        slot = id->now = account->slot;
        plan->next.accounts++;
        plan->created++;
        account->created_s = (uint32_t)(plan->now_ms / 1000);
    } else {
        struct store_plan_account *account = store_plan_account_load(plan, slot, fault);
        if (account == NULL || !store_plan_past(plan, account, command->text, NULL, fault)) {
            return false;
        }
    }
    plan->count++;
    return store_plan_set(plan, slot, command->text, fault) && store_plan_refold(plan, slot, fault);
}

/* A new account with the times that its record says. */
static bool plan_place(struct store_plan *plan, const struct store_command *command,
                       struct proto_fault *fault)
{
    struct feature_record parts;
    struct store_plan_text *id = store_plan_named(plan, command, &parts, fault);
    if (id == NULL) {
        return false;
    }
    if (id->now != STORE_NO_SLOT) {
        return proto_fault_set(fault, PROTO_CONFLICT, "id", "there is an account \"%.*s\" already",
                               (int)parts.id.bytes, (const char *)parts.id.data);
    }
    if (!plan_put(plan, command, fault)) {
        return false;
    }
    id = store_plan_text_load(plan, STORE_KIND_ID, parts.id, STORE_NO_SLOT, fault);
    struct store_plan_account *account = id == NULL ? NULL : store_plan_account_find(plan, id->now);
    if (account == NULL) {
        return false;
    }
    account->created_s = (uint32_t)parts.created_s;
    account->changed_s = (uint32_t)parts.changed_s;
    if (command->version == 1) {
        account->past = command->extra;
        return true;
    }
    return parts.changed_s <= parts.created_s ||
           store_plan_past_mark(plan, account, parts.changed_s * 1000, fault);
}

static bool plan_time(struct store_plan *plan, const struct store_command *command,
                      struct proto_fault *fault)
{
    if (command->text.bytes != sizeof plan->now_ms) {
        return proto_fault_set(fault, PROTO_CORRUPT, "log", "a time that is none");
    }
    plan->now_ms = (int64_t)disk_get_u64(command->text.data);
    return true;
}

static bool plan_patch(struct store_plan *plan, const struct store_command *command,
                       struct proto_fault *fault)
{
    struct feature_record parts;
    struct store_plan_text *id = store_plan_named(plan, command, &parts, fault);
    if (id == NULL) {
        return false;
    }
    if (id->now == STORE_NO_SLOT && (command->patch & STORE_PATCH_CREATE) != 0) {
        return plan_put(plan, command, fault);
    }
    if (id->now == STORE_NO_SLOT) {
        return proto_fault_set(fault, PROTO_NOT_FOUND, "id", "there is no account \"%.*s\"",
                               (int)parts.id.bytes, (const char *)parts.id.data);
    }
    uint32_t slot = id->now;
    if (!store_plan_source(plan, STORE_KIND_ID, parts.id, &slot, fault)) {
        return false;
    }
    struct store_plan_account *account = store_plan_account_load(plan, slot, fault);
    if (account == NULL) {
        return false;
    }
    size_t bytes = 0;
    uint8_t *joined = store_patch(&plan->patch_room, account->record, command, &bytes, fault);
    if (joined == NULL || !store_plan_keep(plan, joined, fault) ||
        !store_plan_past(plan, account, (struct proto_span){joined, bytes}, command, fault)) {
        return false;
    }
    plan->count++;
    return store_plan_set(plan, slot, (struct proto_span){joined, bytes}, fault) &&
           store_plan_refold(plan, slot, fault);
}

/* What is left of the account whose source record was deleted. */
static bool source_leave(struct store_plan *plan, uint32_t slot, uint32_t fold,
                         struct proto_fault *fault)
{
    struct store_plan_account *account = store_plan_account_find(plan, slot);
    account->entry = 0;
    account->fold = STORE_NO_SLOT;
    if (fold == STORE_NO_SLOT) {
        return true;
    }
    account = store_plan_account_load(plan, fold, fault);
    return account != NULL && store_plan_regroup(plan, account->members, 0, fault);
}

bool store_plan_delete(struct store_plan *plan, const struct store_command *command,
                       struct proto_fault *fault)
{
    struct store_plan_text *id =
        store_plan_text_load(plan, STORE_KIND_ID, command->text, STORE_NO_SLOT, fault);
    if (id == NULL) {
        return false;
    }
    uint32_t slot = id->now;
    if (slot == STORE_NO_SLOT) {
        return true;
    }
    if (!store_plan_source(plan, STORE_KIND_ID, command->text, &slot, fault)) {
        return false;
    }
    id = store_plan_text_load(plan, STORE_KIND_ID, command->text, STORE_NO_SLOT, fault);
    struct store_plan_account *account = store_plan_account_load(plan, slot, fault);
    if (id == NULL || account == NULL) {
        return false;
    }
    id->now = STORE_NO_SLOT;
    plan->count++;
    uint32_t fold = account->fold;
    plan->next.accounts -= fold == STORE_NO_SLOT;
    plan->next.sources -= fold != STORE_NO_SLOT;
    account->fresh = false;
    account->begun = 0;
    account->past_anew = true;
    account->past = (struct proto_span){NULL, 0};
    return store_plan_set(plan, slot, (struct proto_span){NULL, 0}, fault) &&
           source_leave(plan, slot, fold, fault) && store_plan_event_cut(plan, slot, fault);
}

static bool plan_activate(struct store_plan *plan, const struct store_command *command,
                          struct proto_fault *fault)
{
    if (command->version == 0 || command->version > plan->next.icp_version) {
        return proto_fault_set(fault, PROTO_NOT_FOUND, "version",
                               "there is no ICP version %u; the last is %u", command->version,
                               plan->next.icp_version);
    }
    return store_plan_switch(plan, command->version, command->extra, fault);
}

static bool plan_revert(struct store_plan *plan, const struct store_command *command,
                        struct proto_fault *fault)
{
    if (plan->next.previous == 0) {
        return proto_fault_set(fault, PROTO_NOT_FOUND, "",
                               "no ICP version was active before: there is nothing to go back to");
    }
    return store_plan_switch(plan, plan->next.previous, command->extra, fault);
}

/* Whether it was applied before is seen before it is planned (commit.c). */
static bool plan_operation(struct store_plan *plan, const struct store_command *command,
                           struct proto_fault *fault)
{
    if (command->text.bytes == 0 || command->text.bytes > PROTO_OPERATION_BYTES_MAX ||
        command->extra.bytes != sizeof(uint64_t) || plan->operation.bytes > 0) {
        return proto_fault_set(fault, PROTO_CORRUPT, "log", "an operation id that is none");
    }
    plan->operation = command->text;
    plan->operation_digest = disk_get_u64(command->extra.data);
    return true;
}

static bool plan_command(struct store_plan *plan, const struct store_command *command,
                         struct proto_fault *fault)
{
    switch (command->kind) {
    case STORE_COMMAND_PUT:
        return plan_put(plan, command, fault);
    case STORE_COMMAND_PLACE:
        return plan_place(plan, command, fault);
    case STORE_COMMAND_TIME:
        return plan_time(plan, command, fault);
    case STORE_COMMAND_PATCH:
        return plan_patch(plan, command, fault);
    case STORE_COMMAND_DELETE:
        return store_plan_delete(plan, command, fault);
    case STORE_COMMAND_SCHEMA:
        return store_plan_document(plan, STORE_DOCUMENT_SCHEMA, command, fault);
    case STORE_COMMAND_ICP:
        return store_plan_document(plan, STORE_DOCUMENT_ICP, command, fault);
    case STORE_COMMAND_ACTIVATE:
        return plan_activate(plan, command, fault);
    case STORE_COMMAND_REVERT:
        return plan_revert(plan, command, fault);
    case STORE_COMMAND_DROP:
        return store_plan_drop(plan, command, fault);
    case STORE_COMMAND_OPERATION:
        return plan_operation(plan, command, fault);
    case STORE_COMMAND_EVENT:
        return store_plan_event(plan, command, fault);
    case STORE_COMMAND_UNDO:
        return store_plan_undo(plan, command, fault);
    case STORE_COMMAND_IDENTITY:
        return store_plan_identity(plan, command, fault);
    case STORE_COMMAND_TERM:
        return store_plan_document(plan, STORE_DOCUMENT_TERM, command, fault);
    case STORE_COMMAND_CHALLENGE:
        return store_plan_document(plan, STORE_DOCUMENT_CHALLENGE, command, fault);
    case STORE_COMMAND_SEGMENT:
        return store_plan_document(plan, STORE_DOCUMENT_SEGMENT, command, fault);
    case STORE_COMMAND_AUTHOR: /* for the audit alone */
    case STORE_COMMAND_IMPORT: /* for the list of imports alone */
    case STORE_COMMAND_SLOTS:  /* seen before the first (plan_slot.c) */
        return true;
    case STORE_COMMAND_TAL:
    case STORE_COMMAND_LIST:
        return store_plan_document(plan, STORE_DOCUMENT_TAL, command, fault);
    case STORE_COMMAND_METRIC:
        return store_plan_document(plan, STORE_DOCUMENT_METRIC, command, fault);
    case STORE_COMMAND_POSITION:
        return store_position_plan(command, &plan->next, fault);
    }
    return proto_fault_set(fault, PROTO_INTERNAL, "", "unknown command %d", (int)command->kind);
}

static bool fault_place(struct proto_fault *fault, const char *list, size_t position)
{
    if (fault->field[0] != '\0') {
        return proto_fault_within(fault, "%s[%zu]", list, position);
    }
    snprintf(fault->field, sizeof fault->field, "%s[%zu]", list, position);
    return false;
}

bool store_plan_batch(struct store_plan *plan, const struct store_sight *sight,
                      const struct disk_state *state, struct proto_span commands, int64_t now_ms,
                      struct proto_fault *fault)
{
    store_plan_reset(plan);
    plan->sight = sight;
    plan->next = *state;
    plan->now_ms = now_ms;
    plan->relist = false;
    if (!store_plan_given(plan, commands, fault)) {
        return false;
    }
    struct proto_fault end = {.code = PROTO_OK};
    struct store_command command;
    size_t at = 0;
    struct store_plan_ahead ahead;
    ahead.planned = 0;
    for (size_t position = 0; store_command_next(commands, &at, &command, &end); position++) {
        if (command.kind == STORE_COMMAND_EVENT) {
            store_plan_ahead(&ahead, plan, commands, &command);
        }
        if (plan_command(plan, &command, fault)) {
            continue;
        }
        bool account = command.kind <= STORE_COMMAND_DELETE ||
                       command.kind == STORE_COMMAND_PLACE || command.kind == STORE_COMMAND_UNDO;
        const char *list = account                                  ? "accounts"
                           : command.kind == STORE_COMMAND_EVENT    ? "events"
                           : command.kind == STORE_COMMAND_IDENTITY ? "entries"
                                                                    : NULL;
        return list != NULL ? fault_place(fault, list, position) : false;
    }
    if (end.code != PROTO_OK) {
        *fault = end;
    }
    return end.code == PROTO_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A document gets the next number of its kind and is added to the plan as it will be kept: a schema
 * with ids for its fields, a list with the slots that its ids have, anything else as it came. What
 * it was made for may be another number by now, and there is a limit to each kind: then the batch
 * is refused. A list that is given up keeps its number, and nothing else. */
#include <stdlib.h>
#include <string.h>

#include "server/store/command.h"
#include "server/store/plan.h"

/* The number that a document gets: the next of its kind, which must be the one that is wanted
 * unless that is 0. */
bool store_plan_document_number(const struct store_plan *plan, enum store_document_kind kind,
                                uint32_t wanted, uint32_t *number, struct proto_fault *fault)
{
    const struct store_document_info *info = store_document_info(kind);
    uint32_t last = store_document_last(&plan->next, kind);
    if (last >= info->most) {
        return proto_fault_set(fault, PROTO_LIMIT, "", "the store holds %u of %s, its limit", last,
                               info->what);
    }
    *number = last + 1;
    return wanted == 0 || wanted == *number ||
           proto_fault_set(fault, PROTO_CONFLICT, "version",
                           "the next %s is %u, not %u: another came first", info->what, *number,
                           wanted);
}

struct store_plan_document *store_plan_document_put(struct store_plan *plan,
                                                    enum store_document_kind kind, uint32_t number,
                                                    const struct disk_sealed *sealed,
                                                    struct proto_fault *fault)
{
    struct store_plan_document *document = store_plan_document_add(plan, fault);
    if (document == NULL) {
        return NULL;
    }
    *document = (struct store_plan_document){.kind = kind, .number = number, .sealed = *sealed};
    document->sealed.time_ms = plan->now_ms;
    document->again = number <= store_document_last(&plan->next, kind);
    if (!document->again) {
        store_document_last_set(&plan->next, kind, number);
    }
    return document;
}

bool store_plan_drop(struct store_plan *plan, const struct store_command *command,
                     struct proto_fault *fault)
{
    static const uint8_t no_slots[sizeof(uint32_t)] = {0};
    const struct disk_sealed sealed = {.b = STORE_TAL_IDS, .text = {no_slots, sizeof no_slots}};
    if (command->version == 0 || command->version > plan->next.tals) {
        return proto_fault_set(fault, PROTO_NOT_FOUND, "number",
                               "there is no target account list %u", command->version);
    }
    return store_plan_document_put(plan, STORE_DOCUMENT_TAL, command->version, &sealed, fault) !=
           NULL;
}

bool store_plan_switch(struct store_plan *plan, uint32_t version, struct proto_span reason,
                       struct proto_fault *fault)
{
    uint32_t number = 0;
    if (version == plan->next.active) {
        return true;
    }
    struct disk_sealed sealed = {.a = version, .b = plan->next.active, .text = reason};
    if (!store_plan_document_number(plan, STORE_DOCUMENT_SWITCH, 0, &number, fault) ||
        store_plan_document_put(plan, STORE_DOCUMENT_SWITCH, number, &sealed, fault) == NULL) {
        return false;
    }
    plan->next.previous = plan->next.active;
    plan->next.active = version;
    return true;
}

/* The slots of the accounts that the ids of a list name, as this batch leaves them; who is gone is
 * passed over. */
static bool members_find(struct store_plan *plan, struct proto_span ids, struct proto_span *slots,
                         uint32_t *count, struct proto_fault *fault)
{
    uint8_t *found = malloc(ids.bytes / 2 * sizeof(uint32_t) + 1);
    if (found == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a list");
    }
    if (!store_plan_hold(plan, found, fault)) {
        return false;
    }
    struct proto_span id;
    size_t at = 0;
    for (*count = 0; store_ids_next(ids, &at, &id); ++*count) {
        struct store_plan_text *text =
            store_plan_text_load(plan, STORE_KIND_ID, id, STORE_NO_SLOT, fault);
        if (text == NULL) {
            return false;
        }
        if (text->now != STORE_NO_SLOT) {
            disk_set_u32(found + slots->bytes, text->now);
            slots->bytes += sizeof text->now;
        }
    }
    slots->data = found;
    return at == ids.bytes ||
           proto_fault_set(fault, PROTO_CORRUPT, "log", "byte %zu of a list begins no id", at);
}

/* A list of ids, in the form that it is kept in. */
static bool list_ids(struct store_plan *plan, const struct store_command *command,
                     struct disk_sealed *sealed, struct proto_span *slots,
                     struct proto_fault *fault)
{
    uint32_t count = 0;
    if (!members_find(plan, command->extra, slots, &count, fault)) {
        return false;
    }
    size_t bytes = command->text.bytes + sizeof(uint32_t) + command->extra.bytes;
    uint8_t *whole = malloc(bytes);
    if (whole == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a list");
    }
    if (!store_plan_keep(plan, whole, fault)) {
        return false;
    }
    if (command->text.bytes > 0) {
        memcpy(whole, command->text.data, command->text.bytes);
    }
    uint8_t *behind = whole + command->text.bytes;
    disk_set_u32(behind, plan->next.slots);
    if (command->extra.bytes > 0) {
        memcpy(behind + sizeof(uint32_t), command->extra.data, command->extra.bytes);
    }
    *sealed = (struct disk_sealed){
        .a = (uint32_t)command->text.bytes, .b = count | STORE_TAL_IDS, .text = {whole, bytes}};
    return true;
}

/* A list of slots: document and slots follow one another in the command, as in the table. */
static void list_slots(const struct store_command *command, struct disk_sealed *sealed,
                       struct proto_span *slots)
{
    *slots = command->extra;
    *sealed = (struct disk_sealed){
        .a = (uint32_t)command->text.bytes,
        .b = (uint32_t)(command->extra.bytes / sizeof(uint32_t)),
        .text = {command->text.data, command->text.bytes + command->extra.bytes}};
}

bool store_plan_document(struct store_plan *plan, enum store_document_kind kind,
                         const struct store_command *command, struct proto_fault *fault)
{
    struct disk_sealed sealed = {.text = command->text};
    struct proto_span slots = {0};
    uint32_t number = 0;
    if (!store_plan_document_number(plan, kind, command->version, &number, fault)) {
        return false;
    }
    if (kind == STORE_DOCUMENT_SCHEMA && command->version == 0 &&
        !store_plan_schema(plan, command->text, &sealed.text, fault)) {
        return false;
    }
    if (command->kind == STORE_COMMAND_LIST && !list_ids(plan, command, &sealed, &slots, fault)) {
        return false;
    }
    if (command->kind == STORE_COMMAND_TAL) {
        list_slots(command, &sealed, &slots);
    }
    struct store_plan_document *document =
        store_plan_document_put(plan, kind, number, &sealed, fault);
    if (document == NULL) {
        return false;
    }
    document->slots = slots;
    return !command->activate || store_plan_switch(plan, number, command->extra, fault);
}

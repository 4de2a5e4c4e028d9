/* SPDX-License-Identifier: Apache-2.0 */
/* An event of a batch: whose it is, whether the account has it, by what the batch itself brought
 * before, then by what is stored. What is there and tells the same is passed over; what tells
 * something else is refused, for an event is never changed; and so is one too many. A deletion
 * drops what the batch brought for the account, and ends what is stored. */
#include "server/store/command.h"
#include "server/store/plan.h"
#include "server/store/store_event.h"

static bool conflict(const struct event *event, struct proto_fault *fault)
{
    return proto_fault_set(
        fault, PROTO_CONFLICT, "id",
        "the event \"%.*s\" of \"%.*s\" is stored and tells something else: take "
        "it back by a retraction and tell it anew under another id",
        (int)event->id.bytes, (const char *)event->id.data, (int)event->source.bytes,
        (const char *)event->source.data);
}

/* Whether the account can be read: an index in memory leads to one that is damaged as well. What is
 * planned or in the overlay was checked when it was put there. */
static bool account_sound(struct store_plan *plan, uint32_t slot, struct proto_fault *fault)
{
    struct store_account account;
    return store_plan_account_find(plan, slot) != NULL ||
           store_sight_version(plan->sight, slot) != NULL ||
           store_account_get(plan->sight, slot, &account, fault);
}

/* Whose event it is; STORE_NO_SLOT with *fault. */
static uint32_t owner_of(struct store_plan *plan, const struct store_command *command,
                         struct proto_fault *fault)
{
    enum store_kind kind = command->version == 0 ? STORE_KIND_ID : STORE_KIND_KEY;
    const struct store_plan_text *text =
        store_plan_text_load(plan, kind, command->text, STORE_NO_SLOT, fault);
    if (text == NULL) {
        return STORE_NO_SLOT;
    }
    uint32_t slot = text->now;
    if (slot == STORE_NO_SLOT) {
        proto_fault_set(fault, PROTO_NOT_FOUND, "account", "there is no account \"%.*s\"",
                        (int)command->text.bytes, (const char *)command->text.data);
    }
    uint32_t named = slot;
    if (slot == STORE_NO_SLOT) {
        return slot;
    }
    if (plan->next.folds == 0) { /* no account has source records */
        return account_sound(plan, slot, fault) ? slot : STORE_NO_SLOT;
    }
    if (!store_plan_source(plan, kind, command->text, &slot, fault)) {
        return STORE_NO_SLOT;
    }
    if (slot != named) {
        store_plan_account_find(plan, named)->retold = true;
    }
    return slot;
}

/* Among those of the batch. */
static bool batch_look(struct store_plan *plan, uint32_t slot, const struct event *event,
                       uint64_t hash, struct store_event_found *found, struct proto_fault *fault)
{
    uint32_t cell = UINT32_MAX;
    const struct store_plan_event *planned;
    *found = (struct store_event_found){.any = false};
    while (!found->there && (planned = store_plan_event_find(plan, slot, hash, &cell)) != NULL) {
        struct event other;
        if (planned->cut || planned->dropped) {
            continue;
        }
        if (!event_decode(planned->bytes, &other, fault)) {
            return false;
        }
        found->there =
            proto_span_equal(other.source, event->source) && proto_span_equal(other.id, event->id);
        found->same = event_same(&other, event);
    }
    return true;
}

/* Events that the batch brings for the slot so far. */
static uint32_t batch_count(const struct store_plan *plan, uint32_t slot)
{
    uint32_t count = 0;
    for (size_t i = 0; i < plan->event_count; i++) {
        const struct store_plan_event *event = &plan->events[i];
        count += event->slot == slot && !event->cut && !event->dropped;
    }
    return count;
}

/* Whether the account may have one more beside `stored`. What the batch brings is counted only
 * where it could matter. A batch of the log was accepted once, and is not refused now. */
static bool room_check(const struct store_plan *plan, uint32_t slot, uint32_t stored,
                       struct proto_fault *fault)
{
    uint32_t most = plan->events_max;
    bool of_log = plan->reuse == NULL;
    if (of_log || stored + plan->event_count < most || stored + batch_count(plan, slot) < most) {
        return true;
    }
    return proto_fault_set(fault, PROTO_LIMIT, "account",
                           "the account has %u events, and %u of this request; its limit is %u",
                           stored, batch_count(plan, slot), most);
}

bool store_plan_event(struct store_plan *plan, const struct store_command *command,
                      struct proto_fault *fault)
{
    struct event event;
    struct store_event_found found;
    if (command->version > 1 || !event_decode(command->extra, &event, fault)) {
        return proto_fault_set(fault, PROTO_CORRUPT, "log", "an event that is none");
    }
    uint32_t slot = owner_of(plan, command, fault);
    uint64_t hash = event_hash(event.source, event.id);
    if (slot == STORE_NO_SLOT || !batch_look(plan, slot, &event, hash, &found, fault) ||
        (!found.there && !store_event_find(plan->sight, slot, &event, hash, &found, fault))) {
        return false;
    }
    if (found.there) {
        return found.same || conflict(&event, fault);
    }
    if (!room_check(plan, slot, found.count, fault)) {
        return false;
    }
    struct store_plan_event *planned = store_plan_event_add(plan, slot, hash, fault);
    if (planned == NULL) {
        return false;
    }
    planned->known_ms = plan->now_ms;
    planned->bytes = command->extra;
    plan->count++;
    return true;
}

bool store_plan_event_cut(struct store_plan *plan, uint32_t slot, struct proto_fault *fault)
{
    bool any;
    for (size_t i = 0; i < plan->event_count; i++) {
        plan->events[i].dropped |= plan->events[i].slot == slot;
    }
    if (!store_event_any(plan->sight, slot, &any, fault)) {
        return false;
    }
    if (!any) {
        return true;
    }
    struct store_plan_event *cut = store_plan_event_add(plan, slot, 0, fault);
    if (cut == NULL) {
        return false;
    }
    cut->cut = true;
    return true;
}

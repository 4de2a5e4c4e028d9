/* SPDX-License-Identifier: Apache-2.0 */
/* A new account gets the slot of one that was deleted, if one is free, else the next that was never
 * given. A batch that is planned again, from the log, gives each account the slot that it had: the
 * writer wrote those of deleted accounts behind the commands. What the log says is judged: a slot
 * that was never given, or (plan.c) that holds an account, is damage. */
#include <stdlib.h>

#include "server/store/command.h"
#include "server/store/plan.h"

bool store_plan_given(struct store_plan *plan, struct proto_span commands,
                      struct proto_fault *fault)
{
    struct store_command command;
    struct proto_fault ignored; /* bytes that are no command end the planning, too */
    size_t at = 0;
    if (plan->reuse != NULL) {
        return true;
    }
    while (store_command_next(commands, &at, &command, &ignored)) {
        if (command.kind == STORE_COMMAND_SLOTS) {
            plan->given = command.text;
        }
    }
    return plan->given.bytes % sizeof(uint32_t) == 0 ||
           proto_fault_set(fault, PROTO_CORRUPT, "log", "%zu bytes of slots", plan->given.bytes);
}

static bool again_grow(struct store_plan *plan)
{
    if (plan->again_count < plan->again_room) {
        return true;
    }
    size_t room = plan->again_room == 0 ? 64 : plan->again_room * 2;
    uint32_t *again = realloc(plan->again, room * sizeof *again);
    if (again == NULL) {
        return false;
    }
    plan->again = again;
    plan->again_room = room;
    return true;
}

/* A slot that was given before; STORE_NO_SLOT: there is none for this account. Those come first
 * within a batch. */
static uint32_t given_before(struct store_plan *plan)
{
    if (plan->reuse == NULL) {
        return plan->given_at < plan->given.bytes ? disk_get_u32(plan->given.data + plan->given_at)
                                                  : STORE_NO_SLOT;
    }
    bool first = plan->again_count == plan->created && plan->again_count < plan->reuse_most;
    if (!first || !again_grow(plan)) {
        return STORE_NO_SLOT;
    }
    return store_reuse_take(plan->reuse, plan->sight, plan->now_ms);
}

uint32_t store_plan_slot(struct store_plan *plan, struct proto_fault *fault)
{
    uint32_t slot = given_before(plan);
    if (slot == STORE_NO_SLOT && plan->next.slots >= PROTO_ACCOUNTS_MAX) {
        proto_fault_set(fault, PROTO_LIMIT, "", "the store holds %d accounts, its limit",
                        PROTO_ACCOUNTS_MAX);
        return STORE_NO_SLOT;
    }
    if (slot == STORE_NO_SLOT) {
        if (plan->reuse != NULL) {
            plan->reuse->wanted = true;
        }
        return plan->next.slots;
    }
    if (slot >= plan->next.slots) {
        proto_fault_set(fault, PROTO_CORRUPT, "log", "slot %u was given again, and never before",
                        slot);
        return STORE_NO_SLOT;
    }
    plan->given_at += sizeof slot;
    if (plan->reuse != NULL) {
        plan->again[plan->again_count++] = slot;
    }
    return slot;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A fold is an account that is worked out of its source records: the id of the first, the keys of
 * all, and of each field the value of the latest true time; where times are equal that of the
 * earlier record in their order. It is worked out anew whenever one of them changes, so that it is
 * at any moment what its source records come to. Whoever writes under an id or key that names a
 * fold means the source record that has it. */
#include <stdlib.h>

#include "server/store/command.h"
#include "server/store/plan.h"

bool store_plan_source(struct store_plan *plan, enum store_kind kind, struct proto_span text,
                       uint32_t *slot, struct proto_fault *fault)
{
    if (*slot == STORE_NO_SLOT) {
        return true;
    }
    const struct store_plan_account *account = store_plan_account_load(plan, *slot, fault);
    if (account == NULL) {
        return false;
    }
    struct proto_span members = account->members;
    if (members.bytes == 0) {
        return true;
    }
    for (size_t i = 0; i < store_member_count(members); i++) {
        account = store_plan_account_load(plan, store_member(members, i), fault);
        if (account == NULL) {
            return false;
        }
        if (account->record.bytes > 0 && store_record_has(account->record, kind, text)) {
            *slot = account->slot;
            return true;
        }
    }
    return proto_fault_set(fault, PROTO_CORRUPT, "account",
                           "none of the source records of slot %u has \"%.*s\"", *slot,
                           (int)text.bytes, (const char *)text.data);
}

/* Lays a further source record over what those before it come to. */
static bool record_join(struct store_plan *plan, struct proto_span *record, struct proto_span more,
                        struct proto_fault *fault)
{
    const struct store_command over = {
        .kind = STORE_COMMAND_PATCH, .patch = STORE_PATCH_DATED | STORE_PATCH_YIELDS, .text = more};
    size_t bytes = 0;
    uint8_t *joined = store_patch(&plan->patch_room, *record, &over, &bytes, fault);
    if (joined == NULL || !store_plan_keep(plan, joined, fault)) {
        return false;
    }
    *record = (struct proto_span){joined, bytes};
    return true;
}

bool store_plan_fold(struct store_plan *plan, uint32_t slot, struct proto_fault *fault)
{
    struct store_plan_account *account = store_plan_account_load(plan, slot, fault);
    if (account == NULL) {
        return false;
    }
    struct proto_span members = account->members;
    struct proto_span record = {NULL, 0};
    uint32_t created_s = UINT32_MAX;
    uint32_t changed_s = 0;
    for (size_t i = 0; i < store_member_count(members); i++) {
        account = store_plan_account_load(plan, store_member(members, i), fault);
        if (account == NULL) {
            return false;
        }
        created_s = account->created_s < created_s ? account->created_s : created_s;
        changed_s = account->changed_s > changed_s ? account->changed_s : changed_s;
        if (i == 0) {
            record = account->record;
        } else if (!record_join(plan, &record, account->record, fault)) {
            return false;
        }
    }
    account = store_plan_account_load(plan, slot, fault);
    if (account == NULL || !store_plan_past(plan, account, record, NULL, fault)) {
        return false;
    }
    account->record = record;
    account->created_s = created_s;
    account->changed_s = changed_s;
    account->changed = true;
    return true;
}

bool store_plan_refold(struct store_plan *plan, uint32_t slot, struct proto_fault *fault)
{
    const struct store_plan_account *account = store_plan_account_find(plan, slot);
    return account->fold == STORE_NO_SLOT || store_plan_fold(plan, account->fold, fault);
}

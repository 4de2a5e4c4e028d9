/* SPDX-License-Identifier: Apache-2.0 */
/* An account's history as a view sees it. One that a fold found damaged is told to be so until a
 * repair has said what is left: what it lacks must not look like what did not happen. */
#include <assert.h>

#include "server/store/past_table.h"
#include "server/store/store_parts.h"

static bool history_read(struct store_view *view, uint32_t slot, struct store_history *history,
                         uint64_t *begun, struct proto_fault *fault)
{
    struct store_account account;
    if (!store_account_get(&view->sight, slot, &account, fault)) {
        return false;
    }
    *begun = account.begun;
    if (account.deleted) {
        return proto_fault_set(fault, PROTO_NOT_FOUND, "", "slot %u holds no account", slot);
    }
    if (!account.past) {
        return true;
    }
    if (!store_history_read(&view->sight, slot, history, fault)) {
        return false;
    }
    return !history->lost ||
           proto_fault_set(fault, PROTO_CORRUPT, "history",
                           "some of what the account was before was lost to damage; icpd --repair "
                           "says so and goes on with the rest");
}

bool store_history(struct store_view *view, uint32_t slot, struct store_history *history,
                   uint64_t *begun, struct proto_fault *fault)
{
    struct proto_fault why = {.code = PROTO_OK};
    assert(view->active && slot < view->state.slots);
    *history = (struct store_history){.count = 0};
    *begun = 0;
    if (history_read(view, slot, history, begun, &why)) {
        return true;
    }
    if (why.code == PROTO_CORRUPT) {
        store_damage(view->store, &why);
    }
    *fault = why;
    return false;
}

uint64_t store_history_since(const struct store_view *view, int64_t *known_ms)
{
    *known_ms = (int64_t)view->txn.state.history_ms;
    return view->txn.state.history_seq;
}

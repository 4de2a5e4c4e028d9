/* SPDX-License-Identifier: Apache-2.0 */
/* An undo of a batch: the account is found, what store_undo.h says of it by its history becomes its
 * record, or it is deleted. One that is gone is passed over; of one whose history is damaged
 * nothing is known, and it stays. */
#include <stdlib.h>

#include "server/store/command.h"
#include "server/store/past_table.h"
#include "server/store/plan.h"
#include "server/store/store_event.h"
#include "server/store/store_undo.h"

/* What an undo asks of the plan. */
struct undoing {
    struct store_plan *plan;
    struct proto_span seqs;
    struct proto_fault *fault;
    bool failed;
};

static enum store_whose undo_whose(const void *context, uint64_t seq)
{
    const struct undoing *undoing = context;
    for (size_t at = 0; at + sizeof seq <= undoing->seqs.bytes; at += sizeof seq) {
        uint64_t said = disk_get_u64(undoing->seqs.data + at);
        if ((said & ~STORE_UNDO_BACK) == seq) {
            return said == seq ? STORE_WHOSE_IMPORT : STORE_WHOSE_UNDO;
        }
    }
    return seq == UINT64_MAX ? STORE_WHOSE_UNDO : STORE_WHOSE_OTHER;
}

/* A stamp that the command does not name is the import's: of what was told since, changes tell. */
static enum store_whose undo_teller(void *context, uint64_t stamp)
{
    const struct undoing *undoing = context;
    for (size_t at = 0; at + sizeof stamp <= undoing->seqs.bytes; at += sizeof stamp) {
        uint64_t said = disk_get_u64(undoing->seqs.data + at);
        if ((said & ~STORE_UNDO_BACK) == (stamp | STORE_UNDO_STAMP)) {
            return (said & STORE_UNDO_BACK) != 0 ? STORE_WHOSE_GONE : STORE_WHOSE_OTHER;
        }
    }
    return STORE_WHOSE_IMPORT;
}

static bool undo_key_free(void *context, struct proto_span key)
{
    struct undoing *undoing = context;
    const struct store_plan_text *text =
        store_plan_text_load(undoing->plan, STORE_KIND_KEY, key, STORE_NO_SLOT, undoing->fault);
    undoing->failed |= text == NULL;
    return text != NULL && text->now == STORE_NO_SLOT;
}

/* What is stored of the account's history and what the batch has brought, which takes back. One
 * that is damaged says nothing: *known is false. */
static bool undo_history(struct store_plan *plan, const struct store_plan_account *account,
                         struct store_history *history, bool *known, struct proto_fault *fault)
{
    struct proto_fault why = {.code = PROTO_OK};
    *known = account->past_anew || store_history_read(plan->sight, account->slot, history, &why);
    if (!*known && why.code != PROTO_CORRUPT) {
        *fault = why;
        return false;
    }
    return store_history_add_run(history, account->past, UINT64_MAX, fault);
}

static bool undo_apply(struct store_plan *plan, struct store_plan_account *account,
                       const struct store_undone *undone, struct proto_fault *fault)
{
    if (undone->remove) {
        struct feature_record parts;
        struct store_command gone = {.kind = STORE_COMMAND_DELETE};
        if (!feature_record_open(account->record, false, &parts, fault)) {
            return false;
        }
        gone.text = parts.id;
        return store_plan_delete(plan, &gone, fault);
    }
    if (undone->record == NULL) {
        return true;
    }
    struct proto_span now = {undone->record, undone->bytes};
    plan->count++;
    return store_plan_keep(plan, undone->record, fault) &&
           store_plan_past(plan, account, now, NULL, fault) &&
           store_plan_set(plan, account->slot, now, fault) &&
           store_plan_refold(plan, account->slot, fault);
}

bool store_plan_undo(struct store_plan *plan, const struct store_command *command,
                     struct proto_fault *fault)
{
    struct feature_record parts;
    struct store_plan_text *id = store_plan_named(plan, command, &parts, fault);
    if (id == NULL || id->now == STORE_NO_SLOT) {
        return id != NULL;
    }
    uint32_t slot = id->now;
    if (!store_plan_source(plan, STORE_KIND_ID, parts.id, &slot, fault)) {
        return false;
    }
    struct store_plan_account *account = store_plan_account_load(plan, slot, fault);
    struct store_history history = {.count = 0};
    struct store_undone undone = {.remove = false};
    struct undoing undoing = {.plan = plan, .seqs = command->extra, .fault = fault};
    bool known = false;
    bool events = false;
    if (account == NULL || !store_event_any(plan->sight, account->slot, &events, fault) ||
        !undo_history(plan, account, &history, &known, fault)) {
        store_history_fini(&history);
        return false;
    }
    const struct store_undo ask = {.now = account->record,
                                   .told = command->text,
                                   .history = &history,
                                   .begun = account->begun,
                                   .events = events,
                                   .whose = undo_whose,
                                   .teller = undo_teller,
                                   .key_free = undo_key_free,
                                   .context = &undoing};
    bool good = !known || store_undo(&ask, &undone, fault);
    if (undoing.failed) {
        free(undone.record);
        good = false;
    }
    good = good && undo_apply(plan, account, &undone, fault);
    store_history_fini(&history);
    return good;
}

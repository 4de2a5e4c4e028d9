/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/apply.h"

#include <stdlib.h>

static bool edits_reserve(struct store_edits *edits, size_t more, struct proto_fault *fault)
{
    size_t need = edits->count + more;
    if (need <= edits->room)
        return true;
    size_t room = edits->room == 0 ? 256 : edits->room;
    while (room < need)
        room *= 2;
    struct store_id_edit *list = realloc(edits->list, room * sizeof *list);
    if (list == NULL)
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu changes of ids",
                               room);
    edits->list = list;
    edits->room = room;
    return true;
}

static bool apply_ids(struct disk_txn *txn, const struct store_plan *plan,
                      struct store_bucket_room *room, struct store_edits *edits,
                      struct proto_fault *fault)
{
    if (!edits_reserve(edits, plan->text_count * 2, fault))
        return false;
    size_t first = edits->count;
    for (size_t i = 0; i < plan->text_count; i++) {
        const struct store_plan_text *text = &plan->texts[i];
        uint32_t kind = text->kind == STORE_KIND_KEY ? STORE_REF_KEY : 0;
        if (text->was == text->now)
            continue;
        if (text->was != STORE_NO_SLOT)
            edits->list[edits->count++] =
                (struct store_id_edit){.hash = text->hash, .ref = text->was | kind, .add = false};
        if (text->now != STORE_NO_SLOT)
            edits->list[edits->count++] =
                (struct store_id_edit){.hash = text->hash, .ref = text->now | kind, .add = true};
    }
    return edits->count == first ||
           store_bucket_edit(txn, room, edits->list + first, edits->count - first, fault);
}

static int compare_slots(const void *a, const void *b)
{
    const struct store_plan_account *left = a;
    const struct store_plan_account *right = b;
    return (left->slot > right->slot) - (left->slot < right->slot);
}

/* In the order of slots: new ones must be appended in turn, and neighbours share pages. */
static void sort_accounts(struct store_plan *plan)
{
    for (size_t i = 1; i < plan->account_count; i++) {
        if (plan->accounts[i - 1].slot > plan->accounts[i].slot) {
            qsort(plan->accounts, plan->account_count, sizeof *plan->accounts, compare_slots);
            return;
        }
    }
}

static bool apply_accounts(struct disk_txn *txn, const struct store_plan *plan,
                           struct proto_fault *fault)
{
    uint32_t changed_s = (uint32_t)(plan->now_ms / 1000);
    for (size_t i = 0; i < plan->account_count; i++) {
        const struct store_plan_account *account = &plan->accounts[i];
        if (account->changed &&
            !store_account_put(txn, account->slot, account->fresh ? NULL : &account->was,
                               account->record, account->created_s, changed_s, fault))
            return false;
    }
    return true;
}

/* Rows below the mark are kept right in the same transaction. Without an encoder (after a start,
 * until the engine has set one) the mark goes back instead, and the rows are encoded again from
 * there. */
static bool apply_rows(struct disk_txn *txn, const struct store_plan *plan, uint32_t slots_before,
                       struct store_row_writer *rows, struct proto_fault *fault)
{
    struct disk_state *state = &txn->state;
    if (state->rows_digest == 0)
        return true;
    bool able = rows->encoder != NULL && rows->encoder->digest == state->rows_digest;
    bool complete = state->rows_slots == slots_before;
    for (size_t i = 0; i < plan->account_count; i++) {
        const struct store_plan_account *account = &plan->accounts[i];
        if (!account->changed || (account->slot >= state->rows_slots && !(able && complete)))
            continue;
        if (!able) {
            state->rows_slots = account->slot;
            return true; /* the accounts ascend: all further ones are above the mark now */
        }
        if (!store_row_set(rows, account->slot, account->record, fault))
            return false;
    }
    if (able && complete)
        state->rows_slots = state->slots;
    return store_row_flush(rows, fault);
}

static bool apply_documents(struct disk_txn *txn, const struct store_plan *plan,
                            struct proto_fault *fault)
{
    for (size_t i = 0; i < plan->document_count; i++) {
        const struct store_plan_document *document = &plan->documents[i];
        enum disk_table table = store_document_info(document->kind)->table;
        uint8_t *at = disk_txn_put(txn, table, document->number, disk_seal_bytes(&document->sealed),
                                   DISK_PUT_LAST, fault);
        if (at == NULL)
            return false;
        uint64_t check = disk_seal(table, document->number, &document->sealed, at);
        disk_sum_change(&txn->state, table, false, 0, true, check);
    }
    return true;
}

bool store_apply(struct disk_txn *txn, struct store_plan *plan, struct store_row_writer *rows,
                 struct store_bucket_room *room, struct store_edits *edits,
                 struct proto_fault *fault)
{
    uint32_t slots_before = txn->state.slots;
    txn->state = plan->next;
    sort_accounts(plan);
    return apply_ids(txn, plan, room, edits, fault) && apply_accounts(txn, plan, fault) &&
           apply_rows(txn, plan, slots_before, rows, fault) && apply_documents(txn, plan, fault);
}

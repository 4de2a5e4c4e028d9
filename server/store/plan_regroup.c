/* SPDX-License-Identifier: Apache-2.0 */
/* Which records are one account, after an entry came or a record went: everything that links and
 * merges reach from there is collected by the chains of the records, the fold of the entries that
 * stand is asked (identity_fold.h), and where that is not what is stored, accounts are made,
 * changed and taken apart. What reaches too far, or contradicts a "never", is refused before that.
 *
 * An entry counts for a record only if it is found in that record's chain: one of a record that was
 * deleted counts for nobody who gets its id later. */
#include <stdlib.h>

#include "server/identity/identity_fold.h"
#include "server/store/plan.h"
#include "server/store/plan_identity.h"

enum { NOWHERE = -1, SLOT_BYTES = 4 };

/* An entry that was met, and at which of the reached records. */
struct met {
    uint32_t number;
    struct identity_entry entry;
    int32_t at[2];
};

/* What is reached from where something changed. */
struct reach {
    struct store_plan *plan;
    uint32_t *slots;
    size_t slot_count, slot_room;
    struct met *met;
    size_t met_count, met_room;
    struct identity_record *records;
    struct identity_edge *edges;
    uint32_t *room;
    uint32_t *folds; /* of the records: their fold as it will be */
    struct proto_fault *fault;
};

static bool no_memory(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to work out which are one");
}

static bool too_far(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_LIMIT, "account",
                           "links and merges reach more than %d records or entries from here",
                           PROTO_IDENTITY_REACH_MAX);
}

static bool list_room(void **list, size_t count, size_t *room, size_t item)
{
    if (count < *room) {
        return true;
    }
    size_t more = *room == 0 ? 16 : *room * 2;
    void *grown = realloc(*list, more * item);
    if (grown == NULL) {
        return false;
    }
    *list = grown;
    *room = more;
    return true;
}

static struct met *met_find(struct reach *reach, uint32_t number)
{
    for (size_t i = 0; i < reach->met_count; i++) {
        if (reach->met[i].number == number) {
            return &reach->met[i];
        }
    }
    return NULL;
}

static struct met *met_add(struct reach *reach, uint32_t number)
{
    void *list = reach->met;
    int64_t time_ms;
    if (reach->met_count >= PROTO_IDENTITY_REACH_MAX) {
        too_far(reach->fault);
        return NULL;
    }
    if (!list_room(&list, reach->met_count, &reach->met_room, sizeof *reach->met)) {
        no_memory(reach->fault);
        return NULL;
    }
    reach->met = list;
    struct met *met = &reach->met[reach->met_count];
    *met = (struct met){.number = number, .at = {NOWHERE, NOWHERE}};
    if (!store_plan_entry(reach->plan, number, &met->entry, &time_ms, reach->fault)) {
        return NULL;
    }
    reach->met_count++;
    return met;
}

/* Follows the chain of the record. */
static bool chain_follow(struct reach *reach, size_t position, uint32_t number)
{
    struct proto_span id;
    if (!store_plan_record_id(reach->plan, reach->slots[position], &id, reach->fault)) {
        return false;
    }
    while (number != 0) {
        struct met *met = met_find(reach, number);
        met = met == NULL ? met_add(reach, number) : met;
        if (met == NULL) {
            return false;
        }
        if (met->entry.act == IDENTITY_NO_ACT) {
            return true; /* a repair gave it up, and what was before it with it */
        }
        unsigned side = !proto_span_equal(met->entry.ids[0], id);
        if (!proto_span_equal(met->entry.ids[side], id) || met->entry.before[side] >= number) {
            return proto_fault_set(reach->fault, PROTO_CORRUPT, "identity",
                                   "identity entry %u is in the chain of a record that it does not "
                                   "name",
                                   number);
        }
        met->at[side] = (int32_t)position;
        number = met->entry.before[side];
    }
    return true;
}

static bool record_reach(struct reach *reach, uint32_t slot)
{
    void *list = reach->slots;
    for (size_t i = 0; i < reach->slot_count; i++) {
        if (reach->slots[i] == slot) {
            return true;
        }
    }
    const struct store_plan_account *account =
        store_plan_account_load(reach->plan, slot, reach->fault);
    if (account == NULL) {
        return false;
    }
    if (account->record.bytes == 0) {
        return true; /* deleted */
    }
    uint32_t newest = account->entry;
    if (reach->slot_count >= PROTO_IDENTITY_REACH_MAX) {
        return too_far(reach->fault);
    }
    if (!list_room(&list, reach->slot_count, &reach->slot_room, sizeof *reach->slots)) {
        return no_memory(reach->fault);
    }
    reach->slots = list;
    reach->slots[reach->slot_count++] = slot;
    return chain_follow(reach, reach->slot_count - 1, newest);
}

static bool joins(const struct identity_entry *entry)
{
    return entry->taken_by == 0 && (entry->act == IDENTITY_LINK || entry->act == IDENTITY_MERGE);
}

/* Records at the other ends of links and merges, until no more come. */
static bool ends_reach(struct reach *reach)
{
    for (size_t i = 0; i < reach->met_count; i++) {
        for (unsigned side = 0; joins(&reach->met[i].entry) && side < 2; side++) {
            uint32_t slot = STORE_NO_SLOT;
            if (reach->met[i].at[side] != NOWHERE) {
                continue;
            }
            if (!store_plan_source_find(reach->plan, reach->met[i].entry.ids[side], &slot,
                                        reach->fault) ||
                (slot != STORE_NO_SLOT && !record_reach(reach, slot))) {
                return false;
            }
        }
    }
    return true;
}

static int compare_edges(const void *a, const void *b)
{
    uint32_t left = ((const struct identity_edge *)a)->number;
    uint32_t right = ((const struct identity_edge *)b)->number;
    return (left > right) - (left < right);
}

/* Asks the fold. `number`: of the entry that is new, 0: none is. */
static bool accounts_ask(struct reach *reach, uint32_t number)
{
    struct store_plan *plan = reach->plan;
    uint32_t never = 0;
    size_t count = 0;
    for (size_t i = 0; i < reach->slot_count; i++) {
        struct proto_span id;
        if (!store_plan_record_id(plan, reach->slots[i], &id, reach->fault)) {
            return false;
        }
        const struct store_plan_account *account = store_plan_account_find(plan, reach->slots[i]);
        reach->records[i] = (struct identity_record){.id = id, .created_s = account->created_s};
    }
    for (size_t i = 0; i < reach->met_count; i++) {
        const struct met *met = &reach->met[i];
        bool alone = identity_act_records(met->entry.act) == 1;
        if (met->entry.taken_by == 0 && met->at[0] != NOWHERE && (alone || met->at[1] != NOWHERE)) {
            reach->edges[count++] = (struct identity_edge){.number = met->number,
                                                           .act = met->entry.act,
                                                           .a = (uint32_t)met->at[0],
                                                           .b = (uint32_t)met->at[alone ? 0 : 1]};
        }
    }
    qsort(reach->edges, count, sizeof *reach->edges, compare_edges);
    if (identity_fold(reach->records, (uint32_t)reach->slot_count, reach->edges, count, reach->room,
                      &never) == IDENTITY_FOLD_GOOD) {
        return true;
    }
    return never == number
               ? proto_fault_set(reach->fault, PROTO_CONFLICT, "other",
                                 "the two are one account by merges: undo those, or split one of "
                                 "them off, before you say never")
               : proto_fault_set(reach->fault, PROTO_CONFLICT, "other",
                                 "entry %u says that two of these records are never one account: "
                                 "undo it first",
                                 never);
}

/* A new account for records that are one, in a slot that nobody had: which slots a batch took of
 * those that were free is written for accounts that are put alone. */
static bool fold_begin(struct reach *reach, uint32_t *slot)
{
    struct store_plan *plan = reach->plan;
    if (plan->next.slots >= PROTO_ACCOUNTS_MAX) {
        return proto_fault_set(reach->fault, PROTO_LIMIT, "",
                               "the store holds %d accounts, its "
                               "limit",
                               PROTO_ACCOUNTS_MAX);
    }
    *slot = plan->next.slots++;
    struct store_plan_account *account = store_plan_account_add(plan, *slot, reach->fault);
    if (account == NULL) {
        return false;
    }
    account->fresh = account->past_anew = account->changed = account->retold = true;
    plan->next.accounts++;
    plan->next.folds++;
    return store_plan_past_mark(plan, account, plan->now_ms, reach->fault);
}

static bool fold_end(struct reach *reach, uint32_t slot)
{
    struct store_plan *plan = reach->plan;
    struct store_plan_account *account = store_plan_account_load(plan, slot, reach->fault);
    if (account == NULL) {
        return false;
    }
    account->record = account->members = account->past = (struct proto_span){NULL, 0};
    account->fresh = false;
    account->begun = 0;
    account->past_anew = account->changed = account->retold = true;
    plan->next.accounts--;
    plan->next.folds--;
    plan->relist |= plan->reuse != NULL && store_reuse_listed(plan->reuse, slot);
    return true;
}

/* Whether an account that was a fold before goes on as one. */
static bool fold_goes_on(const struct reach *reach, uint32_t fold)
{
    for (size_t i = 0; i < reach->slot_count; i++) {
        if (reach->folds[i] == fold) {
            return true;
        }
    }
    return false;
}

static uint32_t fold_of(const struct reach *reach, size_t position)
{
    return store_plan_account_find(reach->plan, reach->slots[position])->fold;
}

/* The members of the account whose first record stands at the position, in the order of ranks; one
 * that was a fold before and still is none of another's goes on. */
static bool account_form(struct reach *reach, size_t first)
{
    uint32_t size = 0;
    uint32_t fold = STORE_NO_SLOT;
    for (size_t i = 0; i < reach->slot_count; i++) {
        size += reach->records[i].account == first;
    }
    if (size < 2) {
        return true;
    }
    if (size > PROTO_IDENTITY_SOURCES_MAX) {
        return proto_fault_set(reach->fault, PROTO_LIMIT, "account",
                               "an account of %u source records; at most %d", size,
                               PROTO_IDENTITY_SOURCES_MAX);
    }
    uint8_t *members = malloc((size_t)size * SLOT_BYTES);
    if (members == NULL) {
        return no_memory(reach->fault);
    }
    if (!store_plan_keep(reach->plan, members, reach->fault)) {
        return false;
    }
    for (size_t i = 0; i < reach->slot_count; i++) {
        if (reach->records[i].account == first) {
            disk_set_u32(members + reach->records[i].rank * sizeof(uint32_t), reach->slots[i]);
        }
    }
    for (uint32_t rank = 0; rank < size && fold == STORE_NO_SLOT; rank++) {
        uint32_t slot = disk_get_u32(members + rank * sizeof(uint32_t));
        uint32_t had = store_plan_account_find(reach->plan, slot)->fold;
        fold = had != STORE_NO_SLOT && !fold_goes_on(reach, had) ? had : STORE_NO_SLOT;
    }
    if (fold == STORE_NO_SLOT && !fold_begin(reach, &fold)) {
        return false;
    }
    for (size_t i = 0; i < reach->slot_count; i++) {
        reach->folds[i] = reach->records[i].account == first ? fold : reach->folds[i];
    }
    struct store_plan_account *account = store_plan_account_load(reach->plan, fold, reach->fault);
    struct proto_span now = {members, size * sizeof(uint32_t)};
    if (account == NULL || proto_span_equal(account->members, now)) {
        return account != NULL;
    }
    account->members = now;
    account->retold = true;
    return store_plan_fold(reach->plan, fold, reach->fault);
}

/* Id and keys of a record name whoever answers for it. */
static bool texts_give(struct reach *reach, uint32_t slot, uint32_t owner)
{
    struct store_plan *plan = reach->plan;
    struct feature_record parts;
    struct proto_span key;
    size_t at = 0;
    struct proto_span record = store_plan_account_find(plan, slot)->record;
    if (!feature_record_open(record, false, &parts, reach->fault)) {
        return false;
    }
    struct store_plan_text *text =
        store_plan_text_load(plan, STORE_KIND_ID, parts.id, STORE_NO_SLOT, reach->fault);
    while (text != NULL) {
        text->now = owner;
        if (!feature_record_key_next(&parts, &at, &key)) {
            return true;
        }
        text = store_plan_text_load(plan, STORE_KIND_KEY, key, STORE_NO_SLOT, reach->fault);
    }
    return false;
}

static bool record_move(struct reach *reach, size_t position)
{
    struct store_plan *plan = reach->plan;
    uint32_t slot = reach->slots[position];
    uint32_t fold = reach->folds[position];
    struct store_plan_account *account = store_plan_account_find(plan, slot);
    if (account->fold == fold) {
        return true;
    }
    int hides = (fold != STORE_NO_SLOT) - (account->fold != STORE_NO_SLOT);
    plan->next.accounts = (uint64_t)((int64_t)plan->next.accounts - hides);
    plan->next.sources = (uint32_t)((int64_t)plan->next.sources + hides);
    account->fold = fold;
    account->changed = account->retold = true;
    plan->relist |= plan->reuse != NULL && store_reuse_listed(plan->reuse, slot);
    return texts_give(reach, slot, fold == STORE_NO_SLOT ? slot : fold);
}

/* Makes what is planned what the fold says. Accounts that end are told by the records that they had
 * and, where all of those were deleted, by `ended`. */
static bool accounts_set(struct reach *reach)
{
    bool good = true;
    for (size_t i = 0; i < reach->slot_count; i++) {
        reach->folds[i] = STORE_NO_SLOT;
    }
    for (size_t i = 0; good && i < reach->slot_count; i++) {
        good = reach->records[i].account != i || account_form(reach, i);
    }
    for (size_t i = 0; good && i < reach->slot_count; i++) {
        uint32_t had = fold_of(reach, i);
        bool ended = had != STORE_NO_SLOT && !fold_goes_on(reach, had) &&
                     store_plan_account_load(reach->plan, had, reach->fault) != NULL &&
                     store_plan_account_find(reach->plan, had)->record.bytes > 0;
        good = !ended || fold_end(reach, had);
    }
    for (size_t i = 0; good && i < reach->slot_count; i++) {
        good = record_move(reach, i);
    }
    return good;
}

static bool reach_all(struct reach *reach, struct proto_span slots)
{
    for (size_t i = 0; i < store_member_count(slots); i++) {
        if (!record_reach(reach, store_member(slots, i))) {
            return false;
        }
    }
    if (!ends_reach(reach)) {
        return false;
    }
    size_t count = reach->slot_count + 1;
    reach->records = calloc(count, sizeof *reach->records);
    reach->edges = calloc(reach->met_count + 1, sizeof *reach->edges);
    reach->room = calloc(count * 4, sizeof *reach->room);
    reach->folds = calloc(count, sizeof *reach->folds);
    return (reach->records != NULL && reach->edges != NULL && reach->room != NULL &&
            reach->folds != NULL) ||
           no_memory(reach->fault);
}

bool store_plan_regroup(struct store_plan *plan, struct proto_span slots, uint32_t number,
                        struct proto_fault *fault)
{
    struct reach reach = {.plan = plan, .fault = fault};
    bool good = reach_all(&reach, slots) && accounts_ask(&reach, number) && accounts_set(&reach);
    free(reach.slots);
    free(reach.met);
    free(reach.records);
    free(reach.edges);
    free(reach.room);
    free(reach.folds);
    return good;
}

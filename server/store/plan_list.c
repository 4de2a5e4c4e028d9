/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "server/store/plan.h"

enum { LIST_LEAST = 64 };

/* Room for one more; a list is a pointer, its count and its room. */
static bool list_grow(void **list, size_t count, size_t *room, size_t item_bytes,
                      struct proto_fault *fault)
{
    if (count < *room) {
        return true;
    }
    size_t more = *room == 0 ? LIST_LEAST : *room * 2;
    void *grown = realloc(*list, more * item_bytes);
    if (grown == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a batch of %zu entries",
                               more);
    }
    *list = grown;
    *room = more;
    return true;
}

/* Slots are dense: spread them, so that neighbours do not probe each other's cells. */
static uint64_t slot_hash(uint32_t slot)
{
    return (slot + UINT64_C(1)) * UINT64_C(0x9E3779B97F4A7C15) >> 32;
}

static uint32_t cell_take(struct store_plan_cells *cells, uint64_t hash, size_t position)
{
    size_t cell = hash & (cells->count - 1);
    while (cells->at[cell] != 0) {
        cell = (cell + 1) & (cells->count - 1);
    }
    cells->at[cell] = (uint32_t)position + 1;
    return (uint32_t)cell;
}

/* True if the cells are large enough for `count` entries, or were made anew, empty, and larger. */
static bool cells_grow(struct store_plan_cells *cells, size_t count, bool *emptied,
                       struct proto_fault *fault)
{
    *emptied = false;
    if (count * 2 <= cells->count) {
        return true;
    }
    size_t more = cells->count == 0 ? (size_t)LIST_LEAST * 2 : cells->count * 2;
    uint32_t *at = calloc(more, sizeof *at);
    if (at == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a batch of %zu entries",
                               more);
    }
    free(cells->at);
    *cells = (struct store_plan_cells){at, more};
    *emptied = true;
    return true;
}

void store_plan_reset(struct store_plan *plan)
{
    /* Only the cells in use are cleared: a small batch after a large one must not pay for it. */
    for (size_t i = 0; i < plan->account_count; i++) {
        plan->account_cells.at[plan->accounts[i].cell] = 0;
    }
    for (size_t i = 0; i < plan->text_count; i++) {
        plan->text_cells.at[plan->texts[i].cell] = 0;
    }
    for (size_t i = 0; i < plan->event_count; i++) {
        plan->event_cells.at[plan->events[i].cell] = 0;
    }
    for (size_t i = 0; i < plan->kept_count; i++) {
        free(plan->kept[i]);
    }
    plan->event_count = 0;
    plan->account_count = plan->text_count = plan->document_count = plan->kept_count = 0;
    plan->operation = plan->given = (struct proto_span){0};
    plan->again_count = plan->given_at = 0;
    plan->count = plan->created = 0;
}

struct store_plan_account *store_plan_account_find(struct store_plan *plan, uint32_t slot)
{
    const struct store_plan_cells *cells = &plan->account_cells;
    if (cells->count == 0) {
        return NULL;
    }
    for (size_t cell = slot_hash(slot) & (cells->count - 1); cells->at[cell] != 0;
         cell = (cell + 1) & (cells->count - 1)) {
        struct store_plan_account *account = &plan->accounts[cells->at[cell] - 1];
        if (account->slot == slot) {
            return account;
        }
    }
    return NULL;
}

struct store_plan_account *store_plan_account_add(struct store_plan *plan, uint32_t slot,
                                                  struct proto_fault *fault)
{
    bool emptied;
    void *list = plan->accounts;
    if (!list_grow(&list, plan->account_count, &plan->account_room, sizeof *plan->accounts,
                   fault)) {
        return NULL;
    }
    plan->accounts = list;
    if (!cells_grow(&plan->account_cells, plan->account_count + 1, &emptied, fault)) {
        return NULL;
    }
    for (size_t i = 0; emptied && i < plan->account_count; i++) {
        plan->accounts[i].cell =
            cell_take(&plan->account_cells, slot_hash(plan->accounts[i].slot), i);
    }
    struct store_plan_account *account = &plan->accounts[plan->account_count];
    *account = (struct store_plan_account){.slot = slot, .fold = STORE_NO_SLOT};
    account->cell = cell_take(&plan->account_cells, slot_hash(slot), plan->account_count++);
    return account;
}

struct store_plan_text *store_plan_text_find(struct store_plan *plan, enum store_kind kind,
                                             uint64_t hash, struct proto_span text)
{
    const struct store_plan_cells *cells = &plan->text_cells;
    if (cells->count == 0) {
        return NULL;
    }
    for (size_t cell = hash & (cells->count - 1); cells->at[cell] != 0;
         cell = (cell + 1) & (cells->count - 1)) {
        struct store_plan_text *entry = &plan->texts[cells->at[cell] - 1];
        if (entry->hash == hash && entry->kind == kind && proto_span_equal(entry->text, text)) {
            return entry;
        }
    }
    return NULL;
}

struct store_plan_text *store_plan_text_add(struct store_plan *plan, enum store_kind kind,
                                            uint64_t hash, struct proto_span text,
                                            struct proto_fault *fault)
{
    bool emptied;
    void *list = plan->texts;
    if (!list_grow(&list, plan->text_count, &plan->text_room, sizeof *plan->texts, fault)) {
        return NULL;
    }
    plan->texts = list;
    if (!cells_grow(&plan->text_cells, plan->text_count + 1, &emptied, fault)) {
        return NULL;
    }
    for (size_t i = 0; emptied && i < plan->text_count; i++) {
        plan->texts[i].cell = cell_take(&plan->text_cells, plan->texts[i].hash, i);
    }
    struct store_plan_text *entry = &plan->texts[plan->text_count];
    *entry = (struct store_plan_text){.hash = hash, .kind = kind, .text = text};
    entry->cell = cell_take(&plan->text_cells, hash, plan->text_count++);
    return entry;
}

static uint64_t event_cell_hash(uint32_t slot, uint64_t hash)
{
    return (hash ^ (slot + UINT64_C(1))) * UINT64_C(0x9E3779B97F4A7C15) >> 32;
}

struct store_plan_event *store_plan_event_find(struct store_plan *plan, uint32_t slot,
                                               uint64_t hash, uint32_t *cell)
{
    const struct store_plan_cells *cells = &plan->event_cells;
    if (cells->count == 0) {
        return NULL;
    }
    size_t mask = cells->count - 1;
    size_t at = *cell == UINT32_MAX ? event_cell_hash(slot, hash) & mask : (*cell + 1) & mask;
    for (; cells->at[at] != 0; at = (at + 1) & mask) {
        struct store_plan_event *event = &plan->events[cells->at[at] - 1];
        if (event->slot == slot && event->hash == hash) {
            *cell = (uint32_t)at;
            return event;
        }
    }
    return NULL;
}

struct store_plan_event *store_plan_event_add(struct store_plan *plan, uint32_t slot, uint64_t hash,
                                              struct proto_fault *fault)
{
    bool emptied;
    void *list = plan->events;
    if (!list_grow(&list, plan->event_count, &plan->event_room, sizeof *plan->events, fault)) {
        return NULL;
    }
    plan->events = list;
    if (!cells_grow(&plan->event_cells, plan->event_count + 1, &emptied, fault)) {
        return NULL;
    }
    for (size_t i = 0; emptied && i < plan->event_count; i++) {
        plan->events[i].cell = cell_take(
            &plan->event_cells, event_cell_hash(plan->events[i].slot, plan->events[i].hash), i);
    }
    struct store_plan_event *event = &plan->events[plan->event_count];
    *event = (struct store_plan_event){.slot = slot, .hash = hash};
    event->cell = cell_take(&plan->event_cells, event_cell_hash(slot, hash), plan->event_count++);
    return event;
}

struct store_plan_document *store_plan_document_add(struct store_plan *plan,
                                                    struct proto_fault *fault)
{
    void *list = plan->documents;
    if (!list_grow(&list, plan->document_count, &plan->document_room, sizeof *plan->documents,
                   fault)) {
        return NULL;
    }
    plan->documents = list;
    return &plan->documents[plan->document_count++];
}

bool store_plan_keep(struct store_plan *plan, uint8_t *record, struct proto_fault *fault)
{
    void *list = plan->kept;
    if (!list_grow(&list, plan->kept_count, &plan->kept_room, sizeof *plan->kept, fault)) {
        free(record);
        return false;
    }
    plan->kept = list;
    plan->kept[plan->kept_count++] = record;
    return true;
}

bool store_plan_hold(struct store_plan *plan, uint8_t *told, struct proto_fault *fault)
{
    void *list = plan->held;
    if (!list_grow(&list, plan->held_count, &plan->held_room, sizeof *plan->held, fault)) {
        free(told);
        return false;
    }
    plan->held = list;
    plan->held[plan->held_count++] = told;
    return true;
}

void store_plan_turn(struct store_plan *plan)
{
    while (plan->held_count > 0) {
        free(plan->held[--plan->held_count]);
    }
}

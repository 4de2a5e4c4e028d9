/* SPDX-License-Identifier: Apache-2.0 */
/* Values are made as the tables will hold them, so that a fold copies them; rows are encoded here,
 * where the record is at hand. The stamp of a block is set before its change is linked: a reader
 * who finds an old stamp need not look. */
#include "server/store/apply.h"

#include <stdlib.h>

#include "server/store/overlay_ahead.h"

enum { EVENTS_AHEAD = 16 }; /* on their way while one is linked */

bool store_edits_reserve(struct store_edits *edits, size_t more, struct proto_fault *fault)
{
    size_t need = edits->count + more;
    if (need <= edits->room) {
        return true;
    }
    size_t room = edits->room == 0 ? 256 : edits->room;
    while (room < need) {
        room *= 2;
    }
    struct store_id_edit *list = realloc(edits->list, room * sizeof *list);
    if (list == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu changes of ids",
                               room);
    }
    edits->list = list;
    edits->room = room;
    return true;
}

static bool apply_text(const struct store_apply *apply, const struct store_plan_text *text,
                       struct proto_fault *fault)
{
    struct store_edits *edits = apply->edits;
    uint32_t kind = text->kind == STORE_KIND_KEY ? STORE_REF_KEY : 0;
    if (text->was == text->now) {
        return true;
    }
    if (text->was != STORE_NO_SLOT) {
        edits->list[edits->count++] =
            (struct store_id_edit){.hash = text->hash, .ref = text->was | kind, .add = false};
    }
    if (text->now != STORE_NO_SLOT) {
        edits->list[edits->count++] =
            (struct store_id_edit){.hash = text->hash, .ref = text->now | kind, .add = true};
    }
    return store_overlay_own(apply->generation, text->kind, text->hash, text->text, text->was,
                             text->now, apply->seq, apply->links, fault);
}

static bool apply_account(const struct store_apply *apply, const struct store_plan_account *account,
                          struct proto_fault *fault)
{
    const struct store_encoder *encoder = apply->rows->encoder;
    uint8_t *value;
    uint8_t *row;
    size_t row_bytes = encoder == NULL ? 0 : store_row_bytes(encoder->code_bytes);
    const struct store_account_stamp stamp = {.created_s = account->created_s,
                                              .changed_s = account->changed_s,
                                              .begun = account->fresh ? apply->seq : account->begun,
                                              .past = account->past.bytes > 0 ||
                                                      (account->past_had && !account->past_anew),
                                              .entry = account->entry,
                                              .fold = account->fold,
                                              .members = account->members};
    struct store_version *version =
        store_overlay_version(apply->generation, store_account_bytes(account->record, &stamp),
                              row_bytes, &value, &row, fault);
    if (version == NULL) {
        return false;
    }
    store_account_encode(value, account->slot, account->record, &stamp);
    version->past_had = account->past_had;
    version->past_anew = account->past_anew;
    if (!store_overlay_past(apply->generation, version, account->past, fault)) {
        return false;
    }
    struct proto_span shown =
        account->fold == STORE_NO_SLOT ? account->record : (struct proto_span){NULL, 0};
    if (row != NULL && !store_row_make(apply->rows, account->slot, shown, row, fault)) {
        return false;
    }
    version->seq = apply->seq;
    version->digest = encoder == NULL ? 0 : encoder->digest;
    return store_stamp_set(apply->stamps, account->slot / STORE_BLOCK_ROWS, apply->seq, fault) &&
           store_overlay_link(apply->generation, account->slot, version, apply->links, fault);
}

static bool apply_document(const struct store_apply *apply,
                           const struct store_plan_document *document, struct proto_fault *fault)
{
    enum disk_table table = store_document_info(document->kind)->table;
    uint8_t *value;
    struct store_paper *paper = store_overlay_paper(apply->generation, table, document->number,
                                                    disk_seal_bytes(&document->sealed), apply->seq,
                                                    &value, apply->links, fault);
    if (paper == NULL) {
        return false;
    }
    paper->again = document->again;
    disk_seal(table, document->number, &document->sealed, value);
    return true;
}

static bool apply_event(const struct store_apply *apply, const struct store_plan_event *event,
                        struct proto_fault *fault)
{
    const struct store_happening told = {.seq = apply->seq,
                                         .known_ms = event->known_ms,
                                         .hash = event->hash,
                                         .slot = event->slot,
                                         .cut = event->cut,
                                         .event = event->bytes};
    return event->dropped || (store_told_set(apply->tolds, event->slot, apply->seq, fault) &&
                              store_overlay_tell(apply->generation, &told, apply->links, fault));
}

/* Asks for what linking an event will read and write: between its planning and now lie those of
 * the whole batch. */
static void event_ahead(const struct store_apply *apply, const struct store_plan_event *event)
{
    _Atomic uint64_t *segment = atomic_load_explicit(
        &apply->tolds->segments[event->slot / STORE_TOLD_SEGMENT], memory_order_relaxed);
    if (segment != NULL) {
        __builtin_prefetch(&segment[event->slot % STORE_TOLD_SEGMENT], 1);
    }
    store_generation_ahead_told(apply->generation, event->slot, event->hash);
    store_generation_ahead_slot(apply->generation, event->slot, 0);
}

static bool apply_events(const struct store_apply *apply, const struct store_plan *plan,
                         struct proto_fault *fault)
{
    for (size_t i = 0; i < plan->event_count; i++) {
        if (i + EVENTS_AHEAD < plan->event_count) {
            event_ahead(apply, &plan->events[i + EVENTS_AHEAD]);
        }
        if (i + EVENTS_AHEAD / 2 < plan->event_count) {
            store_generation_ahead_slot(apply->generation, plan->events[i + EVENTS_AHEAD / 2].slot,
                                        1);
        }
        if (!apply_event(apply, &plan->events[i], fault)) {
            return false;
        }
    }
    return true;
}

bool store_apply(const struct store_apply *apply, const struct store_plan *plan,
                 struct proto_fault *fault)
{
    if (!store_edits_reserve(apply->edits, plan->text_count * 2, fault)) {
        return false;
    }
    for (size_t i = 0; i < plan->text_count; i++) {
        if (!apply_text(apply, &plan->texts[i], fault)) {
            return false;
        }
    }
    for (size_t i = 0; i < plan->account_count; i++) {
        if (plan->accounts[i].changed && !apply_account(apply, &plan->accounts[i], fault)) {
            return false;
        }
    }
    for (size_t i = 0; i < plan->account_count; i++) {
        if (plan->accounts[i].retold &&
            !store_told_set(apply->tolds, plan->accounts[i].slot, apply->seq, fault)) {
            return false;
        }
    }
    if (!apply_events(apply, plan, fault)) {
        return false;
    }
    for (size_t i = 0; i < plan->document_count; i++) {
        if (!apply_document(apply, &plan->documents[i], fault)) {
            return false;
        }
    }
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Identity entries as a view sees them. Whether one counts for the record that has its id now is
 * read off that record's chain, from the newest entry down to this one: one of a record that was
 * deleted is in nobody's chain. */
#include <assert.h>

#include "server/store/store_parts.h"

uint32_t store_find_source(struct store_view *view, struct proto_span id, struct proto_fault *fault)
{
    struct proto_fault why = {.code = PROTO_OK};
    uint32_t slot = store_find_id(view, id, &why);
    if (slot != STORE_NO_SLOT) {
        slot = store_account_source(&view->sight, slot, STORE_KIND_ID, id, &why);
    }
    if (why.code != PROTO_OK) {
        *fault = why;
    }
    return slot;
}

static bool side_look(struct store_view *view, uint32_t number, struct proto_span id,
                      uint32_t *account, bool *counts, struct proto_fault *fault)
{
    struct proto_fault why = {.code = PROTO_OK};
    struct store_source source;
    struct identity_entry entry;
    *counts = false;
    uint32_t slot = store_find_source(view, id, &why);
    if (slot == STORE_NO_SLOT) {
        *fault = why.code == PROTO_OK ? *fault : why;
        return why.code == PROTO_OK;
    }
    if (!store_source(view, slot, &source, fault)) {
        return false;
    }
    *account = source.fold == STORE_NO_SLOT ? slot : source.fold;
    while (source.entry > number) {
        struct store_change change;
        if (!store_document_get(view, STORE_DOCUMENT_IDENTITY, source.entry, &change, fault)) {
            return false;
        }
        if (!identity_entry_decode(change.text, &entry)) {
            return true; /* given up: what was before it counts for nobody */
        }
        source.entry = entry.before[!proto_span_equal(entry.ids[0], id)];
    }
    *counts = source.entry == number;
    return true;
}

bool store_identity_entry(struct store_view *view, uint32_t number,
                          struct store_identity_entry *identity, struct proto_fault *fault)
{
    struct store_change change;
    uint32_t accounts[2] = {STORE_NO_SLOT, STORE_NO_SLOT};
    assert(view->active);
    if (!store_document_get(view, STORE_DOCUMENT_IDENTITY, number, &change, fault)) {
        return false;
    }
    *identity = (struct store_identity_entry){.time_ms = change.time_ms, .text = change.text};
    if (change.text.bytes == 0) {
        return true; /* given up by a repair */
    }
    if (!identity_entry_decode(change.text, &identity->entry)) {
        return proto_fault_set(fault, PROTO_CORRUPT, "identity", "identity entry %u is none",
                               number);
    }
    identity->counts = true;
    for (unsigned i = 0; identity->counts && i < identity_act_records(identity->entry.act); i++) {
        if (!side_look(view, number, identity->entry.ids[i], &accounts[i], &identity->counts,
                       fault)) {
            return false;
        }
    }
    identity->joined = accounts[0] == accounts[1];
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Line after line of one kind: accounts with their histories, events, identity entries. One that is
 * stored already is passed over if it is the same and the import is one that is begun again;
 * another one under its id is a conflict. The first line at fault ends the request. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "server/transfer/transfer_account.h"
#include "server/transfer/transfer_event.h"
#include "server/transfer/transfer_history.h"
#include "server/transfer/transfer_identity.h"
#include "server/transfer/transfer_parts.h"

static bool account_add(struct transfer_importing *importing, const struct transfer_line *line,
                        struct proto_span record)
{
    bool there;
    uint8_t *groups;
    size_t bytes = 0;
    if (!transfer_history_read(line, &there, &groups, &bytes, importing->fault)) {
        return false;
    }
    const struct proto_span history = {groups, bytes};
    bool good =
        engine_ingest_place(importing->ingest, record, there ? &history : NULL, importing->fault) ||
        transfer_line_within(line, TRANSFER_AT("account"), importing->fault);
    free(groups);
    return good;
}

static bool account_place(struct transfer_importing *importing, const struct transfer_line *line,
                          struct transfer_account *account)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_view *view = importing->worker->view;
    if (!transfer_account_read(account, line, importing->fault)) {
        return false;
    }
    uint32_t slot = store_find_source(view, account->id, &fault);
    if (slot == STORE_NO_SLOT && fault.code == PROTO_OK) {
        importing->fresh++;
        return account_add(importing, line, account->encoded);
    }
    struct store_source source = {.count = 0};
    if (fault.code != PROTO_OK || !store_source(view, slot, &source, &fault)) {
        *importing->fault = fault;
        return transfer_line_within(line, TRANSFER_AT("account"), importing->fault);
    }
    if (importing->import->again && transfer_account_same(account, source.record)) {
        importing->present++;
        return true;
    }
    transfer_line_refuse(line, TRANSFER_AT("account"), importing->fault,
                         "the account \"%.*s\" is stored already%s", (int)account->id.bytes,
                         (const char *)account->id.data,
                         importing->import->again ? ", and is another" : "");
    importing->fault->code = PROTO_CONFLICT;
    return false;
}

bool transfer_take_accounts(struct transfer_importing *importing)
{
    struct transfer_account account;
    struct transfer_line line;
    struct proto_span text;
    uint64_t number = importing->import->line;
    size_t at = 0;
    bool good = transfer_account_init(&account, importing->worker->state->schema, importing->fault);
    if (!good) {
        return false;
    }
    const struct engine_state *state = importing->worker->state;
    for (size_t i = 0; i < state->schema_count; i++) {
        account.unnamed |= state->schemas[i] == NULL;
    }
    for (; good && transfer_line_next(importing->import->lines, &at, &text); number++) {
        good = transfer_line_load(&line, text, number, importing->fault);
        if (good) {
            good = strcmp(line.first, transfer_shelves[TRANSFER_ACCOUNT].name) == 0 ||
                   transfer_line_refuse(&line, TRANSFER_AT(NULL), importing->fault,
                                        "lines of a request are accounts, or one line of another "
                                        "kind by itself");
            good = good && account_place(importing, &line, &account);
            transfer_line_fini(&line);
        }
    }
    transfer_account_fini(&account);
    return good;
}

/* One that is stored already is passed over by the store. */
bool transfer_take_events(struct transfer_importing *importing)
{
    struct transfer_line line;
    struct proto_span text;
    uint64_t number = importing->import->line;
    bool good = true;
    for (size_t at = 0; good && transfer_line_next(importing->import->lines, &at, &text);
         number++) {
        struct proto_span account;
        struct event event;
        if (!transfer_line_load(&line, text, number, importing->fault)) {
            return false;
        }
        good = strcmp(line.first, transfer_shelves[TRANSFER_EVENT].name) == 0 ||
               transfer_line_refuse(&line, TRANSFER_AT(NULL), importing->fault,
                                    "lines of a request are events, or accounts, or one line of "
                                    "another kind by itself");
        good = good && transfer_event_read(&line, &account, &event, importing->fault) &&
               (engine_ingest_event_known(importing->ingest, account, &event, importing->fault) ||
                transfer_line_within(&line, TRANSFER_AT("event"), importing->fault));
        importing->fresh += good;
        transfer_line_fini(&line);
    }
    return good;
}

/* Whether an entry is to be stored; false with *fault code PROTO_OK: it is there, just so. */
static bool identity_is_new(struct transfer_importing *importing, const struct transfer_line *line,
                            uint32_t number, int64_t time_ms, const struct identity_entry *entry)
{
    struct store_identity_entry there;
    struct proto_fault fault = {.code = PROTO_OK};
    uint32_t last = store_view_entries(importing->worker->view) + (uint32_t)importing->fresh;
    if (number > last) {
        return number == last + 1 ||
               transfer_line_refuse(line, TRANSFER_AT("identity"), importing->fault,
                                    "entry %" PRIu32 " follows on %" PRIu32 ", which is not stored",
                                    number, number - 1);
    }
    bool same = importing->import->again &&
                store_identity_entry(importing->worker->view, number, &there, &fault) &&
                there.time_ms == time_ms && there.entry.act == entry->act &&
                there.entry.what == entry->what &&
                proto_span_equal(there.entry.ids[0], entry->ids[0]) &&
                proto_span_equal(there.entry.ids[1], entry->ids[1]) &&
                proto_span_equal(there.entry.author, entry->author) &&
                proto_span_equal(there.entry.reason, entry->reason);
    if (!same) {
        transfer_line_refuse(line, TRANSFER_AT("identity"), importing->fault,
                             "entry %" PRIu32 " is stored already%s", number,
                             importing->import->again ? ", and is another" : "");
        importing->fault->code = PROTO_CONFLICT;
    }
    importing->present += same;
    return false;
}

bool transfer_take_identities(struct transfer_importing *importing)
{
    struct transfer_line line;
    struct proto_span text;
    uint64_t number = importing->import->line;
    bool good = true;
    for (size_t at = 0; good && transfer_line_next(importing->import->lines, &at, &text);
         number++) {
        struct identity_entry entry;
        uint32_t said = 0;
        int64_t time_ms = 0;
        bool gone = false;
        if (!transfer_line_load(&line, text, number, importing->fault)) {
            return false;
        }
        good = strcmp(line.first, transfer_shelves[TRANSFER_IDENTITY].name) == 0 ||
               transfer_line_refuse(&line, TRANSFER_AT(NULL), importing->fault,
                                    "lines of a request are entries, or one line of another kind "
                                    "by itself");
        good =
            good && transfer_identity_read(&line, &said, &time_ms, &entry, &gone, importing->fault);
        bool fresh = good && identity_is_new(importing, &line, said, time_ms, &entry);
        good = good && importing->fault->code == PROTO_OK &&
               (!fresh ||
                engine_ingest_identity_known(importing->ingest, time_ms, &entry, gone,
                                             importing->fault) ||
                transfer_line_within(&line, TRANSFER_AT("identity"), importing->fault));
        importing->fresh += good && fresh;
        transfer_line_fini(&line);
    }
    return good;
}

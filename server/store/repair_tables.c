/* SPDX-License-Identifier: Apache-2.0 */
/* Table by table, key by key as the state says that they must be: what is there and matches its
 * check is copied; what is not leaves a deleted account, a document without text, or nothing. Ids
 * and keys follow from the accounts. Rows and vectors are left out, for they are made again; so is
 * what was put aside, which now stands in its place. A survey reads the same and writes nothing. */
#include <stdlib.h>

#include "server/disk/seal.h"
#include "server/store/repair_parts.h"

enum { STRETCH_BYTES = 32 << 20, TEXTS_MAX = 1 + PROTO_KEYS_MAX };

static const char given_up[] = "given up by a repair";

static bool stretch_commit(struct repair *repair, size_t bytes, struct proto_fault *fault)
{
    repair->stretch += bytes;
    if (!repair->writing || repair->stretch < STRETCH_BYTES) {
        return true;
    }
    repair->stretch = 0;
    repair->writing = false;
    if (!disk_txn_commit(&repair->txn, fault) ||
        !disk_txn_write(&repair->txn, &repair->out, fault)) {
        return false;
    }
    repair->writing = true;
    return true;
}

static bool texts_add(struct repair *repair, const struct feature_record *record, uint32_t slot,
                      struct proto_fault *fault)
{
    struct store_edits *edits = &repair->edits;
    struct proto_span key;
    size_t at = 0;
    uint32_t damaged = 0;
    edits->count = 0;
    if (!store_edits_reserve(edits, TEXTS_MAX, fault)) {
        return false;
    }
    edits->list[edits->count++] = (struct store_id_edit){
        store_hash_text(&repair->hasher, STORE_KIND_ID, record->id), slot, true};
    while (edits->count < TEXTS_MAX && feature_record_key_next(record, &at, &key)) {
        edits->list[edits->count++] = (struct store_id_edit){
            store_hash_text(&repair->hasher, STORE_KIND_KEY, key), slot | STORE_REF_KEY, true};
    }
    return store_bucket_edit(&repair->txn, &repair->room, edits->list, edits->count, &damaged,
                             fault);
}

/* The id of a record that does not match its check: a hint for people. */
static struct proto_span id_perhaps(struct proto_span value)
{
    struct feature_record record;
    struct proto_fault ignored;
    if (value.bytes <= STORE_ACCOUNT_HEADER_BYTES) {
        return (struct proto_span){NULL, 0};
    }
    struct proto_span bytes = store_account_record(value);
    return feature_record_open(bytes, false, &record, &ignored) ? record.id
                                                                : (struct proto_span){NULL, 0};
}

static bool account_lose(struct repair *repair, uint32_t slot, struct proto_fault *fault)
{
    uint8_t empty[STORE_ACCOUNT_HEADER_BYTES];
    struct proto_span value = {0};
    struct proto_fault why = {.code = PROTO_OK};
    enum disk_got got = disk_txn_get(&repair->salvage.txn, DISK_TABLE_ACCOUNT, slot, &value, &why);
    repair->repaired->accounts_lost++;
    store_repair_reject(repair, "account", slot, got == DISK_GOT_ONE ? id_perhaps(value) : value,
                        got == DISK_GOT_FAULT  ? why.message
                        : got == DISK_GOT_NONE ? "the record is missing"
                                               : "the record does not match its checksum");
    const struct store_account_stamp none = {.fold = STORE_NO_SLOT};
    store_account_encode(empty, slot, (struct proto_span){NULL, 0}, &none);
    return !repair->writing ||
           store_account_put(&repair->txn, slot, true, (struct proto_span){empty, sizeof empty}, 0,
                             fault);
}

/* Whether a fold and all its source records can be read, and name each other. */
static bool fold_whole(const struct store_sight *sight, uint32_t slot, struct proto_span *id)
{
    struct store_account fold;
    struct store_account member;
    struct feature_record record;
    struct proto_fault why;
    if (slot >= sight->state->slots || !store_account_get(sight, slot, &fold, &why) ||
        fold.members.bytes == 0 || !feature_record_open(fold.record, true, &record, &why)) {
        return false;
    }
    *id = record.id;
    for (size_t i = 0; i < store_member_count(fold.members); i++) {
        uint32_t source = store_member(fold.members, i);
        if (source >= sight->state->slots || !store_account_get(sight, source, &member, &why) ||
            member.deleted || member.fold != slot ||
            !feature_record_open(member.record, true, &record, &why)) {
            return false;
        }
    }
    return true;
}

/* A fold of which anything is lost is taken apart: its source records stand alone, until an entry
 * brings them together again. */
static bool fold_lose(struct repair *repair, uint32_t slot, struct proto_span id,
                      struct proto_fault *fault)
{
    uint8_t empty[STORE_ACCOUNT_HEADER_BYTES];
    const struct store_account_stamp none = {.fold = STORE_NO_SLOT};
    store_repair_reject(repair, "account of several source records", slot, id,
                        "not all of them can be read: the others stand alone again");
    store_account_encode(empty, slot, (struct proto_span){NULL, 0}, &none);
    return !repair->writing ||
           store_account_put(&repair->txn, slot, true, (struct proto_span){empty, sizeof empty}, 0,
                             fault);
}

/* A source record alone, of a fold that is taken apart. */
static bool source_free(struct repair *repair, uint32_t slot, const struct store_account *account,
                        const struct feature_record *record, struct proto_fault *fault)
{
    const struct store_account_stamp stamp = {.created_s = (uint32_t)record->created_s,
                                              .changed_s = (uint32_t)record->changed_s,
                                              .begun = account->begun,
                                              .past = account->past,
                                              .entry = account->entry,
                                              .fold = STORE_NO_SLOT};
    size_t bytes = store_account_bytes(account->record, &stamp);
    uint8_t *value = malloc(bytes);
    if (value == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a record");
    }
    store_account_encode(value, slot, account->record, &stamp);
    bool good =
        store_account_put(&repair->txn, slot, true, (struct proto_span){value, bytes}, 0, fault) &&
        texts_add(repair, record, slot, fault);
    free(value);
    repair->txn.state.accounts++;
    return good && stretch_commit(repair, bytes, fault);
}

/* A source record of a fold that is whole: its id names the fold, which has the keys. */
static bool source_copy(struct repair *repair, uint32_t slot, const struct store_account *account,
                        struct proto_span id, bool first, struct proto_fault *fault)
{
    const struct feature_record named = {.id = id};
    repair->txn.state.sources++;
    return store_account_put(&repair->txn, slot, true, account->value, 0, fault) &&
           (first || texts_add(repair, &named, account->fold, fault)) &&
           stretch_commit(repair, account->value.bytes, fault);
}

static bool account_copy(struct repair *repair, uint32_t slot, struct proto_fault *fault)
{
    struct store_sight sight = store_sight_of(&repair->salvage.txn);
    struct store_account account;
    struct feature_record record;
    struct proto_fault why;
    struct proto_span fold_id = {NULL, 0};
    if (!store_account_get(&sight, slot, &account, &why) ||
        (!account.deleted && !feature_record_open(account.record, true, &record, &why))) {
        return account_lose(repair, slot, fault);
    }
    bool fold = !account.deleted && account.members.bytes > 0;
    bool source = !account.deleted && account.fold != STORE_NO_SLOT;
    bool whole = (fold || source) && fold_whole(&sight, fold ? slot : account.fold, &fold_id);
    if (fold && !whole) {
        return fold_lose(repair, slot, record.id, fault);
    }
    repair->repaired->accounts += !account.deleted && !(source && whole);
    if (!account.deleted && !store_repair_events(repair, slot, record.id, fault)) {
        return false;
    }
    if (account.past && !store_repair_past(repair, slot, account.run, &record, fault)) {
        return false;
    }
    if (!repair->writing) {
        return true;
    }
    if (source) {
        return whole ? source_copy(repair, slot, &account, record.id,
                                   proto_span_equal(record.id, fold_id), fault)
                     : source_free(repair, slot, &account, &record, fault);
    }
    struct proto_span value = account.value;
    if (!store_account_put(&repair->txn, slot, true, value, 0, fault) ||
        (!account.deleted && !texts_add(repair, &record, slot, fault))) {
        return false;
    }
    repair->txn.state.accounts += !account.deleted;
    repair->txn.state.folds += fold;
    return stretch_commit(repair, value.bytes, fault);
}

bool store_repair_value(struct repair *repair, enum disk_table table, uint64_t key,
                        struct proto_span value, struct proto_fault *fault)
{
    if (!repair->writing) {
        return true;
    }
    uint8_t *at = disk_txn_put(&repair->txn, table, key, value.bytes, DISK_PUT_LAST, fault);
    if (at == NULL) {
        return false;
    }
    memcpy(at, value.data, value.bytes);
    disk_sum_change(&repair->txn.state, table, false, 0, true, disk_get_u64(value.data));
    return stretch_commit(repair, value.bytes, fault);
}

/* A document that says nothing, in the form that its kind has. */
static bool document_lose(struct repair *repair, enum store_document_kind kind, uint32_t number,
                          const char *why, struct proto_fault *fault)
{
    const struct disk_state *state = &repair->salvage.txn.state;
    enum disk_table table = store_document_info(kind)->table;
    uint8_t bytes[DISK_SEAL_BYTES + 64];
    uint32_t slots = 0;
    struct disk_sealed sealed = {.time_ms = 0};
    if (kind == STORE_DOCUMENT_SWITCH) {
        sealed.a = state->active;
        sealed.b = state->previous;
        sealed.text = proto_span_text(given_up);
    } else if (kind == STORE_DOCUMENT_TAL) {
        sealed.b = STORE_TAL_IDS;
        sealed.text = (struct proto_span){(const uint8_t *)&slots, sizeof slots};
    }
    repair->repaired->documents_lost++;
    store_repair_reject(repair, store_document_info(kind)->what, number,
                        (struct proto_span){NULL, 0}, why);
    disk_seal(table, number, &sealed, bytes);
    return store_repair_value(repair, table, number,
                              (struct proto_span){bytes, disk_seal_bytes(&sealed)}, fault);
}

static bool documents_copy(struct repair *repair, enum store_document_kind kind,
                           struct proto_fault *fault)
{
    const struct disk_txn *from = &repair->salvage.txn;
    struct store_sight sight = store_sight_of(from);
    enum disk_table table = store_document_info(kind)->table;
    uint32_t last = store_document_last(&from->state, kind);
    bool good = true;
    for (uint32_t number = 1; good && number <= last; number++) {
        struct store_change change;
        struct proto_span value = {0};
        struct proto_fault why = {.code = PROTO_OK};
        bool whole = store_document_read(&sight, kind, number, &change, &why) &&
                     disk_txn_get(from, table, number, &value, &why) == DISK_GOT_ONE;
        good = whole ? store_repair_value(repair, table, number, value, fault)
                     : document_lose(repair, kind, number, why.message, fault);
    }
    return good;
}

/* Entries of a table that has no keys that must be there. */
static bool operations_copy(struct repair *repair, struct proto_fault *fault)
{
    const struct disk_txn *from = &repair->salvage.txn;
    struct disk_cursor cursor;
    struct proto_fault why = {.code = PROTO_OK};
    enum disk_got got;
    uint64_t kept = 0;
    bool good = disk_cursor_open(&cursor, from, DISK_TABLE_OPERATION, fault);
    while (good && (got = disk_cursor_next(&cursor, &why)) != DISK_GOT_NONE) {
        struct proto_span value = cursor.value;
        if (got == DISK_GOT_ONE && value.bytes == STORE_OPERATION_VALUE_BYTES &&
            disk_get_u64(value.data) ==
                disk_check(DISK_TABLE_OPERATION, cursor.key, value.data + 8, value.bytes - 8)) {
            good = store_repair_value(repair, DISK_TABLE_OPERATION, cursor.key, value, fault);
            kept++;
        }
    }
    disk_cursor_close(&cursor);
    uint64_t said = from->state.sums[DISK_TABLE_OPERATION].count;
    if (good && kept < said) {
        repair->repaired->operations_lost = said - kept;
        store_repair_reject(repair, "operation ids", said - kept, (struct proto_span){NULL, 0},
                            "a write that is repeated under one of them is applied again");
    }
    return good;
}

/* Whether a table holds what the state says, down to every page. */
static bool table_sound(const struct repair *repair, enum disk_table table)
{
    struct disk_cursor cursor;
    struct proto_fault ignored;
    struct disk_sum sum = {0};
    enum disk_got got = DISK_GOT_FAULT;
    if (!disk_cursor_open(&cursor, &repair->salvage.txn, table, &ignored)) {
        return false;
    }
    disk_cursor_thorough(&cursor);
    while ((got = disk_cursor_next(&cursor, &ignored)) == DISK_GOT_ONE) {
        const struct proto_span value = cursor.value;
        if (value.bytes < 8 || disk_get_u64(value.data) !=
                                   disk_check(table, cursor.key, value.data + 8, value.bytes - 8)) {
            break;
        }
        sum.count++;
        sum.digest ^= disk_get_u64(value.data);
    }
    disk_cursor_close(&cursor);
    const struct disk_sum *said = &repair->salvage.txn.state.sums[table];
    return got == DISK_GOT_NONE &&
           (table == DISK_TABLE_META || (sum.count == said->count && sum.digest == said->digest));
}

static void damage_find(struct repair *repair)
{
    const struct disk_salvage *salvage = &repair->salvage;
    repair->damaged =
        !salvage->sound || salvage->older || salvage->txn.state.sums[DISK_TABLE_ASIDE].count > 0;
    for (enum disk_table table = 0; table < DISK_TABLE_COUNT; table++) {
        repair->damaged |= !table_sound(repair, table);
    }
}

bool store_repair_tables(struct repair *repair, struct proto_fault *fault)
{
    const struct disk_state *from = &repair->salvage.txn.state;
    bool good = true;
    if (!repair->writing) {
        damage_find(repair);
    }
    good = store_repair_directory_begin(repair, fault);
    for (uint32_t slot = 0; good && slot < from->slots; slot++) {
        good = account_copy(repair, slot, fault);
    }
    good = good && store_repair_directory_end(repair, fault);
    for (unsigned i = 0; good && i < STORE_DOCUMENT_COUNT; i++) {
        good = documents_copy(repair, (enum store_document_kind)i, fault);
    }
    return good && operations_copy(repair, fault);
}

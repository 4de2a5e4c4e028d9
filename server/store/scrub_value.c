/* SPDX-License-Identifier: Apache-2.0 */
/* What each value of each table must be: its check, and that what leads to it and what it leads to
 * agree, such as ids with buckets, rows with accounts, events with their directory. What does not
 * agree is told by table and key, or by account. */
#include <stdarg.h>
#include <stdio.h>

#include "server/store/past_table.h"
#include "server/store/scrub_parts.h"
#include "server/store/store_event.h"

void store_scrub_bad(struct store_scrub_run *scrub, const char *format, ...)
{
    char what[640];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    scrub->bad++;
    if (scrub->on_bad != NULL) {
        scrub->on_bad(scrub->context, what);
    }
}

void store_scrub_unread(struct store_scrub_run *scrub, const char *what,
                        const struct proto_fault *fault)
{
    if (fault->code == PROTO_NO_MEMORY) {
        scrub->failed = *fault;
    } else {
        store_scrub_bad(scrub, "%s%s", what, fault->message);
    }
}

static void dense(struct store_scrub_run *scrub, enum disk_table table, uint64_t key)
{
    if (key != scrub->next) {
        store_scrub_bad(scrub, "table %s has key %llu where %llu was due", disk_table_name(table),
                        (unsigned long long)key, (unsigned long long)scrub->next);
    }
    scrub->next = key + 1;
}

static void scrub_sealed(struct store_scrub_run *scrub, enum disk_table table, uint64_t key,
                         struct proto_span value)
{
    struct disk_sealed sealed;
    struct proto_fault fault = {.code = PROTO_OK};
    dense(scrub, table, key);
    if (!disk_unseal(table, key, value, &sealed, &fault)) {
        store_scrub_bad(scrub, "%s", fault.message);
    }
}

/* Every text of a record must lead back to its slot. */
static void scrub_text(struct store_scrub_run *scrub, enum store_kind kind, struct proto_span text,
                       uint32_t slot)
{
    struct proto_fault fault;
    uint32_t found;
    uint64_t hash = store_hash_text(&scrub->store->hasher, kind, text);
    if (!store_resolve(&scrub->sight, kind, text, hash, &found, &fault)) {
        store_scrub_bad(scrub, "%s", fault.message);
    } else if (found != slot) {
        store_scrub_bad(scrub, "%s %.*s of slot %u leads to slot %u",
                        kind == STORE_KIND_ID ? "the id" : "the key", (int)text.bytes,
                        (const char *)text.data, slot, found);
    }
}

static void scrub_row(struct store_scrub_run *scrub, uint32_t slot, bool deleted,
                      struct proto_span id)
{
    const struct disk_state *state = &scrub->txn.state;
    struct proto_fault fault;
    if (state->rows_digest == 0 || slot >= state->rows_slots) {
        return;
    }
    const uint8_t *block = store_block_get(&scrub->txn, slot / STORE_BLOCK_ROWS, &fault);
    if (block == NULL) {
        store_scrub_bad(scrub, "%s", fault.message);
        return;
    }
    const uint8_t *row = store_block_row(block, slot, state->row_bytes);
    bool living = (disk_get_u16(row + 12) & STORE_ROW_LIVING) != 0;
    if (!store_row_valid(row, state->row_bytes, slot, state->rows_digest)) {
        store_scrub_bad(scrub, "the row of slot %u%s%.*s does not match its checksum", slot,
                        id.bytes > 0 ? ", account " : "", (int)id.bytes, (const char *)id.data);
    } else if (living == deleted ||
               (living &&
                disk_get_u64(row) != store_hash_text(&scrub->store->hasher, STORE_KIND_ID, id))) {
        store_scrub_bad(scrub, "the row of slot %u%s%.*s is not that of its account", slot,
                        id.bytes > 0 ? ", account " : "", (int)id.bytes, (const char *)id.data);
    }
}

/* The id in a record that does not match its check. */
static struct proto_span id_perhaps(struct proto_span value)
{
    struct feature_record parts;
    struct proto_fault ignored;
    if (value.bytes <= STORE_ACCOUNT_HEADER_BYTES) {
        return (struct proto_span){NULL, 0};
    }
    struct proto_span record = store_account_record(value);
    return feature_record_open(record, false, &parts, &ignored) ? parts.id
                                                                : (struct proto_span){NULL, 0};
}

/* An account that says that it has history has one, and it can be read. */
static void scrub_past(struct store_scrub_run *scrub, uint32_t slot, uint32_t run,
                       struct proto_span id)
{
    struct store_history history = {.count = 0};
    struct proto_fault fault = {.code = PROTO_OK};
    if (store_past_table_get(&scrub->txn, slot, run, &history, &fault)) {
        if (history.lost) {
            store_scrub_bad(scrub, "what values of slot %u were before was lost, account %.*s",
                            slot, (int)id.bytes, (const char *)id.data);
        }
    } else if (fault.code == PROTO_NO_MEMORY) {
        scrub->failed = fault;
    } else {
        store_scrub_bad(scrub, "%s, account %.*s", fault.message, (int)id.bytes,
                        (const char *)id.data);
    }
    store_history_fini(&history);
}

/* A source record and its fold name each other. */
static void scrub_members(struct store_scrub_run *scrub, uint32_t slot,
                          const struct store_account *account, struct proto_span id)
{
    struct store_account other = {.deleted = true};
    struct proto_fault fault;
    bool named = account->fold == STORE_NO_SLOT;
    if (!named && account->fold < scrub->txn.state.slots &&
        store_account_get(&scrub->sight, account->fold, &other, &fault)) {
        for (size_t i = 0; i < store_member_count(other.members); i++) {
            named |= store_member(other.members, i) == slot;
        }
    }
    for (size_t i = 0; i < store_member_count(account->members); i++) {
        uint32_t member = store_member(account->members, i);
        named &= member < scrub->txn.state.slots &&
                 store_account_get(&scrub->sight, member, &other, &fault) && other.fold == slot;
    }
    if (!named) {
        store_scrub_bad(scrub, "slot %u, account %.*s, is not what its source records come to",
                        slot, (int)id.bytes, (const char *)id.data);
    }
}

static void scrub_account(struct store_scrub_run *scrub, enum disk_table table, uint64_t key,
                          struct proto_span value)
{
    struct store_account account;
    struct feature_record parts = {0};
    struct proto_fault fault;
    dense(scrub, table, key);
    if (key >= scrub->txn.state.slots ||
        !store_account_get(&scrub->sight, (uint32_t)key, &account, &fault) ||
        (!account.deleted && !feature_record_open(account.record, true, &parts, &fault))) {
        struct proto_span id = id_perhaps(value);
        store_scrub_bad(scrub, "the record of slot %llu%s%.*s is damaged", (unsigned long long)key,
                        id.bytes > 0 ? ", perhaps account " : "", (int)id.bytes,
                        (const char *)id.data);
        return;
    }
    scrub_row(scrub, (uint32_t)key, !store_account_answers(&account), parts.id);
    if (account.deleted) {
        return;
    }
    scrub->accounts += account.fold == STORE_NO_SLOT;
    scrub->sources += account.fold != STORE_NO_SLOT;
    scrub->folds += account.members.bytes > 0;
    if (account.past) {
        scrub_past(scrub, (uint32_t)key, account.run, parts.id);
    }
    scrub_members(scrub, (uint32_t)key, &account, parts.id);
    uint32_t owner = account.fold == STORE_NO_SLOT ? (uint32_t)key : account.fold;
    scrub_text(scrub, STORE_KIND_ID, parts.id, owner);
    struct proto_span text;
    for (size_t at = 0; feature_record_key_next(&parts, &at, &text);) {
        scrub_text(scrub, STORE_KIND_KEY, text, owner);
    }
}

static void scrub_bucket(struct store_scrub_run *scrub, enum disk_table table, uint64_t key,
                         struct proto_span value)
{
    const struct disk_state *state = &scrub->txn.state;
    struct store_bucket bucket;
    struct proto_fault fault;
    (void)value;
    dense(scrub, table, key);
    if (key >= state->id_buckets ||
        !store_bucket_get(&scrub->txn, (uint32_t)key, &bucket, &fault)) {
        store_scrub_bad(scrub, "bucket %llu of table id is damaged", (unsigned long long)key);
        return;
    }
    scrub->entries += bucket.count;
    for (uint32_t i = 0; i < bucket.count; i++) {
        if (store_bucket_of(store_bucket_hash(&bucket, i), state->id_buckets) != key ||
            (store_bucket_ref(&bucket, i) & STORE_REF_SLOT) >= state->slots) {
            store_scrub_bad(scrub, "entry %u of bucket %llu of table id is out of place", i,
                            (unsigned long long)key);
        }
    }
}

static void scrub_block(struct store_scrub_run *scrub, enum disk_table table, uint64_t key,
                        struct proto_span value)
{
    if (value.bytes < STORE_BLOCK_HEADER_BYTES ||
        value.bytes > store_block_bytes(PROTO_COLUMNS_MAX + 64) ||
        disk_get_u64(value.data) != disk_check(table, key, value.data + 8, value.bytes - 8)) {
        store_scrub_bad(scrub, "block %llu of rows does not match its checksum",
                        (unsigned long long)key);
    }
}

static void scrub_vector(struct store_scrub_run *scrub, enum disk_table table, uint64_t key,
                         struct proto_span value)
{
    if (value.bytes < DISK_SEAL_BYTES ||
        disk_get_u64(value.data) != disk_check(table, key, value.data + 8, value.bytes - 8)) {
        store_scrub_bad(scrub, "entry %016llx of the vectors does not match its checksum",
                        (unsigned long long)key);
    }
}

static void scrub_aside(struct store_scrub_run *scrub, enum disk_table table, uint64_t key,
                        struct proto_span value)
{
    enum disk_table meant;
    uint64_t meant_key;
    struct proto_span inner;
    (void)table;
    if (!disk_aside_open(key, value, &meant, &meant_key, &inner) || inner.bytes < 8 ||
        disk_get_u64(inner.data) != disk_check(meant, meant_key, inner.data + 8, inner.bytes - 8)) {
        store_scrub_bad(scrub, "entry %016llx of table aside does not match its checksum",
                        (unsigned long long)key);
    }
}

static void scrub_operation(struct store_scrub_run *scrub, enum disk_table table, uint64_t key,
                            struct proto_span value)
{
    if (value.bytes != STORE_OPERATION_VALUE_BYTES || key > scrub->txn.state.seq ||
        disk_get_u64(value.data) != disk_check(table, key, value.data + 8, value.bytes - 8)) {
        store_scrub_bad(scrub, "operation %llu does not match its checksum",
                        (unsigned long long)key);
    }
}

/* Each slot that a piece of the directory names has block 0. */
static void scrub_directory(struct store_scrub_run *scrub, uint64_t key, struct proto_span value)
{
    uint32_t number = (uint32_t)key;
    if (value.bytes != STORE_EVENT_DIRECTORY_BYTES ||
        disk_get_u64(value.data) !=
            disk_check(DISK_TABLE_EVENT, key, value.data + 8, value.bytes - 8)) {
        store_scrub_bad(scrub, "piece %u of the directory of events is damaged", number);
        return;
    }
    for (uint32_t i = 0; i < STORE_EVENT_DIRECTORY_SLOTS; i++) {
        struct store_event_head head;
        struct proto_fault fault;
        bool has = (value.data[STORE_EVENT_HEADER_BYTES + i / 8] >> i % 8 & 1) != 0;
        uint32_t slot = number * STORE_EVENT_DIRECTORY_SLOTS + i;
        if (has && !store_event_head_look(&scrub->txn, slot, true, &head, &fault)) {
            store_scrub_bad(scrub, "the events of slot %u cannot be read: %s", slot, fault.message);
        }
    }
}

/* A block belongs to an account that lives and lies where block 0 says; its events can be read. */
static void scrub_event(struct store_scrub_run *scrub, enum disk_table table, uint64_t key,
                        struct proto_span value)
{
    uint32_t slot = (uint32_t)(key >> 32);
    struct store_event_head own;
    struct store_event_head head;
    struct store_account account = {.deleted = true};
    struct event_block block;
    struct event event;
    struct proto_fault fault = {.code = PROTO_OK};
    bool expected = false;
    (void)table;
    if (key >= STORE_EVENT_DIRECTORY_KEY) {
        scrub_directory(scrub, key, value);
        return;
    }
    if (!store_event_value_open(key, value, &own) ||
        !store_event_head_get(&scrub->txn, slot, &head, &fault) ||
        !store_event_expected(&scrub->txn, slot, &expected, &fault) || !expected ||
        !event_block_open(&block, own.block, &fault)) {
        store_scrub_bad(scrub, "block %u of the events of slot %u is damaged", (uint32_t)key, slot);
        return;
    }
    while (event_block_next(&block, &event, &fault)) {
        continue;
    }
    bool empty = head.there && head.closed == 0 && head.block.bytes <= EVENT_BLOCK_HEAD_BYTES;
    bool living = slot < scrub->txn.state.slots &&
                  store_account_get(&scrub->sight, slot, &account, &fault) && !account.deleted;
    if (fault.code != PROTO_OK || head.lost) {
        store_scrub_bad(scrub, "events of slot %u are damaged or were lost", slot);
    } else if ((uint32_t)key > head.closed || (!empty && !living)) {
        store_scrub_bad(scrub, "block %u of the events of slot %u belongs to nobody", (uint32_t)key,
                        slot);
    }
}

/* Whether the account of the slot names a piece of that run, or its newest piece does. */
static bool piece_named(struct store_scrub_run *scrub, uint32_t slot, uint32_t run)
{
    struct store_account account;
    struct store_piece newest;
    struct proto_span value = {0};
    struct proto_fault fault;
    if (slot >= scrub->txn.state.slots ||
        !store_account_get(&scrub->sight, slot, &account, &fault) || !account.past) {
        return false;
    }
    uint64_t key = store_piece_key(slot, account.run);
    bool named = account.run == run;
    if (!named &&
        disk_txn_get(&scrub->txn, DISK_TABLE_HISTORY, key, &value, &fault) == DISK_GOT_ONE &&
        store_piece_open(key, value, &newest, &fault)) {
        for (uint32_t i = 0; i < newest.older_count; i++) {
            named |= newest.older[i].run == run;
        }
    }
    return named;
}

/* A piece is whole, and one of an account that says that it has it, unless it is empty. */
static void scrub_history(struct store_scrub_run *scrub, enum disk_table table, uint64_t key,
                          struct proto_span value)
{
    struct store_piece piece;
    struct proto_fault fault;
    uint32_t slot = (uint32_t)key;
    (void)table;
    if (!store_piece_open(key, value, &piece, &fault) ||
        !store_past_groups_sound(piece.groups, true)) {
        store_scrub_bad(scrub, "what values of slot %u were before is damaged", slot);
        return;
    }
    bool empty = piece.group_count == 0 && piece.older_count == 0 && !piece.gone;
    if (!empty && !piece_named(scrub, slot, piece.run)) {
        store_scrub_bad(scrub, "a history of slot %u belongs to nobody", slot);
    }
}

/* Format and state were checked when the view was made. */
static void scrub_nothing(struct store_scrub_run *scrub, enum disk_table table, uint64_t key,
                          struct proto_span value)
{
    (void)scrub;
    (void)table;
    (void)key;
    (void)value;
}

static void (*const by_table[DISK_TABLE_COUNT])(struct store_scrub_run *, enum disk_table, uint64_t,
                                                struct proto_span) = {
    [DISK_TABLE_META] = scrub_nothing,        [DISK_TABLE_LOG] = scrub_sealed,
    [DISK_TABLE_ACCOUNT] = scrub_account,     [DISK_TABLE_ROW] = scrub_block,
    [DISK_TABLE_ID] = scrub_bucket,           [DISK_TABLE_SCHEMA] = scrub_sealed,
    [DISK_TABLE_ICP] = scrub_sealed,          [DISK_TABLE_SWITCH] = scrub_sealed,
    [DISK_TABLE_TAL] = scrub_sealed,          [DISK_TABLE_VECTOR] = scrub_vector,
    [DISK_TABLE_OPERATION] = scrub_operation, [DISK_TABLE_ASIDE] = scrub_aside,
    [DISK_TABLE_EVENT] = scrub_event,         [DISK_TABLE_HISTORY] = scrub_history,
    [DISK_TABLE_IDENTITY] = scrub_sealed,     [DISK_TABLE_TERM] = scrub_sealed,
    [DISK_TABLE_METRIC] = scrub_sealed,       [DISK_TABLE_CHALLENGE] = scrub_sealed,
    [DISK_TABLE_SEGMENT] = scrub_sealed,
};

void store_scrub_value(struct store_scrub_run *scrub, enum disk_table table, uint64_t key,
                       struct proto_span value)
{
    by_table[table](scrub, table, key, value);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Table by table, key by key, then the log; whatever is damaged is told, and the walk goes on
 * behind it. A scrub beside a running server keeps to a rate, and moves its snapshot on every few
 * seconds, so that it pins no pages; of a table that was folded into meanwhile count and digest are
 * not compared. */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "server/store/past_table.h"
#include "server/store/store_event.h"
#include "server/store/store_parts.h"

enum {
    PACE_BYTES = 1 << 20,     /* read between looks at the rate and the progress */
    PACE_NS = 50000000,       /* slept at once: so soon is a cancel heard */
    SNAPSHOT_NS = 2000000000, /* that one snapshot is held */
};

struct scrub {
    const struct store *store;
    struct disk_txn txn;
    struct store_sight sight; /* of the tables alone */
    void (*on_bad)(void *context, const char *what);
    void *context;
    uint64_t bad;
    const struct store_scrub_request *request;
    uint64_t bytes;    /* read so far */
    uint64_t told;     /* of them, when the progress was last told */
    uint64_t begun_ns; /* the whole */
    uint64_t taken_ns; /* the snapshot */
    uint64_t values;   /* seen so far, of `all` */
    uint64_t all;
    bool moved; /* the tables changed within the table under way, or before compare_counts */
    bool moved_once;
    bool stopped;
    struct proto_fault failed; /* what is of the moment, not of what is stored */
    /* Of the table under way. */
    uint64_t next;     /* the key that must come next, where keys are dense */
    uint64_t entries;  /* ids and keys */
    uint64_t accounts; /* living */
    uint64_t sources;  /* living source records of folds */
    uint64_t folds;
};

static void bad(struct scrub *scrub, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void bad(struct scrub *scrub, const char *format, ...)
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

/* What keeps the scrub from reading is damage as long as it is the store's; memory is not. */
static void unread(struct scrub *scrub, const char *what, const struct proto_fault *fault)
{
    if (fault->code == PROTO_NO_MEMORY) {
        scrub->failed = *fault;
    } else {
        bad(scrub, "%s%s", what, fault->message);
    }
}

static void dense(struct scrub *scrub, enum disk_table table, uint64_t key)
{
    if (key != scrub->next) {
        bad(scrub, "table %s has key %llu where %llu was due", disk_table_name(table),
            (unsigned long long)key, (unsigned long long)scrub->next);
    }
    scrub->next = key + 1;
}

static void scrub_sealed(struct scrub *scrub, enum disk_table table, uint64_t key,
                         struct proto_span value)
{
    struct disk_sealed sealed;
    struct proto_fault fault = {.code = PROTO_OK};
    dense(scrub, table, key);
    if (!disk_unseal(table, key, value, &sealed, &fault)) {
        bad(scrub, "%s", fault.message);
    }
}

/* Every text of a record must lead back to its slot. */
static void scrub_text(struct scrub *scrub, enum store_kind kind, struct proto_span text,
                       uint32_t slot)
{
    struct proto_fault fault;
    uint32_t found;
    uint64_t hash = store_hash_text(&scrub->store->hasher, kind, text);
    if (!store_resolve(&scrub->sight, kind, text, hash, &found, &fault)) {
        bad(scrub, "%s", fault.message);
    } else if (found != slot) {
        bad(scrub, "%s %.*s of slot %u leads to slot %u",
            kind == STORE_KIND_ID ? "the id" : "the key", (int)text.bytes, (const char *)text.data,
            slot, found);
    }
}

static void scrub_row(struct scrub *scrub, uint32_t slot, bool deleted, struct proto_span id)
{
    const struct disk_state *state = &scrub->txn.state;
    struct proto_fault fault;
    if (state->rows_digest == 0 || slot >= state->rows_slots) {
        return;
    }
    const uint8_t *block = store_block_get(&scrub->txn, slot / STORE_BLOCK_ROWS, &fault);
    if (block == NULL) {
        bad(scrub, "%s", fault.message);
        return;
    }
    const uint8_t *row = store_block_row(block, slot, state->row_bytes);
    bool living = (disk_get_u16(row + 12) & STORE_ROW_LIVING) != 0;
    if (!store_row_valid(row, state->row_bytes, slot, state->rows_digest)) {
        bad(scrub, "the row of slot %u%s%.*s does not match its checksum", slot,
            id.bytes > 0 ? ", account " : "", (int)id.bytes, (const char *)id.data);
    } else if (living == deleted ||
               (living &&
                disk_get_u64(row) != store_hash_text(&scrub->store->hasher, STORE_KIND_ID, id))) {
        bad(scrub, "the row of slot %u%s%.*s is not that of its account", slot,
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
static void scrub_past(struct scrub *scrub, uint32_t slot, struct proto_span id)
{
    struct store_history history = {.count = 0};
    struct proto_fault fault = {.code = PROTO_OK};
    if (store_past_table_get(&scrub->txn, slot, true, &history, &fault)) {
        if (history.lost) {
            bad(scrub, "what values of slot %u were before was lost, account %.*s", slot,
                (int)id.bytes, (const char *)id.data);
        }
    } else if (fault.code == PROTO_NO_MEMORY) {
        scrub->failed = fault;
    } else {
        bad(scrub, "%s, account %.*s", fault.message, (int)id.bytes, (const char *)id.data);
    }
    store_history_fini(&history);
}

/* A source record and its fold name each other. */
static void scrub_members(struct scrub *scrub, uint32_t slot, const struct store_account *account,
                          struct proto_span id)
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
        bad(scrub, "slot %u, account %.*s, is not what its source records come to", slot,
            (int)id.bytes, (const char *)id.data);
    }
}

static void scrub_account(struct scrub *scrub, enum disk_table table, uint64_t key,
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
        bad(scrub, "the record of slot %llu%s%.*s is damaged", (unsigned long long)key,
            id.bytes > 0 ? ", perhaps account " : "", (int)id.bytes, (const char *)id.data);
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
        scrub_past(scrub, (uint32_t)key, parts.id);
    }
    scrub_members(scrub, (uint32_t)key, &account, parts.id);
    uint32_t owner = account.fold == STORE_NO_SLOT ? (uint32_t)key : account.fold;
    scrub_text(scrub, STORE_KIND_ID, parts.id, owner);
    struct proto_span text;
    for (size_t at = 0; feature_record_key_next(&parts, &at, &text);) {
        scrub_text(scrub, STORE_KIND_KEY, text, owner);
    }
}

static void scrub_bucket(struct scrub *scrub, enum disk_table table, uint64_t key,
                         struct proto_span value)
{
    const struct disk_state *state = &scrub->txn.state;
    struct store_bucket bucket;
    struct proto_fault fault;
    (void)value;
    dense(scrub, table, key);
    if (key >= state->id_buckets ||
        !store_bucket_get(&scrub->txn, (uint32_t)key, &bucket, &fault)) {
        bad(scrub, "bucket %llu of table id is damaged", (unsigned long long)key);
        return;
    }
    scrub->entries += bucket.count;
    for (uint32_t i = 0; i < bucket.count; i++) {
        if (store_bucket_of(store_bucket_hash(&bucket, i), state->id_buckets) != key ||
            (store_bucket_ref(&bucket, i) & STORE_REF_SLOT) >= state->slots) {
            bad(scrub, "entry %u of bucket %llu of table id is out of place", i,
                (unsigned long long)key);
        }
    }
}

static void scrub_block(struct scrub *scrub, enum disk_table table, uint64_t key,
                        struct proto_span value)
{
    if (value.bytes < STORE_BLOCK_HEADER_BYTES ||
        value.bytes > store_block_bytes(PROTO_COLUMNS_MAX + 64) ||
        disk_get_u64(value.data) != disk_check(table, key, value.data + 8, value.bytes - 8)) {
        bad(scrub, "block %llu of rows does not match its checksum", (unsigned long long)key);
    }
}

static void scrub_vector(struct scrub *scrub, enum disk_table table, uint64_t key,
                         struct proto_span value)
{
    if (value.bytes < DISK_SEAL_BYTES ||
        disk_get_u64(value.data) != disk_check(table, key, value.data + 8, value.bytes - 8)) {
        bad(scrub, "entry %016llx of the vectors does not match its checksum",
            (unsigned long long)key);
    }
}

static void scrub_aside(struct scrub *scrub, enum disk_table table, uint64_t key,
                        struct proto_span value)
{
    enum disk_table meant;
    uint64_t meant_key;
    struct proto_span inner;
    (void)table;
    if (!disk_aside_open(key, value, &meant, &meant_key, &inner) || inner.bytes < 8 ||
        disk_get_u64(inner.data) != disk_check(meant, meant_key, inner.data + 8, inner.bytes - 8)) {
        bad(scrub, "entry %016llx of table aside does not match its checksum",
            (unsigned long long)key);
    }
}

static void scrub_operation(struct scrub *scrub, enum disk_table table, uint64_t key,
                            struct proto_span value)
{
    if (value.bytes != STORE_OPERATION_VALUE_BYTES || key > scrub->txn.state.seq ||
        disk_get_u64(value.data) != disk_check(table, key, value.data + 8, value.bytes - 8)) {
        bad(scrub, "operation %llu does not match its checksum", (unsigned long long)key);
    }
}

/* Each slot that a piece of the directory names has block 0. */
static void scrub_directory(struct scrub *scrub, uint64_t key, struct proto_span value)
{
    uint32_t number = (uint32_t)key;
    if (value.bytes != STORE_EVENT_DIRECTORY_BYTES ||
        disk_get_u64(value.data) !=
            disk_check(DISK_TABLE_EVENT, key, value.data + 8, value.bytes - 8)) {
        bad(scrub, "piece %u of the directory of events is damaged", number);
        return;
    }
    for (uint32_t i = 0; i < STORE_EVENT_DIRECTORY_SLOTS; i++) {
        struct store_event_head head;
        struct proto_fault fault;
        bool has = (value.data[STORE_EVENT_HEADER_BYTES + i / 8] >> i % 8 & 1) != 0;
        uint32_t slot = number * STORE_EVENT_DIRECTORY_SLOTS + i;
        if (has && !store_event_head_look(&scrub->txn, slot, true, &head, &fault)) {
            bad(scrub, "the events of slot %u cannot be read: %s", slot, fault.message);
        }
    }
}

/* A block belongs to an account that lives and lies where block 0 says; its events can be read. */
static void scrub_event(struct scrub *scrub, enum disk_table table, uint64_t key,
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
        bad(scrub, "block %u of the events of slot %u is damaged", (uint32_t)key, slot);
        return;
    }
    while (event_block_next(&block, &event, &fault)) {
        continue;
    }
    bool empty = head.there && head.closed == 0 && head.block.bytes <= EVENT_BLOCK_HEAD_BYTES;
    bool living = slot < scrub->txn.state.slots &&
                  store_account_get(&scrub->sight, slot, &account, &fault) && !account.deleted;
    if (fault.code != PROTO_OK || head.lost) {
        bad(scrub, "events of slot %u are damaged or were lost", slot);
    } else if ((uint32_t)key > head.closed || (!empty && !living)) {
        bad(scrub, "block %u of the events of slot %u belongs to nobody", (uint32_t)key, slot);
    }
}

/* A history is whole, and that of an account which says that it has one, unless it is empty. */
static void scrub_history(struct scrub *scrub, enum disk_table table, uint64_t key,
                          struct proto_span value)
{
    struct store_history history = {.count = 0};
    struct store_account account = {.deleted = true};
    struct proto_fault fault = {.code = PROTO_OK};
    (void)table;
    struct proto_span groups = {value.data + STORE_HISTORY_HEADER_BYTES,
                                value.bytes - STORE_HISTORY_HEADER_BYTES};
    bool whole = key <= UINT32_MAX &&
                 store_history_value_open((uint32_t)key, value, &history, &fault) &&
                 store_past_groups_sound(groups, true);
    if (!whole && fault.code == PROTO_NO_MEMORY) {
        scrub->failed = fault;
    } else if (!whole) {
        bad(scrub, "what values of slot %llu were before is damaged", (unsigned long long)key);
    } else if ((history.count > 0 || history.gone) &&
               (key >= scrub->txn.state.slots ||
                !store_account_get(&scrub->sight, (uint32_t)key, &account, &fault) ||
                !account.past)) {
        bad(scrub, "a history of slot %llu belongs to nobody", (unsigned long long)key);
    }
    store_history_fini(&history);
}

/* Format and state were checked when the view was made. */
static void scrub_nothing(struct scrub *scrub, enum disk_table table, uint64_t key,
                          struct proto_span value)
{
    (void)scrub;
    (void)table;
    (void)key;
    (void)value;
}

static void (*const scrubbers[DISK_TABLE_COUNT])(struct scrub *, enum disk_table, uint64_t,
                                                 struct proto_span) = {
    [DISK_TABLE_META] = scrub_nothing,        [DISK_TABLE_LOG] = scrub_sealed,
    [DISK_TABLE_ACCOUNT] = scrub_account,     [DISK_TABLE_ROW] = scrub_block,
    [DISK_TABLE_ID] = scrub_bucket,           [DISK_TABLE_SCHEMA] = scrub_sealed,
    [DISK_TABLE_ICP] = scrub_sealed,          [DISK_TABLE_SWITCH] = scrub_sealed,
    [DISK_TABLE_TAL] = scrub_sealed,          [DISK_TABLE_VECTOR] = scrub_vector,
    [DISK_TABLE_OPERATION] = scrub_operation, [DISK_TABLE_ASIDE] = scrub_aside,
    [DISK_TABLE_EVENT] = scrub_event,         [DISK_TABLE_HISTORY] = scrub_history,
    [DISK_TABLE_IDENTITY] = scrub_sealed,
};

static void compare_sum(struct scrub *scrub, enum disk_table table, uint64_t count, uint64_t digest)
{
    const struct disk_sum *sum = &scrub->txn.state.sums[table];
    if (table != DISK_TABLE_META && (count != sum->count || digest != sum->digest)) {
        bad(scrub,
            "table %s holds %llu entries with digest %016llx, the state says %llu and %016llx",
            disk_table_name(table), (unsigned long long)count, (unsigned long long)digest,
            (unsigned long long)sum->count, (unsigned long long)sum->digest);
    }
}

static double share_of(const struct scrub *scrub)
{
    double share = (double)scrub->values / (1.125 * (double)scrub->all + 1);
    /* Folds beside it may have added to the tables that are yet to come. */
    return scrub->all == 0 ? 0 : share < 1 ? share : 1;
}

/* Sleeps off what was read faster than the rate, and asks whether to go on. */
static void pace(struct scrub *scrub, uint64_t bytes, const char *stage)
{
    const struct store_scrub_request *request = scrub->request;
    scrub->bytes += bytes;
    if (scrub->bytes - scrub->told < PACE_BYTES) {
        return;
    }
    scrub->told = scrub->bytes;
    for (;;) {
        uint64_t spent = store_clock_ns() - scrub->begun_ns;
        uint64_t due =
            request->bytes_per_second == 0
                ? 0
                : (uint64_t)((double)scrub->bytes * 1e9 / (double)request->bytes_per_second);
        if (request->on_progress != NULL &&
            !request->on_progress(scrub->context, share_of(scrub), stage)) {
            scrub->stopped = true;
            return;
        }
        if (spent >= due) {
            return;
        }
        uint64_t ns = due - spent < PACE_NS ? due - spent : PACE_NS;
        nanosleep(&(struct timespec){.tv_nsec = (long)ns}, NULL);
    }
}

static bool snapshot_take(struct scrub *scrub, struct proto_fault *fault)
{
    if (!disk_txn_read(&scrub->txn, &scrub->store->env, fault)) {
        return false;
    }
    scrub->taken_ns = store_clock_ns();
    scrub->sight = store_sight_of(&scrub->txn);
    return true;
}

/* Goes on with a newer snapshot behind the entry at hand. False: there is none, and it has ended.
 */
static bool snapshot_move(struct scrub *scrub, struct disk_cursor *cursor, enum disk_table table,
                          struct proto_fault *fault)
{
    uint64_t key = cursor->key;
    uint64_t before = scrub->txn.state.txn;
    disk_cursor_close(cursor);
    disk_txn_abort(&scrub->txn);
    if (!snapshot_take(scrub, fault)) {
        return false;
    }
    scrub->moved |= scrub->txn.state.txn != before;
    scrub->moved_once |= scrub->moved;
    (void)disk_cursor_open(cursor, &scrub->txn, table, fault); /* a read: nothing can fail */
    disk_cursor_thorough(cursor);
    return disk_cursor_from(cursor, key + 1);
}

static bool snapshot_is_old(const struct scrub *scrub)
{
    return scrub->request->on_progress != NULL &&
           store_clock_ns() - scrub->taken_ns > (uint64_t)SNAPSHOT_NS;
}

/* False: the snapshot has ended, and nothing more of the tables can be read. */
static bool scrub_table(struct scrub *scrub, enum disk_table table)
{
    struct disk_cursor cursor;
    struct proto_fault fault = {.code = PROTO_OK};
    enum disk_got got;
    uint64_t count = 0;
    uint64_t digest = 0;
    scrub->moved = false;
    (void)disk_cursor_open(&cursor, &scrub->txn, table, &fault); /* a read: nothing can fail */
    disk_cursor_thorough(&cursor);
    scrub->next = table == DISK_TABLE_ACCOUNT || table == DISK_TABLE_ID ? 0 : 1;
    while (!scrub->stopped && (got = disk_cursor_next(&cursor, &fault)) != DISK_GOT_NONE) {
        if (got == DISK_GOT_FAULT) {
            bad(scrub, "%s", fault.message);
            continue;
        }
        if (cursor.value.bytes == 0) {
            bad(scrub, "table %s holds an impossible entry", disk_table_name(table));
            continue;
        }
        scrubbers[table](scrub, table, cursor.key, cursor.value);
        count++;
        digest ^= disk_get_u64(cursor.value.data);
        scrub->values++;
        pace(scrub, cursor.value.bytes, disk_table_name(table));
        if (snapshot_is_old(scrub) && !snapshot_move(scrub, &cursor, table, &fault)) {
            unread(scrub, "", &fault);
            return false;
        }
    }
    disk_cursor_close(&cursor);
    if (!scrub->moved && !scrub->stopped) {
        compare_sum(scrub, table, count, digest);
    }
    return true;
}

static void compare_counts(struct scrub *scrub)
{
    const struct disk_state *state = &scrub->txn.state;
    if (scrub->sources != state->sources || scrub->folds != state->folds) {
        bad(scrub,
            "there are %llu source records in %llu accounts of several, the state says %u "
            "and %u",
            (unsigned long long)scrub->sources, (unsigned long long)scrub->folds, state->sources,
            state->folds);
    }
    if (scrub->accounts != state->accounts || scrub->entries != state->id_entries) {
        bad(scrub, "%llu accounts with %llu ids and keys were found, the state says %llu and %llu",
            (unsigned long long)scrub->accounts, (unsigned long long)scrub->entries,
            (unsigned long long)state->accounts, (unsigned long long)state->id_entries);
    }
}

static void log_bad(void *context, const char *what)
{
    bad(context, "%s", what);
}

static bool log_pace(void *context, uint64_t bytes)
{
    struct scrub *scrub = context;
    pace(scrub, bytes, "log");
    return !scrub->stopped;
}

/* Every entry that is kept, and that it holds as many commands as it says. */
static void scrub_log(struct scrub *scrub)
{
    struct log *log = scrub->store->log;
    struct proto_fault fault = {.code = PROTO_OK};
    struct log_entry entry;
    (void)log_verify(log, log_bad, log_pace, scrub, &fault);
    if (fault.code == PROTO_NO_MEMORY) {
        unread(scrub, "", &fault);
        return;
    }
    fault.code = PROTO_OK; /* it was told, and the rest is read */
    struct log_reader *reader = log_reader_open(log, log_floor(log) - 1, &fault);
    while (reader != NULL && !scrub->stopped &&
           log_reader_next(reader, &entry, &fault) == LOG_GOT_ENTRY) {
        pace(scrub, entry.payload.bytes, "log");
        struct store_command command;
        uint32_t commands = 0;
        for (size_t at = 0; store_command_next(entry.payload, &at, &command, &fault);) {
            commands++;
        }
        if (fault.code != PROTO_OK || commands != entry.commands) {
            bad(scrub, "log entry %llu holds %u commands and says %u",
                (unsigned long long)entry.sequence, commands, entry.commands);
        }
    }
    log_reader_close(reader);
    /* Trimmed away meanwhile is no fault. */
    if (fault.code != PROTO_OK && fault.code != PROTO_NOT_FOUND) {
        unread(scrub, "the log cannot be read to its end: ", &fault);
    }
}

uint64_t store_scrub_paced(struct store *store, const struct store_scrub_request *request,
                           struct proto_fault *fault)
{
    struct scrub scrub = {.store = store,
                          .on_bad = request->on_bad,
                          .context = request->context,
                          .request = request,
                          .begun_ns = store_clock_ns()};
    if (snapshot_take(&scrub, fault)) {
        bool there = true;
        for (enum disk_table table = 0; table < DISK_TABLE_COUNT; table++) {
            scrub.all += scrub.txn.state.sums[table].count;
        }
        for (enum disk_table table = 0; there && !scrub.stopped && table < DISK_TABLE_COUNT;
             table++) {
            there = scrub_table(&scrub, table);
        }
        if (there && !scrub.stopped && !scrub.moved_once) {
            compare_counts(&scrub);
        }
        if (there) {
            disk_txn_abort(&scrub.txn);
        }
    } else {
        unread(&scrub, "", fault);
    }
    fault->code = PROTO_OK;
    if (!scrub.stopped && scrub.failed.code == PROTO_OK) {
        scrub_log(&scrub);
    }
    atomic_fetch_add(&store->figures.corrupt_found, scrub.bad);
    if (scrub.failed.code != PROTO_OK) {
        *fault = scrub.failed;
    }
    if (scrub.stopped) {
        proto_fault_set(fault, PROTO_CANCELLED, "", "the job was cancelled");
    }
    return scrub.bad;
}

uint64_t store_scrub(struct store *store, void (*on_bad)(void *context, const char *what),
                     void *context, struct proto_fault *fault)
{
    const struct store_scrub_request request = {.on_bad = on_bad, .context = context};
    return store_scrub_paced(store, &request, fault);
}

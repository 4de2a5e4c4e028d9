/* SPDX-License-Identifier: Apache-2.0 */
/* Table by table, key by key, then the log; whatever is damaged is told, and the walk goes on
 * behind it. A scrub beside a running server keeps to a rate, and moves its snapshot on every few
 * seconds, so that it pins no pages; of a table that was folded into meanwhile count and digest are
 * not compared. */
#include <time.h>

#include "server/store/scrub_parts.h"

enum {
    PACE_BYTES = 1 << 20,     /* read between looks at the rate and the progress */
    PACE_NS = 50000000,       /* slept at once: so soon is a cancel heard */
    SNAPSHOT_NS = 2000000000, /* that one snapshot is held */
};

static void compare_sum(struct store_scrub_run *scrub, enum disk_table table, uint64_t count,
                        uint64_t digest)
{
    const struct disk_sum *sum = &scrub->txn.state.sums[table];
    if (table != DISK_TABLE_META && (count != sum->count || digest != sum->digest)) {
        store_scrub_bad(
            scrub,
            "table %s holds %llu entries with digest %016llx, the state says %llu and %016llx",
            disk_table_name(table), (unsigned long long)count, (unsigned long long)digest,
            (unsigned long long)sum->count, (unsigned long long)sum->digest);
    }
}

static double share_of(const struct store_scrub_run *scrub)
{
    double share = (double)scrub->values / (1.125 * (double)scrub->all + 1);
    /* Folds beside it may have added to the tables that are yet to come. */
    return scrub->all == 0 ? 0 : share < 1 ? share : 1;
}

/* Sleeps off what was read faster than the rate, and asks whether to go on. */
static void pace(struct store_scrub_run *scrub, uint64_t bytes, const char *stage)
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

static bool snapshot_take(struct store_scrub_run *scrub, struct proto_fault *fault)
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
static bool snapshot_move(struct store_scrub_run *scrub, struct disk_cursor *cursor,
                          enum disk_table table, struct proto_fault *fault)
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

static bool snapshot_is_old(const struct store_scrub_run *scrub)
{
    return scrub->request->on_progress != NULL &&
           store_clock_ns() - scrub->taken_ns > (uint64_t)SNAPSHOT_NS;
}

/* False: the snapshot has ended, and nothing more of the tables can be read. */
static bool scrub_table(struct store_scrub_run *scrub, enum disk_table table)
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
            store_scrub_bad(scrub, "%s", fault.message);
            continue;
        }
        if (cursor.value.bytes == 0) {
            store_scrub_bad(scrub, "table %s holds an impossible entry", disk_table_name(table));
            continue;
        }
        store_scrub_value(scrub, table, cursor.key, cursor.value);
        count++;
        digest ^= disk_get_u64(cursor.value.data);
        scrub->values++;
        pace(scrub, cursor.value.bytes, disk_table_name(table));
        if (snapshot_is_old(scrub) && !snapshot_move(scrub, &cursor, table, &fault)) {
            store_scrub_unread(scrub, "", &fault);
            return false;
        }
    }
    disk_cursor_close(&cursor);
    if (!scrub->moved && !scrub->stopped) {
        compare_sum(scrub, table, count, digest);
    }
    return true;
}

static void compare_counts(struct store_scrub_run *scrub)
{
    const struct disk_state *state = &scrub->txn.state;
    if (scrub->sources != state->sources || scrub->folds != state->folds) {
        store_scrub_bad(
            scrub,
            "there are %llu source records in %llu accounts of several, the state says %u "
            "and %u",
            (unsigned long long)scrub->sources, (unsigned long long)scrub->folds, state->sources,
            state->folds);
    }
    if (scrub->accounts != state->accounts || scrub->entries != state->id_entries) {
        store_scrub_bad(
            scrub, "%llu accounts with %llu ids and keys were found, the state says %llu and %llu",
            (unsigned long long)scrub->accounts, (unsigned long long)scrub->entries,
            (unsigned long long)state->accounts, (unsigned long long)state->id_entries);
    }
}

static void log_bad(void *context, const char *what)
{
    store_scrub_bad(context, "%s", what);
}

static bool log_pace(void *context, uint64_t bytes)
{
    struct store_scrub_run *scrub = context;
    pace(scrub, bytes, "log");
    return !scrub->stopped;
}

/* Every entry that is kept, and that it holds as many commands as it says. */
static void scrub_log(struct store_scrub_run *scrub)
{
    struct log *log = scrub->store->log;
    struct proto_fault fault = {.code = PROTO_OK};
    struct log_entry entry;
    (void)log_verify(log, log_bad, log_pace, scrub, &fault);
    if (fault.code == PROTO_NO_MEMORY) {
        store_scrub_unread(scrub, "", &fault);
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
            store_scrub_bad(scrub, "log entry %llu holds %u commands and says %u",
                            (unsigned long long)entry.sequence, commands, entry.commands);
        }
    }
    log_reader_close(reader);
    /* Trimmed away meanwhile is no fault. */
    if (fault.code != PROTO_OK && fault.code != PROTO_NOT_FOUND) {
        store_scrub_unread(scrub, "the log cannot be read to its end: ", &fault);
    }
}

uint64_t store_scrub_paced(struct store *store, const struct store_scrub_request *request,
                           struct proto_fault *fault)
{
    struct store_scrub_run scrub = {.store = store,
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
        store_scrub_unread(&scrub, "", fault);
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

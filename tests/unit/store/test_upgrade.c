/* SPDX-License-Identifier: Apache-2.0 */
/* A store of format 1, made from one of today: its log lies in a table, its state speaks of that.
 */
#include "tests/unit/store/store_fixture.h"

#include <stdio.h>

enum { ENTRIES = 40 };

static void put_some(struct fixture *fixture)
{
    struct store_result result;
    char id[16];
    for (int i = 0; i < ENTRIES; i++) {
        snprintf(id, sizeof id, "a%d", i % 30);
        assert_true(put_one(fixture, id, NULL, i, &result));
    }
}

static void log_path(const struct fixture *fixture, char path[96])
{
    snprintf(path, 96, "%s/log", fixture->path);
}

/* Entries from `first` on go into the table; `damaged`: one of them with a flipped bit, 0: none. */
static void make_format_1(struct fixture *fixture, uint64_t first, uint64_t damaged)
{
    struct disk_txn txn;
    struct proto_fault fault = {.code = PROTO_OK};
    struct log_entry entry;
    struct store *store = fixture->store;
    assert_true(store_fold_wait(store, &fault));
    assert_true(disk_txn_write(&txn, &store->env, &fault));
    struct log_reader *reader = log_reader_open(store->log, first - 1, &fault);
    assert_non_null(reader);
    while (log_reader_next(reader, &entry, &fault) == LOG_GOT_ENTRY) {
        struct disk_sealed sealed = {
            .time_ms = entry.time_ms, .a = entry.commands, .text = entry.payload};
        uint8_t *at = disk_txn_put(&txn, DISK_TABLE_LOG, entry.sequence, disk_seal_bytes(&sealed),
                                   DISK_PUT_LAST, &fault);
        assert_non_null(at);
        uint64_t check = disk_seal(DISK_TABLE_LOG, entry.sequence, &sealed, at);
        disk_sum_change(&txn.state, DISK_TABLE_LOG, false, 0, true, check);
        txn.state.log_bytes += disk_seal_bytes(&sealed);
        if (entry.sequence == damaged) {
            at[20] ^= 1;
        }
    }
    log_reader_close(reader);
    txn.state.log_begins = first;
    struct disk_format format = store->env.format;
    format.version = DISK_FORMAT_FIRST;
    uint8_t *at = disk_txn_put(&txn, DISK_TABLE_META, DISK_FORMAT_KEY, DISK_FORMAT_BYTES,
                               DISK_PUT_ANY, &fault);
    assert_non_null(at);
    disk_format_encode(&format, at);
    assert_true(disk_txn_commit(&txn, &fault));
    fixture_close(fixture);
    char path[96];
    log_path(fixture, path);
    fixture_remove(path);
}

static void must_hold_all(struct fixture *fixture)
{
    char id[16];
    for (int i = 0; i < 30; i++) {
        snprintf(id, sizeof id, "a%d", i);
        assert_true(number_of(fixture, id) == (i < ENTRIES - 30 ? i + 30 : i));
    }
    must_be_sound(fixture);
}

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture_init(&fixture);
    fixture_open(&fixture);
    put_some(&fixture);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_fini(*state);
    return 0;
}

static void a_store_of_format_1_is_brought_up_with_its_log(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    make_format_1(fixture, 5, 0);
    fixture_open(fixture);
    assert_int_equal(fixture->store->env.format.version, DISK_FORMAT_VERSION);
    assert_int_equal(log_floor(fixture->store->log), 5);
    assert_int_equal(log_head(fixture->store->log), ENTRIES);
    must_hold_all(fixture);
    assert_int_equal(viewed(fixture)->txn.state.sums[DISK_TABLE_LOG].count, 0);
    assert_true(put_one(fixture, "later", NULL, 1, &result));
    assert_int_equal(result.seq, ENTRIES + 1);
    fixture_close(fixture);
    fixture_open(fixture); /* as any store of today */
    assert_true(number_of(fixture, "later") == 1);
    must_hold_all(fixture);
}

static void of_a_damaged_log_the_entries_behind_the_damage_are_kept(void **state)
{
    struct fixture *fixture = *state;
    make_format_1(fixture, 5, 20);
    fixture_open(fixture);
    assert_int_equal(log_floor(fixture->store->log), 21);
    assert_int_equal(log_head(fixture->store->log), ENTRIES);
    must_hold_all(fixture);
}

static void a_try_that_was_cut_off_is_made_again(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault;
    char path[96];
    make_format_1(fixture, 1, 0);
    log_path(fixture, path);
    struct log_options options = {.path = path, .identity = 77, .first = 3};
    struct log *log = log_open(&options, &fault);
    assert_non_null(log);
    struct log_entry entry = {.payload = span("half")};
    assert_true(log_append(log, &entry, 1, &fault));
    log_close(log);
    fixture_open(fixture);
    assert_int_equal(log_floor(fixture->store->log), 1);
    assert_int_equal(log_head(fixture->store->log), ENTRIES);
    must_hold_all(fixture);
}

static void a_log_that_is_gone_is_damage(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault = {.code = PROTO_OK};
    char path[96];
    fixture_close(fixture);
    log_path(fixture, path);
    fixture_remove(path);
    assert_null(store_open_tuned(&fixture->options, &fixture->tuning, &fault));
    assert_int_equal(fault.code, PROTO_CORRUPT);
    fixture_remove(fixture->path);
    fixture_open(fixture);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_store_of_format_1_is_brought_up_with_its_log),
        T(of_a_damaged_log_the_entries_behind_the_damage_are_kept),
        T(a_try_that_was_cut_off_is_made_again),
        T(a_log_that_is_gone_is_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

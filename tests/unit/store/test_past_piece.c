/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of histories: what is encoded is opened as it was and nothing else is; a fold adds beside
 * what is there; what is not kept, and what is of a deleted account, leaves nothing; a store of a
 * build from before there were pieces goes on. */
#include <stdio.h>

#include "server/store/past_table.h"
#include "tests/unit/store/past_model.h"

enum { LONG_BYTES = 400 };

static void a_piece_is_opened_as_it_was_encoded(void **state)
{
    static uint8_t bytes[STORE_PIECE_VALUE_BYTES_MAX];
    static struct store_piece back;
    uint8_t groups[64];
    uint8_t entry[8];
    struct proto_fault fault;
    struct store_past past = {.kind = STORE_PAST_ADDED, .field = 3};
    struct store_past_group group = {
        .seq = 9, .known_ms = -4, .entries = {entry, store_past_encode(&past, entry)}};
    struct store_piece piece = {.gone = true, .gone_seq = 7, .gone_known_ms = -9, .run = 70000};
    (void)state;
    piece.groups = (struct proto_span){groups, store_past_group_encode(&group, true, groups)};
    piece.group_count = 1;
    for (uint32_t i = 0; i < STORE_PIECES_MAX; i++) {
        piece.older[piece.older_count++] =
            (struct store_piece_place){69999 - i * 700, STORE_PIECE_GROUPS_BYTES_MAX - i};
    }
    size_t count = store_piece_encode(&piece, 5, bytes);
    uint64_t key = store_piece_key(5, 70000);
    struct proto_span value = {bytes, count};
    assert_true(store_piece_open(key, value, &back, &fault));
    assert_int_equal(back.older_count, STORE_PIECES_MAX);
    assert_memory_equal(back.older, piece.older, STORE_PIECES_MAX * sizeof *piece.older);
    assert_int_equal(back.gone_seq, 7);
    assert_int_equal(back.gone_known_ms, -9);
    assert_true(back.gone && !back.lost);
    assert_int_equal(back.groups.bytes, piece.groups.bytes);
    assert_false(store_piece_open(store_piece_key(5, 69999), value, &back, &fault));
    assert_false(store_piece_open(store_piece_key(6, 70000), value, &back, &fault));
    for (size_t left = 0; left < count; left++) {
        assert_false(store_piece_open(key, (struct proto_span){bytes, left}, &back, &fault));
    }
    for (size_t bit = 0; bit < count * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(store_piece_open(key, value, &back, &fault));
        assert_int_equal(fault.code, PROTO_CORRUPT);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void a_list_that_goes_nowhere_is_refused(void **state)
{
    uint8_t bytes[STORE_PIECE_HEADER_BYTES + 16];
    static struct store_piece back;
    struct proto_fault fault;
    struct store_piece piece = {.run = 3, .older_count = 1, .older[0] = {.run = 1, .bytes = 9}};
    size_t count = store_piece_encode(&piece, 0, bytes);
    uint64_t key = store_piece_key(0, 3);
    static const uint8_t steps[] = {0, 4}; /* the same run; one below 0 */
    (void)state;
    assert_true(store_piece_open(key, (struct proto_span){bytes, count}, &back, &fault));
    for (size_t i = 0; i < sizeof steps; i++) {
        bytes[STORE_PIECE_HEADER_BYTES + 1] = steps[i];
        disk_set_u64(bytes, disk_check(DISK_TABLE_HISTORY, key, bytes + 8, count - 8));
        assert_false(store_piece_open(key, (struct proto_span){bytes, count}, &back, &fault));
    }
}

/* Changes a text of LONG_BYTES, which goes into the history, and folds. */
static void change_long(struct fixture *fixture, const char *id, int number)
{
    static char texts[PAST_FIELDS][PAST_LONG];
    struct feature_value values[PAST_FIELDS];
    struct past_cell cells[PAST_FIELDS] = {{0}};
    struct proto_fault fault;
    struct store_result result;
    char text[LONG_BYTES];
    memset(text, 'a' + number % 26, sizeof text);
    past_values_fill(values, cells, texts);
    values[1] = (struct feature_value){.present = true,
                                       .type = FEATURE_CATEGORY,
                                       .time_ms = fixture->now_ms,
                                       .text = {(const uint8_t *)text, sizeof text}};
    struct feature_record record = past_record(id, values);
    struct store_batch *batch = store_batch_create();
    fixture->now_ms += 1000;
    assert_true(store_batch_put_record(batch, &record, &fault));
    assert_true(store_submit_wait(fixture->store, batch, &result));
    assert_true(store_fold_wait(fixture->store, &fault));
}

static void a_fold_adds_a_piece_beside_what_is_there(void **state)
{
    struct fixture *fixture = *state;
    bool gone;
    for (int i = 0; i < 8; i++) {
        change_long(fixture, "a", i);
        change_long(fixture, "b", i);
        assert_int_equal(past_changes(fixture, "a", &gone), i);
        assert_false(gone);
    }
    assert_int_equal(past_pieces(fixture), 14);
    must_be_sound(fixture);
    past_step_reopen(fixture, false);
    assert_int_equal(past_changes(fixture, "a", &gone), 7);
    must_be_sound(fixture);
}

static void small_changes_share_a_piece(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault;
    bool gone;
    for (int i = 0; i < 10; i++) {
        assert_true(past_put_number(fixture, "a", i));
        assert_true(store_fold_wait(fixture->store, &fault));
    }
    assert_int_equal(past_pieces(fixture), 1);
    assert_int_equal(past_changes(fixture, "a", &gone), 9);
    for (int i = 10; i < 40; i++) {
        assert_true(past_put_number(fixture, "a", i));
        assert_true(store_fold_wait(fixture->store, &fault));
    }
    assert_true(past_pieces(fixture) > 1 && past_pieces(fixture) < 6);
    assert_int_equal(past_changes(fixture, "a", &gone), 39);
    must_be_sound(fixture);
}

static void pieces_of_which_nothing_is_kept_go(void **state)
{
    struct fixture *fixture = *state;
    bool gone;
    size_t most = 0;
    for (int i = 0; i < 60; i++) {
        change_long(fixture, "a", i);
        most = past_pieces(fixture) > most ? past_pieces(fixture) : most;
    }
    assert_true(most <= PROTO_HISTORY_BYTES_MAX / LONG_BYTES + 1);
    size_t changes = past_changes(fixture, "a", &gone);
    assert_true(gone);
    assert_true(changes >= 35 && changes <= most);
    must_be_sound(fixture);
}

static void a_deleted_account_leaves_no_piece(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault;
    struct store_result result;
    bool gone;
    for (int i = 0; i < 5; i++) {
        change_long(fixture, "a", i);
        change_long(fixture, "b", i);
    }
    assert_true(delete_one(fixture, "a", &result));
    assert_true(store_fold_wait(fixture->store, &fault));
    assert_int_equal(past_pieces(fixture), 4);
    assert_int_equal(past_changes(fixture, "b", &gone), 4);
    /* Deleted and made again between two folds. */
    assert_true(delete_one(fixture, "b", &result));
    assert_true(past_put_number(fixture, "b", 1));
    assert_true(past_put_number(fixture, "b", 2));
    assert_true(store_fold_wait(fixture->store, &fault));
    assert_int_equal(past_pieces(fixture), 1);
    assert_int_equal(past_changes(fixture, "b", &gone), 1);
    must_be_sound(fixture);
}

static void a_write_that_changes_nothing_keeps_the_pieces(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault;
    bool gone;
    change_long(fixture, "a", 1);
    change_long(fixture, "a", 2);
    for (int i = 0; i < 3; i++) {
        change_long(fixture, "a", 2);
        assert_int_equal(past_changes(fixture, "a", &gone), 1);
        assert_true(store_fold_wait(fixture->store, &fault));
    }
    assert_int_equal(past_pieces(fixture), 1);
    must_be_sound(fixture);
}

/* Puts a table's value over what is there, sums included, as a build of before did. */
static void value_over(struct disk_txn *txn, enum disk_table table, uint64_t key,
                       uint64_t check_before, const uint8_t *bytes, size_t count)
{
    struct proto_fault fault;
    uint8_t *at = disk_txn_put(txn, table, key, count, DISK_PUT_ANY, &fault);
    assert_non_null(at);
    memcpy(at, bytes, count);
    disk_sum_change(&txn->state, table, check_before != 0, check_before, true, disk_get_u64(bytes));
}

/* Has the history of slot 0 as a build from before there were pieces had it: under the slot alone,
 * and the account says no more than that it is there. */
static void make_older(struct fixture *fixture)
{
    struct disk_txn txn;
    struct proto_fault fault;
    struct store_account account;
    struct proto_span value = {0};
    uint8_t bytes[2048];
    uint8_t piece[2048];
    assert_true(disk_txn_write(&txn, &fixture->store->env, &fault));
    uint64_t number = disk_txn_number(&txn);
    struct store_sight tables = store_sight_of(&txn);
    assert_true(store_account_get(&tables, 0, &account, &fault));
    uint64_t key = store_piece_key(0, account.run);
    uint64_t account_check = account.check;
    size_t record = STORE_ACCOUNT_HEADER_BYTES + account.record.bytes + 8;
    size_t tail = account.value.bytes - record - 4;
    memcpy(bytes, account.value.data, record);
    memcpy(bytes + record, account.value.data + record + 4, tail);
    disk_set_u32(bytes + 8, disk_get_u32(bytes + 8) & ~16U);
    disk_set_u64(bytes, disk_check(DISK_TABLE_ACCOUNT, 0, bytes + 8, record + tail - 8));
    assert_int_equal(disk_txn_get(&txn, DISK_TABLE_HISTORY, key, &value, &fault), DISK_GOT_ONE);
    size_t count = value.bytes;
    memcpy(piece, value.data, count);
    disk_sum_change(&txn.state, DISK_TABLE_HISTORY, true, disk_get_u64(piece), false, 0);
    assert_true(disk_txn_delete(&txn, DISK_TABLE_HISTORY, key, &fault));
    disk_set_u64(piece, disk_check(DISK_TABLE_HISTORY, 0, piece + 8, count - 8));
    value_over(&txn, DISK_TABLE_HISTORY, 0, 0, piece, count);
    value_over(&txn, DISK_TABLE_ACCOUNT, 0, account_check, bytes, record + tail);
    txn.state.history_runs = 0;
    atomic_store(&fixture->store->writing, number);
    assert_true(disk_txn_commit(&txn, &fault));
    atomic_store(&fixture->store->tables, number);
    atomic_fetch_add(&fixture->store->turn, 1);
}

static void a_store_of_before_there_were_pieces_goes_on(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault;
    struct store_result result;
    bool gone;
    change_long(fixture, "a", 1);
    change_long(fixture, "a", 2);
    make_older(fixture);
    fixture->store->tuning.abandon = true;
    fixture_close(fixture);
    fixture_open(fixture);
    must_be_sound(fixture);
    assert_int_equal(past_changes(fixture, "a", &gone), 1);
    change_long(fixture, "a", 2); /* nothing to add: it stays where it is */
    must_be_sound(fixture);
    assert_int_equal(past_changes(fixture, "a", &gone), 1);
    for (int i = 3; i < 6; i++) {
        change_long(fixture, "a", i);
        assert_int_equal(past_changes(fixture, "a", &gone), i - 1);
        must_be_sound(fixture);
    }
    assert_int_equal(past_pieces(fixture), 4);
    assert_true(delete_one(fixture, "a", &result));
    assert_true(store_fold_wait(fixture->store, &fault));
    assert_int_equal(past_pieces(fixture), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_piece_is_opened_as_it_was_encoded),
        cmocka_unit_test(a_list_that_goes_nowhere_is_refused),
        cmocka_unit_test_setup_teardown(a_fold_adds_a_piece_beside_what_is_there, past_setup,
                                        past_teardown),
        cmocka_unit_test_setup_teardown(small_changes_share_a_piece, past_setup, past_teardown),
        cmocka_unit_test_setup_teardown(pieces_of_which_nothing_is_kept_go, past_setup,
                                        past_teardown),
        cmocka_unit_test_setup_teardown(a_deleted_account_leaves_no_piece, past_setup,
                                        past_teardown),
        cmocka_unit_test_setup_teardown(a_write_that_changes_nothing_keeps_the_pieces, past_setup,
                                        past_teardown),
        cmocka_unit_test_setup_teardown(a_store_of_before_there_were_pieces_goes_on, past_setup,
                                        past_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

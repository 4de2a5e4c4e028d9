/* SPDX-License-Identifier: Apache-2.0 */
/* Histories of a store of before there were any, which is opened and goes on; and damaged ones,
 * which are refused, folded over, and given up by a repair that says so. */
#include <lmdb.h>

#include "server/store/past_table.h"
#include "server/store/repair.h"
#include "tests/unit/store/past_model.h"

/* Writes state and accounts as a build of before there was history did. */
static void make_older(const struct fixture *fixture)
{
    MDB_env *mdb;
    MDB_txn *txn;
    MDB_dbi meta;
    MDB_dbi accounts;
    MDB_dbi history;
    uint64_t key = DISK_STATE_KEY;
    MDB_val name = {sizeof key, &key};
    MDB_val value;
    uint8_t bytes[DISK_STATE_BYTES_SECOND];
    uint8_t account[512];
    assert_int_equal(mdb_env_create(&mdb), 0);
    assert_int_equal(mdb_env_set_maxdbs(mdb, DISK_TABLE_COUNT), 0);
    assert_int_equal(mdb_env_open(mdb, fixture->path, MDB_NOTLS, 0600), 0);
    assert_int_equal(mdb_txn_begin(mdb, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "meta", MDB_INTEGERKEY, &meta), 0);
    assert_int_equal(mdb_dbi_open(txn, "account", MDB_INTEGERKEY, &accounts), 0);
    assert_int_equal(mdb_dbi_open(txn, "history", MDB_INTEGERKEY, &history), 0);
    uint64_t slot = 0;
    MDB_val slot_key = {sizeof slot, &slot};
    assert_int_equal(mdb_get(txn, accounts, &slot_key, &value), 0);
    size_t count = value.mv_size - 8;
    memcpy(account, value.mv_data, count);
    uint64_t check = disk_get_u64(account);
    disk_set_u64(account, disk_check(DISK_TABLE_ACCOUNT, 0, account + 8, count - 8));
    value = (MDB_val){count, account};
    assert_int_equal(mdb_put(txn, accounts, &slot_key, &value, 0), 0);
    assert_int_equal(mdb_get(txn, meta, &name, &value), 0);
    memcpy(bytes, value.mv_data, sizeof bytes);
    uint64_t digest_at = DISK_STATE_SUMS_AT + DISK_TABLE_ACCOUNT * 16 + 8;
    disk_set_u64(bytes + digest_at,
                 disk_get_u64(bytes + digest_at) ^ check ^ disk_get_u64(account));
    disk_set_u64(bytes + 8, mdb_txn_id(txn));
    disk_set_u64(bytes, disk_check(DISK_TABLE_META, DISK_STATE_KEY, bytes + 8, sizeof bytes - 8));
    value = (MDB_val){sizeof bytes, bytes};
    assert_int_equal(mdb_put(txn, meta, &name, &value, 0), 0);
    assert_int_equal(mdb_drop(txn, history, 1), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(mdb);
}

static void a_store_of_before_there_was_history_is_opened_and_goes_on(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault;
    int64_t since_ms;
    bool gone;
    assert_true(past_put_number(fixture, "a", 1));
    fixture_close(fixture);
    make_older(fixture);
    fixture_open(fixture);
    must_be_sound(fixture);
    assert_true(number_of(fixture, "a") == 1);
    assert_int_equal(store_history_since(viewed(fixture), &since_ms), 1);
    assert_int_equal(since_ms, 0);
    assert_true(past_put_number(fixture, "a", 2));
    assert_true(past_put_number(fixture, "b", 2));
    assert_true(store_fold_wait(fixture->store, &fault));
    for (int i = 0; i < 2; i++) {
        struct store_history history;
        uint64_t begun;
        must_be_sound(fixture);
        assert_int_equal(store_history_since(viewed(fixture), &since_ms), 1);
        assert_int_equal(since_ms, fixture->now_ms);
        assert_int_equal(past_changes(fixture, "a", &gone), 1);
        assert_true(
            store_history(viewed(fixture), find_id(fixture, "a"), &history, &begun, &fault));
        assert_int_equal(begun, 0);
        store_history_fini(&history);
        assert_true(
            store_history(viewed(fixture), find_id(fixture, "b"), &history, &begun, &fault));
        assert_int_equal(begun, 3);
        store_history_fini(&history);
        past_step_reopen(fixture, false);
    }
}

/* Spoils the newest piece of a slot's history in the tables, as a flipped bit does. */
static void spoil(struct fixture *fixture, uint32_t slot)
{
    struct store *store = fixture->store;
    struct disk_txn txn;
    struct proto_fault fault;
    struct proto_span value = {0};
    static uint8_t copy[STORE_PIECE_VALUE_BYTES_MAX];
    struct store_account account;
    assert_true(disk_txn_write(&txn, &store->env, &fault));
    uint64_t number = disk_txn_number(&txn);
    struct store_sight tables = store_sight_of(&txn);
    assert_true(store_account_get(&tables, slot, &account, &fault));
    uint64_t key = store_piece_key(slot, account.run);
    assert_int_equal(disk_txn_get(&txn, DISK_TABLE_HISTORY, key, &value, &fault), DISK_GOT_ONE);
    size_t bytes = value.bytes;
    memcpy(copy, value.data, bytes);
    copy[bytes - 1] ^= 1;
    uint8_t *at = disk_txn_put(&txn, DISK_TABLE_HISTORY, key, bytes, DISK_PUT_ANY, &fault);
    assert_non_null(at);
    memcpy(at, copy, bytes);
    atomic_store(&store->writing, number);
    assert_true(disk_txn_commit(&txn, &fault));
    atomic_store(&store->tables, number);
    atomic_fetch_add(&store->turn, 1);
}

static int64_t clock_of(void *context)
{
    return ((struct fixture *)context)->now_ms;
}

static uint64_t repair(struct fixture *fixture, bool apply, bool *sound)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_repaired repaired;
    struct store_repair_options options = {.path = fixture->path,
                                           .map_bytes = (size_t)1 << 28,
                                           .apply = apply,
                                           .now_ms = clock_of,
                                           .now_context = fixture};
    if (!store_repair(&options, &repaired, &fault)) {
        fail_msg("%s", fault.message);
    }
    *sound = repaired.sound;
    return repaired.histories_lost;
}

/* folded_over: a fold comes to the damaged value before the repair does. */
static void damaged(struct fixture *fixture, bool folded_over)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_history history;
    uint64_t begun;
    bool gone;
    bool sound;
    assert_true(past_put_number(fixture, "a", 1));
    assert_true(past_put_number(fixture, "a", 2));
    assert_true(past_put_number(fixture, "b", 1));
    assert_true(past_put_number(fixture, "b", 2));
    assert_true(store_fold_wait(fixture->store, &fault));
    uint32_t slot = find_id(fixture, "a");
    spoil(fixture, slot);
    assert_true(past_put_number(fixture, "a", 3));
    uint64_t seq = store_view_seq(viewed(fixture));
    assert_false(store_history(viewed(fixture), slot, &history, &begun, &fault));
    assert_int_equal(fault.code, PROTO_CORRUPT);
    store_history_fini(&history);
    assert_int_equal(past_changes(fixture, "b", &gone), 1);
    if (folded_over) {
        assert_true(store_fold_wait(fixture->store, &fault));
        assert_false(store_history(viewed(fixture), slot, &history, &begun, &fault));
        assert_int_equal(fault.code, PROTO_CORRUPT);
        store_history_fini(&history);
    } else {
        fixture->store->tuning.abandon = true;
    }
    fixture_close(fixture);
    assert_int_equal(repair(fixture, false, &sound), 1);
    assert_false(sound);
    assert_int_equal(repair(fixture, true, &sound), 1);
    assert_int_equal(repair(fixture, false, &sound), 0);
    assert_true(sound);
    fixture_open(fixture);
    must_be_sound(fixture);
    assert_int_equal(past_changes(fixture, "b", &gone), 1);
    assert_false(gone);
    assert_int_equal(past_changes(fixture, "a", &gone), 1); /* that behind the damage */
    assert_true(gone);
    int cells[PAST_FIELDS];
    bool kept;
    (void)past_store_at(viewed(fixture), "a", seq - 4, INT64_MAX, cells, &kept);
    assert_false(kept);
    assert_true(number_of(fixture, "a") == 3);
}

static void damage_is_refused_and_repaired(void **state)
{
    damaged(*state, false);
}

static void a_fold_over_damage_says_so(void **state)
{
    damaged(*state, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_store_of_before_there_was_history_is_opened_and_goes_on,
                                        past_setup, past_teardown),
        cmocka_unit_test_setup_teardown(damage_is_refused_and_repaired, past_setup, past_teardown),
        cmocka_unit_test_setup_teardown(a_fold_over_damage_says_so, past_setup, past_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

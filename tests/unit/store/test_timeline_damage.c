/* SPDX-License-Identifier: Apache-2.0 */
/* Timelines of which something is damaged: refused, folded over, repaired, and told of. */
#include "tests/unit/store/timeline_fixture.h"

#include <stdio.h>

#include "server/store/repair.h"

/* Spoils the value of a key in the tables, as a flipped bit does. It is made to be seen like any
 * transaction, but for what the folder alone may touch. */
static void spoil(struct fixture *fixture, enum disk_table table, uint64_t key)
{
    struct store *store = fixture->store;
    struct disk_txn txn;
    struct proto_fault fault;
    struct proto_span value = {0};
    uint8_t copy[STORE_EVENT_VALUE_BYTES_MAX];
    assert_true(disk_txn_write(&txn, &store->env, &fault));
    uint64_t number = disk_txn_number(&txn);
    assert_int_equal(disk_txn_get(&txn, table, key, &value, &fault), DISK_GOT_ONE);
    size_t bytes = value.bytes;
    memcpy(copy, value.data, bytes);
    copy[bytes - 1] ^= 1;
    uint8_t *at = disk_txn_put(&txn, table, key, bytes, DISK_PUT_ANY, &fault);
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
    return repaired.timelines_lost;
}

static void damage_is_refused_folded_over_and_repaired(void **state)
{
    struct fixture *fixture = *state;
    for (uint32_t number = 0; number < 2; number++) {
        char account[8];
        struct store_result result;
        struct proto_fault fault = {.code = PROTO_OK};
        uint64_t numbers[400];
        size_t count = 0;
        bool sound;
        for (uint64_t i = 0; i < 400; i++) {
            numbers[i] = i;
        }
        (void)snprintf(account, sizeof account, "d%u", number);
        assert_true(put_one(fixture, account, NULL, 1, &result));
        assert_true(append(fixture, account, numbers, 300, &result));
        assert_true(store_fold_wait(fixture->store, &fault));
        uint32_t slot = find_id(fixture, account);
        spoil(fixture, DISK_TABLE_EVENT, store_event_key(slot, number));
        fixture_close(fixture); /* the writer has a snapshot of before */
        fixture_open(fixture);
        assert_false(store_timeline(viewed(fixture), slot, count_each, &count, &fault));
        assert_int_equal(fault.code, PROTO_CORRUPT);
        /* What is not known to be new is not taken, and a fold goes on. */
        uint64_t other = 350;
        assert_false(append(fixture, account, &other, 1, &result));
        assert_int_equal(result.fault.code, PROTO_CORRUPT);
        fixture_close(fixture);
        assert_int_equal(repair(fixture, false, &sound), 1);
        assert_false(sound);
        assert_int_equal(repair(fixture, true, &sound), 1);
        assert_int_equal(repair(fixture, false, &sound), 0);
        assert_true(sound);
        fixture_open(fixture);
        must_be_sound(fixture);
        count = count_of(fixture, account);
        assert_true(count > 50 && count < 300);
        assert_true(append(fixture, account, numbers, 400, &result));
        assert_int_equal(count_of(fixture, account), 400);
        assert_true(store_fold_wait(fixture->store, &fault));
        must_be_sound(fixture);
    }
}

static void a_fold_over_a_damaged_block_loses_no_other_and_says_so(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct proto_fault fault = {.code = PROTO_OK};
    uint64_t numbers[400];
    size_t count = 0;
    bool sound;
    for (uint64_t i = 0; i < 400; i++) {
        numbers[i] = i;
    }
    assert_true(put_one(fixture, "a", NULL, 1, &result));
    assert_true(append(fixture, "a", numbers, 300, &result));
    assert_true(store_fold_wait(fixture->store, &fault));
    assert_true(append(fixture, "a", numbers + 300, 100, &result));
    uint32_t slot = find_id(fixture, "a");
    spoil(fixture, DISK_TABLE_EVENT, store_event_key(slot, 0));
    assert_true(store_fold_wait(fixture->store, &fault));
    assert_false(store_timeline(viewed(fixture), slot, count_each, &count, &fault));
    assert_int_equal(fault.code, PROTO_CORRUPT);
    fixture_close(fixture);
    assert_int_equal(repair(fixture, true, &sound), 1);
    fixture_open(fixture);
    must_be_sound(fixture);
    count = count_of(fixture, "a");
    assert_true(count > 200 && count < 400);
}

/* Whoever asks for the account is told that it is damaged, and so is who tells of it: what is said
 * of it could not be read. So too where the index alone leads to the account. */
static void of_a_damaged_account_nothing_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct proto_fault fault = {.code = PROTO_OK};
    uint64_t number = 1;
    assert_true(put_one(fixture, "acme", "domain:acme.com", 1, &result));
    assert_true(put_one(fixture, "globex", "domain:globex.com", 2, &result));
    assert_true(store_fold_wait(fixture->store, &fault));
    spoil(fixture, DISK_TABLE_ACCOUNT, find_id(fixture, "acme"));
    for (unsigned indexed = 0; indexed < 2; indexed++) {
        fixture_close(fixture);
        fixture->options.starting = indexed == 0;
        fixture_open(fixture);
        if (indexed == 1) {
            settle(fixture, 0);
        }
        assert_false(append(fixture, "acme", &number, 1, &result));
        assert_int_equal(result.fault.code, PROTO_CORRUPT);
        assert_int_equal(append(fixture, "globex", &number, 1, &result), true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(damage_is_refused_folded_over_and_repaired, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(of_a_damaged_account_nothing_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_fold_over_a_damaged_block_loses_no_other_and_says_so,
                                        setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

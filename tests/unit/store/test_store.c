/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/store_fixture.h"

#include <stdio.h>
#include <sys/stat.h>

static int setup(void **state)
{
    static struct fixture fixture;
    fixture_init(&fixture);
    fixture_open(&fixture);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    fixture_fini(*state);
    return 0;
}

static void a_new_store_is_empty_and_sound(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(store_view_seq(viewed(fixture)), 0);
    assert_int_equal(store_view_slots(fixture->view), 0);
    assert_int_equal(find_id(fixture, "acme"), STORE_NO_SLOT);
    assert_int_equal(fixture->change_count, 0);
    must_be_sound(fixture);
}

static void a_put_is_found_by_id_and_by_key_after_its_acknowledgement(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    assert_true(put_one(fixture, "acme", "domain:acme.com", 42, &result));
    assert_int_equal(result.seq, 1);
    assert_int_equal(result.count, 1);
    assert_int_equal(result.created, 1);
    assert_int_equal(find_id(fixture, "acme"), 0);
    assert_int_equal(find_key(fixture, "domain:acme.com"), 0);
    assert_int_equal(find_id(fixture, "domain:acme.com"), STORE_NO_SLOT);
    assert_int_equal(find_key(fixture, "acme"), STORE_NO_SLOT);
    assert_true(number_of(fixture, "acme") == 42);
    assert_int_equal(store_view_accounts(fixture->view), 1);
    must_be_sound(fixture);
}

static void a_put_of_a_stored_id_keeps_slot_and_created(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct proto_span bytes;
    struct proto_fault fault;
    struct feature_record record;
    assert_true(put_one(fixture, "acme", "domain:acme.com", 1, &result));
    fixture->now_ms += 60000;
    assert_true(put_one(fixture, "acme", "domain:acme.io", 2, &result));
    assert_int_equal(result.created, 0);
    assert_int_equal(result.count, 1);
    assert_int_equal(find_id(fixture, "acme"), 0);
    assert_true(store_record(fixture->view, 0, &bytes, &fault));
    assert_true(feature_record_open(bytes, true, &record, &fault));
    assert_int_equal(record.created_s, 1700000000);
    assert_int_equal(record.changed_s, 1700000060);
    /* The key that the new record does not have is gone. */
    assert_int_equal(find_key(fixture, "domain:acme.com"), STORE_NO_SLOT);
    assert_int_equal(find_key(fixture, "domain:acme.io"), 0);
    must_be_sound(fixture);
}

static void reopening_gives_the_same(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    char id[16];
    for (int i = 0; i < 300; i++) {
        snprintf(id, sizeof id, "a%d", i);
        assert_true(put_one(fixture, id, id, i, &result));
    }
    assert_true(delete_one(fixture, "a7", &result));
    for (int round = 0; round < 2; round++) {
        fixture_close(fixture);
        fixture_open(fixture);
        if (round == 1) {
            settle(fixture, 0);
        }
        assert_int_equal(store_view_seq(viewed(fixture)), 301);
        assert_int_equal(store_view_accounts(fixture->view), 299);
        for (int i = 0; i < 300; i++) {
            snprintf(id, sizeof id, "a%d", i);
            assert_true(number_of(fixture, id) == (i == 7 ? -1 : i));
            assert_int_equal(find_key(fixture, id), i == 7 ? STORE_NO_SLOT : (uint32_t)i);
        }
        must_be_sound(fixture);
    }
}

static uint64_t index_ready(const struct fixture *fixture)
{
    struct store_stats stats;
    store_stats(fixture->store, &stats);
    return stats.index_ready;
}

/* The writer has gone round with each put, so the index would be there. */
static void what_can_wait_begins_when_the_start_is_over(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    assert_true(put_one(fixture, "acme", "domain:acme.com", 42, &result));
    fixture_close(fixture);
    fixture->options.starting = true;
    fixture_open(fixture);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(put_one(fixture, "globex", "domain:globex.com", i, &result));
        assert_int_equal(index_ready(fixture), 0);
    }
    assert_int_equal(find_id(fixture, "acme"), 0);
    assert_int_equal(find_key(fixture, "domain:globex.com"), 1);
    store_started(fixture->store);
    settle(fixture, 0);
    assert_int_equal(index_ready(fixture), 1);
    assert_int_equal(find_id(fixture, "acme"), 0);
    assert_int_equal(find_key(fixture, "domain:globex.com"), 1);
    store_started(fixture->store); /* once more is once */
    must_be_sound(fixture);
}

static void a_store_that_never_started_closes_and_opens(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    fixture_close(fixture);
    fixture->options.starting = true;
    fixture_open(fixture);
    assert_true(put_one(fixture, "acme", "domain:acme.com", 42, &result));
    fixture_close(fixture);
    fixture->options.starting = false;
    fixture_open(fixture);
    settle(fixture, 0);
    assert_int_equal(find_id(fixture, "acme"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_store_is_empty_and_sound, setup, teardown),
        cmocka_unit_test_setup_teardown(a_put_is_found_by_id_and_by_key_after_its_acknowledgement,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_put_of_a_stored_id_keeps_slot_and_created, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(reopening_gives_the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(what_can_wait_begins_when_the_start_is_over, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_store_that_never_started_closes_and_opens, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

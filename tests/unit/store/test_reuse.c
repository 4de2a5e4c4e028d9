/* SPDX-License-Identifier: Apache-2.0 */
/* When the slot of a deleted account is given again: not while a view may see the account or keeps
 * slots, not if it stood on a list, not within the second of a list; after a restart it is found
 * again, after a crash it is the same; and ten times the accounts, deleted and put, take the slots
 * and the file of about one. */
#include "tests/unit/store/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static int setup(void **state)
{
    struct fixture *fixture = malloc(sizeof *fixture);
    assert_non_null(fixture);
    fixture_init(fixture);
    fixture_open(fixture);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    fixture_fini(*state);
    free(*state);
    return 0;
}

static uint32_t put_slot(struct fixture *fixture, const char *id)
{
    struct store_result result;
    assert_true(put_one(fixture, id, NULL, 1, &result));
    return find_id(fixture, id);
}

static void gone(struct fixture *fixture, const char *id)
{
    struct store_result result;
    assert_true(delete_one(fixture, id, &result));
}

static void a_view_that_may_see_the_account_keeps_its_slot(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault;
    struct proto_span record;
    assert_int_equal(put_slot(fixture, "a"), 0);
    struct store_view *old = store_view_open(fixture->store, &fault);
    assert_non_null(old);
    gone(fixture, "a");
    assert_int_equal(find_id(fixture, "a"), STORE_NO_SLOT);
    assert_int_equal(put_slot(fixture, "b"), 1);
    assert_true(store_record(old, 0, &record, &fault));
    assert_true(store_record_has(record, STORE_KIND_ID, span("a")));
    /* At rest it sees nothing. */
    store_view_rest(old);
    assert_int_equal(put_slot(fixture, "c"), 0);
    assert_true(store_view_refresh(old, &fault));
    assert_true(store_record(old, 0, &record, &fault));
    assert_true(store_record_has(record, STORE_KIND_ID, span("c")));
    assert_int_equal(store_find_id(old, span("a"), &fault), STORE_NO_SLOT);
    store_view_close(old);
    must_be_sound(fixture);
}

static void slots_that_somebody_remembers_are_kept(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault;
    struct store_view *job = store_view_open(fixture->store, &fault);
    assert_non_null(job);
    assert_int_equal(put_slot(fixture, "a"), 0);
    assert_true(store_view_refresh(job, &fault));
    store_view_keep_slots(job, store_view_seq(job));
    gone(fixture, "a");
    assert_true(store_view_refresh(job, &fault));
    assert_int_equal(find_id(fixture, "a"), STORE_NO_SLOT);
    assert_int_equal(put_slot(fixture, "b"), 1);
    store_view_keep_slots(job, UINT64_MAX);
    assert_int_equal(put_slot(fixture, "c"), 0);
    store_view_close(job);
}

static void list_of(struct fixture *fixture, const char *const *ids, size_t count)
{
    struct store_result result;
    struct proto_fault fault;
    struct store_batch *batch = store_batch_create();
    assert_true(batch_tal(batch, 0, "list", ids, count, &fault));
    assert_true(store_submit_wait(fixture->store, batch, &result));
}

/* Engine's lists are by slot until the next start, which works them out from ids. */
static void members_of_a_list_keep_their_slots_until_the_next_start(void **state)
{
    struct fixture *fixture = *state;
    const char *ids[] = {"a", "b"};
    put_slot(fixture, "a");
    put_slot(fixture, "b");
    put_slot(fixture, "c");
    list_of(fixture, ids, 2);
    gone(fixture, "a");
    gone(fixture, "c");
    viewed(fixture);
    /* The clock stands still: whoever comes in the second of the list gets a slot of his own. */
    assert_int_equal(put_slot(fixture, "d"), 3);
    fixture->now_ms += 1000;
    assert_int_equal(put_slot(fixture, "e"), 2);
    assert_int_equal(put_slot(fixture, "f"), 4);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(fixture->changes[0].kind, STORE_DOCUMENT_TAL);
    assert_int_equal(fixture->changes[0].slots.bytes, sizeof(uint32_t));
    assert_int_equal(fixture->slots[0][0], 1);
    assert_int_equal(put_slot(fixture, "g"), 5); /* it was not looked for yet */
    for (int i = 0; i < 1000 && put_slot(fixture, "h") != 0; i++) {
        gone(fixture, "h");
        viewed(fixture);
    }
    assert_int_equal(find_id(fixture, "h"), 0);
    /* Put anew under the member's id, in the member's slot: no member. */
    gone(fixture, "h");
    viewed(fixture);
    assert_int_equal(put_slot(fixture, "a"), 0);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(fixture->changes[0].slots.bytes, sizeof(uint32_t));
    assert_int_equal(fixture->slots[0][0], 1);
    must_be_sound(fixture);
}

/* A batch that fills, empties and fills a slot; one that is refused gives its slots back. */
static void a_refused_batch_takes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct proto_fault fault;
    struct made made;
    assert_true(put_one(fixture, "owner", "key", 1, &result));
    put_slot(fixture, "a");
    gone(fixture, "a");
    viewed(fixture);
    struct store_batch *batch = store_batch_create();
    const char *keys[] = {"key", NULL};
    make_record(&made, "b", NULL, 1, "x");
    assert_true(store_batch_put(batch, made_span(&made), &fault));
    make_record(&made, "c", keys, 1, "x");
    assert_true(store_batch_put(batch, made_span(&made), &fault));
    assert_false(store_submit_wait(fixture->store, batch, &result));
    assert_int_equal(result.fault.code, PROTO_CONFLICT);
    batch = store_batch_create();
    make_record(&made, "b", NULL, 1, "x");
    assert_true(store_batch_put(batch, made_span(&made), &fault));
    assert_true(store_batch_delete(batch, span("b"), &fault));
    assert_true(store_batch_put(batch, made_span(&made), &fault));
    assert_true(store_submit_wait(fixture->store, batch, &result));
    assert_int_equal(find_id(fixture, "b"), 2);
    assert_int_equal(put_slot(fixture, "c"), 1);
    must_be_sound(fixture);
}

static void replayed_slots_are_the_same(void **state)
{
    struct fixture *fixture = *state;
    uint32_t slots[40];
    char id[16];
    for (int i = 0; i < 40; i++) {
        snprintf(id, sizeof id, "a%d", i);
        put_slot(fixture, id);
        if (i % 3 == 0) {
            gone(fixture, id);
        }
    }
    for (int i = 0; i < 40; i++) {
        snprintf(id, sizeof id, "a%d", i);
        slots[i] = find_id(fixture, id);
    }
    struct store_stats stats;
    store_stats(fixture->store, &stats);
    assert_int_equal(stats.slots_given_again, 13);
    fixture->store->tuning.abandon = true;
    fixture_close(fixture);
    fixture_open(fixture);
    for (int i = 0; i < 40; i++) {
        snprintf(id, sizeof id, "a%d", i);
        assert_int_equal(find_id(fixture, id), slots[i]);
    }
    must_be_sound(fixture);
}

enum { CHURN_ACCOUNTS = 2000 / TEST_SHORTER, CHURN_TIMES = 10, CHURN_BATCH = 100 };
enum { SETTLED = 3 }; /* times after which there are free pages to be used again */

static void churn_batch(struct fixture *fixture, int from, int gone_from)
{
    struct store_result result;
    struct proto_fault fault;
    struct made made;
    char id[16];
    struct store_batch *batch = store_batch_create();
    for (int i = 0; i < CHURN_BATCH; i++) {
        snprintf(id, sizeof id, "c%d", from + i);
        make_record(&made, id, NULL, i % 200, "Churn");
        assert_true(store_batch_put(batch, made_span(&made), &fault));
        snprintf(id, sizeof id, "c%d", gone_from + i);
        assert_true(gone_from < 0 || store_batch_delete(batch, span(id), &fault));
    }
    assert_true(store_submit_wait(fixture->store, batch, &result));
}

static uint64_t file_pages(struct fixture *fixture)
{
    struct proto_fault fault;
    store_view_rest(fixture->view);
    assert_true(store_fold_wait(fixture->store, &fault));
    return disk_env_pages(&fixture->store->env);
}

/* Ten times the accounts come and go. */
static void churn_keeps_slots_and_file_bounded(void **state)
{
    struct fixture *fixture = *state;
    int next = 0;
    uint64_t first = 0;
    for (; next < CHURN_ACCOUNTS; next += CHURN_BATCH) {
        churn_batch(fixture, next, -1);
    }
    for (int time = 0; time < CHURN_TIMES; time++) {
        for (int i = 0; i < CHURN_ACCOUNTS; i += CHURN_BATCH, next += CHURN_BATCH) {
            churn_batch(fixture, next, next - CHURN_ACCOUNTS);
            viewed(fixture);
        }
        uint64_t pages = file_pages(fixture);
        first = time == SETTLED ? pages : first;
        assert_true(time <= SETTLED || pages <= first * 5 / 4);
        if (time == CHURN_TIMES / 2) {
            fixture_close(fixture);
            fixture_open(fixture);
        }
    }
    assert_int_equal(store_view_accounts(viewed(fixture)), CHURN_ACCOUNTS);
    /* Slots are found to be free some batches later: that matters where there are few accounts. */
    assert_in_range(store_view_slots(fixture->view), CHURN_ACCOUNTS,
                    CHURN_ACCOUNTS * 3 / 2 + 4 * CHURN_BATCH);
    must_be_sound(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_view_that_may_see_the_account_keeps_its_slot, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(slots_that_somebody_remembers_are_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(members_of_a_list_keep_their_slots_until_the_next_start,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_refused_batch_takes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(replayed_slots_are_the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(churn_keeps_slots_and_file_bounded, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

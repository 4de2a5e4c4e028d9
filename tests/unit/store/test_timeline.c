/* SPDX-License-Identifier: Apache-2.0 */
/* Timelines held against a list in memory: appended, told again, contradicted, over folds,
 * restarts, kills, deletions and slots that are given again; then copied. */
#include "tests/unit/store/timeline_fixture.h"

#include <stdio.h>

#include "server/store/dump.h"

enum { ACCOUNTS = 6, EVENTS = 3000, STEPS = 1500 / TEST_SHORTER };

/* What an account must have. */
struct truth {
    uint64_t numbers[EVENTS];
    uint64_t seqs[EVENTS];
    int64_t known_ms[EVENTS];
    size_t count;
    bool had[EVENTS];
    bool lives;
};

struct check {
    const struct truth *truth;
    size_t at;
    size_t most;
};

static bool compare(void *context, const struct event *event)
{
    struct check *check = context;
    char id[24];
    assert_true(check->at < check->truth->count);
    struct event right = event_number_of(check->truth->numbers[check->at], id);
    assert_true(event_same(&right, event));
    assert_int_equal(event->seq, check->truth->seqs[check->at]);
    assert_int_equal(event->known_ms, check->truth->known_ms[check->at]);
    check->at++;
    return check->at < check->most;
}

static void must_be(struct fixture *fixture, struct store_view *view, const char *account,
                    const struct truth *truth)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct check check = {.truth = truth, .most = SIZE_MAX};
    uint32_t slot = store_find_id(view, span(account), &fault);
    (void)fixture;
    assert_int_equal(slot != STORE_NO_SLOT, truth->lives);
    if (!truth->lives) {
        return;
    }
    if (!store_timeline(view, slot, compare, &check, &fault)) {
        fail_msg("%s: %s", account, fault.message);
    }
    assert_int_equal(check.at, truth->count);
}

static void truth_tell(struct truth *truth, uint64_t number, uint64_t seq, int64_t known_ms)
{
    truth->numbers[truth->count] = number;
    truth->seqs[truth->count] = seq;
    truth->known_ms[truth->count++] = known_ms;
    truth->had[number] = true;
}

static void step_append(struct fixture *fixture, struct truth *truth, const char *account,
                        uint64_t *seed)
{
    uint64_t numbers[40];
    size_t count = 1 + event_random(seed) % 40;
    struct store_result result;
    size_t fresh = 0;
    for (size_t i = 0; i < count; i++) {
        numbers[i] = event_random(seed) % EVENTS;
    }
    bool good = append(fixture, account, numbers, count, &result);
    assert_int_equal(good, truth->lives);
    if (!good) {
        assert_int_equal(result.fault.code, PROTO_NOT_FOUND);
        assert_string_equal(result.fault.field, "events[0].account");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (!truth->had[numbers[i]]) {
            truth_tell(truth, numbers[i], result.seq, fixture->now_ms);
            fresh++;
        }
    }
    assert_int_equal(result.count, fresh);
}

static void step_account(struct fixture *fixture, struct truth *truth, const char *account)
{
    struct store_result result;
    if (truth->lives) {
        assert_true(delete_one(fixture, account, &result));
    } else {
        assert_true(put_one(fixture, account, NULL, 1, &result));
    }
    bool lives = !truth->lives;
    memset(truth, 0, sizeof *truth);
    truth->lives = lives;
}

static void step_reopen(struct fixture *fixture, bool abandon)
{
    fixture->store->tuning.abandon = abandon;
    fixture_close(fixture);
    fixture_open(fixture);
}

static void a_timeline_is_what_was_told_over_folds_kills_and_deletions(void **state)
{
    static struct truth truths[ACCOUNTS];
    struct fixture *fixture = *state;
    struct proto_fault fault;
    uint64_t seed = 11;
    memset(truths, 0, sizeof truths);
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned at = (unsigned)(event_random(&seed) % ACCOUNTS);
        char account[8];
        (void)snprintf(account, sizeof account, "a%u", at);
        uint64_t what = event_random(&seed) % 100;
        fixture->now_ms += (int64_t)(event_random(&seed) % 100000);
        if (what < 60) {
            step_append(fixture, &truths[at], account, &seed);
        } else if (what < (truths[at].lives ? 62 : 70)) {
            step_account(fixture, &truths[at], account);
        } else if (what < 74) {
            step_reopen(fixture, event_random(&seed) % 2 == 0);
        } else if (what < 80) {
            assert_true(store_fold_wait(fixture->store, &fault));
        }
        must_be(fixture, viewed(fixture), account, &truths[at]);
        if (step % 100 == 0) {
            must_be_sound(fixture);
        }
    }
    step_reopen(fixture, false);
    must_be_sound(fixture);
    for (unsigned at = 0; at < ACCOUNTS; at++) {
        char account[8];
        (void)snprintf(account, sizeof account, "a%u", at);
        must_be(fixture, viewed(fixture), account, &truths[at]);
    }
}

static void an_older_view_keeps_what_it_saw(void **state)
{
    static struct truth truth;
    struct fixture *fixture = *state;
    struct store_result result;
    struct proto_fault fault;
    uint64_t numbers[] = {1, 2, 3, 4};
    memset(&truth, 0, sizeof truth);
    truth.lives = true;
    assert_true(put_one(fixture, "a", NULL, 1, &result));
    assert_true(append(fixture, "a", numbers, 2, &result));
    truth_tell(&truth, 1, result.seq, fixture->now_ms);
    truth_tell(&truth, 2, result.seq, fixture->now_ms);
    struct store_view *old = store_view_open(fixture->store, &fault);
    assert_non_null(old);
    assert_true(append(fixture, "a", numbers + 2, 2, &result));
    must_be(fixture, old, "a", &truth);
    assert_true(store_fold_wait(fixture->store, &fault));
    must_be(fixture, old, "a", &truth);
    assert_true(delete_one(fixture, "a", &result));
    must_be(fixture, old, "a", &truth);
    assert_int_equal(find_id(fixture, "a"), STORE_NO_SLOT);
    store_view_close(old);
}

static void a_slot_that_is_given_again_has_no_events_of_before(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct proto_fault fault;
    for (int folded = 0; folded < 4; folded++) {
        uint64_t numbers[300];
        for (uint64_t i = 0; i < 300; i++) {
            numbers[i] = i;
        }
        assert_true(put_one(fixture, "old", NULL, 1, &result));
        uint32_t slot = find_id(fixture, "old");
        assert_true(append(fixture, "old", numbers, 300, &result));
        if ((folded & 1) != 0) {
            assert_true(store_fold_wait(fixture->store, &fault));
        }
        assert_true(delete_one(fixture, "old", &result));
        if ((folded & 2) != 0) {
            assert_true(store_fold_wait(fixture->store, &fault));
        }
        store_view_rest(fixture->view);
        assert_true(put_one(fixture, "new", NULL, 1, &result));
        assert_int_equal(find_id(fixture, "new"), slot);
        assert_int_equal(count_of(fixture, "new"), 0);
        assert_true(append(fixture, "new", numbers, 1, &result));
        assert_int_equal(count_of(fixture, "new"), 1);
        assert_true(store_fold_wait(fixture->store, &fault));
        assert_int_equal(count_of(fixture, "new"), 1);
        must_be_sound(fixture);
        assert_true(delete_one(fixture, "new", &result));
        store_view_rest(fixture->view);
    }
}

/* The directory of events has a piece for every so many slots, and grows when accounts are folded:
 * of one that waits for that there need be none. */
static void of_an_account_that_is_not_folded_yet_events_are_told_whatever_its_slot(void **state)
{
    enum { MORE = STORE_EVENT_DIRECTORY_SLOTS + 8 };
    struct fixture *fixture = *state;
    struct store_result result;
    struct proto_fault fault;
    struct made made;
    char id[24];
    const uint64_t number = 1;
    assert_true(put_one(fixture, "first", NULL, 1, &result));
    assert_true(append(fixture, "first", &number, 1, &result));
    assert_true(store_fold_wait(fixture->store, &fault)); /* one piece */
    struct store_batch *batch = store_batch_create();
    for (int i = 0; i < MORE; i++) {
        (void)snprintf(id, sizeof id, "more%d", i);
        make_record(&made, id, NULL, i, NULL);
        assert_true(store_batch_put(batch, made_span(&made), &fault));
    }
    assert_true(store_submit_wait(fixture->store, batch, &result));
    assert_true(find_id(fixture, id) >= STORE_EVENT_DIRECTORY_SLOTS);
    if (!append(fixture, id, &number, 1, &result)) {
        fail_msg("%s: %s", result.fault.field, result.fault.message);
    }
    assert_int_equal(count_of(fixture, id), 1);
    assert_true(delete_one(fixture, "more8190", &result));
    assert_true(store_fold_wait(fixture->store, &fault));
    assert_int_equal(count_of(fixture, id), 1);
    must_be_sound(fixture);
}

static void another_event_under_an_id_is_refused_with_the_whole_batch(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct proto_fault fault;
    char id[24];
    uint64_t number = 5;
    assert_true(put_one(fixture, "a", "crm:1", 1, &result));
    assert_true(append(fixture, "a", &number, 1, &result));
    for (int folded = 0; folded < 2; folded++) {
        char other_id[24];
        struct event event = event_number_of(number, id);
        struct event other = event_number_of(100 + (uint64_t)folded, other_id);
        event.amount += 1;
        event.time_ms -= 1;
        struct store_batch *batch = store_batch_create();
        assert_true(store_batch_event(batch, span("a"), false, &other, &fault));
        assert_true(store_batch_event(batch, span("crm:1"), true, &event, &fault));
        assert_false(store_submit_wait(fixture->store, batch, &result));
        assert_int_equal(result.fault.code, PROTO_CONFLICT);
        assert_string_equal(result.fault.field, "events[1].id");
        assert_int_equal(count_of(fixture, "a"), 1);
        assert_true(store_fold_wait(fixture->store, &fault));
    }
    must_be_sound(fixture);
}

static void within_a_batch_an_account_is_made_told_of_and_deleted(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct proto_fault fault;
    struct made made;
    char id[24];
    struct event event = event_number_of(1, id);
    make_record(&made, "a", NULL, 1, NULL);
    struct store_batch *batch = store_batch_create();
    assert_true(store_batch_put(batch, made_span(&made), &fault));
    assert_true(store_batch_event(batch, span("a"), false, &event, &fault));
    assert_true(store_batch_event(batch, span("a"), false, &event, &fault));
    assert_true(store_submit_wait(fixture->store, batch, &result));
    assert_int_equal(result.count, 2);
    assert_int_equal(count_of(fixture, "a"), 1);
    batch = store_batch_create();
    char second[24];
    event = event_number_of(2, second);
    assert_true(store_batch_event(batch, span("a"), false, &event, &fault));
    assert_true(store_batch_delete(batch, span("a"), &fault));
    assert_true(store_batch_put(batch, made_span(&made), &fault));
    assert_true(store_submit_wait(fixture->store, batch, &result));
    assert_int_equal(count_of(fixture, "a"), 0);
    must_be_sound(fixture);
}

static bool append_from(struct fixture *fixture, const char *account, uint64_t first, size_t count,
                        struct store_result *result)
{
    uint64_t numbers[16];
    for (size_t i = 0; i < count; i++) {
        numbers[i] = first + i;
    }
    return append(fixture, account, numbers, count, result);
}

/* Whatever of it is stored, in the overlay or of the same batch; what is told again counts once. */
static void an_account_has_no_more_events_than_its_limit(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct proto_fault fault;
    fixture_close(fixture);
    fixture->tuning.events_max = 10;
    fixture_open(fixture);
    assert_true(put_one(fixture, "a", NULL, 1, &result));
    assert_true(put_one(fixture, "b", NULL, 1, &result));
    assert_false(append_from(fixture, "a", 0, 11, &result));
    assert_int_equal(result.fault.code, PROTO_LIMIT);
    assert_string_equal(result.fault.field, "events[10].account");
    assert_int_equal(count_of(fixture, "a"), 0);
    assert_true(append_from(fixture, "a", 0, 4, &result));
    assert_true(store_fold_wait(fixture->store, &fault));
    assert_true(append_from(fixture, "a", 4, 4, &result));
    assert_false(append_from(fixture, "a", 8, 3, &result));
    assert_string_equal(result.fault.field, "events[2].account");
    assert_true(append_from(fixture, "a", 6, 4, &result)); /* two are there already */
    assert_int_equal(result.count, 2);
    assert_int_equal(count_of(fixture, "a"), 10);
    assert_true(append_from(fixture, "a", 0, 10, &result));
    assert_false(append_from(fixture, "a", 10, 1, &result));
    assert_true(append_from(fixture, "b", 10, 10, &result)); /* another account's do not count */
    assert_true(delete_one(fixture, "a", &result));
    assert_true(put_one(fixture, "a", NULL, 1, &result));
    assert_true(append_from(fixture, "a", 0, 10, &result));
    must_be_sound(fixture);
}

/* A log of before the limit was exact is replayed as it is. */
static void what_the_log_has_is_not_refused_by_a_lower_limit(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    fixture->tuning.abandon = true;
    fixture_close(fixture);
    fixture_open(fixture);
    assert_true(put_one(fixture, "a", NULL, 1, &result));
    assert_true(append_from(fixture, "a", 0, 12, &result));
    fixture_close(fixture);
    fixture->tuning.events_max = 10;
    fixture_open(fixture);
    assert_int_equal(count_of(fixture, "a"), 12);
    assert_false(append_from(fixture, "a", 12, 1, &result));
    must_be_sound(fixture);
}

static void a_copy_of_the_store_has_the_timelines(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct proto_fault fault;
    struct store_entry entry;
    uint64_t numbers[500];
    char path[96];
    for (uint64_t i = 0; i < 500; i++) {
        numbers[i] = i;
    }
    assert_true(put_one(fixture, "a", NULL, 1, &result));
    assert_true(append(fixture, "a", numbers, 500, &result));
    (void)snprintf(path, sizeof path, "%s-copy", fixture->path);
    struct store_dump *dump = store_dump_open(fixture->store, &fault);
    struct store_rebuild *rebuild = store_rebuild_open(path, (size_t)1 << 28, &fault);
    assert_true(dump != NULL && rebuild != NULL);
    while (store_dump_next(dump, &entry, &fault) == DISK_GOT_ONE) {
        assert_true(store_rebuild_put(rebuild, &entry, &fault));
    }
    assert_true(store_rebuild_finish(rebuild, &fault));
    store_dump_close(dump);
    uint64_t digest = store_digest(fixture->store, true);
    fixture_close(fixture);
    fixture_remove(fixture->path);
    fixture->options.path = path;
    fixture_open(fixture);
    assert_int_equal(count_of(fixture, "a"), 500);
    assert_int_equal(store_digest(fixture->store, true), digest);
    fixture_close(fixture);
    fixture_remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_timeline_is_what_was_told_over_folds_kills_and_deletions,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(an_older_view_keeps_what_it_saw, setup, teardown),
        cmocka_unit_test_setup_teardown(a_slot_that_is_given_again_has_no_events_of_before, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            of_an_account_that_is_not_folded_yet_events_are_told_whatever_its_slot, setup,
            teardown),
        cmocka_unit_test_setup_teardown(another_event_under_an_id_is_refused_with_the_whole_batch,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(within_a_batch_an_account_is_made_told_of_and_deleted,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(an_account_has_no_more_events_than_its_limit, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_the_log_has_is_not_refused_by_a_lower_limit, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_copy_of_the_store_has_the_timelines, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

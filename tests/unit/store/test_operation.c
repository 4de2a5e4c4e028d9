/* SPDX-License-Identifier: Apache-2.0 */
/* Operation ids: a repeated one is answered as the first time and applied once, whatever comes
 * between. */
#include "tests/unit/store/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>

/* A put of one account under an operation id, not yet submitted. */
static struct store_batch *put_batch(const char *operation, uint64_t digest, const char *account,
                                     double number)
{
    struct made made;
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_batch *batch = store_batch_create();
    make_record(&made, account, NULL, number, NULL);
    assert_true(store_batch_put(batch, made_span(&made), &fault));
    assert_true(store_batch_operation(batch, span(operation), digest, &fault));
    return batch;
}

static struct store_result put(struct fixture *fixture, const char *operation, uint64_t digest,
                               const char *account, double number)
{
    struct store_result result;
    (void)store_submit_wait(fixture->store, put_batch(operation, digest, account, number), &result);
    return result;
}

/* What the store knows of the id. */
static struct store_result ask(struct fixture *fixture, const char *operation, uint64_t digest)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_batch *batch = store_batch_create();
    struct store_result result;
    assert_true(store_batch_operation(batch, span(operation), digest, &fault));
    (void)store_submit_wait(fixture->store, batch, &result);
    return result;
}

static void must_repeat(const struct store_result *again, const struct store_result *first)
{
    assert_int_equal(again->fault.code, PROTO_OK);
    assert_true(again->repeated);
    assert_int_equal(again->seq, first->seq);
    assert_int_equal(again->count, first->count);
    assert_int_equal(again->created, first->created);
    assert_int_equal(again->version, first->version);
    assert_int_equal(again->previous, first->previous);
}

static void a_repeated_operation_is_applied_once(void **state)
{
    struct fixture *fixture = *state;
    struct store_result first = put(fixture, "op-1", 7, "acme", 1);
    assert_int_equal(first.fault.code, PROTO_OK);
    assert_false(first.repeated);
    assert_int_equal(first.created, 1);
    assert_int_equal(put(fixture, "op-2", 7, "acme", 2).created, 0);
    struct store_result again = put(fixture, "op-1", 7, "acme", 1);
    must_repeat(&again, &first);
    assert_true(number_of(fixture, "acme") == 2);
    assert_int_equal(store_view_seq(viewed(fixture)), 2);
    must_be_sound(fixture);
}

static void the_same_id_with_another_request_conflicts(void **state)
{
    struct fixture *fixture = *state;
    put(fixture, "op-1", 7, "acme", 1);
    struct store_result other = put(fixture, "op-1", 8, "acme", 3);
    assert_int_equal(other.fault.code, PROTO_CONFLICT);
    assert_string_equal(other.fault.field, "operation");
    assert_true(number_of(fixture, "acme") == 1);
}

static void what_was_refused_may_be_tried_again(void **state)
{
    struct fixture *fixture = *state;
    struct made made;
    struct store_result result;
    struct proto_fault fault = {.code = PROTO_OK};
    for (int turn = 0; turn < 2; turn++) {
        struct store_batch *batch = store_batch_create();
        make_record(&made, "later", NULL, 5, NULL);
        assert_true(store_batch_patch(batch, made_span(&made), NULL, 0, &fault));
        assert_true(store_batch_operation(batch, span("op-p"), 1, &fault));
        assert_int_equal(store_submit_wait(fixture->store, batch, &result), turn == 1);
        assert_int_equal(result.fault.code, turn == 0 ? PROTO_NOT_FOUND : PROTO_OK);
        assert_false(result.repeated);
        if (turn == 0) {
            assert_true(put_one(fixture, "later", NULL, 4, &result));
        }
    }
}

static void asking_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(ask(fixture, "op-1", 7).fault.code, PROTO_NOT_FOUND);
    struct store_result first = put(fixture, "op-1", 7, "acme", 1);
    struct store_result known = ask(fixture, "op-1", 7);
    must_repeat(&known, &first);
    assert_int_equal(ask(fixture, "op-1", 9).fault.code, PROTO_CONFLICT);
    assert_int_equal(store_view_seq(viewed(fixture)), 1);
}

static void versions_are_remembered(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_result results[4];
    for (size_t i = 0; i < 4; i++) {
        struct store_batch *batch = store_batch_create();
        assert_true(batch_icp(batch, span("{}"), true, span("why"), &fault));
        assert_true(store_batch_operation(batch, span(i % 2 ? "odd" : "even"), 1, &fault));
        assert_true(store_submit_wait(fixture->store, batch, &results[i]));
    }
    assert_int_equal(results[0].version, 1);
    assert_int_equal(results[1].version, 2);
    assert_int_equal(results[1].previous, 1);
    must_repeat(&results[2], &results[0]);
    must_repeat(&results[3], &results[1]);
}

static void ids_outlive_a_restart(void **state)
{
    struct fixture *fixture = *state;
    struct store_result first[20];
    for (int i = 0; i < 20; i++) {
        char id[16];
        snprintf(id, sizeof id, "op-%d", i);
        first[i] = put(fixture, id, (uint64_t)i, i % 3 == 0 ? "acme" : id, i);
    }
    must_be_sound(fixture);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(store_operations_count(&fixture->store->operations), 20);
    for (int i = 0; i < 20; i++) {
        char id[16];
        snprintf(id, sizeof id, "op-%d", i);
        struct store_result again = put(fixture, id, (uint64_t)i, i % 3 == 0 ? "acme" : id, i);
        must_repeat(&again, &first[i]);
    }
    assert_int_equal(store_view_seq(viewed(fixture)), 20);
}

struct told {
    pthread_mutex_t lock;
    pthread_cond_t all;
    size_t count, repeated, applied;
    uint64_t seq;
};

static void tell(void *context, const struct store_result *result)
{
    struct told *told = context;
    pthread_mutex_lock(&told->lock);
    assert_int_equal(result->fault.code, PROTO_OK);
    told->repeated += result->repeated;
    told->applied += !result->repeated;
    told->seq = result->seq;
    told->count++;
    pthread_cond_signal(&told->all);
    pthread_mutex_unlock(&told->lock);
}

/* All of them wait while the first is committed, so most share a commit. */
static void repeats_that_wait_together_are_applied_once(void **state)
{
    struct fixture *fixture = *state;
    enum { TIMES = 200 };
    struct told told = {.lock = PTHREAD_MUTEX_INITIALIZER, .all = PTHREAD_COND_INITIALIZER};
    struct proto_fault fault = {.code = PROTO_OK};
    for (size_t i = 0; i < TIMES; i++) {
        assert_true(
            store_submit(fixture->store, put_batch("same", 1, "acme", 1), tell, &told, &fault));
    }
    pthread_mutex_lock(&told.lock);
    while (told.count < TIMES) {
        pthread_cond_wait(&told.all, &told.lock);
    }
    pthread_mutex_unlock(&told.lock);
    assert_int_equal(told.applied, 1);
    assert_int_equal(told.repeated, TIMES - 1);
    assert_int_equal(store_view_seq(viewed(fixture)), 1);
    must_be_sound(fixture);
}

static void ids_are_forgotten_after_their_time(void **state)
{
    struct fixture *fixture = *state;
    put(fixture, "old", 1, "acme", 1);
    fixture->now_ms += INT64_C(1000) * PROTO_OPERATION_SECONDS;
    put(fixture, "middle", 1, "acme", 2);
    assert_true(ask(fixture, "old", 1).repeated);
    fixture->now_ms += 1;
    put(fixture, "new", 1, "acme", 3);
    assert_int_equal(ask(fixture, "old", 1).fault.code, PROTO_NOT_FOUND);
    assert_true(ask(fixture, "middle", 1).repeated);
    must_be_sound(fixture);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(store_operations_count(&fixture->store->operations), 2);
    struct store_result anew = put(fixture, "old", 1, "acme", 9);
    assert_false(anew.repeated);
    assert_true(number_of(fixture, "acme") == 9);
}

static void hear_nothing(void *context, const struct store_result *result)
{
    (void)context;
    (void)result;
}

static void the_oldest_make_room(void **state)
{
    struct fixture *fixture = *state;
    enum { KEPT = 1500, MADE = 5000 };
    char id[16];
    fixture->store->operations.most = KEPT;
    for (int i = 0; i < MADE; i++) {
        struct proto_fault fault = {.code = PROTO_OK};
        struct store_batch *batch = store_batch_create();
        snprintf(id, sizeof id, "op-%d", i);
        assert_true(store_batch_delete(batch, span("nobody"), &fault));
        assert_true(store_batch_operation(batch, span(id), 1, &fault));
        if (i < MADE - 1) {
            assert_true(store_submit(fixture->store, batch, hear_nothing, NULL, &fault));
            continue;
        }
        struct store_result result;
        assert_true(store_submit_wait(fixture->store, batch, &result));
    }
    assert_int_equal(store_operations_count(&fixture->store->operations), KEPT);
    snprintf(id, sizeof id, "op-%d", MADE - KEPT);
    assert_true(ask(fixture, id, 1).repeated);
    snprintf(id, sizeof id, "op-%d", MADE - KEPT - 1);
    assert_int_equal(ask(fixture, id, 1).fault.code, PROTO_NOT_FOUND);
    must_be_sound(fixture);
}

static void an_id_has_1_to_64_bytes(void **state)
{
    (void)state;
    char longest[PROTO_OPERATION_BYTES_MAX + 2];
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_batch *batch = store_batch_create();
    memset(longest, 'x', sizeof longest);
    longest[PROTO_OPERATION_BYTES_MAX + 1] = '\0';
    assert_false(store_batch_operation(batch, span(longest), 1, &fault));
    assert_int_equal(fault.code, PROTO_BAD_FIELD);
    assert_false(store_batch_operation(batch, span(""), 1, &fault));
    assert_true(store_batch_operation(batch, span(longest + 1), 1, &fault));
    store_batch_destroy(batch);
}

static void a_batch_whose_time_is_over_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct store_batch *batch = put_batch("late", 1, "acme", 1);
    store_batch_deadline(batch, fixture->now_ms);
    assert_false(store_submit_wait(fixture->store, batch, &result));
    assert_int_equal(result.fault.code, PROTO_DEADLINE);
    assert_int_equal(find_id(fixture, "acme"), STORE_NO_SLOT);
    batch = put_batch("late", 1, "acme", 1);
    store_batch_deadline(batch, fixture->now_ms + 1);
    assert_true(store_submit_wait(fixture->store, batch, &result));
    assert_false(result.repeated);
}

/* The ring and its index alone, against a list that remembers all. */
static void the_index_holds_what_is_kept_and_nothing_else(void **state)
{
    (void)state;
    enum { MADE = 20000, KEPT = 700 };
    struct store_operations operations;
    struct store_hasher hasher = {.seeds = {3, 4}};
    struct disk_txn none = {0};
    struct proto_fault fault = {.code = PROTO_OK};
    static bool lost[MADE];
    assert_true(store_operations_init(&operations));
    assert_true(store_operations_load(&operations, &hasher, &none, &fault));
    operations.most = KEPT;
    uint64_t seq = 0;
    for (uint64_t i = 0; i < MADE; i++) {
        char id[16];
        snprintf(id, sizeof id, "%llu", (unsigned long long)i);
        struct store_result result = {.seq = ++seq, .count = (uint32_t)i};
        assert_true(store_operations_reserve(&operations, &fault));
        store_operations_add(&operations, span(id), i, 0, &result);
        if (i % 97 == 0) {
            store_operations_take_back(&operations, seq - 1);
            lost[i] = true;
        }
    }
    size_t known = 0;
    for (uint64_t i = 0; i < MADE; i++) {
        struct store_batch *batch = store_batch_create();
        struct store_result result = {.fault.code = PROTO_OK};
        char id[16];
        snprintf(id, sizeof id, "%llu", (unsigned long long)i);
        assert_true(store_batch_operation(batch, span(id), i, &fault));
        assert_true(store_operations_answer(&operations, batch, 0, &result));
        assert_true(!result.repeated || (!lost[i] && result.count == i));
        known += result.repeated;
        store_batch_destroy(batch);
    }
    assert_int_equal(known, store_operations_count(&operations));
    assert_true(known >= KEPT - MADE / 97 && known <= KEPT);
    store_operations_fini(&operations);
}

static int open_fixture(void **state)
{
    static struct fixture fixture;
    fixture_init(&fixture);
    fixture_open(&fixture);
    *state = &fixture;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *fixture = *state;
    fixture_close(fixture);
    fixture_fini(fixture);
    return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(a_repeated_operation_is_applied_once),
        TEST(the_same_id_with_another_request_conflicts),
        TEST(what_was_refused_may_be_tried_again),
        TEST(asking_changes_nothing),
        TEST(versions_are_remembered),
        TEST(ids_outlive_a_restart),
        TEST(repeats_that_wait_together_are_applied_once),
        TEST(ids_are_forgotten_after_their_time),
        TEST(the_oldest_make_room),
        TEST(an_id_has_1_to_64_bytes),
        TEST(a_batch_whose_time_is_over_is_refused),
        cmocka_unit_test(the_index_holds_what_is_kept_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

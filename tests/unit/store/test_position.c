/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of a shared log: each becomes one entry of the store's own log under the same sequence,
 * applied, refused or repeated; once, in order, and with the same outcome in every store. */
#include "tests/unit/store/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/store/dump.h"

enum { KINDS = 6 };

/* What clients give: what is new, what is refused, what is repeated, in turn. */
static struct store_batch *client_batch(uint64_t seq)
{
    struct made made;
    char id[24];
    char operation[24];
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_batch *batch = store_batch_create();
    (void)snprintf(id, sizeof id, "a%llu", (unsigned long long)(seq / 2 % 7));
    (void)snprintf(operation, sizeof operation, "op-%llu", (unsigned long long)(seq / 3));
    make_record(&made, seq % KINDS == 4 ? "nobody" : id, NULL, (double)(seq % 100), NULL);
    if (seq % KINDS == 5) {
        assert_true(store_batch_delete(batch, span(id), &fault));
    } else if (seq % KINDS == 4) { /* there is no such account */
        assert_true(store_batch_patch(batch, made_span(&made), NULL, 0, &fault));
    } else {
        assert_true(store_batch_put(batch, made_span(&made), &fault));
    }
    if (seq % KINDS < 3) { /* two of three are repeated */
        assert_true(store_batch_operation(batch, span(operation), 7, &fault));
    }
    return batch;
}

static struct store_batch *entry_batch(uint64_t seq, struct proto_fault *fault)
{
    struct store_batch *client = client_batch(seq);
    struct store_shared_entry entry = {
        .seq = seq, .time_ms = 1000 * (int64_t)seq, .payload = store_batch_payload(client)};
    memset(entry.id, (int)(seq % 251) + 1, sizeof entry.id);
    memset(entry.chain, (int)(seq % 241) + 1, sizeof entry.chain);
    struct store_batch *batch = store_batch_shared(&entry, fault);
    store_batch_destroy(client);
    return batch;
}

static struct store_result apply(struct fixture *fixture, uint64_t seq)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_result result;
    struct store_batch *batch = entry_batch(seq, &fault);
    assert_non_null(batch);
    (void)store_submit_wait(fixture->store, batch, &result);
    return result;
}

static struct store_position position_of(struct fixture *fixture)
{
    struct store_position position;
    store_position_get(fixture->store, &position);
    return position;
}

static void each_entry_moves_the_store_by_one(void **state)
{
    struct fixture *fixture = *state;
    assert_false(position_of(fixture).follows);
    for (uint64_t seq = 1; seq <= 60; seq++) {
        struct store_result result = apply(fixture, seq);
        struct store_position position = position_of(fixture);
        assert_true(result.settled);
        assert_int_equal(result.fault.code, seq % KINDS == 4 ? PROTO_NOT_FOUND : PROTO_OK);
        assert_int_equal(result.repeated, seq > 1 && (seq % KINDS == 1 || seq % KINDS == 2));
        assert_int_equal(position.seq, seq);
        assert_true(position.follows);
        assert_int_equal(position.chain[0], seq % 241 + 1);
        assert_int_equal(store_view_seq(viewed(fixture)), seq);
    }
    must_be_sound(fixture);
}

static void an_entry_that_is_not_the_next_is_not_applied(void **state)
{
    struct fixture *fixture = *state;
    assert_true(apply(fixture, 1).settled);
    for (int turn = 0; turn < 2; turn++) {
        struct store_result result = apply(fixture, turn == 0 ? 1 : 3);
        assert_int_equal(result.fault.code, PROTO_BUSY);
        assert_false(result.settled);
        assert_int_equal(position_of(fixture).seq, 1);
    }
    assert_true(apply(fixture, 2).settled);
}

static void what_is_no_entry_is_refused_by_a_store_that_follows(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    assert_true(put_one(fixture, "before", NULL, 1, &result));
    assert_true(apply(fixture, 2).settled);
    assert_false(put_one(fixture, "after", NULL, 1, &result));
    assert_int_equal(result.fault.code, PROTO_CONFLICT);
    assert_int_equal(find_id(fixture, "after"), STORE_NO_SLOT);
}

static void the_position_outlives_kills_and_restarts(void **state)
{
    struct fixture *fixture = *state;
    for (uint64_t seq = 1; seq <= 40; seq++) {
        assert_true(apply(fixture, seq).settled);
        if (seq % 10 == 0) {
            struct store_position was = position_of(fixture);
            fixture->tuning.abandon = seq % 20 == 0; /* from the log, or from the tables */
            fixture_close(fixture);
            fixture_open(fixture);
            struct store_position is = position_of(fixture);
            assert_memory_equal(&is, &was, sizeof is);
        }
    }
    must_be_sound(fixture);
}

static void ignore(void *context, const struct store_result *result)
{
    (void)context;
    assert_true(result->settled);
}

/* The same entries in groups of other sizes, with other clocks, through a crash. */
static void two_stores_of_the_same_entries_are_the_same(void **state)
{
    struct fixture *fixture = *state;
    struct fixture other;
    fixture_init(&other);
    other.now_ms = 77;
    fixture_open(&other);
    for (uint64_t seq = 1; seq <= 200; seq++) {
        struct proto_fault fault = {.code = PROTO_OK};
        struct store_batch *batch = entry_batch(seq, &fault);
        assert_true(apply(fixture, seq).settled);
        if (seq % 25 != 0) { /* these wait, and share a commit */
            assert_true(store_submit(other.store, batch, ignore, NULL, &fault));
            continue;
        }
        struct store_result result;
        (void)store_submit_wait(other.store, batch, &result);
        assert_true(result.settled);
        other.tuning.abandon = true;
        fixture_close(&other);
        fixture_open(&other);
    }
    struct store_position one = position_of(fixture);
    struct store_position two = position_of(&other);
    assert_memory_equal(one.outcome, two.outcome, sizeof one.outcome);
    for (int i = 0; i < 7; i++) {
        char id[8];
        (void)snprintf(id, sizeof id, "a%d", i);
        assert_int_equal(find_id(fixture, id), find_id(&other, id));
        assert_true(number_of(fixture, id) == number_of(&other, id));
    }
    fixture_close(&other);
    fixture_fini(&other);
}

/* The control: an account that one store has and the other has not. */
static void stores_that_came_apart_have_another_outcome(void **state)
{
    struct fixture *fixture = *state;
    struct fixture other;
    struct store_result result;
    fixture_init(&other);
    fixture_open(&other);
    assert_true(put_one(fixture, "x", NULL, 1, &result));
    assert_true(put_one(&other, "a0", NULL, 1, &result));
    for (uint64_t seq = 2; seq <= 15; seq++) { /* a0 is put by some of them */
        assert_true(apply(fixture, seq).settled);
        assert_true(apply(&other, seq).settled);
    }
    struct store_position one = position_of(fixture);
    struct store_position two = position_of(&other);
    assert_memory_equal(one.chain, two.chain, sizeof one.chain);
    assert_memory_not_equal(one.outcome, two.outcome, sizeof one.outcome);
    fixture_close(&other);
    fixture_fini(&other);
}

static void what_is_no_batch_of_a_client_is_poison(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_batch *inner = entry_batch(1, &fault);
    struct store_shared_entry entry = {.seq = 2, .payload = store_batch_payload(inner)};
    assert_null(store_batch_shared(&entry, &fault)); /* a position within */
    assert_int_equal(fault.code, PROTO_CORRUPT);
    entry.payload = span("these are sixteen bytes and more");
    assert_null(store_batch_shared(&entry, &fault));
    assert_int_equal(fault.code, PROTO_CORRUPT);
    store_batch_destroy(inner);
}

/* Whether an id is too old is judged by the time of the entry, not by when it is forgotten. */
static void an_operation_that_is_too_old_is_new(void **state)
{
    struct fixture *fixture = *state;
    const int64_t times_ms[] = {0, INT64_C(1000) * PROTO_OPERATION_SECONDS,
                                INT64_C(1000) * PROTO_OPERATION_SECONDS + 1};
    for (unsigned i = 0; i < 3; i++) {
        struct proto_fault fault = {.code = PROTO_OK};
        struct store_result result;
        struct store_batch *client = client_batch(1);
        const struct store_shared_entry entry = {.seq = i + 1,
                                                 .time_ms = times_ms[i],
                                                 .chain = {1},
                                                 .payload = store_batch_payload(client)};
        struct store_batch *batch = store_batch_shared(&entry, &fault);
        assert_non_null(batch);
        (void)store_submit_wait(fixture->store, batch, &result);
        assert_int_equal(result.repeated, i == 1);
        store_batch_destroy(client);
    }
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
        TEST(each_entry_moves_the_store_by_one),
        TEST(an_entry_that_is_not_the_next_is_not_applied),
        TEST(what_is_no_entry_is_refused_by_a_store_that_follows),
        TEST(the_position_outlives_kills_and_restarts),
        TEST(two_stores_of_the_same_entries_are_the_same),
        TEST(stores_that_came_apart_have_another_outcome),
        TEST(what_is_no_batch_of_a_client_is_poison),
        TEST(an_operation_that_is_too_old_is_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Generations of look-alike blocks, and the slots that commits changed since. */
#include "tests/unit/store/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "server/store/vector_blocks.h"

static uint32_t begin(struct fixture *fixture)
{
    struct proto_fault fault = {.code = PROTO_OK};
    uint32_t generation = 0;
    assert_true(store_vectors_begin(fixture->store, &generation, &fault));
    assert_true(generation > 0);
    return generation;
}

/* `count` blocks of kind 3 that say their number and the letter. */
static void put(struct fixture *fixture, uint32_t generation, uint32_t count, char letter)
{
    struct proto_fault fault = {.code = PROTO_OK};
    for (uint32_t i = 0; i < count; i++) {
        char text[5000];
        memset(text, letter, sizeof text);
        snprintf(text, sizeof text, "%u", i);
        struct store_vector_block block = {3, i, {(uint8_t *)text, sizeof text}};
        assert_true(store_vectors_put(fixture->store, generation, &block, 1, &fault));
    }
}

static void publish(struct fixture *fixture, uint32_t generation, const char *text)
{
    struct proto_fault fault = {.code = PROTO_OK};
    uint64_t seq = store_view_seq(viewed(fixture));
    assert_true(store_vectors_publish(fixture->store, generation, seq, span(text), &fault));
}

static bool note(void *context, const uint32_t *slots, size_t count)
{
    bool *seen = context;
    for (size_t i = 0; i < count; i++) {
        seen[slots[i]] = true;
    }
    return true;
}

static void must_be_touched(struct fixture *fixture, uint64_t seq, const char *expected)
{
    struct proto_fault fault = {.code = PROTO_OK};
    char list[1000] = "";
    bool seen[64] = {false};
    assert_true(store_vectors_touched(viewed(fixture), seq, note, seen, &fault));
    for (unsigned slot = 0; slot < 64; slot++) {
        if (seen[slot]) {
            snprintf(list + strlen(list), sizeof list - strlen(list), "%u ", slot);
        }
    }
    assert_string_equal(list, expected);
}

static void must_hold(struct fixture *fixture, uint32_t generation, uint32_t number, char letter)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct proto_span block;
    assert_true(store_vectors_block(viewed(fixture), generation, 3, number, &block, &fault));
    assert_int_equal(block.bytes, letter == 0 ? 0 : 5000);
    if (letter != 0) {
        assert_int_equal(block.data[4999], letter);
    }
}

/* The writer drops what is old between commits. */
static void must_come_to(struct fixture *fixture, uint64_t entries)
{
    for (int i = 0; i < 1000; i++) {
        if (viewed(fixture)->txn.state.sums[DISK_TABLE_VECTOR].count == entries) {
            return;
        }
        usleep(5000);
    }
    fail_msg("%llu entries are left",
             (unsigned long long)viewed(fixture)->txn.state.sums[DISK_TABLE_VECTOR].count);
}

static void without_vectors_nothing_is_kept(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_vectors_head head;
    struct store_result result;
    assert_true(put_one(fixture, "a", NULL, 1, &result));
    assert_true(store_vectors_head(viewed(fixture), &head, &fault));
    assert_int_equal(head.generation, 0);
    must_be_touched(fixture, 0, "0 "); /* what is not folded is known */
    assert_true(store_fold_wait(fixture->store, &fault));
    must_be_touched(fixture, 0, "");
    must_come_to(fixture, 0);
}

static void a_published_generation_comes_back(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_vectors_head head;
    struct store_result result;
    assert_true(put_one(fixture, "a", NULL, 1, &result));
    uint32_t generation = begin(fixture);
    put(fixture, generation, 5, 'x');
    publish(fixture, generation, "plan");
    fixture_close(fixture);
    fixture_open(fixture);
    assert_true(store_vectors_head(viewed(fixture), &head, &fault));
    assert_int_equal(head.generation, generation);
    assert_int_equal(head.seq, 1);
    assert_true(proto_span_is(head.text, "plan"));
    must_hold(fixture, generation, 4, 'x');
    must_hold(fixture, generation, 5, 0);
    must_be_sound(fixture);
}

static void slots_are_kept_from_the_beginning_to_the_publication(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    assert_true(put_one(fixture, "a", NULL, 1, &result));
    assert_true(put_one(fixture, "b", NULL, 1, &result));
    struct proto_fault fault;
    assert_true(store_fold_wait(fixture->store, &fault));
    uint32_t generation = begin(fixture);
    assert_true(put_one(fixture, "c", NULL, 1, &result));
    uint64_t seq = result.seq;
    assert_true(delete_one(fixture, "a", &result));
    must_be_touched(fixture, 0, "0 2 ");
    must_be_touched(fixture, seq, "0 ");
    assert_true(store_fold_wait(fixture->store, &fault));
    must_be_touched(fixture, 0, "0 2 ");
    publish(fixture, generation, "");
    assert_true(put_one(fixture, "b", NULL, 2, &result));
    must_be_touched(fixture, result.seq - 1, "1 ");
    assert_true(store_fold_wait(fixture->store, &fault));
    must_come_to(fixture, 2); /* the head, and what b changed */
    fixture_close(fixture);
    fixture_open(fixture);
    assert_true(put_one(fixture, "d", NULL, 2, &result));
    must_be_touched(fixture, 0, "1 3 ");
    must_be_sound(fixture);
}

static void a_refused_batch_touches_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    begin(fixture);
    assert_true(put_one(fixture, "a", "domain:a.com", 1, &result));
    assert_false(put_one(fixture, "b", "domain:a.com", 1, &result));
    must_be_touched(fixture, 0, "0 ");
}

static void the_next_generation_takes_the_place_of_the_last(void **state)
{
    struct fixture *fixture = *state;
    uint32_t first = begin(fixture);
    put(fixture, first, 400, 'x'); /* more than one slice drops */
    publish(fixture, first, "first");
    uint32_t second = begin(fixture);
    assert_true(second > first);
    put(fixture, second, 3, 'y');
    must_hold(fixture, first, 399, 'x');
    publish(fixture, second, "second");
    must_come_to(fixture, 4);
    must_hold(fixture, first, 0, 0);
    must_hold(fixture, second, 2, 'y');
    must_be_sound(fixture);
}

/* Killed while it was written: the one in force stands, what was written goes, its number is not
 * used again while anything of it is left. */
static void a_generation_that_was_not_published_goes_at_the_next_open(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_vectors_head head;
    uint32_t first = begin(fixture);
    put(fixture, first, 2, 'x');
    publish(fixture, first, "first");
    uint32_t second = begin(fixture);
    put(fixture, second, 10, 'y');
    fixture_close(fixture);
    fixture_open(fixture);
    must_come_to(fixture, 3);
    assert_true(store_vectors_head(viewed(fixture), &head, &fault));
    assert_int_equal(head.generation, first);
    must_hold(fixture, first, 1, 'x');
    must_hold(fixture, second, 0, 0);
    must_be_sound(fixture);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture_init(fixture);
    fixture_open(fixture);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_close(*state);
    fixture_fini(*state);
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_vectors_nothing_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_published_generation_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(slots_are_kept_from_the_beginning_to_the_publication,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refused_batch_touches_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_next_generation_takes_the_place_of_the_last, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_generation_that_was_not_published_goes_at_the_next_open,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

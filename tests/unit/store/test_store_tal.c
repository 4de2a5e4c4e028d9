/* SPDX-License-Identifier: Apache-2.0 */
/* Target account lists as the store keeps them: numbered, told at open, checked. */
#include "tests/unit/store/store_fixture.h"

#include <stdio.h>

static const uint32_t slots[] = {4, 0, 2};

static bool tal_put(struct fixture *fixture, uint32_t number, const char *text,
                    struct store_result *result)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_batch *batch = store_batch_create();
    assert_true(store_batch_tal(batch, number, span(text), slots, 3, &fault));
    return store_submit_wait(fixture->store, batch, result);
}

static void must_be(const struct store_change *change, const char *text)
{
    assert_true(proto_span_is(change->text, text));
    assert_int_equal(change->slots.bytes, sizeof slots);
    assert_memory_equal(change->slots.data, slots, sizeof slots);
}

static void lists_are_numbered_and_come_back_at_open(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct store_change change;
    struct proto_fault fault = {.code = PROTO_OK};
    assert_true(tal_put(fixture, 1, "{\"name\":\"first\"}", &result));
    assert_int_equal(result.version, 1);
    assert_true(tal_put(fixture, 2, "{}", &result));
    assert_int_equal(fixture->change_count, 2);
    assert_int_equal(fixture->changes[1].kind, STORE_CHANGE_TAL);
    assert_int_equal(fixture->changes[1].version, 2);
    assert_true(store_tal(viewed(fixture), 1, &change, &fault));
    must_be(&change, "{\"name\":\"first\"}");
    must_be_sound(fixture);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(fixture->change_count, 2);
    assert_int_equal(fixture->changes[0].kind, STORE_CHANGE_TAL);
    assert_true(proto_span_is(fixture->changes[0].text, "{\"name\":\"first\"}"));
    assert_true(store_tal(viewed(fixture), 2, &change, &fault));
    must_be(&change, "{}");
    assert_false(store_tal(viewed(fixture), 3, &change, &fault));
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
    assert_false(store_tal(viewed(fixture), 0, &change, &fault));
    must_be_sound(fixture);
}

static void a_number_that_is_not_the_next_conflicts(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    assert_false(tal_put(fixture, 2, "{}", &result));
    assert_int_equal(result.fault.code, PROTO_CONFLICT);
    assert_true(tal_put(fixture, 1, "{}", &result));
    assert_false(tal_put(fixture, 1, "{}", &result));
    assert_int_equal(result.fault.code, PROTO_CONFLICT);
    must_be_sound(fixture);
}

static void a_list_with_too_many_accounts_is_refused(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_batch *batch = store_batch_create();
    assert_false(store_batch_tal(batch, 1, span("{}"), slots, PROTO_TAL_ENTRIES_MAX + 1, &fault));
    assert_int_equal(fault.code, PROTO_TOO_LARGE);
    store_batch_destroy(batch);
}

/* Flips one bit of the file where the text stands; the store is closed. */
static void file_flip(const struct fixture *fixture, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/data.mdb", fixture->path);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    uint8_t bytes[1 << 18];
    size_t count = fread(bytes, 1, sizeof bytes, file);
    unsigned flipped = 0;
    for (size_t at = 0; at + strlen(text) < count; at++) {
        if (memcmp(bytes + at, text, strlen(text)) == 0) {
            bytes[at] ^= 4;
            flipped++;
        }
    }
    assert_true(flipped > 0);
    rewind(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

static void a_flipped_bit_costs_that_list_alone(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct store_change change;
    struct proto_fault fault = {.code = PROTO_OK};
    assert_true(tal_put(fixture, 1, "{\"name\":\"whole\"}", &result));
    assert_true(tal_put(fixture, 2, "{\"name\":\"spoilt\"}", &result));
    fixture_close(fixture);
    file_flip(fixture, "spoilt");
    fixture_open(fixture);
    assert_int_equal(fixture->change_count, 2);
    assert_int_equal(fixture->changes[1].version, 2);
    assert_int_equal(fixture->changes[1].text.bytes, 0);
    assert_true(store_tal(viewed(fixture), 1, &change, &fault));
    assert_false(store_tal(viewed(fixture), 2, &change, &fault));
    assert_int_equal(fault.code, PROTO_CORRUPT);
    assert_true(tal_put(fixture, 3, "{}", &result));
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
        TEST(lists_are_numbered_and_come_back_at_open),
        TEST(a_number_that_is_not_the_next_conflicts),
        TEST(a_list_with_too_many_accounts_is_refused),
        TEST(a_flipped_bit_costs_that_list_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

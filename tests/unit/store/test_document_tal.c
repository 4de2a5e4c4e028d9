/* SPDX-License-Identifier: Apache-2.0 */
/* Target account lists as the store keeps them: numbered, told at open with the slots that their
 * ids have here, checked. */
#include "tests/unit/store/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const members[] = {"four", "zero", "two"};

static bool submit(struct fixture *fixture, struct store_batch *batch, struct store_result *result)
{
    return store_submit_wait(fixture->store, batch, result);
}

static bool tal_put(struct fixture *fixture, uint32_t number, const char *text,
                    struct store_result *result)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_batch *batch = store_batch_create();
    assert_true(batch_tal(batch, number, text, members, 3, &fault));
    return submit(fixture, batch, result);
}

/* Accounts with the slots 0 … 4. */
static void accounts_put(struct fixture *fixture)
{
    static const char *const ids[] = {"zero", "one", "two", "three", "four"};
    struct store_result result;
    for (size_t i = 0; i < 5; i++) {
        assert_true(put_one(fixture, ids[i], NULL, (double)i, &result));
    }
}

/* What was told of a list: its text, and its slots, -1 ending them. */
static void must_be_told(const struct fixture *fixture, size_t index, const char *text,
                         const int *slots)
{
    const struct store_change *change = &fixture->changes[index];
    size_t count = 0;
    assert_int_equal(change->kind, STORE_DOCUMENT_TAL);
    assert_true(proto_span_is(change->text, text));
    for (; slots[count] >= 0; count++) {
        assert_int_equal(fixture->slots[index][count], slots[count]);
    }
    assert_int_equal(change->slots.bytes, count * sizeof(uint32_t));
}

static void must_have_ids(struct fixture *fixture, uint32_t number, const char *text)
{
    struct store_change change;
    struct proto_fault fault = {.code = PROTO_OK};
    struct proto_span id;
    size_t at = 0;
    assert_true(store_document_get(viewed(fixture), STORE_DOCUMENT_TAL, number, &change, &fault));
    assert_true(proto_span_is(change.text, text));
    for (size_t i = 0; i < 3; i++) {
        assert_true(store_ids_next(change.ids, &at, &id));
        assert_true(proto_span_is(id, members[i]));
    }
    assert_false(store_ids_next(change.ids, &at, &id));
    assert_int_equal(at, change.ids.bytes);
}

static void lists_are_numbered_and_come_back_at_open(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct store_change change;
    struct proto_fault fault = {.code = PROTO_OK};
    accounts_put(fixture);
    assert_true(tal_put(fixture, 1, "{\"name\":\"first\"}", &result));
    assert_int_equal(result.version, 1);
    assert_true(tal_put(fixture, 2, "{}", &result));
    assert_int_equal(fixture->change_count, 2);
    assert_int_equal(fixture->changes[1].version, 2);
    must_be_told(fixture, 1, "{}", (int[]){4, 0, 2, -1});
    must_have_ids(fixture, 1, "{\"name\":\"first\"}");
    must_be_sound(fixture);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(fixture->change_count, 2);
    must_be_told(fixture, 0, "{\"name\":\"first\"}", (int[]){4, 0, 2, -1});
    must_have_ids(fixture, 2, "{}");
    assert_false(store_document_get(viewed(fixture), STORE_DOCUMENT_TAL, 3, &change, &fault));
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
    assert_false(store_document_get(viewed(fixture), STORE_DOCUMENT_TAL, 0, &change, &fault));
    must_be_sound(fixture);
}

static void an_account_that_is_gone_or_made_anew_is_passed_over(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    accounts_put(fixture);
    assert_true(delete_one(fixture, "zero", &result));
    assert_true(tal_put(fixture, 1, "{}", &result));
    must_be_told(fixture, 0, "{}", (int[]){4, 2, -1});
    /* In the same second: then the slot tells. */
    assert_true(delete_one(fixture, "two", &result));
    assert_true(put_one(fixture, "two", NULL, 9, &result));
    fixture_close(fixture);
    fixture_open(fixture);
    must_be_told(fixture, 0, "{}", (int[]){4, -1});
    must_have_ids(fixture, 1, "{}");
}

static void an_account_of_the_same_batch_is_a_member(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct made made;
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_batch *batch = store_batch_create();
    make_record(&made, "four", NULL, 1, NULL);
    assert_true(store_batch_put(batch, made_span(&made), &fault));
    assert_true(batch_tal(batch, 1, "{}", members, 3, &fault));
    assert_true(submit(fixture, batch, &result));
    must_be_told(fixture, 0, "{}", (int[]){0, -1});
}

/* A list as builds of before wrote it: kind 8, slots in place of ids. */
static void a_list_of_slots_stays_readable(void **state)
{
    static const uint32_t slots[] = {4, 0, 2};
    struct fixture *fixture = *state;
    struct store_result result;
    struct store_change change;
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_batch *batch = store_batch_create();
    accounts_put(fixture);
    batch->bytes = batch->capacity = STORE_COMMAND_HEADER_BYTES + 2 + sizeof slots;
    batch->data = calloc(1, batch->bytes);
    batch->commands = 1;
    assert_non_null(batch->data);
    batch->data[0] = STORE_COMMAND_TAL;
    disk_set_u32(batch->data + 4, 1);
    disk_set_u32(batch->data + 8, 2);
    disk_set_u32(batch->data + 12, sizeof slots);
    memcpy(batch->data + STORE_COMMAND_HEADER_BYTES, "{}", 2);
    memcpy(batch->data + STORE_COMMAND_HEADER_BYTES + 2, slots, sizeof slots);
    assert_true(submit(fixture, batch, &result));
    assert_int_equal(result.version, 1);
    must_be_told(fixture, 0, "{}", (int[]){4, 0, 2, -1});
    fixture_close(fixture);
    fixture_open(fixture);
    must_be_told(fixture, 0, "{}", (int[]){4, 0, 2, -1});
    assert_true(store_document_get(viewed(fixture), STORE_DOCUMENT_TAL, 1, &change, &fault));
    assert_int_equal(change.slots.bytes, sizeof slots);
    assert_int_equal(change.ids.bytes, 0);
    assert_true(tal_put(fixture, 2, "{}", &result));
    must_be_sound(fixture);
}

static void ids_that_are_none_end_the_list(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t count, whole;
    } cases[] = {{"\1a\2bc", 5, 5}, {"\1a\0", 3, 2}, {"\1a\3bc", 5, 2}, {"\5", 1, 0}, {"", 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct proto_span ids = {(const uint8_t *)cases[i].bytes, cases[i].count};
        struct proto_span id;
        size_t at = 0;
        while (store_ids_next(ids, &at, &id)) {
            assert_true(id.bytes > 0);
        }
        assert_int_equal(at, cases[i].whole);
    }
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
    struct store_document document = {
        .kind = STORE_DOCUMENT_TAL, .text = span("{}"), .id_count = PROTO_TAL_ENTRIES_MAX + 1};
    assert_false(store_batch_document(batch, &document, &fault));
    assert_int_equal(fault.code, PROTO_TOO_LARGE);
    assert_false(batch_tal(batch, 1, "{}", (const char *const[]){""}, 1, &fault));
    assert_int_equal(fault.code, PROTO_BAD_FIELD);
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
    assert_true(store_document_get(viewed(fixture), STORE_DOCUMENT_TAL, 1, &change, &fault));
    assert_false(store_document_get(viewed(fixture), STORE_DOCUMENT_TAL, 2, &change, &fault));
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
        TEST(an_account_that_is_gone_or_made_anew_is_passed_over),
        TEST(an_account_of_the_same_batch_is_a_member),
        TEST(a_list_of_slots_stays_readable),
        TEST(ids_that_are_none_end_the_list),
        TEST(a_number_that_is_not_the_next_conflicts),
        TEST(a_list_with_too_many_accounts_is_refused),
        TEST(a_flipped_bit_costs_that_list_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

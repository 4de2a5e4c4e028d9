/* SPDX-License-Identifier: Apache-2.0 */
/* A list that is given up: its number alone is left, told as such, however often it is folded, and
 * read again from log and tables; what was damaged in it is damage no more; the others stay. */
#include "tests/unit/store/store_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static const char *const members[] = {"zero", "one"};

static bool list_put(struct fixture *fixture, uint32_t number, const char *text,
                     struct store_result *result)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_batch *batch = store_batch_create();
    assert_true(batch_tal(batch, number, text, members, 2, &fault));
    return store_submit_wait(fixture->store, batch, result);
}

static bool list_drop(struct fixture *fixture, uint32_t number, struct store_result *result)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_batch *batch = store_batch_create();
    assert_true(store_batch_drop(batch, number, span("it is damaged"), &fault));
    return store_submit_wait(fixture->store, batch, result);
}

static int setup(void **state)
{
    static struct fixture fixture;
    struct store_result result;
    fixture_init(&fixture);
    fixture_open(&fixture);
    assert_true(put_one(&fixture, "zero", NULL, 1, &result));
    assert_true(put_one(&fixture, "one", NULL, 2, &result));
    assert_true(list_put(&fixture, 1, "first", &result));
    assert_true(list_put(&fixture, 2, "second", &result));
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    fixture_fini(*state);
    return 0;
}

static void fold(struct fixture *fixture)
{
    struct proto_fault fault;
    assert_true(store_fold_wait(fixture->store, &fault));
}

static void must_read(struct fixture *fixture, uint32_t number, const char *text)
{
    struct store_change change;
    struct proto_fault fault = {.code = PROTO_OK};
    assert_true(store_document_get(viewed(fixture), STORE_DOCUMENT_TAL, number, &change, &fault));
    assert_true(proto_span_is(change.text, text));
    assert_int_equal(change.given_up, text[0] == '\0');
    assert_int_equal(change.ids.bytes, text[0] == '\0' ? 0 : 1 + 4 + 1 + 3);
}

static void must_be_told(const struct fixture *fixture, size_t index, uint32_t number,
                         const char *text)
{
    const struct store_change *change = &fixture->changes[index];
    assert_int_equal(change->kind, STORE_DOCUMENT_TAL);
    assert_int_equal(change->version, number);
    assert_true(proto_span_is(change->text, text));
    assert_int_equal(change->given_up, text[0] == '\0');
    assert_int_equal(change->slots.bytes, text[0] == '\0' ? 0 : 2 * sizeof(uint32_t));
}

/* Lists 1 and 3 as they were, 2 given up, whatever they are read from. */
static void must_be_given_up(struct fixture *fixture)
{
    must_read(fixture, 1, "first");
    must_read(fixture, 2, "");
    must_read(fixture, 3, "third");
    must_be_sound(fixture);
}

static void must_come_back(struct fixture *fixture)
{
    must_be_given_up(fixture);
    assert_int_equal(fixture->change_count, 3);
    must_be_told(fixture, 0, 1, "first");
    must_be_told(fixture, 1, 2, "");
    must_be_told(fixture, 2, 3, "third");
}

static void drop_second(struct fixture *fixture)
{
    struct store_result result;
    fixture->change_count = 0;
    assert_true(list_drop(fixture, 2, &result));
    assert_int_equal(result.version, 2);
    must_be_told(fixture, 0, 2, "");
    assert_true(list_put(fixture, 3, "third", &result));
    assert_int_equal(result.version, 3);
    must_be_given_up(fixture);
}

static void a_list_is_given_up_in_the_log_alone(void **state)
{
    struct fixture *fixture = *state;
    drop_second(fixture);
    fixture->store->tuning.abandon = true;
    fixture_close(fixture);
    fixture_open(fixture); /* from the log: made and given up in one stretch */
    must_come_back(fixture);
    fold(fixture);
    must_be_given_up(fixture);
    fixture_close(fixture);
    fixture_open(fixture);
    must_come_back(fixture);
}

static void a_list_in_the_tables_is_given_up(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    fold(fixture);
    drop_second(fixture);
    fold(fixture);
    must_be_given_up(fixture);
    assert_true(list_drop(fixture, 2, &result)); /* once more changes nothing */
    fold(fixture);
    fixture_close(fixture);
    fixture_open(fixture);
    must_come_back(fixture);
}

static void a_list_that_is_not_there_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    assert_false(list_drop(fixture, 0, &result));
    assert_int_equal(result.fault.code, PROTO_NOT_FOUND);
    assert_false(list_drop(fixture, 3, &result));
    assert_int_equal(result.fault.code, PROTO_NOT_FOUND);
    must_read(fixture, 2, "second");
}

/* Where the value of a list lies in data.mdb. */
static long value_at(struct fixture *fixture, uint32_t number)
{
    struct proto_fault fault;
    struct disk_txn txn;
    struct proto_span value = {0};
    const struct disk_env *env = &fixture->store->env;
    assert_true(disk_txn_read(&txn, env, &fault));
    assert_int_equal(disk_txn_get(&txn, DISK_TABLE_TAL, number, &value, &fault), DISK_GOT_ONE);
    long at = value.data - env->map;
    disk_txn_abort(&txn);
    return at;
}

/* Byte 2 is of the check itself, which the sum of the table holds; 40 of the document. */
static void damage_goes_with_the_list(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct store_change change;
    struct proto_fault fault = {.code = PROTO_OK};
    char path[128];
    for (long byte = 2; byte <= 34; byte += 32) {
        fold(fixture);
        uint32_t number = byte == 2 ? 2 : 3;
        if (number == 3) {
            assert_true(list_put(fixture, 3, "third", &result));
            fold(fixture);
        }
        long at = value_at(fixture, number) + byte;
        fixture_close(fixture);
        snprintf(path, sizeof path, "%s/data.mdb", fixture->path);
        int file = open(path, O_RDWR);
        uint8_t bits;
        assert_int_equal(pread(file, &bits, 1, at), 1);
        bits ^= 4;
        assert_int_equal(pwrite(file, &bits, 1, at), 1);
        close(file);
        fixture_open(fixture);
        assert_false(
            store_document_get(viewed(fixture), STORE_DOCUMENT_TAL, number, &change, &fault));
        assert_int_equal(fault.code, PROTO_CORRUPT);
        assert_true(store_scrub(fixture->store, NULL, NULL, &fault) > 0);
        assert_true(list_drop(fixture, number, &result));
        must_read(fixture, number, "");
        fold(fixture);
        must_read(fixture, number, "");
        must_read(fixture, 1, "first");
        must_be_sound(fixture);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_list_is_given_up_in_the_log_alone),
        TEST(a_list_in_the_tables_is_given_up),
        TEST(a_list_that_is_not_there_is_refused),
        TEST(damage_goes_with_the_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

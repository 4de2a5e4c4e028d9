/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/log/log_fixture.h"

#include <errno.h>
#include <string.h>

static int setup(void **state)
{
    static struct log_fixture fixture;
    struct proto_fault fault;
    log_fixture_init(&fixture);
    log_fixture_open(&fixture);
    for (int i = 0; i < 100; i++) {
        assert_true(log_fixture_append(&fixture, 1, 3000, 1, &fault));
    }
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    log_fixture_fini(*state);
    return 0;
}

static void nothing_is_dropped_before_it_is_folded(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault;
    assert_true(log_trim(fixture->log, 0, 0, &fault));
    assert_int_equal(log_floor(fixture->log), 1);
    assert_true(log_trim(fixture->log, 50, 0, &fault));
    uint64_t floor = log_floor(fixture->log);
    assert_true(floor > 1 && floor <= 51);
    assert_false(log_fixture_exists(fixture, 1));
    assert_int_equal(log_fixture_read(fixture, floor - 1, 3000, 1), 100);
}

static void as_many_bytes_as_asked_for_are_kept(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault;
    struct log_stats stats;
    assert_true(log_trim(fixture->log, 100, 150000, &fault));
    log_stats(fixture->log, &stats);
    assert_true(stats.bytes <= 150000 && stats.bytes > 150000 - (64 << 10));
    uint64_t floor = log_floor(fixture->log);
    log_fixture_drop(fixture);
    log_fixture_open(fixture);
    assert_int_equal(log_floor(fixture->log), floor);
    assert_int_equal(log_fixture_read(fixture, floor - 1, 3000, 1), 100);
}

static void the_newest_entries_stay(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault;
    assert_true(log_trim(fixture->log, 100, 0, &fault));
    assert_true(log_floor(fixture->log) <= 100);
    /* A begun segment without an entry is not the newest that counts. */
    log_fixture_close(fixture);
    log_fixture_open(fixture);
    assert_true(log_turn_begin(fixture->log, &fault));
    assert_true(log_trim(fixture->log, 100, 0, &fault));
    uint64_t floor = log_floor(fixture->log);
    assert_true(floor <= 100);
    assert_int_equal(log_fixture_read(fixture, floor - 1, 3000, 1), 100);
}

static void a_segment_that_cannot_be_removed_is_found_again(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault;
    log_fixture_fail(fixture, 0, 1, EIO, 1U << CALL_UNLINK);
    assert_false(log_trim(fixture->log, 100, 250000, &fault));
    assert_int_equal(fault.code, PROTO_IO);
    assert_true(log_fixture_exists(fixture, 1));
    log_fixture_close(fixture);
    log_fixture_open(fixture);
    assert_int_equal(log_floor(fixture->log), 1);
    assert_int_equal(log_fixture_read(fixture, 0, 3000, 1), 100);
}

struct told {
    int count;
    char what[4][256];
};

static void tell(void *context, const char *what)
{
    struct told *told = context;
    if (told->count < 4) {
        strncpy(told->what[told->count], what, 255);
    }
    told->count++;
}

static void verifying_names_each_segment_that_is_damaged(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct told told = {0};
    assert_int_equal(log_verify(fixture->log, tell, NULL, &told, &fault), 0);
    log_fixture_flip(fixture, 1, LOG_PAGE_BYTES + 100, 0);
    log_fixture_flip(fixture, 39, 17, 0);
    assert_int_equal(log_verify(fixture->log, tell, NULL, &told, &fault), 2);
    assert_int_equal(told.count, 2);
    assert_non_null(strstr(told.what[0], "entry 1 of the log"));
    assert_non_null(strstr(told.what[1], "00000000000000000039.seg"));
    log_fixture_flip(fixture, 1, LOG_PAGE_BYTES + 100, 0);
    log_fixture_flip(fixture, 39, 17, 0);
    /* The last entry of all, which has nothing behind it. */
    log_fixture_flip(fixture, 96, LOG_PAGE_BYTES + 4 * 3072 + 100, 0);
    assert_int_equal(log_verify(fixture->log, tell, NULL, &told, &fault), 1);
    assert_int_equal(fault.code, PROTO_OK);
}

static void verifying_says_when_it_cannot_read(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct told told = {0};
    log_fixture_fail(fixture, 1, 1, EIO, 1U << CALL_PREAD);
    assert_int_equal(log_verify(fixture->log, tell, NULL, &told, &fault), 1);
    assert_int_equal(fault.code, PROTO_IO);
    assert_int_equal(told.count, 1);
    /* A segment that cannot be opened, and those behind it are read. */
    fault.code = PROTO_OK;
    log_fixture_fail(fixture, 1, 1, EACCES, 1U << CALL_OPEN);
    assert_int_equal(log_verify(fixture->log, tell, NULL, &told, &fault), 1);
    assert_int_equal(fault.code, PROTO_IO);
    assert_int_equal(told.count, 2);
}

static void verifying_without_memory_says_nothing_of_the_log(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct told told = {0};
    log_fixture_fail(fixture, 1, 1, ENOMEM, 1U << CALL_OPEN);
    assert_int_equal(log_verify(fixture->log, tell, NULL, &told, &fault), 0);
    assert_int_equal(fault.code, PROTO_NO_MEMORY);
    assert_int_equal(told.count, 0);
}

static bool one_read(void *context, uint64_t bytes)
{
    struct told *told = context;
    told->count += bytes > 0;
    return false;
}

static void verifying_ends_where_it_is_told_to(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct told told = {0};
    assert_int_equal(log_verify(fixture->log, tell, one_read, &told, &fault), 0);
    assert_int_equal(told.count, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_dropped_before_it_is_folded),
        TEST(as_many_bytes_as_asked_for_are_kept),
        TEST(the_newest_entries_stay),
        TEST(a_segment_that_cannot_be_removed_is_found_again),
        TEST(verifying_names_each_segment_that_is_damaged),
        TEST(verifying_says_when_it_cannot_read),
        TEST(verifying_without_memory_says_nothing_of_the_log),
        TEST(verifying_ends_where_it_is_told_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

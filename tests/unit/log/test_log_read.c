/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/log/log_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static int setup(void **state)
{
    static struct log_fixture fixture;
    log_fixture_init(&fixture);
    log_fixture_open(&fixture);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    log_fixture_fini(*state);
    return 0;
}

static void a_reader_goes_on_where_it_stopped(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault;
    struct log_entry entry;
    struct log_reader *reader = log_reader_open(fixture->log, 0, &fault);
    assert_int_equal(log_reader_next(reader, &entry, &fault), LOG_GOT_NONE);
    for (uint64_t sequence = 1; sequence <= 100; sequence++) {
        assert_true(log_fixture_append(fixture, 1, 3000, 1, &fault));
        assert_int_equal(log_reader_next(reader, &entry, &fault), LOG_GOT_ENTRY);
        assert_int_equal(entry.sequence, sequence);
        assert_int_equal(entry.payload.bytes, 3000);
        assert_int_equal(log_reader_next(reader, &entry, &fault), LOG_GOT_NONE);
    }
    log_reader_close(reader);
}

/* Entries must come in order and whole while they are appended, through many turns. */
static void *read_along(void *context)
{
    struct log_fixture *fixture = context;
    struct proto_fault fault;
    struct log_entry entry;
    uint64_t seen = 0;
    struct log_reader *reader = log_reader_open(fixture->log, 0, &fault);
    while (reader != NULL && seen < 2000) {
        enum log_got got = log_reader_next(reader, &entry, &fault);
        if (got == LOG_GOT_FAULT || (got == LOG_GOT_ENTRY && entry.sequence != seen + 1)) {
            break;
        }
        seen += got == LOG_GOT_ENTRY;
    }
    log_reader_close(reader);
    return seen == 2000 ? fixture : NULL;
}

static void another_thread_reads_while_one_appends(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault;
    pthread_t thread;
    void *result = NULL;
    log_fixture_close(fixture);
    fixture->options.io = NULL;
    fixture->options.prepare_inline = false;
    log_fixture_open(fixture);
    assert_int_equal(pthread_create(&thread, NULL, read_along, fixture), 0);
    for (int i = 0; i < 400; i++) {
        assert_true(log_fixture_append(fixture, 5, 500, 1, &fault));
    }
    pthread_join(thread, &result);
    assert_non_null(result);
}

static void what_is_trimmed_is_not_found(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct log_entry entry;
    for (int i = 0; i < 100; i++) {
        assert_true(log_fixture_append(fixture, 1, 3000, 1, &fault));
    }
    struct log_reader *along = log_reader_open(fixture->log, 0, &fault);
    assert_int_equal(log_reader_next(along, &entry, &fault), LOG_GOT_ENTRY);
    assert_true(log_trim(fixture->log, 100, 0, &fault));
    uint64_t floor = log_floor(fixture->log);
    assert_true(floor > 50);
    /* The segment that is open can be read to its end. */
    uint64_t last = 1;
    enum log_got got;
    while ((got = log_reader_next(along, &entry, &fault)) == LOG_GOT_ENTRY) {
        last = entry.sequence;
    }
    assert_int_equal(got, LOG_GOT_FAULT);
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
    assert_true(last > 1 && last < floor);
    log_reader_close(along);
    struct log_reader *late = log_reader_open(fixture->log, 3, &fault);
    assert_int_equal(log_reader_next(late, &entry, &fault), LOG_GOT_FAULT);
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
    log_reader_close(late);
    assert_int_equal(log_fixture_read(fixture, floor - 1, 3000, 1), 100);
}

static void a_damaged_entry_is_named_and_not_given(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct log_entry entry;
    assert_true(log_fixture_append(fixture, 5, 100, 1, &fault));
    log_fixture_flip(fixture, 1, LOG_PAGE_BYTES + (72 + 104) * 2 + 100, 4);
    struct log_reader *reader = log_reader_open(fixture->log, 0, &fault);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(log_reader_next(reader, &entry, &fault), LOG_GOT_ENTRY);
    }
    assert_int_equal(log_reader_next(reader, &entry, &fault), LOG_GOT_FAULT);
    assert_int_equal(fault.code, PROTO_CORRUPT);
    assert_non_null(strstr(fault.message, "entry 3 of the log"));
    log_reader_close(reader);
}

static void a_read_that_fails_can_be_tried_again(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct log_entry entry;
    assert_true(log_fixture_append(fixture, 5, 100, 1, &fault));
    struct log_reader *reader = log_reader_open(fixture->log, 0, &fault);
    for (uint64_t after = 0; after < 3; after++) {
        log_fixture_fail(fixture, after, 1, EIO, 1U << CALL_OPEN | 1U << CALL_PREAD);
        assert_int_equal(log_reader_next(reader, &entry, &fault), LOG_GOT_FAULT);
        assert_int_equal(fault.code, PROTO_IO);
        if (after == 1) {
            log_fixture_fail(fixture, 99, 1, EIO, 0);
            break;
        }
    }
    for (uint64_t sequence = 1; sequence <= 5; sequence++) {
        assert_int_equal(log_reader_next(reader, &entry, &fault), LOG_GOT_ENTRY);
        assert_int_equal(entry.sequence, sequence);
    }
    log_reader_close(reader);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_reader_goes_on_where_it_stopped),    TEST(another_thread_reads_while_one_appends),
        TEST(what_is_trimmed_is_not_found),         TEST(a_damaged_entry_is_named_and_not_given),
        TEST(a_read_that_fails_can_be_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

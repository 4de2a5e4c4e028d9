/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/log/log_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAYLOAD = 100, ENTRY = 72 + 104 };

static int setup(void **state)
{
    static struct log_fixture fixture;
    struct proto_fault fault;
    log_fixture_init(&fixture);
    log_fixture_open(&fixture);
    /* Groups 1; 2, 3; 4, 5, 6. */
    for (size_t count = 1; count <= 3; count++) {
        assert_true(log_fixture_append(&fixture, count, PAYLOAD, 1, &fault));
    }
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    log_fixture_fini(*state);
    return 0;
}

static uint64_t place(uint64_t sequence)
{
    return LOG_PAGE_BYTES + (sequence - 1) * ENTRY;
}

static void refused(struct log_fixture *fixture, const char *words)
{
    struct proto_fault fault = {.code = PROTO_OK};
    assert_null(log_open(&fixture->options, &fault));
    assert_int_equal(fault.code, PROTO_CORRUPT);
    if (strstr(fault.message, words) == NULL) {
        fail_msg("'%s' is not in '%s'", words, fault.message);
    }
}

/* Opens, and everything up to `head` must be there; then goes on. */
static void opens_with(struct log_fixture *fixture, uint64_t head)
{
    struct proto_fault fault;
    log_fixture_open(fixture);
    assert_int_equal(log_head(fixture->log), head);
    assert_int_equal(log_fixture_read(fixture, 0, PAYLOAD, 1), head);
    assert_true(log_fixture_append(fixture, 2, PAYLOAD, 1, &fault));
    log_fixture_close(fixture);
    log_fixture_open(fixture);
    assert_int_equal(log_fixture_read(fixture, 0, PAYLOAD, 1), head + 2);
}

static void a_closed_log_goes_on(void **state)
{
    log_fixture_close(*state);
    opens_with(*state, 6);
}

static void a_log_that_was_killed_goes_on(void **state)
{
    log_fixture_drop(*state);
    opens_with(*state, 6);
}

static void an_empty_log_begins_where_it_is_told(void **state)
{
    struct log_fixture empty;
    struct proto_fault fault;
    (void)state;
    log_fixture_init(&empty);
    empty.options.first = 1000;
    log_fixture_open(&empty);
    assert_int_equal(log_head(empty.log), 999);
    assert_true(log_fixture_append(&empty, 2, PAYLOAD, 1, &fault));
    log_fixture_drop(&empty);
    log_fixture_open(&empty);
    assert_int_equal(log_head(empty.log), 1001);
    assert_int_equal(log_floor(empty.log), 1000);
    log_fixture_fini(&empty);
}

static void a_torn_group_is_cut_off(void **state)
{
    struct log_fixture *fixture = *state;
    struct log_stats stats;
    log_fixture_drop(fixture);
    log_fixture_flip(fixture, 1, place(5) + 80, 3); /* 6 is good, and of the same group */
    log_fixture_open(fixture);
    log_stats(fixture->log, &stats);
    assert_true(stats.cut_bytes > 0);
    assert_int_equal(log_fixture_length(fixture, 1), place(5) + 72);
    log_fixture_close(fixture);
    opens_with(fixture, 4);
}

static void a_tail_of_zeros_is_cut_off(void **state)
{
    struct log_fixture *fixture = *state;
    static const uint8_t zeros[ENTRY * 3];
    log_fixture_drop(fixture);
    log_fixture_put(fixture, 1, place(4), zeros, sizeof zeros);
    opens_with(fixture, 3);
}

/* The same bytes, but nothing says that the power went: what is missing was acknowledged. */
static void a_tail_that_the_witness_knows_is_missed(void **state)
{
    struct log_fixture *fixture = *state;
    static const uint8_t zeros[ENTRY * 3];
    log_fixture_kill(fixture);
    uint64_t bytes = log_fixture_length(fixture, 1);
    log_fixture_put(fixture, 1, place(4), zeros, sizeof zeros);
    refused(fixture, "the log ends with entry 3, but entry 6 was acknowledged");
    assert_int_equal(log_fixture_length(fixture, 1), bytes); /* and nothing was cut */
    log_fixture_drop(fixture);
    opens_with(fixture, 3);
}

/* A witness that is older than the log, or torn, says nothing. */
static void an_old_or_torn_witness_says_nothing(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault;
    char name[96];
    uint8_t old[24];
    snprintf(name, sizeof name, "%s/head.check", fixture->path);
    int fd = open(name, O_RDWR);
    assert_int_equal(pread(fd, old, sizeof old, 0), sizeof old);
    assert_true(log_fixture_append(fixture, 2, PAYLOAD, 1, &fault));
    log_fixture_kill(fixture);
    assert_int_equal(pwrite(fd, old, sizeof old, 0), sizeof old);
    opens_with(fixture, 8);
    log_fixture_close(fixture);
    assert_int_equal(pwrite(fd, "torn", 4, 2), 4);
    close(fd);
    opens_with(fixture, 10);
}

static void a_file_that_ends_within_an_entry_is_cut_off(void **state)
{
    struct log_fixture *fixture = *state;
    log_fixture_drop(fixture);
    int fd = log_fixture_file(fixture, 1, O_RDWR);
    assert_int_equal(ftruncate(fd, (off_t)place(6) + 91), 0);
    close(fd);
    opens_with(fixture, 5);
}

static void a_bad_entry_before_a_good_group_is_damage(void **state)
{
    struct log_fixture *fixture = *state;
    log_fixture_drop(fixture);
    log_fixture_flip(fixture, 1, place(3) + 90, 0); /* the last one of its group */
    refused(fixture, "entry 3 of the log, at byte 4448 of segment 00000000000000000001.seg");
    log_fixture_flip(fixture, 1, place(3) + 90, 0);
    opens_with(fixture, 6);
}

static void an_entry_that_is_lost_is_damage(void **state)
{
    struct log_fixture *fixture = *state;
    static const uint8_t zeros[ENTRY];
    log_fixture_drop(fixture);
    log_fixture_put(fixture, 1, place(1), zeros, sizeof zeros);
    refused(fixture, "entry 1 of the log");
}

static void in_a_closed_log_the_last_entry_is_no_tail(void **state)
{
    struct log_fixture *fixture = *state;
    log_fixture_close(fixture);
    /* The end mark itself is not read again where all is well; without it, all is examined. */
    log_fixture_flip(fixture, 1, place(6) + 90, 0);
    uint64_t end = log_fixture_length(fixture, 1);
    int fd = log_fixture_file(fixture, 1, O_RDWR);
    assert_int_equal(ftruncate(fd, (off_t)end + 8), 0);
    close(fd);
    refused(fixture, "entry 6 of the log");
}

static void a_damaged_end_mark_costs_nothing(void **state)
{
    struct log_fixture *fixture = *state;
    log_fixture_close(fixture);
    log_fixture_flip(fixture, 1, log_fixture_length(fixture, 1) - 60, 1);
    opens_with(fixture, 6);
}

static void a_damaged_header_is_named(void **state)
{
    struct log_fixture *fixture = *state;
    log_fixture_close(fixture);
    log_fixture_flip(fixture, 1, 20, 1);
    refused(fixture, "header of segment 00000000000000000001.seg");
}

static void a_segment_of_another_store_is_refused(void **state)
{
    struct log_fixture *fixture = *state;
    log_fixture_close(fixture);
    fixture->options.identity = 78;
    refused(fixture, "another store");
}

static void a_missing_segment_is_a_gap(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault;
    char name[LOG_NAME_BYTES];
    for (int i = 0; i < 3; i++) {
        log_fixture_close(fixture);
        log_fixture_open(fixture);
        assert_true(log_fixture_append(fixture, 1, PAYLOAD, 1, &fault));
    }
    log_fixture_close(fixture);
    log_segment_name(8, name);
    int folder = open(fixture->path, O_RDONLY | O_DIRECTORY);
    assert_int_equal(unlinkat(folder, name, 0), 0);
    close(folder);
    refused(fixture, "entry 7 of the log is not followed");
}

static void a_log_that_ends_before_the_tables_is_damaged(void **state)
{
    struct log_fixture *fixture = *state;
    log_fixture_close(fixture);
    fixture->options.head_min = 7;
    refused(fixture, "ends with entry 6");
    fixture->options.head_min = 6;
    opens_with(fixture, 6);
}

static void bytes_of_an_older_segment_do_not_pass(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault;
    uint8_t old[ENTRY];
    log_fixture_close(fixture);
    int fd = log_fixture_file(fixture, 1, O_RDONLY);
    assert_int_equal(pread(fd, old, sizeof old, (off_t)place(6)), (ssize_t)sizeof old);
    close(fd);
    log_fixture_open(fixture);
    assert_true(log_fixture_append(fixture, 1, PAYLOAD, 1, &fault));
    log_fixture_drop(fixture);
    log_fixture_put(fixture, 7, LOG_PAGE_BYTES + ENTRY, old, sizeof old);
    opens_with(fixture, 7);
}

static void a_header_without_an_entry_is_replaced(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault;
    log_fixture_close(fixture);
    log_fixture_open(fixture);
    assert_true(log_turn_begin(fixture->log, &fault));
    log_fixture_drop(fixture);
    assert_true(log_fixture_exists(fixture, 7));
    opens_with(fixture, 6);
}

static void names_that_are_no_segments_are_left_alone(void **state)
{
    struct log_fixture *fixture = *state;
    log_fixture_close(fixture);
    int folder = open(fixture->path, O_RDONLY | O_DIRECTORY);
    close(openat(folder, "7.seg", O_CREAT | O_WRONLY, 0600));
    close(openat(folder, "notes", O_CREAT | O_WRONLY, 0600));
    close(openat(folder, LOG_SPARE_NAME, O_CREAT | O_WRONLY, 0600));
    close(folder);
    opens_with(fixture, 6);
}

static void a_folder_that_cannot_be_made_is_a_fault(void **state)
{
    struct proto_fault fault;
    struct log_options options = {.path = "/proc/no/such"};
    (void)state;
    assert_null(log_open(&options, &fault));
    assert_int_equal(fault.code, PROTO_IO);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_closed_log_goes_on),
        TEST(a_log_that_was_killed_goes_on),
        cmocka_unit_test(an_empty_log_begins_where_it_is_told),
        TEST(a_torn_group_is_cut_off),
        TEST(a_tail_of_zeros_is_cut_off),
        TEST(a_tail_that_the_witness_knows_is_missed),
        TEST(an_old_or_torn_witness_says_nothing),
        TEST(a_file_that_ends_within_an_entry_is_cut_off),
        TEST(a_bad_entry_before_a_good_group_is_damage),
        TEST(an_entry_that_is_lost_is_damage),
        TEST(in_a_closed_log_the_last_entry_is_no_tail),
        TEST(a_damaged_end_mark_costs_nothing),
        TEST(a_damaged_header_is_named),
        TEST(a_segment_of_another_store_is_refused),
        TEST(a_missing_segment_is_a_gap),
        TEST(a_log_that_ends_before_the_tables_is_damaged),
        TEST(bytes_of_an_older_segment_do_not_pass),
        TEST(a_header_without_an_entry_is_replaced),
        TEST(names_that_are_no_segments_are_left_alone),
        cmocka_unit_test(a_folder_that_cannot_be_made_is_a_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

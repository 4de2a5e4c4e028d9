/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/log/log_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/unit/thread_io.h"

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

static void groups_are_numbered_on_and_read_back(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault;
    assert_int_equal(log_head(fixture->log), 0);
    assert_int_equal(log_floor(fixture->log), 1);
    for (size_t count = 1; count <= 20; count++) {
        assert_true(log_fixture_append(fixture, count, 30, 1, &fault));
    }
    assert_int_equal(log_head(fixture->log), 210);
    assert_int_equal(log_fixture_read(fixture, 0, 30, 1), 210);
    assert_int_equal(log_fixture_read(fixture, 100, 30, 1), 210);
    assert_int_equal(log_fixture_read(fixture, 210, 30, 1), 210);
}

static void a_group_is_one_write_and_one_sync(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault;
    assert_true(log_fixture_append(fixture, 1, 30, 1, &fault));
    uint64_t writes = fixture->made[CALL_PWRITE];
    uint64_t syncs = fixture->made[CALL_FDATASYNC] + fixture->made[CALL_FSYNC];
    assert_true(log_fixture_append(fixture, 500, 30, 1, &fault));
    assert_int_equal(fixture->made[CALL_PWRITE] - writes, 1);
    assert_int_equal(fixture->made[CALL_FDATASYNC] + fixture->made[CALL_FSYNC] - syncs, 1);
}

/* Not the zeros around it, as a page cache of large folios would: those left it before. */
static void an_append_writes_its_own_pages_alone(void **state)
{
    enum { APPENDS = 100 };
    struct log_fixture fixture;
    struct proto_fault fault;
    (void)state;
    log_fixture_init_in(&fixture, "/tmp");
    fixture.options.io = log_io_system();
    fixture.options.segment_bytes = (size_t)4 << 20;
    log_fixture_open(&fixture);
    assert_true(log_fixture_append(&fixture, 1, 600, 1, &fault));
    uint64_t before = thread_written_bytes();
    for (int i = 0; i < APPENDS; i++) {
        assert_true(log_fixture_append(&fixture, 1, 600, 1, &fault));
    }
    assert_in_range(thread_written_bytes() - before, 0, APPENDS * 3 * 4096);
    log_fixture_fini(&fixture);
}

static void an_entry_larger_than_buffer_and_segment_is_whole(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault;
    assert_true(log_fixture_append(fixture, 1, 10, 1, &fault));
    assert_true(log_fixture_append(fixture, 1, (size_t)5 << 20, 1, &fault));
    assert_int_equal(log_fixture_read(fixture, 1, (size_t)5 << 20, 1), 2);
    log_fixture_close(fixture);
    log_fixture_open(fixture);
    assert_int_equal(log_head(fixture->log), 2);
    assert_int_equal(log_fixture_read(fixture, 1, (size_t)5 << 20, 1), 2);
}

static void an_entry_above_the_limit_is_refused(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault;
    struct log_entry entry = {.payload = {NULL, LOG_PAYLOAD_BYTES_MAX + 1}};
    assert_false(log_append(fixture->log, &entry, 1, &fault));
    assert_int_equal(fault.code, PROTO_TOO_LARGE);
    assert_true(log_fixture_append(fixture, 1, 10, 1, &fault));
}

static void a_full_segment_is_closed_and_the_next_begun(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault;
    struct log_stats stats;
    for (int i = 0; i < 100; i++) {
        assert_true(log_fixture_append(fixture, 1, 4000, 1, &fault));
    }
    log_stats(fixture->log, &stats);
    assert_int_equal(stats.segments, 7); /* of 64 KiB: 15 entries each, header page, end mark */
    assert_true(stats.bytes > 400000);
    assert_int_equal(stats.groups, 100);
    assert_true(log_fixture_length(fixture, 1) < (64 << 10));
    assert_int_equal(log_fixture_read(fixture, 0, 4000, 1), 100);
}

static void short_writes_and_signals_are_carried_on(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault;
    log_fixture_fail(fixture, 0, 3, 0, 0); /* every one of the first calls is short */
    assert_true(log_fixture_append(fixture, 10, 100, 1, &fault));
    log_fixture_fail(fixture, 0, 3, EINTR, 0);
    assert_true(log_fixture_append(fixture, 10, 100, 1, &fault));
    assert_int_equal(log_fixture_read(fixture, 0, 100, 1), 20);
}

static void a_failed_write_leaves_nothing_of_its_group(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault;
    struct log_stats stats;
    assert_true(log_fixture_append(fixture, 3, 100, 1, &fault));
    log_fixture_fail(fixture, 0, 1, ENOSPC, 1U << CALL_PWRITE);
    assert_false(log_fixture_append(fixture, 3, 100, 2, &fault));
    assert_int_equal(fault.code, PROTO_DISK_FULL);
    assert_false(log_failed(fixture->log));
    log_fixture_drop(fixture);
    log_fixture_open(fixture);
    assert_int_equal(log_fixture_read(fixture, 0, 100, 1), 3);
    log_stats(fixture->log, &stats);
    assert_int_equal(stats.cut_bytes, 0);
    assert_true(log_fixture_append(fixture, 3, 100, 1, &fault));
    assert_int_equal(log_fixture_read(fixture, 0, 100, 1), 6);
}

static void after_a_failed_sync_the_segment_is_not_written_again(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault;
    struct log_stats stats;
    assert_true(log_fixture_append(fixture, 3, 100, 1, &fault));
    log_fixture_fail(fixture, 0, 1, EIO, 1U << CALL_FDATASYNC);
    assert_false(log_fixture_append(fixture, 3, 100, 2, &fault));
    assert_int_equal(fault.code, PROTO_IO);
    assert_false(log_failed(fixture->log));
    uint64_t length = log_fixture_length(fixture, 1);
    assert_true(log_fixture_append(fixture, 3, 100, 1, &fault));
    assert_int_equal(log_fixture_length(fixture, 1), length);
    log_stats(fixture->log, &stats);
    assert_int_equal(stats.segments, 2);
    assert_int_equal(stats.failures, 1);
    assert_int_equal(log_fixture_read(fixture, 0, 100, 1), 6);
}

static void what_could_not_be_cut_is_cut_before_the_next_group(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault;
    assert_true(log_fixture_append(fixture, 3, 100, 1, &fault));
    log_fixture_fail(fixture, 0, 4, EIO, 1U << CALL_FDATASYNC | 1U << CALL_FSYNC);
    assert_false(log_fixture_append(fixture, 3, 100, 2, &fault));
    assert_true(log_failed(fixture->log));
    assert_false(log_fixture_append(fixture, 3, 100, 2, &fault));
    assert_false(log_fixture_append(fixture, 3, 100, 2, &fault));
    assert_true(log_failed(fixture->log));
    assert_true(log_fixture_append(fixture, 3, 100, 1, &fault));
    assert_false(log_failed(fixture->log));
    assert_int_equal(log_fixture_read(fixture, 0, 100, 1), 6);
}

static void a_limit_on_file_sizes_is_a_full_disk(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault;
    struct rlimit before;
    struct rlimit small = {.rlim_cur = 30000};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    bool first = log_fixture_append(fixture, 1, 10000, 1, &fault);
    bool second = log_fixture_append(fixture, 1, 10000, 1, &fault);
    bool large = log_fixture_append(fixture, 1, 40000, 1, &fault);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_true(first && second);
    assert_false(large);
    assert_int_equal(fault.code, PROTO_DISK_FULL);
    assert_int_equal(log_fixture_read(fixture, 0, 10000, 1), 2);
    assert_true(log_fixture_append(fixture, 1, 10000, 1, &fault));
    assert_int_equal(log_fixture_read(fixture, 0, 10000, 1), 3);
}

static void the_thread_of_the_log_prepares_segments_ahead(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault;
    log_fixture_close(fixture);
    fixture->options.prepare_inline = false;
    fixture->options.io = NULL;
    log_fixture_open(fixture);
    for (int i = 0; i < 200; i++) {
        assert_true(log_fixture_append(fixture, 2, 2000, 1, &fault));
    }
    assert_int_equal(log_fixture_read(fixture, 0, 2000, 1), 400);
    log_fixture_close(fixture);
    log_fixture_open(fixture);
    assert_int_equal(log_fixture_read(fixture, 0, 2000, 1), 400);
    log_fixture_close(fixture);
    fixture->options.prepare_inline = true;
    fixture->options.io = &fixture->io;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(groups_are_numbered_on_and_read_back, setup, teardown),
        cmocka_unit_test_setup_teardown(a_group_is_one_write_and_one_sync, setup, teardown),
        cmocka_unit_test_setup_teardown(an_append_writes_its_own_pages_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(an_entry_larger_than_buffer_and_segment_is_whole, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_entry_above_the_limit_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_segment_is_closed_and_the_next_begun, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(short_writes_and_signals_are_carried_on, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failed_write_leaves_nothing_of_its_group, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(after_a_failed_sync_the_segment_is_not_written_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_could_not_be_cut_is_cut_before_the_next_group, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_limit_on_file_sizes_is_a_full_disk, setup, teardown),
        cmocka_unit_test_setup_teardown(the_thread_of_the_log_prepares_segments_ahead, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

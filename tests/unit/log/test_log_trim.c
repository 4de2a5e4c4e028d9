/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/log/log_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
    log_fixture_fail(fixture, 0, 2, EIO, 1U << CALL_RENAME | 1U << CALL_UNLINK);
    assert_false(log_trim(fixture->log, 100, 250000, &fault));
    assert_int_equal(fault.code, PROTO_IO);
    assert_true(log_fixture_exists(fixture, 1));
    log_fixture_close(fixture);
    log_fixture_open(fixture);
    assert_int_equal(log_floor(fixture->log), 1);
    assert_int_equal(log_fixture_read(fixture, 0, 3000, 1), 100);
}

static ino_t inode(const struct log_fixture *fixture, uint64_t first)
{
    struct stat file;
    int fd = log_fixture_file(fixture, first, O_RDONLY);
    assert_int_equal(fstat(fd, &file), 0);
    close(fd);
    return file.st_ino;
}

/* The first sequence of the segment that is begun while more is appended. */
static uint64_t next_segment(struct log_fixture *fixture)
{
    struct proto_fault fault;
    do {
        assert_true(log_fixture_append(fixture, 1, 3000, 1, &fault));
    } while (!log_fixture_exists(fixture, log_head(fixture->log)));
    return log_head(fixture->log);
}

static void dropped_segments_are_used_again(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault;
    ino_t dropped = inode(fixture, 1);
    assert_true(log_trim(fixture->log, 50, 0, &fault));
    uint64_t floor = log_floor(fixture->log);
    bool again = false;
    for (int i = 0; i < LOG_USED_MAX && !again; i++) {
        again = inode(fixture, next_segment(fixture)) == dropped;
    }
    assert_true(again);
    uint64_t head = log_head(fixture->log);
    assert_int_equal(log_fixture_read(fixture, floor - 1, 3000, 1), head);
    /* What is left of the old content behind the end passes for nothing. */
    log_fixture_drop(fixture);
    log_fixture_open(fixture);
    assert_int_equal(log_fixture_read(fixture, floor - 1, 3000, 1), head);
}

static void a_dropped_segment_that_is_read_is_not_written_over(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault;
    struct log_entry entry;
    uint64_t count = 0;
    struct log_reader *reader = log_reader_open(fixture->log, 0, &fault);
    assert_int_equal(log_reader_next(reader, &entry, &fault), LOG_GOT_ENTRY);
    assert_true(log_trim(fixture->log, 50, 0, &fault));
    for (int i = 0; i < LOG_USED_MAX + 1; i++) {
        (void)next_segment(fixture);
    }
    while (log_reader_next(reader, &entry, &fault) == LOG_GOT_ENTRY) {
        count++;
    }
    assert_true(count > 5); /* all of its segment; the next one is gone */
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
    log_reader_close(reader);
}

static void a_folder_that_cannot_be_synced_gives_no_segment_to_write_over(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault;
    ino_t dropped = inode(fixture, 1);
    log_fixture_fail(fixture, 0, 1, EIO, 1U << CALL_FSYNC);
    (void)log_trim(fixture->log, 25, 0, &fault); /* the first segment alone */
    assert_false(log_fixture_exists(fixture, 1));
    fixture->fail_from = 0;
    for (int i = 0; i < LOG_USED_MAX + 1; i++) {
        assert_int_not_equal(inode(fixture, next_segment(fixture)), dropped);
    }
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

/* A scrub reads while folds drop segments. */
struct trimming {
    struct told told;
    struct log *log;
    uint64_t upto; /* 0: nothing */
};

static bool trim_once(void *context, uint64_t bytes)
{
    struct trimming *trimming = context;
    struct proto_fault fault;
    (void)bytes;
    if (trimming->upto > 0) {
        assert_true(log_trim(trimming->log, trimming->upto, 0, &fault));
        trimming->upto = 0;
    }
    return true;
}

static void segments_trimmed_while_one_is_verified_are_passed_over(void **state)
{
    struct log_fixture *fixture = *state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct trimming trimming = {.log = fixture->log, .upto = 60};
    uint64_t floor = log_floor(fixture->log);
    assert_int_equal(log_verify(fixture->log, tell, trim_once, &trimming, &fault), 0);
    assert_int_equal(trimming.told.count, 0);
    assert_true(log_floor(fixture->log) > floor + 20); /* more than the one that was read */
    /* The control: what does not follow is found where nothing was trimmed. */
    log_fixture_flip(fixture, log_floor(fixture->log), 17, 0);
    assert_int_equal(log_verify(fixture->log, tell, trim_once, &trimming, &fault), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_dropped_before_it_is_folded),
        TEST(as_many_bytes_as_asked_for_are_kept),
        TEST(the_newest_entries_stay),
        TEST(a_segment_that_cannot_be_removed_is_found_again),
        TEST(dropped_segments_are_used_again),
        TEST(a_dropped_segment_that_is_read_is_not_written_over),
        TEST(a_folder_that_cannot_be_synced_gives_no_segment_to_write_over),
        TEST(segments_trimmed_while_one_is_verified_are_passed_over),
        TEST(verifying_names_each_segment_that_is_damaged),
        TEST(verifying_says_when_it_cannot_read),
        TEST(verifying_without_memory_says_nothing_of_the_log),
        TEST(verifying_ends_where_it_is_told_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Dropped segments that are kept to become the next ones: who has the file while it goes from one
 * thread to the other, and that they are given back where room is wanted. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/log/log_fixture.h"

static struct log_fixture fixture;

/* What the hook saw, for it has the fixture's context. */
static struct {
    int (*rename)(void *context, int folder, const char *from, const char *to);
    int (*fsync)(void *context, int fd);
    bool inside;       /* a trim within a rename is under way */
    unsigned trims;    /* such trims */
    char fresh[8][32]; /* names given since the folder was synced */
    size_t fresh_count;
    unsigned taken_fresh; /* files that were taken before that */
} seen;

static bool is_used(const char *name)
{
    return strncmp(name, "used", 4) == 0;
}

static bool is_fresh(const char *name)
{
    for (size_t i = 0; i < seen.fresh_count; i++) {
        if (strcmp(seen.fresh[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* While the preparer takes a segment, the folder trims. */
static int rename_within(void *context, int folder, const char *from, const char *to)
{
    struct proto_fault fault;
    if (is_used(from) && !seen.inside) {
        seen.inside = true;
        seen.trims++;
        assert_true(log_trim(fixture.log, log_head(fixture.log) / 2, 0, &fault));
        seen.inside = false;
    }
    seen.taken_fresh += is_used(from) && is_fresh(from);
    if (is_used(to) && seen.fresh_count < 8) {
        (void)snprintf(seen.fresh[seen.fresh_count++], sizeof seen.fresh[0], "%s", to);
    }
    return seen.rename(context, folder, from, to);
}

static int sync_seen(void *context, int fd)
{
    int code = seen.fsync(context, fd);
    /* The trim within is one of another thread: what it does last has not happened yet. */
    seen.fresh_count = seen.inside ? seen.fresh_count : 0;
    return code;
}

static unsigned kept(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < LOG_USED_MAX; i++) {
        char path[96];
        (void)snprintf(path, sizeof path, "%s/used%u.tmp", fixture.path, i);
        count += access(path, F_OK) == 0;
    }
    return count;
}

static int setup(void **state)
{
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
    (void)state;
    log_fixture_fini(&fixture);
    return 0;
}

static void a_segment_that_comes_takes_no_name_of_one_that_goes(void **state)
{
    struct proto_fault fault;
    (void)state;
    assert_true(log_trim(fixture.log, 25, 0, &fault));
    assert_true(kept() > 0);
    memset(&seen, 0, sizeof seen);
    seen.rename = fixture.io.rename;
    seen.fsync = fixture.io.fsync;
    fixture.io.rename = rename_within;
    fixture.io.fsync = sync_seen;
    for (int i = 0; i < 200; i++) {
        assert_true(log_fixture_append(&fixture, 1, 3000, 1, &fault));
    }
    fixture.io.rename = seen.rename;
    fixture.io.fsync = seen.fsync;
    assert_true(seen.trims > 0);
    assert_int_equal(seen.taken_fresh, 0);
    uint64_t floor = log_floor(fixture.log);
    assert_int_equal(log_fixture_read(&fixture, floor - 1, 3000, 1), 300);
}

static void an_append_that_finds_no_room_takes_what_is_kept(void **state)
{
    struct proto_fault fault = {.code = PROTO_OK};
    (void)state;
    assert_true(log_trim(fixture.log, 50, 0, &fault));
    assert_true(kept() > 0);
    log_fixture_fail(&fixture, 0, 1, ENOSPC, 1U << CALL_PWRITE);
    assert_true(log_fixture_append(&fixture, 1, 3000, 1, &fault));
    assert_int_equal(kept(), 0);
    fixture.fail_from = 0;
    uint64_t floor = log_floor(fixture.log);
    assert_int_equal(log_fixture_read(&fixture, floor - 1, 3000, 1), 101);
    /* With nothing to give it is refused, once. */
    log_fixture_fail(&fixture, 0, 1, ENOSPC, 1U << CALL_PWRITE);
    assert_false(log_fixture_append(&fixture, 1, 3000, 1, &fault));
    assert_int_equal(fault.code, PROTO_DISK_FULL);
    fixture.fail_from = 0;
    assert_true(log_fixture_append(&fixture, 1, 3000, 1, &fault));
}

static void what_is_kept_goes_where_room_is_short(void **state)
{
    struct proto_fault fault;
    size_t segment_bytes = fixture.log->options.segment_bytes;
    (void)state;
    assert_false(log_room_give(fixture.log));
    assert_true(log_trim(fixture.log, 50, 0, &fault));
    log_room_look(fixture.log);
    assert_true(kept() > 0);
    fixture.log->options.segment_bytes = (size_t)1 << 60; /* no disk has room for four of those */
    log_room_look(fixture.log);
    assert_int_equal(kept(), 0);
    assert_true(log_trim(fixture.log, 75, 0, &fault));
    assert_int_equal(kept(), 0);
    fixture.log->options.segment_bytes = segment_bytes;
    assert_true(log_trim(fixture.log, 99, 0, &fault));
    assert_true(kept() > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_segment_that_comes_takes_no_name_of_one_that_goes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_append_that_finds_no_room_takes_what_is_kept, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_kept_goes_where_room_is_short, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

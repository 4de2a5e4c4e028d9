/* SPDX-License-Identifier: Apache-2.0 */
/* Every call of a run of the log fails once, with every code that matters, for one call and for all
 * from there on: what was acknowledged is there after the next opening, in order and to the byte,
 * and nothing that was never appended. The control takes one acknowledged entry away, which must be
 * noticed. */
#include "tests/unit/log/log_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { GROUPS = 30, BYTES = 3000 };

/* Groups of two, with a trim and an opening in the middle, as far as it goes. Returns how many
 * entries were acknowledged. */
static uint64_t run(struct log_fixture *fixture)
{
    struct proto_fault fault;
    uint64_t good = 0;
    for (int part = 0; part < 2; part++) {
        fixture->log = log_open(&fixture->options, &fault);
        if (fixture->log == NULL) {
            assert_true(fault.code == PROTO_IO || fault.code == PROTO_DISK_FULL);
            return good;
        }
        for (int i = 0; i < GROUPS / 2; i++) {
            if (log_fixture_append(fixture, 2, BYTES, 1, &fault)) {
                good = log_head(fixture->log);
            } else {
                assert_true(fault.code == PROTO_IO || fault.code == PROTO_DISK_FULL);
            }
        }
        (void)log_trim(fixture->log, good > 20 ? 20 : good, 0, &fault);
        log_fixture_close(fixture);
    }
    return good;
}

/* Opens without faults; false: something acknowledged is missing. */
static bool opens_whole(struct log_fixture *fixture, uint64_t good, struct proto_fault *fault)
{
    fixture->fail_from = 0;
    fixture->log = log_open(&fixture->options, fault);
    return fixture->log != NULL && log_head(fixture->log) >= good;
}

static void check(struct log_fixture *fixture, uint64_t good, uint64_t from, int code)
{
    struct proto_fault fault = {.message = "entries are missing"};
    if (!opens_whole(fixture, good, &fault)) {
        fail_msg("call %llu with errno %d, %llu acknowledged: %s", (unsigned long long)from, code,
                 (unsigned long long)good, fault.message);
    }
    uint64_t floor = log_floor(fixture->log);
    assert_true(floor <= 21);
    assert_int_equal(log_fixture_read(fixture, floor - 1, BYTES, 1), log_head(fixture->log));
    assert_true(log_fixture_append(fixture, 2, BYTES, 1, &fault));
    assert_int_equal(log_fixture_read(fixture, floor - 1, BYTES, 1), log_head(fixture->log));
}

static uint64_t calls_of_a_run(void)
{
    struct log_fixture fixture;
    log_fixture_init(&fixture);
    assert_int_equal(run(&fixture), 2 * GROUPS);
    uint64_t calls = fixture.calls;
    check(&fixture, 2 * GROUPS, 0, 0);
    log_fixture_fini(&fixture);
    return calls;
}

static void each_fails(uint64_t count)
{
    static const int codes[] = {EIO, ENOSPC, EINTR, 0};
    uint64_t calls = calls_of_a_run();
    assert_true(calls > 100);
    for (uint64_t from = 0; from < calls; from++) {
        for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
            struct log_fixture fixture;
            if (count > 1 && codes[i] == EINTR) {
                continue;
            }
            log_fixture_init(&fixture);
            log_fixture_fail(&fixture, from, count, codes[i], 0);
            uint64_t good = run(&fixture);
            check(&fixture, good, from, codes[i]);
            log_fixture_fini(&fixture);
        }
    }
}

static void every_call_fails_once(void **state)
{
    (void)state;
    each_fails(1);
}

static void every_call_fails_three_times_in_a_row(void **state)
{
    (void)state;
    each_fails(3);
}

static void from_every_call_on_all_fail(void **state)
{
    (void)state;
    each_fails(UINT64_MAX);
}

static void control_an_entry_that_is_taken_away_is_noticed(void **state)
{
    struct log_fixture fixture;
    struct proto_fault fault;
    (void)state;
    log_fixture_init(&fixture);
    log_fixture_open(&fixture);
    for (int i = 0; i < 3; i++) {
        assert_true(log_fixture_append(&fixture, 1, 100, 1, &fault));
    }
    log_fixture_drop(&fixture);
    int fd = log_fixture_file(&fixture, 1, O_RDWR);
    assert_int_equal(ftruncate(fd, LOG_PAGE_BYTES + 2 * (72 + 104) + 8), 0);
    close(fd);
    assert_false(opens_whole(&fixture, 3, &fault));
    log_fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_fails_once),
        cmocka_unit_test(every_call_fails_three_times_in_a_row),
        cmocka_unit_test(from_every_call_on_all_fail),
        cmocka_unit_test(control_an_entry_that_is_taken_away_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

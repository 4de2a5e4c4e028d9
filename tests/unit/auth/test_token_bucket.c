/* SPDX-License-Identifier: Apache-2.0 */
/* What a rate lets through, on a clock of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#include "server/auth/token_bucket.h"

#define SECOND UINT64_C(1000000000)

static void a_burst_passes_and_then_so_many_a_second(void **state)
{
    (void)state;
    struct auth_bucket bucket = {0};
    const struct auth_rate rate = {10, 20};
    uint64_t now_ns = 5 * SECOND;
    uint64_t wait_ns = 0;
    for (int i = 0; i < 20; i++) {
        assert_true(auth_bucket_take(&bucket, &rate, 1, now_ns, &wait_ns));
    }
    assert_false(auth_bucket_take(&bucket, &rate, 1, now_ns, &wait_ns));
    assert_int_equal(wait_ns, SECOND / 10);
    int passed = 0;
    for (int i = 0; i < 300; i++) { /* three seconds, asked a hundred times in each */
        now_ns += SECOND / 100;
        passed += auth_bucket_take(&bucket, &rate, 1, now_ns, &wait_ns);
    }
    assert_int_equal(passed, 30);
    assert_false(auth_bucket_take(&bucket, &rate, 1, now_ns, &wait_ns));
}

static void after_the_wait_that_is_told_it_passes(void **state)
{
    (void)state;
    struct auth_bucket bucket = {0};
    const struct auth_rate rate = {1000, 5000};
    uint64_t wait_ns = 0;
    assert_true(auth_bucket_take(&bucket, &rate, 4000, SECOND, &wait_ns));
    assert_false(auth_bucket_take(&bucket, &rate, 2000, SECOND, &wait_ns));
    assert_int_equal(wait_ns, SECOND);
    assert_false(auth_bucket_take(&bucket, &rate, 2000, SECOND + wait_ns - 1, &wait_ns));
    assert_true(auth_bucket_take(&bucket, &rate, 2000, 2 * SECOND, &wait_ns));
}

static void what_is_larger_than_the_burst_passes_when_nothing_is_owed(void **state)
{
    (void)state;
    struct auth_bucket bucket = {0};
    const struct auth_rate rate = {100, 100};
    uint64_t wait_ns = 0;
    assert_true(auth_bucket_take(&bucket, &rate, 1000, SECOND, &wait_ns));
    assert_false(auth_bucket_take(&bucket, &rate, 1, 10 * SECOND - 1, &wait_ns));
    assert_true(auth_bucket_take(&bucket, &rate, 1, 11 * SECOND, &wait_ns));
}

static void what_was_taken_in_vain_is_given_back(void **state)
{
    (void)state;
    struct auth_bucket bucket = {0};
    const struct auth_rate rate = {1, 1};
    uint64_t wait_ns = 0;
    assert_true(auth_bucket_take(&bucket, &rate, 1, SECOND, &wait_ns));
    auth_bucket_return(&bucket, &rate, 1);
    assert_true(auth_bucket_take(&bucket, &rate, 1, SECOND, &wait_ns));
    assert_false(auth_bucket_take(&bucket, &rate, 1, SECOND, &wait_ns));
}

static void no_rate_is_no_limit_and_the_largest_does_not_overflow(void **state)
{
    (void)state;
    struct auth_bucket bucket = {0};
    uint64_t wait_ns = 0;
    const struct auth_rate none = {0, 0};
    for (int i = 0; i < 1000; i++) {
        assert_true(auth_bucket_take(&bucket, &none, AUTH_RATE_MAX, SECOND, &wait_ns));
    }
    const struct auth_rate slow = {1, AUTH_RATE_MAX};
    assert_true(auth_bucket_take(&bucket, &slow, AUTH_RATE_MAX, SECOND, &wait_ns));
    assert_false(auth_bucket_take(&bucket, &slow, 1, SECOND, &wait_ns));
    assert_int_equal(wait_ns, SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_passes_and_then_so_many_a_second),
        cmocka_unit_test(after_the_wait_that_is_told_it_passes),
        cmocka_unit_test(what_is_larger_than_the_burst_passes_when_nothing_is_owed),
        cmocka_unit_test(what_was_taken_in_vain_is_given_back),
        cmocka_unit_test(no_rate_is_no_limit_and_the_largest_does_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

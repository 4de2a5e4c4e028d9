/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/load/load_stages.h"

static bool is(double value, double expected)
{
    return fabs(value - expected) < 1e-9;
}

static void sums_before_and_after_become_means_of_a_request(void **state)
{
    (void)state;
    const struct load_stages before = {.known = true, .ns = {10, 20, 30, 40}, .frames = 4};
    struct load_stages after = {
        .known = true, .ns = {110, 40, 330, 40}, .frames = 14, .commits = 2, .commit_ns = 5000};
    load_stages_since(&before, &after);
    assert_true(after.known && is(after.frames, 10));
    assert_true(is(after.ns[LOAD_STAGE_read], 10) && is(after.ns[LOAD_STAGE_split], 2));
    assert_true(is(after.ns[LOAD_STAGE_serve], 30) && is(after.ns[LOAD_STAGE_write], 0));
    assert_true(is(after.commit_ns, 2500));
}

static void nothing_sampled_is_nothing_known(void **state)
{
    (void)state;
    struct load_stages before = {.known = true, .frames = 4};
    struct load_stages after = {.known = true, .frames = 4};
    load_stages_since(&before, &after);
    assert_false(after.known);
    before.known = false;
    after = (struct load_stages){.known = true, .frames = 9};
    load_stages_since(&before, &after);
    assert_false(after.known);
    load_stages_read("icp+unix:/nowhere/at/all", &after); /* nobody there */
    assert_false(after.known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_before_and_after_become_means_of_a_request),
        cmocka_unit_test(nothing_sampled_is_nothing_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

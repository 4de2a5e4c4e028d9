/* SPDX-License-Identifier: Apache-2.0 */
/* How alike two accounts are, and reasons as a line that is cut at a whole character. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "proto/reader.h"
#include "server/lifecycle/lifecycle_listed.h"

static void alike_is_the_share_of_contributions_that_agrees(void **state)
{
    (void)state;
    static const int32_t a[] = {300, -100, 0, 50};
    static const int32_t b[] = {100, -100, 0, -50};
    static const int32_t none[] = {0, 0, 0, 0};
    assert_true(lifecycle_alike(a, a, 4) == 1);
    /* Apart 200 + 0 + 0 + 100, of 450 + 250. */
    assert_true(fabs(lifecycle_alike(a, b, 4) - (1 - 300.0 / 700)) < 1e-12);
    assert_true(lifecycle_alike(a, b, 4) == lifecycle_alike(b, a, 4));
    assert_true(lifecycle_alike(a, none, 4) == 0);
    assert_true(lifecycle_alike(none, none, 4) == 1);
}

static void alike_does_not_overflow(void **state)
{
    (void)state;
    int32_t a[4096];
    int32_t b[4096];
    for (size_t i = 0; i < 4096; i++) {
        a[i] = INT32_C(1) << 30;
        b[i] = -(INT32_C(1) << 30);
    }
    assert_true(lifecycle_alike(a, b, 4096) == 0);
}

static void reasons_are_a_line(void **state)
{
    (void)state;
    const struct engine_reason reasons[] = {
        {.field = "industry", .value = "Software", .contribution = 300000},
        {.field = "size",
         .value = "x > 5",
         .field_b = "country",
         .value_b = "Österreich",
         .contribution = -20000}};
    const struct engine_answer answer = {.reasons = reasons, .reason_count = 2};
    char text[128];
    char tight[51]; /* ends within the first letter of the country */
    lifecycle_reasons_print(&answer, text, sizeof text);
    assert_string_equal(text, "+ industry Software, - size x > 5 with country Österreich");
    for (size_t bytes = 2; bytes <= sizeof tight; bytes++) {
        lifecycle_reasons_print(&answer, tight, bytes);
        assert_true(strlen(tight) < bytes);
        assert_memory_equal(tight, text, strlen(tight));
        assert_true(proto_utf8_valid(proto_span_text(tight)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alike_is_the_share_of_contributions_that_agrees),
        cmocka_unit_test(alike_does_not_overflow),
        cmocka_unit_test(reasons_are_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Shares against floors: which is mended first, where a floor stands, and what is no floor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>

#include "server/measure/readiness_floor.h"

static void floor_set(struct measure_floors *floors, const char *name, double share)
{
    struct proto_fault fault = {.code = PROTO_OK};
    assert_true(measure_floors_set(floors, proto_span_text(name), share, &fault));
}

static void what_is_of_nothing_is_not_asked_for(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_ready none = {.n = {0}};
    struct measure_floors floors;
    measure_floors_default(&floors);
    for (int i = 0; i < MEASURE_READY_COUNT; i++) {
        floor_set(&floors, measure_ready_name((enum measure_ready_figure)i), 1);
    }
    assert_true(measure_ready_check(&none, &floors, &fault));
}

static void a_floor_of_0_is_told_and_not_asked_for(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_ready ready = {.n = {[MEASURE_READY_LINKED] = 7}};
    struct measure_floors floors;
    measure_floors_default(&floors);
    assert_true(measure_ready_share(&ready, MEASURE_READY_LINKED) == 0);
    assert_true(measure_ready_check(&ready, &floors, &fault));
    floor_set(&floors, "linked", 0.01);
    assert_false(measure_ready_check(&ready, &floors, &fault));
    assert_int_equal(fault.code, PROTO_BAD_FIELD);
    assert_non_null(strstr(fault.message, "linked is 0.000"));
    assert_non_null(strstr(fault.message, "import with --match"));
}

static void the_share_that_is_furthest_below_its_floor_is_mended_first(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_ready ready = {.n = {100, 100, 100, 100}, .part = {80, 40, 80, 90}};
    struct measure_floors floors;
    measure_floors_default(&floors);
    assert_false(measure_ready_check(&ready, &floors, &fault)); /* fresh 0.4 below 0.5 */
    assert_string_equal(fault.field, "readiness");
    assert_non_null(strstr(fault.message, "fresh is 0.400 (95 % 0.309 to 0.498, n 100), below "
                                          "0.5: import them anew"));
    assert_null(strstr(fault.message, "then"));
    floor_set(&floors, "complete", 0.85);
    floor_set(&floors, "linked", 1);
    assert_false(measure_ready_check(&ready, &floors, &fault));
    assert_non_null(strstr(fault.message, "; then complete, 0.800 below 0.85; then linked, 0.900"));
    floor_set(&floors, "fresh", 0.4);
    floor_set(&floors, "linked", 0.9);
    floor_set(&floors, "complete", 0.8);
    assert_true(measure_ready_check(&ready, &floors, &fault)); /* a floor may be stood on */
}

static void what_is_no_floor_is_refused_with_those_that_there_are(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_floors floors;
    static const double bad[] = {-0.1, 1.5};
    measure_floors_default(&floors);
    assert_false(measure_floors_set(&floors, proto_span_text("done"), 0.5, &fault));
    assert_string_equal(fault.field, "floors.done");
    assert_non_null(strstr(fault.message, "there are complete, fresh, unique, linked"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(measure_floors_set(&floors, proto_span_text("fresh"), bad[i], &fault));
        assert_string_equal(fault.field, "floors.fresh");
    }
    assert_false(measure_floors_set(&floors, proto_span_text("fresh"), (double)NAN, &fault));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_of_nothing_is_not_asked_for),
        cmocka_unit_test(a_floor_of_0_is_told_and_not_asked_for),
        cmocka_unit_test(the_share_that_is_furthest_below_its_floor_is_mended_first),
        cmocka_unit_test(what_is_no_floor_is_refused_with_those_that_there_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

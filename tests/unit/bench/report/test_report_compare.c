/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/report/report_compare.h"

/* A result with one case: rates of icpd and of the floor in four runs. */
static json_t *result(double icp, double echo, double cpu)
{
    json_t *series = json_array();
    static const double wobble[] = {1, 0.99, 1.01, 1.005};
    const char *const names[] = {"icp", "echo"};
    for (unsigned who = 0; who < 2; who++) {
        json_t *runs = json_array();
        for (unsigned i = 0; i < 4 && (who == 0 || echo > 0); i++) {
            json_array_append_new(runs, json_pack("{s:f, s:{s:f}, s:{s:f}}", "rate",
                                                  (who == 0 ? icp : echo) * wobble[i], "latency_us",
                                                  "p99", 1e9 / (who == 0 ? icp : echo) * wobble[i],
                                                  "server", "cpu_ns_each", who == 0 ? cpu : 100.0));
        }
        if (json_array_size(runs) > 0) {
            json_array_append_new(series, json_pack("{s:s, s:s, s:O}", "case", "id-64", "contender",
                                                    names[who], "runs", runs));
        }
        json_decref(runs);
    }
    return json_pack("{s:i, s:o}", "format", 1, "series", series);
}

static unsigned worse(json_t *a, json_t *b)
{
    struct report_comparison all[REPORT_COMPARISONS_MAX];
    size_t count = report_compare(a, b, all, REPORT_COMPARISONS_MAX);
    unsigned found = 0;
    assert_int_equal(count, 3); /* rate, p99, cpu of icpd; never the floor's own */
    for (size_t i = 0; i < count; i++) {
        found += all[i].change == REPORT_WORSE;
    }
    json_decref(a);
    json_decref(b);
    return found;
}

static void the_same_result_is_no_regression(void **state)
{
    (void)state;
    assert_int_equal(worse(result(500, 1000, 200), result(500, 1000, 200)), 0);
}

static void a_planted_regression_is_found(void **state)
{
    (void)state;
    assert_int_equal(worse(result(500, 1000, 200), result(400, 1000, 200)), 2); /* rate, p99 */
    assert_int_equal(worse(result(500, 1000, 200), result(500, 1000, 240)), 1); /* cpu */
}

static void a_slower_machine_is_no_regression_where_the_floor_is_known(void **state)
{
    (void)state;
    assert_int_equal(worse(result(500, 1000, 200), result(250, 500, 200)), 0);
    /* The control: without the floor the same figures are one. */
    assert_int_equal(worse(result(500, 0, 200), result(250, 0, 200)), 2);
}

static void files_without_a_common_case_have_nothing_to_compare(void **state)
{
    (void)state;
    struct report_comparison all[REPORT_COMPARISONS_MAX];
    json_t *a = result(1, 1, 1);
    json_t *b = json_pack("{s:i, s:[]}", "format", 1, "series");
    assert_int_equal(report_compare(a, b, all, REPORT_COMPARISONS_MAX), 0);
    json_decref(a);
    json_decref(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_result_is_no_regression),
        cmocka_unit_test(a_planted_regression_is_found),
        cmocka_unit_test(a_slower_machine_is_no_regression_where_the_floor_is_known),
        cmocka_unit_test(files_without_a_common_case_have_nothing_to_compare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

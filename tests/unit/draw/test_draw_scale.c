/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/draw/draw_scale.h"

static const double values[] = {10, 100, 1000};
static const struct draw_svg_series series = {.name = "a", .x = values, .y = values, .count = 3};

static void assert_same(double is, double should)
{
    assert_true(fabs(is - should) < 1e-9);
}

static struct draw_scale scale_of(struct draw_svg_axis axis, size_t series_count)
{
    struct draw_svg_chart chart = {.x = axis, .series = &series, .series_count = series_count};
    struct draw_scale scale = {.from = 0, .to = 100};
    draw_scale_init(&scale, &chart.x, &chart, true);
    return scale;
}

static void a_linear_axis_starts_at_zero(void **state)
{
    struct draw_scale scale = scale_of((struct draw_svg_axis){.title = ""}, 1);
    (void)state;
    assert_same(draw_scale_place(&scale, 0), 0);
    assert_same(draw_scale_place(&scale, 1050), 100);
}

static void decades_are_equally_far_apart(void **state)
{
    struct draw_scale scale = scale_of((struct draw_svg_axis){.title = "", .log = true}, 1);
    double ticks[DRAW_TICKS_MAX];
    (void)state;
    double first = draw_scale_place(&scale, 100) - draw_scale_place(&scale, 10);
    double second = draw_scale_place(&scale, 1000) - draw_scale_place(&scale, 100);
    assert_same(first, second);
    size_t count = draw_scale_ticks(&scale, ticks);
    assert_true(count >= 3);
    assert_same(ticks[0], 10);
}

static void what_lies_beyond_is_drawn_at_the_end(void **state)
{
    struct draw_scale scale =
        scale_of((struct draw_svg_axis){.title = "", .low = 0, .high = 10}, 1);
    (void)state;
    assert_same(draw_scale_place(&scale, -5), 0);
    assert_same(draw_scale_place(&scale, 1e9), 100);
    struct draw_scale logarithmic = scale_of((struct draw_svg_axis){.title = "", .log = true}, 1);
    assert_same(draw_scale_place(&logarithmic, 0), 0);
}

static void ticks_are_few_and_inside_however_the_axis_lies(void **state)
{
    (void)state;
    for (double high = 1e-6; high < 1e9; high *= 3) {
        for (int logarithmic = 0; logarithmic < 2; logarithmic++) {
            double ticks[DRAW_TICKS_MAX];
            struct draw_scale scale = scale_of(
                (struct draw_svg_axis){
                    .title = "", .log = logarithmic == 1, .low = high / 50, .high = high},
                1);
            size_t count = draw_scale_ticks(&scale, ticks);
            assert_in_range(count, 2, DRAW_TICKS_MAX);
            for (size_t i = 1; i < count; i++) {
                assert_true(ticks[i] > ticks[i - 1]);
            }
        }
    }
}

static void an_axis_without_values_is_still_one(void **state)
{
    struct draw_scale scale = scale_of((struct draw_svg_axis){.title = ""}, 0);
    (void)state;
    assert_true(scale.high > scale.low);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_linear_axis_starts_at_zero),
        cmocka_unit_test(decades_are_equally_far_apart),
        cmocka_unit_test(what_lies_beyond_is_drawn_at_the_end),
        cmocka_unit_test(ticks_are_few_and_inside_however_the_axis_lies),
        cmocka_unit_test(an_axis_without_values_is_still_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

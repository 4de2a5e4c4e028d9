/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>

#include "server/math/isotonic.h"
#include "server/math/random.h"

static void violators_are_pooled_to_their_mean(void **state)
{
    (void)state;
    const double y[] = {1.0, 3.0, 2.0, 4.0, 3.5, 3.0};
    double fitted[6];
    assert_true(math_isotonic(y, NULL, 6, fitted));
    const double wanted[] = {1.0, 2.5, 2.5, 3.5, 3.5, 3.5};
    for (size_t i = 0; i < 6; i++) {
        assert_true(fabs(fitted[i] - wanted[i]) < 1e-15);
    }
}

static void weights_pull_the_pooled_mean(void **state)
{
    (void)state;
    const double y[] = {2.0, 1.0};
    const double weights[] = {3.0, 1.0};
    double fitted[2];
    assert_true(math_isotonic(y, weights, 2, fitted));
    assert_true(fitted[0] == 1.75 && fitted[1] == 1.75);
}

/* The max-min formula is another way to the same answer: fit_i = max over a ≤ i of the least mean
 * of y[a … b] over b ≥ i. */
static void fit_equals_the_max_min_formula(void **state)
{
    (void)state;
    struct math_random random;
    math_random_init(&random, 21);
    for (int set = 0; set < 20; set++) {
        double y[40];
        double fitted[40];
        for (size_t i = 0; i < 40; i++) {
            y[i] = math_random_normal(&random) + 0.05 * (double)i;
        }
        assert_true(math_isotonic(y, NULL, 40, fitted));
        for (size_t i = 0; i < 40; i++) {
            double best = -HUGE_VAL;
            for (size_t a = 0; a <= i; a++) {
                double least = HUGE_VAL;
                double sum = 0.0;
                for (size_t b = a; b < 40; b++) {
                    sum += y[b];
                    if (b >= i) {
                        least = fmin(least, sum / (double)(b - a + 1));
                    }
                }
                best = fmax(best, least);
            }
            assert_true(fabs(best - fitted[i]) < 1e-12);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(violators_are_pooled_to_their_mean),
        cmocka_unit_test(weights_pull_the_pooled_mean),
        cmocka_unit_test(fit_equals_the_max_min_formula),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

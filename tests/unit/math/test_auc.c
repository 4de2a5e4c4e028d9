/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "server/math/auc.h"
#include "server/math/order.h"
#include "server/math/random.h"

static struct math_auc auc_of(const double *scores, const uint8_t *labels, size_t count)
{
    uint32_t *order = math_order_create(scores, count);
    assert_non_null(order);
    struct math_auc result;
    assert_true(math_auc(scores, labels, order, count, &result));
    free(order);
    return result;
}

/* The worked example of docs/methods/evidence.md, computed there by hand. Positives 0.9 0.8 0.4,
 * negatives 0.7 0.4 0.2 0.1: they beat 4, 4 and 2½ of 4 negatives, so AUC = 10.5/12 = 0.875.
 * V10 = 1, 1, 0.625; V01 = 2/3, 5/6, 1, 1. S10 = 0.046875, S01 = 0.025463, var = S10/3 + S01/4. */
static void auc_and_delong_match_the_example_done_by_hand(void **state)
{
    (void)state;
    const double scores[] = {0.9, 0.8, 0.4, 0.7, 0.4, 0.2, 0.1};
    const uint8_t labels[] = {1, 1, 1, 0, 0, 0, 0};
    struct math_auc result = auc_of(scores, labels, 7);
    assert_true(fabs(result.auc - 0.875) < 1e-15);
    double s01 = (pow(2.0 / 3.0 - 0.875, 2) + pow(5.0 / 6.0 - 0.875, 2) + 2 * pow(0.125, 2)) / 3.0;
    assert_true(fabs(result.error - sqrt(0.046875 / 3.0 + s01 / 4.0)) < 1e-15);
    assert_true(fabs(result.error - 0.148293) < 1e-6);
    /* logit 1.945910, error there 0.148293 / 0.109375 = 1.355822, t of 2 degrees 3.8517. */
    assert_true(fabs(result.low - 0.036392) < 1e-5);
    assert_true(fabs(result.high - 0.999230) < 1e-5);
    assert_int_equal(result.positives, 3);
    assert_int_equal(result.negatives, 4);
}

/* The definition itself, over all pairs. */
static double auc_by_pairs(const double *scores, const uint8_t *labels, size_t count)
{
    double wins = 0.0;
    double pairs = 0.0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            if (labels[i] == 1 && labels[j] == 0) {
                pairs += 1.0;
                wins += scores[i] > scores[j] ? 1.0 : (scores[i] == scores[j] ? 0.5 : 0.0);
            }
        }
    }
    return wins / pairs;
}

static void auc_equals_the_count_of_pairs_with_many_ties(void **state)
{
    (void)state;
    struct math_random random;
    for (uint64_t seed = 0; seed < 50; seed++) {
        math_random_init(&random, seed);
        double scores[200];
        uint8_t labels[200];
        for (size_t i = 0; i < 200; i++) {
            scores[i] = (double)math_random_below(&random, 2 + seed);
            labels[i] = (uint8_t)math_random_below(&random, 2);
        }
        struct math_auc result = auc_of(scores, labels, 200);
        assert_true(fabs(result.auc - auc_by_pairs(scores, labels, 200)) < 1e-12);
    }
}

static void one_class_alone_gives_one_half_and_the_whole_interval(void **state)
{
    (void)state;
    const double scores[] = {1.0, 2.0};
    const uint8_t none[] = {0, 0};
    struct math_auc result = auc_of(scores, none, 2);
    assert_true(result.auc == 0.5 && result.low == 0.0 && result.high == 1.0);
    const uint8_t one[] = {0, 1};
    result = auc_of(scores, one, 2);
    assert_true(result.auc == 1.0 && result.low == 0.0);
}

/* On noise the 95 % interval must hold 0.5 in about 95 % of 1,000 data sets: 930 … 970 is four
 * standard errors of that share. */
static void interval_covers_one_half_at_its_nominal_rate_on_noise(void **state)
{
    (void)state;
    struct math_random random;
    math_random_init(&random, 99);
    unsigned covered = 0;
    for (int set = 0; set < 1000; set++) {
        double scores[150];
        uint8_t labels[150];
        for (size_t i = 0; i < 150; i++) {
            scores[i] = math_random_unit(&random);
            labels[i] = math_random_unit(&random) < 0.3;
        }
        struct math_auc result = auc_of(scores, labels, 150);
        covered += result.low <= 0.5 && result.high >= 0.5;
    }
    assert_in_range(covered, 922, 975);
}

/* Six positives of 150, true AUC 0.85 (normal scores 1.4657 apart). On the scale of the AUC itself
 * the lower bound lies above the truth in one set of five; nominal is 2.5 %. */
static void few_positives_do_not_make_the_interval_too_sure(void **state)
{
    (void)state;
    struct math_random random;
    math_random_init(&random, 5);
    unsigned above = 0;
    unsigned above_plain = 0;
    for (int set = 0; set < 1000; set++) {
        double scores[150];
        uint8_t labels[150];
        for (size_t i = 0; i < 150; i++) {
            labels[i] = i < 6;
            scores[i] = math_random_normal(&random) + (i < 6 ? 1.4657 : 0.0);
        }
        struct math_auc result = auc_of(scores, labels, 150);
        above += result.low > 0.85;
        above_plain += result.auc - MATH_Z_95 * result.error > 0.85;
    }
    print_message("above the truth: %u, on the plain scale %u of 1000\n", above, above_plain);
    assert_true(above <= 60);
    assert_true(above_plain >= 120); /* the control */
}

static void every_row_in_a_group_of_its_own_is_nearly_delong(void **state)
{
    (void)state;
    struct math_random random;
    math_random_init(&random, 4);
    double scores[400];
    uint8_t labels[400];
    uint32_t groups[400];
    for (uint32_t i = 0; i < 400; i++) {
        scores[i] = math_random_normal(&random);
        labels[i] = math_random_unit(&random) < 0.5;
        scores[i] += labels[i];
        groups[i] = i;
    }
    struct math_auc plain = auc_of(scores, labels, 400);
    uint32_t *order = math_order_create(scores, 400);
    struct math_auc grouped;
    assert_true(math_auc_grouped(scores, labels, order, 400, groups, 400, &grouped));
    assert_true(grouped.auc == plain.auc);
    assert_true(fabs(grouped.error / plain.error - 1.0) < 0.01);
    /* Each row written down four times says no more than once: the error must not halve. */
    for (uint32_t i = 400; i-- > 0;) {
        scores[i] = scores[i / 4];
        labels[i] = labels[i / 4];
        groups[i] = i / 4;
    }
    free(order);
    order = math_order_create(scores, 400);
    assert_true(math_auc_grouped(scores, labels, order, 400, groups, 100, &grouped));
    assert_true(math_auc(scores, labels, order, 400, &plain));
    assert_true(grouped.error > 1.9 * plain.error);
    free(order);
}

static void ks_and_lift_match_small_cases(void **state)
{
    (void)state;
    const double scores[] = {0.9, 0.8, 0.4, 0.7, 0.4, 0.2, 0.1};
    const uint8_t labels[] = {1, 1, 1, 0, 0, 0, 0};
    uint32_t *order = math_order_create(scores, 7);
    /* Between 0.4 and 0.7 and above: at 0.2 half of the negatives and no positive lie below; at 0.7
     * all negatives and a third of the positives. */
    assert_true(fabs(math_ks(scores, labels, order, 7) - 2.0 / 3.0) < 1e-15);
    assert_true(fabs(math_lift(scores, labels, order, 7, 2.0 / 7.0) - 7.0 / 3.0) < 1e-12);
    assert_true(fabs(math_lift(scores, labels, order, 7, 1.0) - 1.0) < 1e-12);
    /* Four rows: 0.9, 0.8, 0.7 and one of the two at 0.4, of which half are positive. */
    assert_true(fabs(math_lift(scores, labels, order, 7, 4.0 / 7.0) - 2.5 / 4.0 * 7.0 / 3.0) <
                1e-12);
    const uint8_t none[] = {0, 0, 0, 0, 0, 0, 0};
    assert_true(math_ks(scores, none, order, 7) == 0.0);
    assert_true(math_lift(scores, none, order, 7, 0.1) == 0.0);
    free(order);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(auc_and_delong_match_the_example_done_by_hand),
        cmocka_unit_test(auc_equals_the_count_of_pairs_with_many_ties),
        cmocka_unit_test(one_class_alone_gives_one_half_and_the_whole_interval),
        cmocka_unit_test(interval_covers_one_half_at_its_nominal_rate_on_noise),
        cmocka_unit_test(few_positives_do_not_make_the_interval_too_sure),
        cmocka_unit_test(every_row_in_a_group_of_its_own_is_nearly_delong),
        cmocka_unit_test(ks_and_lift_match_small_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

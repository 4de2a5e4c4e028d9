/* SPDX-License-Identifier: Apache-2.0 */
/* Agreement: published values, every way counted one by one, and answers without agreement in which
 * nothing may be found more often than the stated rate. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/math/random.h"
#include "server/math/special.h"
#include "server/measure/agreement.h"

static void near(double value, double wanted, double within)
{
    if (!(fabs(value - wanted) <= within)) {
        fail_msg("%.9f, wanted %.9f", value, wanted);
    }
}

/* Krippendorff 2011, section E: four observers, twelve units, gaps. */
static void alpha_is_as_it_was_published(void **state)
{
    const double gap = MATH_NAN;
    const double values[4 * 12] = {1, 2, 3, 3,   2, 1, 4,   1, 2,   gap, gap, gap, 1, 2, 3, 3,
                                   2, 2, 4, 1,   2, 5, gap, 3, gap, 3,   3,   3,   2, 3, 4, 2,
                                   2, 5, 1, gap, 1, 2, 3,   3, 2,   4,   4,   1,   2, 5, 1, gap};
    struct measure_alpha alpha;
    struct proto_fault fault = {0};
    (void)state;
    assert_true(measure_alpha_of(values, 4, 12, false, 1, &alpha, &fault));
    near(alpha.alpha, .743, .0005);
    assert_int_equal(alpha.units, 11);
    assert_int_equal(alpha.values, 40);
    assert_true(alpha.low < alpha.alpha && alpha.alpha < alpha.high);
    assert_true(measure_alpha_of(values, 4, 12, true, 1, &alpha, &fault));
    near(alpha.alpha, .815, .0005);
    /* All the same: there is nothing to agree on. */
    const double same[4] = {1, 1, 1, 1};
    assert_true(measure_alpha_of(same, 2, 2, true, 1, &alpha, &fault));
    assert_true(isnan(alpha.alpha));
    assert_int_equal(alpha.units, 2);
}

/* Every way to permute every ranking but the first, one by one. */
static double p_by_counting(const double *ranks, size_t people, size_t items)
{
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    double told = 0;
    size_t reached = 0;
    size_t ways = 1;
    assert_int_equal(items, 3);
    for (size_t i = 1; i < people; i++) {
        ways *= 6;
    }
    for (size_t way = 0; way <= ways; way++) { /* the last: as they are */
        double sums[3] = {0};
        size_t left = way;
        for (size_t row = 0; row < people; row++) {
            const int *order = orders[row == 0 || way == ways ? 0 : left % 6];
            left = row == 0 ? left : left / 6;
            for (size_t i = 0; i < 3; i++) {
                sums[i] += ranks[row * 3 + (size_t)order[i]];
            }
        }
        double mean = (sums[0] + sums[1] + sums[2]) / 3;
        double spread = 0;
        for (size_t i = 0; i < 3; i++) {
            spread += (sums[i] - mean) * (sums[i] - mean);
        }
        told = way == ways ? spread : told;
    }
    for (size_t way = 0; way < ways; way++) {
        double sums[3] = {0};
        size_t left = way;
        double spread = 0;
        for (size_t row = 0; row < people; row++) {
            const int *order = orders[row == 0 ? 0 : left % 6];
            left = row == 0 ? left : left / 6;
            for (size_t i = 0; i < 3; i++) {
                sums[i] += ranks[row * 3 + (size_t)order[i]];
            }
        }
        double mean = (sums[0] + sums[1] + sums[2]) / 3;
        for (size_t i = 0; i < 3; i++) {
            spread += (sums[i] - mean) * (sums[i] - mean);
        }
        reached += spread >= told - 1e-9;
    }
    return (double)reached / (double)ways;
}

static void concordance_is_exact_where_it_can_be_counted(void **state)
{
    /* Mid-ranks, with ties in two of them. */
    const double ranks[5 * 3] = {1, 2, 3, 1, 3, 2, 1.5, 1.5, 3, 2, 1, 3, 1, 2.5, 2.5};
    const double all_same[3 * 3] = {1, 2, 3, 1, 2, 3, 1, 2, 3};
    struct measure_concordance found;
    struct proto_fault fault = {0};
    (void)state;
    assert_true(measure_concordance_of(ranks, 5, 3, 1, &found, &fault));
    assert_true(found.exact);
    near(found.p, p_by_counting(ranks, 5, 3), 1e-12);
    /* Sums 6.5, 10, 13.5, S 24.5; 12 · 24.5 / (25 · 24 − 5 · 12). */
    near(found.w, 12 * 24.5 / (25 * 24 - 5 * 12), 1e-12);
    assert_true(measure_concordance_of(all_same, 3, 3, 1, &found, &fault));
    near(found.w, 1, 1e-12);
    near(found.p, 1.0 / 36, 1e-12); /* one of 36 ways */
    assert_true(measure_concordance_of(all_same, 1, 3, 1, &found, &fault));
    assert_true(isnan(found.w));
}

/* Six items in every order, and nine that are too many. */
static void drawn_and_counted_agree(void **state)
{
    double wide[4 * 9];
    const double ranks[4 * 6] = {1, 2, 3, 4, 5, 6, 2, 1, 4, 3, 6, 5,
                                 1, 3, 2, 5, 4, 6, 3, 1, 2, 6, 5, 4};
    struct measure_concordance found;
    struct measure_concordance drawn;
    struct proto_fault fault = {0};
    (void)state;
    assert_true(measure_concordance_of(ranks, 4, 6, 1, &found, &fault));
    assert_true(found.exact);
    /* Sums 7, 7, 11, 18, 20, 21: S = 208. */
    near(found.w, 12.0 * 208 / (16 * 210), 1e-12);
    /* Nine items are drawn: three more that all rank last leave W's order as it is. */
    for (size_t row = 0; row < 4; row++) {
        memcpy(wide + row * 9, ranks + row * 6, 6 * sizeof *ranks);
        wide[row * 9 + 6] = 7;
        wide[row * 9 + 7] = 8;
        wide[row * 9 + 8] = 9;
    }
    assert_true(measure_concordance_of(wide, 4, 9, 1, &drawn, &fault));
    assert_false(drawn.exact);
    assert_true(drawn.p <= found.p + .002);
}

static void random_rankings_agree_no_more_often_than_the_rate(void **state)
{
    struct math_random random;
    struct proto_fault fault = {0};
    size_t alarms = 0;
    (void)state;
    math_random_init(&random, 11);
    for (int round = 0; round < 400; round++) {
        double ranks[5 * 4];
        struct measure_concordance found;
        for (size_t row = 0; row < 5; row++) {
            uint32_t order[4] = {1, 2, 3, 4};
            math_random_shuffle(&random, order, 4);
            for (size_t i = 0; i < 4; i++) {
                ranks[row * 4 + i] = order[i];
            }
        }
        assert_true(measure_concordance_of(ranks, 5, 4, 1, &found, &fault));
        assert_true(found.exact);
        alarms += found.p <= .05;
    }
    assert_true(alarms <= 20 + 13); /* 5 % and three standard errors */
}

static void lists_overlap_as_they_should(void **state)
{
    const uint32_t a[] = {1, 2, 3, 4, 5};
    const uint32_t b[] = {1, 2, 3, 4, 5};
    const uint32_t c[] = {6, 7, 8};
    const uint32_t d[] = {2, 1, 9};
    const struct measure_names lists[] = {{a, 5}, {b, 5}, {c, 3}, {d, 3}};
    (void)state;
    near(measure_jaccard(&lists[0], &lists[1]), 1, 0);
    near(measure_overlap(&lists[0], &lists[1], .9), 1, 1e-12);
    near(measure_overlap(&lists[0], &lists[2], .9), 0, 0);
    near(measure_jaccard(&lists[0], &lists[3]), 2.0 / 6, 1e-12);
    /* By hand, X = 0, 2, 2, 2, 2 and X_s = 2 at 3: p = .9. */
    double sum = 0;
    const double x[] = {0, 2, 2, 2, 2};
    for (int depth = 1; depth <= 5; depth++) {
        sum += x[depth - 1] / depth * pow(.9, depth);
        sum += depth > 3 ? 2.0 * (depth - 3) / (3 * depth) * pow(.9, depth) : 0;
    }
    near(measure_overlap(&lists[0], &lists[3], .9),
         .1 / .9 * sum + ((2.0 - 2) / 5 + 2.0 / 3) * pow(.9, 5), 1e-12);
    struct measure_mean mean = measure_pairs_mean(lists, 4, 0);
    near(mean.value, (1 + 0 + 2.0 / 6 + 0 + 2.0 / 6 + 0) / 6, 1e-12);
    assert_true(mean.low <= mean.value && mean.value <= mean.high);
    assert_true(isnan(measure_pairs_mean(lists, 1, 0).value));
}

/* Overlap is the same both ways, is higher the earlier the shared name stands, and with lists of
 * one length and one shared name at the same place has a closed form. */
static void overlap_weighs_what_stands_first(void **state)
{
    double before = 2;
    (void)state;
    for (uint32_t place = 0; place < 6; place++) {
        uint32_t a[6] = {10, 11, 12, 13, 14, 15};
        uint32_t b[6] = {20, 21, 22, 23, 24, 25};
        a[place] = b[place] = 1;
        const struct measure_names one = {a, 6};
        const struct measure_names other = {b, 6};
        double overlap = measure_overlap(&one, &other, .9);
        double wanted = pow(.9, 6) / 6;
        for (int depth = (int)place + 1; depth <= 6; depth++) {
            wanted += .1 / .9 / depth * pow(.9, depth);
        }
        near(overlap, wanted, 1e-12);
        near(measure_overlap(&other, &one, .9), overlap, 1e-15);
        assert_true(overlap < before);
        before = overlap;
    }
    const struct measure_names none = {NULL, 0};
    const uint32_t c[1] = {1};
    const struct measure_names some = {c, 1};
    assert_true(isnan(measure_overlap(&none, &none, .9)));
    near(measure_overlap(&none, &some, .9), 0, 0);
    assert_true(isnan(measure_jaccard(&none, &none)));
    near(measure_jaccard(&none, &some), 0, 0);
}

static void entropy_is_0_for_one_choice_and_1_for_all(void **state)
{
    const size_t one[] = {0, 5, 0};
    const size_t even[] = {2, 2, 2};
    const size_t half[] = {3, 3, 0};
    (void)state;
    near(measure_entropy(one, 3), 0, 0);
    near(measure_entropy(even, 3), 1, 1e-12);
    near(measure_entropy(half, 3), log(2) / log(3), 1e-12);
    assert_true(isnan(measure_entropy(one, 1)));
}

/* Who says what, and which item stands where, does not matter. */
static void concordance_does_not_depend_on_the_order_of_people_or_items(void **state)
{
    static const size_t turned_people[4] = {2, 0, 3, 1};
    static const size_t turned_items[5] = {4, 2, 0, 3, 1};
    const double ranks[4 * 5] = {1, 2, 3, 4, 5, 2, 1, 3, 5, 4, 1, 3, 2, 4, 5, 3, 3, 1, 2, 5};
    double turned[4 * 5];
    struct measure_concordance one;
    struct measure_concordance other;
    struct proto_fault fault = {0};
    (void)state;
    for (size_t row = 0; row < 4; row++) {
        for (size_t i = 0; i < 5; i++) {
            turned[row * 5 + i] = 10 * ranks[turned_people[row] * 5 + turned_items[i]];
        }
    }
    assert_true(measure_concordance_of(ranks, 4, 5, 1, &one, &fault));
    assert_true(measure_concordance_of(turned, 4, 5, 1, &other, &fault));
    near(other.w, one.w, 1e-12);
    near(other.p, one.p, 1e-12);
}

/* Of two rankings W is (1 + rho) / 2, and p the share of the 24 orders with no smaller rho. */
static void two_rankings_have_their_rank_correlation(void **state)
{
    static const struct {
        double second[4], rho, p;
    } cases[] = {
        {{1, 2, 3, 4}, 1, 1.0 / 24},
        {{1, 2, 4, 3}, .8, 4.0 / 24},
        {{4, 3, 2, 1}, -1, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double pair[2 * 4] = {1, 2, 3, 4};
        struct measure_concordance both;
        struct proto_fault fault = {0};
        memcpy(pair + 4, cases[i].second, sizeof cases[i].second);
        assert_true(measure_concordance_of(pair, 2, 4, 1, &both, &fault));
        near(2 * both.w - 1, cases[i].rho, 1e-12);
        near(both.p, cases[i].p, 1e-12);
    }
}

static void what_has_no_order_or_is_too_much_is_told(void **state)
{
    const double tied[2 * 3] = {1, 1, 1, 2, 2, 2};
    struct measure_concordance found;
    struct measure_alpha alpha;
    struct proto_fault fault = {0};
    (void)state;
    assert_true(measure_concordance_of(tied, 2, 3, 1, &found, &fault));
    assert_true(isnan(found.w) && isnan(found.p));
    assert_false(measure_concordance_of(tied, MEASURE_PEOPLE_MAX + 1, 3, 1, &found, &fault));
    assert_int_equal(fault.code, PROTO_LIMIT);
    assert_false(measure_concordance_of(tied, 2, MEASURE_ITEMS_MAX + 1, 1, &found, &fault));
    assert_false(measure_alpha_of(tied, 2, MEASURE_LEVELS_MAX + 1, true, 1, &alpha, &fault));
    assert_int_equal(fault.code, PROTO_LIMIT);
    assert_true(measure_alpha_of(tied, 0, 0, true, 1, &alpha, &fault));
    assert_true(isnan(alpha.alpha));
}

/* Ratings that know nothing of their units: alpha lies about 0, and its interval seldom leaves it.
 */
static void random_ratings_are_not_reliable(void **state)
{
    struct math_random random;
    struct proto_fault fault = {0};
    double sum = 0;
    size_t alarms = 0;
    (void)state;
    math_random_init(&random, 5);
    for (int round = 0; round < 40; round++) {
        double values[5 * 12];
        struct measure_alpha alpha;
        for (size_t i = 0; i < 5 * 12; i++) {
            values[i] =
                math_random_unit(&random) < .1 ? MATH_NAN : (double)math_random_below(&random, 5);
        }
        assert_true(measure_alpha_of(values, 5, 12, true, 1, &alpha, &fault));
        sum += alpha.alpha;
        alarms += alpha.low > .1;
    }
    near(sum / 40, 0, .06);
    assert_true(alarms <= 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alpha_is_as_it_was_published),
        cmocka_unit_test(concordance_is_exact_where_it_can_be_counted),
        cmocka_unit_test(drawn_and_counted_agree),
        cmocka_unit_test(random_rankings_agree_no_more_often_than_the_rate),
        cmocka_unit_test(concordance_does_not_depend_on_the_order_of_people_or_items),
        cmocka_unit_test(two_rankings_have_their_rank_correlation),
        cmocka_unit_test(what_has_no_order_or_is_too_much_is_told),
        cmocka_unit_test(random_ratings_are_not_reliable),
        cmocka_unit_test(lists_overlap_as_they_should),
        cmocka_unit_test(overlap_weighs_what_stands_first),
        cmocka_unit_test(entropy_is_0_for_one_choice_and_1_for_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

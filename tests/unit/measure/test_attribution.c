/* SPDX-License-Identifier: Apache-2.0 */
/* Credit for outcomes: by hand, by the definition of Shapley's value over every subset, by running
 * chains with a channel taken out; and journeys that no channel has to do with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>

#include "server/math/random.h"
#include "server/measure/attribution.h"

static struct proto_fault fault;

static void add(struct measure_attribution *a, const uint32_t *channels, size_t count, double won,
                double lost)
{
    const struct measure_path path = {
        .channels = channels, .count = count, .won = won, .weight = won, .lost = lost};
    assert_true(measure_attribution_add(a, &path, &fault));
}

static bool near(double a, double b, double most)
{
    return fabs(a - b) <= most;
}

/* won: A B A C (4 times), B (2); lost: A (3); unseen 1. */
static void credits_come_out_as_by_hand(void **state)
{
    (void)state;
    struct measure_attribution a;
    const uint32_t long_path[] = {0, 1, 0, 2};
    const uint32_t one[] = {1};
    const uint32_t pair[] = {2, 0};
    measure_attribution_init(&a, 7, NULL);
    add(&a, long_path, 4, 4, 0);
    add(&a, one, 1, 2, 0);
    add(&a, pair, 2, 1, 3);
    add(&a, NULL, 0, 1, 0);
    assert_true(a.won == 8 && a.unseen == 1 && a.lost == 3);
    const double first[] = {4, 2, 1};
    const double last[] = {1, 2, 4};
    const double linear[] = {2 + 0.5, 1 + 2, 1 + 0.5};
    const double position[] = {1.6 + 0.4 + 0.5, 0.4 + 2, 1.6 + 0.5};
    const double shapley[] = {4.0 / 3 + 0.5, 4.0 / 3 + 2, 4.0 / 3 + 0.5};
    const double *const wanted[MEASURE_MODELS] = {[MEASURE_MODEL_FIRST] = first,
                                                  [MEASURE_MODEL_LAST] = last,
                                                  [MEASURE_MODEL_LINEAR] = linear,
                                                  [MEASURE_MODEL_POSITION] = position,
                                                  [MEASURE_MODEL_SHAPLEY] = shapley};
    for (int m = 0; m < MEASURE_MODELS; m++) {
        for (uint32_t k = 0; k < 3 && wanted[m] != NULL; k++) {
            assert_true(near(a.credit[m][k], wanted[m][k], 1e-12));
        }
    }
    assert_false(a.timed);
    assert_true(measure_attribution_solve(&a, &fault));
    assert_true(near(a.rate, 7.0 / 10, 1e-12));
    measure_attribution_fini(&a);
}

/* 7 and 0 days before with a half-life of 7 days: 1/3 and 2/3; so long before that both underflow,
 * the same. */
static void decay_halves_and_does_not_underflow(void **state)
{
    (void)state;
    const uint32_t channels[] = {0, 1};
    const double near_days[] = {7, 0};
    const double far_days[] = {36007, 36000};
    const double *const both[] = {near_days, far_days};
    for (int i = 0; i < 2; i++) {
        struct measure_attribution a;
        measure_attribution_init(&a, 7, NULL);
        const struct measure_path path = {channels, both[i], 2, 1, 1, 0};
        assert_true(measure_attribution_add(&a, &path, &fault));
        assert_true(a.timed);
        assert_true(near(a.credit[MEASURE_MODEL_DECAY][0], 1.0 / 3, 1e-12));
        assert_true(near(a.credit[MEASURE_MODEL_DECAY][1], 2.0 / 3, 1e-12));
        measure_attribution_fini(&a);
    }
}

enum { SUBSET_CHANNELS = 12, SUBSET_PATHS = 60, SUBSETS = 1 << SUBSET_CHANNELS };

static double subset_value(const uint32_t *sets, const double *weights, uint32_t within)
{
    double value = 0;
    for (int p = 0; p < SUBSET_PATHS; p++) {
        value += (sets[p] & ~within) == 0 ? weights[p] : 0;
    }
    return value;
}

static double factorial(int n)
{
    return n < 2 ? 1 : n * factorial(n - 1);
}

static void shapley_is_the_mean_over_all_orders(void **state)
{
    (void)state;
    struct math_random random;
    struct measure_attribution a;
    uint32_t sets[SUBSET_PATHS] = {0};
    double weights[SUBSET_PATHS];
    static double values[SUBSETS];
    math_random_init(&random, 41);
    measure_attribution_init(&a, 7, NULL);
    for (int p = 0; p < SUBSET_PATHS; p++) {
        uint32_t channels[20];
        size_t count = 1 + math_random_below(&random, 20);
        for (size_t i = 0; i < count; i++) {
            channels[i] = (uint32_t)math_random_below(&random, SUBSET_CHANNELS);
            sets[p] |= UINT32_C(1) << channels[i];
        }
        weights[p] = (double)math_random_below(&random, 9);
        add(&a, channels, count, weights[p], 1);
    }
    for (uint32_t s = 0; s < SUBSETS; s++) {
        values[s] = subset_value(sets, weights, s);
    }
    for (uint32_t k = 0; k < SUBSET_CHANNELS; k++) {
        double phi = 0;
        for (uint32_t s = 0; s < SUBSETS; s++) {
            int size = __builtin_popcount(s);
            if ((s >> k & 1) == 0) {
                phi += factorial(size) * factorial(SUBSET_CHANNELS - size - 1) /
                       factorial(SUBSET_CHANNELS) * (values[s | UINT32_C(1) << k] - values[s]);
            }
        }
        assert_true(near(a.credit[MEASURE_MODEL_SHAPLEY][k], phi, 1e-9));
    }
    measure_attribution_fini(&a);
}

/* The share that is won if whoever comes to channel `out` is lost, by walking the chain until
 * nobody is under way any more. */
static double walked(const struct measure_attribution *a, uint32_t out)
{
    enum { MOST = 16 };
    double here[MOST] = {0};
    double began = 0;
    double won = 0;
    uint32_t n = a->channels;
    for (uint32_t k = 0; k < n; k++) {
        began += a->begins[k];
    }
    for (uint32_t k = 0; k < n; k++) {
        here[k] = k != out ? a->begins[k] / began : 0;
    }
    for (double left = 1; left > 1e-14;) {
        double next[MOST] = {0};
        for (uint32_t i = 0; i < n; i++) {
            double total = a->wins[i] + a->ends[i];
            for (uint32_t j = 0; j < n; j++) {
                total += a->moves[(size_t)i * a->room + j];
            }
            won += total > 0 ? here[i] * a->wins[i] / total : 0;
            for (uint32_t j = 0; j < n && total > 0; j++) {
                next[j] += j != out ? here[i] * a->moves[(size_t)i * a->room + j] / total : 0;
            }
        }
        left = 0;
        for (uint32_t k = 0; k < n; k++) {
            here[k] = next[k];
            left += next[k];
        }
    }
    return won;
}

static void removal_is_what_the_chain_loses(void **state)
{
    (void)state;
    struct math_random random;
    math_random_init(&random, 7);
    for (int chain = 0; chain < 100; chain++) {
        struct measure_attribution a;
        uint32_t most = 2 + (uint32_t)math_random_below(&random, 11);
        double won = 0;
        double all = 0;
        measure_attribution_init(&a, 7, NULL);
        for (int p = 0; p < 40; p++) {
            uint32_t channels[12];
            size_t count = 1 + math_random_below(&random, 12);
            for (size_t i = 0; i < count; i++) {
                channels[i] = (uint32_t)math_random_below(&random, most);
            }
            double times_won = (double)math_random_below(&random, 5);
            double times_lost = 1 + (double)math_random_below(&random, 5);
            add(&a, channels, count, times_won + (p == 0), times_lost);
            won += times_won + (p == 0);
            all += times_won + (p == 0) + times_lost;
        }
        assert_true(measure_attribution_solve(&a, &fault));
        assert_true(near(a.rate, won / all, 1e-12)); /* exactly the empirical rate */
        assert_true(near(walked(&a, UINT32_MAX), a.rate, 1e-11));
        double credit = 0;
        for (uint32_t k = 0; k < a.channels; k++) {
            double lost = 1 - walked(&a, k) / a.rate;
            assert_true(near(a.removal[k], lost, 1e-10));
            credit += a.credit[MEASURE_MODEL_MARKOV][k];
        }
        assert_true(near(credit, a.won, 1e-9));
        measure_attribution_fini(&a);
    }
}

/* Touches repeated in a row change neither the chain's rate nor any removal. */
static void repeats_change_nothing(void **state)
{
    (void)state;
    struct measure_attribution once;
    struct measure_attribution often;
    const uint32_t a1[] = {0, 1, 2};
    const uint32_t a2[] = {0, 0, 0, 1, 2, 2};
    const uint32_t b1[] = {1, 0};
    const uint32_t b2[] = {1, 1, 0};
    measure_attribution_init(&once, 7, NULL);
    measure_attribution_init(&often, 7, NULL);
    add(&once, a1, 3, 3, 2);
    add(&often, a2, 6, 3, 2);
    add(&once, b1, 2, 1, 4);
    add(&often, b2, 3, 1, 4);
    assert_true(measure_attribution_solve(&once, &fault));
    assert_true(measure_attribution_solve(&often, &fault));
    for (uint32_t k = 0; k < 3; k++) {
        assert_true(near(once.removal[k], often.removal[k], 1e-12));
    }
    measure_attribution_fini(&once);
    measure_attribution_fini(&often);
}

static void agreement_has_its_ends(void **state)
{
    (void)state;
    double up[] = {1, 2, 3, 4};
    double down[] = {4, 3, 2, 1};
    double tied[] = {1, 1, 2, 2};
    double none[] = {0, 0, 0, 5};
    double *same[MEASURE_MODELS] = {up, up, up};
    double *opposed[MEASURE_MODELS] = {up, down};
    double *ties[MEASURE_MODELS] = {tied, tied};
    assert_true(near(measure_models_concordance(same, 4), 1, 1e-12));
    assert_true(near(measure_models_concordance(opposed, 4), 0, 1e-12));
    assert_true(near(measure_models_concordance(ties, 4), 1, 1e-12));
    assert_true(isnan(measure_models_concordance(same, 1)));
    assert_true(near(measure_shares_divergence(up, up, 4), 0, 1e-12));
    double first[] = {1, 0};
    double second[] = {0, 3};
    assert_true(near(measure_shares_divergence(first, second, 2), 1, 1e-12));
    assert_true(measure_shares_divergence(up, none, 4) > 0.2);
    double nothing[] = {0, 0, 0, 0};
    assert_true(isnan(measure_shares_divergence(up, nothing, 4)));
}

static bool gives_up(void *context, struct proto_fault *why)
{
    (void)context;
    return proto_fault_set(why, PROTO_CANCELLED, "", "cancelled");
}

static void too_little_and_too_much_are_told(void **state)
{
    (void)state;
    struct measure_attribution a;
    struct measure_table table;
    const uint32_t one[] = {0};
    const uint32_t beyond[] = {MEASURE_CHANNELS_MAX};
    const char *names[] = {"email"};
    const struct measure_pace pace = {gives_up, NULL};
    measure_attribution_init(&a, 7, &pace);
    add(&a, one, 1, 29, 0);
    add(&a, NULL, 0, 40, 0);
    assert_false(measure_attribution_table(&a, names, 30, &table, &fault));
    assert_int_equal(fault.code, PROTO_NO_EVIDENCE);
    assert_non_null(strstr(fault.message, "insufficient: 29 outcomes"));
    measure_table_fini(&table);
    assert_false(measure_attribution_table(&a, names, 20, &table, &fault));
    assert_int_equal(fault.code, PROTO_CANCELLED);
    measure_table_fini(&table);
    const struct measure_path path = {.channels = beyond, .count = 1, .won = 1, .weight = 1};
    assert_false(measure_attribution_add(&a, &path, &fault));
    assert_int_equal(fault.code, PROTO_LIMIT);
    measure_attribution_fini(&a);
}

/* Channels drawn without regard to the outcome: the interval of a channel's share leaves out its
 * true one in about 5 % of the cases. */
static void the_interval_of_a_share_holds_it(void **state)
{
    (void)state;
    struct math_random random;
    unsigned out = 0;
    enum { RUNS = 400, CHANNELS = 4 };
    const char *names[CHANNELS] = {"a", "b", "c", "d"};
    math_random_init(&random, 5);
    for (int run = 0; run < RUNS; run++) {
        struct measure_attribution a;
        struct measure_table table;
        measure_attribution_init(&a, 7, NULL);
        for (int p = 0; p < 120; p++) {
            uint32_t channels[3];
            size_t count = 1 + math_random_below(&random, 3);
            for (size_t i = 0; i < count; i++) {
                channels[i] = (uint32_t)math_random_below(&random, CHANNELS);
            }
            add(&a, channels, count, 1, 0);
        }
        assert_true(measure_attribution_table(&a, names, 30, &table, &fault));
        for (size_t r = 3; r < measure_table_rows(&table); r++) {
            if (measure_cell_find(&table, r, "channel")->text[0] == 'a') {
                out += measure_cell_find(&table, r, "low")->number > 0.25 ||
                       measure_cell_find(&table, r, "high")->number < 0.25;
            }
        }
        measure_table_fini(&table);
        measure_attribution_fini(&a);
    }
    assert_in_range(out, 4, 40); /* 20 expected, standard deviation 4.4 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credits_come_out_as_by_hand),
        cmocka_unit_test(decay_halves_and_does_not_underflow),
        cmocka_unit_test(shapley_is_the_mean_over_all_orders),
        cmocka_unit_test(removal_is_what_the_chain_loses),
        cmocka_unit_test(repeats_change_nothing),
        cmocka_unit_test(agreement_has_its_ends),
        cmocka_unit_test(too_little_and_too_much_are_told),
        cmocka_unit_test(the_interval_of_a_share_holds_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

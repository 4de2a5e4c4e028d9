/* SPDX-License-Identifier: Apache-2.0 */
/* What became of the referred and of others: rates, their difference over strata beside the sums of
 * Mantel and Haenszel by hand, its interval, and what is too little. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "server/math/random.h"
#include "server/measure/referral_outcome.h"

enum { MOST = 600 };

static struct measure_referred accounts[MOST];
static struct measure_referral referrals[MOST];

/* Accounts of a stratum: the first `referred` of them are, by account 0. */
struct block {
    uint32_t referred, others, referred_won, others_won;
};

static struct measure_network network_of(const struct block *blocks, uint32_t count)
{
    static const char *const names[] = {"all"};
    struct measure_network network = {
        .referrals = referrals, .accounts = accounts, .segments = names, .segment_count = 1};
    uint32_t at = 1;
    accounts[0] = (struct measure_referred){.known = false}; /* who refers is counted nowhere */
    for (uint32_t s = 0; s < count; s++) {
        for (uint32_t i = 0; i < blocks[s].referred + blocks[s].others; i++) {
            bool referred = i < blocks[s].referred;
            uint32_t of = referred ? i : i - blocks[s].referred;
            bool won = of < (referred ? blocks[s].referred_won : blocks[s].others_won);
            accounts[at] = (struct measure_referred){0, s, true, won};
            if (referred) {
                referrals[network.count++] = (struct measure_referral){0, at, 1};
            }
            at++;
        }
    }
    network.account_count = at;
    network.stratum_count = count;
    return network;
}

static size_t row_of(const struct measure_table *table, const char *figure, const char *of)
{
    for (size_t row = 0; row < measure_table_rows(table); row++) {
        if (strcmp(measure_cell_find(table, row, "figure")->text, figure) == 0 &&
            strcmp(measure_cell_find(table, row, "of")->text, of) == 0) {
            return row;
        }
    }
    fail_msg("no row %s %s", figure, of);
    return 0;
}

static double number(const struct measure_table *table, const char *figure, const char *of,
                     const char *column)
{
    return measure_cell_find(table, row_of(table, figure, of), column)->number;
}

static struct measure_table table_of(const struct measure_network *network, unsigned least)
{
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    const struct measure_referral_options options = {.least = least, .outcomes = true};
    measure_table_init(&table, MEASURE_ID_REFERRAL);
    assert_true(measure_referral_outcomes(network, &options, &table, &fault));
    assert_true(measure_table_good(&table));
    return table;
}

/* Mix makes the referred look better (.5 against .2) though within strata they are alike. */
static void mix_is_no_lift(void **state)
{
    (void)state;
    const struct block blocks[] = {{80, 20, 48, 12}, {20, 80, 2, 8}};
    const struct measure_network network = network_of(blocks, 2);
    struct measure_table table = table_of(&network, 30);
    assert_true(fabs(number(&table, "rate", "referred", "value") - 0.5) < 1e-15);
    assert_true(fabs(number(&table, "rate", "others", "value") - 0.2) < 1e-15);
    assert_true(fabs(number(&table, "lift", "", "value")) < 1e-15);
    measure_table_fini(&table);
}

/* Σ (a n2 − b n1) / N over Σ n1 n2 / N, and the variance of Greenland and Robins. */
static void the_lift_is_that_of_mantel_and_haenszel(void **state)
{
    (void)state;
    const struct block blocks[] = {{30, 60, 18, 24}, {50, 40, 20, 8}, {0, 30, 0, 9}};
    const struct measure_network network = network_of(blocks, 3);
    struct measure_table table = table_of(&network, 30);
    double weight = 30 * 60 / 90.0 + 50 * 40 / 90.0;
    double sum = (18 * 60 - 24 * 30) / 90.0 + (20 * 40 - 8 * 50) / 90.0;
    double variance =
        (18.0 * 12 * 60 * 60 * 60 + 24.0 * 36 * 30 * 30 * 30) / (30.0 * 60 * 90 * 90) +
        (20.0 * 30 * 40 * 40 * 40 + 8.0 * 32 * 50 * 50 * 50) / (50.0 * 40 * 90 * 90);
    double half = 1.9599639845400545 * sqrt(variance) / weight;
    assert_true(fabs(number(&table, "lift", "", "value") - sum / weight) < 1e-12);
    assert_true(fabs(number(&table, "lift", "", "low") - (sum / weight - half)) < 1e-12);
    assert_true(fabs(number(&table, "lift", "", "high") - (sum / weight + half)) < 1e-12);
    assert_int_equal(measure_cell_find(&table, row_of(&table, "lift", ""), "n")->whole, 210);
    measure_table_fini(&table);
}

static void what_cannot_be_compared_says_so(void **state)
{
    (void)state;
    const struct block apart[] = {{40, 0, 20, 0}, {0, 40, 0, 20}};
    const struct measure_network network = network_of(apart, 2);
    struct measure_table table = table_of(&network, 30);
    const size_t lift = row_of(&table, "lift", "");
    assert_int_equal(measure_cell_find(&table, lift, "value")->kind, MEASURE_ABSENT);
    assert_string_equal(measure_cell_find(&table, lift, "verdict")->text, "no stratum has both");
    measure_table_fini(&table);
    table = table_of(&network, 41);
    assert_string_equal(
        measure_cell_find(&table, row_of(&table, "rate", "others"), "verdict")->text,
        "insufficient: 41 are needed");
    assert_string_equal(measure_cell_find(&table, row_of(&table, "lift", ""), "verdict")->text,
                        "insufficient: 41 are needed");
    measure_table_fini(&table);
}

/* A lift of .15 in strata of .2 and .5: its interval holds it in about 95 of 100. */
static void intervals_hold_the_truth(void **state)
{
    (void)state;
    struct math_random random;
    unsigned held = 0;
    math_random_init(&random, 77);
    for (int run = 0; run < 300; run++) {
        struct block blocks[] = {{60, 120, 0, 0}, {90, 60, 0, 0}};
        for (uint32_t s = 0; s < 2; s++) {
            double rate = s == 0 ? 0.2 : 0.5;
            for (uint32_t i = 0; i < blocks[s].referred; i++) {
                blocks[s].referred_won += math_random_unit(&random) < rate + 0.15;
            }
            for (uint32_t i = 0; i < blocks[s].others; i++) {
                blocks[s].others_won += math_random_unit(&random) < rate;
            }
        }
        const struct measure_network network = network_of(blocks, 2);
        struct measure_table table = table_of(&network, 30);
        held +=
            number(&table, "lift", "", "low") <= 0.15 && number(&table, "lift", "", "high") >= 0.15;
        measure_table_fini(&table);
    }
    assert_in_range(held, 272, 297); /* 285 expected, standard deviation 3.8 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mix_is_no_lift),
        cmocka_unit_test(the_lift_is_that_of_mantel_and_haenszel),
        cmocka_unit_test(what_cannot_be_compared_says_so),
        cmocka_unit_test(intervals_hold_the_truth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

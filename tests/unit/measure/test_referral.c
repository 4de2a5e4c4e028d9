/* SPDX-License-Identifier: Apache-2.0 */
/* Referrals: Newman's couples, segments that are dealt out by chance, and who is won more often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "server/math/random.h"
#include "server/measure/referral.h"

/* Couples of San Francisco (Newman 2003, table I), in thousandths. */
static const double couples[] = {258, 16, 35, 13, 12, 157, 58, 19, 13, 23, 306, 35, 5, 7, 24, 16};

static const char *const names[] = {"s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9"};

static const struct measure_referral_options usual = {
    .permutations = 99, .seed = 1, .segments = 8, .least = 30, .outcomes = true};

enum { ACCOUNTS = 400, REFERRALS = 120 };

struct made {
    struct measure_referred accounts[ACCOUNTS];
    struct measure_referral referrals[REFERRALS];
    struct measure_network network;
};

static void make(struct made *made, struct math_random *random, double within, double lift)
{
    bool referred[ACCOUNTS] = {false};
    for (int i = 0; i < REFERRALS; i++) {
        uint32_t from = (uint32_t)math_random_below(random, ACCOUNTS);
        uint32_t to = (uint32_t)math_random_below(random, ACCOUNTS);
        if (math_random_unit(random) < within) {
            to = (uint32_t)(to / 10 * 10 + from % 10);
        }
        to = to == from ? (to + 10) % ACCOUNTS : to;
        made->referrals[i] = (struct measure_referral){from, to, 1};
        referred[to] = true;
    }
    for (uint32_t a = 0; a < ACCOUNTS; a++) {
        double rate = (a / 10 % 2 != 0 ? 0.6 : 0.2) + (referred[a] ? lift : 0);
        made->accounts[a] =
            (struct measure_referred){a % 10, a / 10 % 2, true, math_random_unit(random) < rate};
    }
    made->network = (struct measure_network){.referrals = made->referrals,
                                             .count = REFERRALS,
                                             .accounts = made->accounts,
                                             .account_count = ACCOUNTS,
                                             .segments = names,
                                             .segment_count = 10,
                                             .stratum_count = 2};
}

static size_t row_of(const struct measure_table *table, const char *figure, const char *of)
{
    for (size_t row = 0; row < measure_table_rows(table); row++) {
        if (strcmp(measure_cell_find(table, row, "figure")->text, figure) == 0 &&
            strcmp(measure_cell_find(table, row, "of")->text, of) == 0) {
            return row;
        }
    }
    fail_msg("no row %s", figure);
    return 0;
}

static void couples_of_newman_are_621(void **state)
{
    (void)state;
    const double apart[] = {0, 1, 1, 0};
    const double one[] = {5, 0, 0, 0};
    assert_true(fabs(measure_assortativity(couples, 4) - 0.621) < 0.003);
    assert_true(fabs(measure_assortativity(apart, 2) + 1) < 1e-15);
    assert_true(isnan(measure_assortativity(one, 2))); /* all of one segment */
}

static void chance_is_no_pattern(void **state)
{
    (void)state;
    struct math_random random;
    static struct made made;
    unsigned found = 0;
    unsigned lifted = 0;
    math_random_init(&random, 41);
    for (int run = 0; run < 100; run++) {
        struct measure_table table;
        struct proto_fault fault = {.code = PROTO_OK};
        make(&made, &random, 0, 0);
        assert_true(measure_referral_table(&made.network, &usual, NULL, &table, &fault));
        found += measure_cell_find(&table, 0, "p")->number <= 0.05;
        size_t lift = row_of(&table, "lift", "");
        lifted += measure_cell_find(&table, lift, "low")->number > 0 ||
                  measure_cell_find(&table, lift, "high")->number < 0;
        measure_table_fini(&table);
    }
    assert_in_range(found, 0, 12); /* 5 expected, standard deviation 2.2 */
    assert_in_range(lifted, 0, 12);
}

static void what_is_planted_is_found(void **state)
{
    (void)state;
    struct math_random random;
    static struct made made;
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    math_random_init(&random, 43);
    make(&made, &random, 0.7, 0.35);
    made.network.unknown = 30;
    assert_true(measure_referral_table(&made.network, &usual, NULL, &table, &fault));
    assert_true(fabs(measure_cell_find(&table, 0, "p")->number - 0.01) < 1e-12);
    assert_true(measure_cell_find(&table, 0, "low")->number > 0.4);
    assert_true(measure_cell_find(&table, row_of(&table, "lift", ""), "low")->number > 0);
    assert_true(fabs(measure_cell_find(&table, row_of(&table, "unknown", ""), "value")->number -
                     0.2) < 1e-12);
    assert_string_equal(measure_cell_find(&table, row_of(&table, "within", "s3"), "verdict")->text,
                        "insufficient: 30 are needed");
    measure_table_fini(&table);
}

/* Two of three customers refer one each who is won; a third one is not known yet. */
static void a_customer_reproduces_what_it_referred(void **state)
{
    (void)state;
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    const struct measure_referred accounts[] = {{0, 0, true, true},
                                                {1, 0, true, true},
                                                {0, 0, true, true},
                                                {1, 0, true, false},
                                                {0, 0, false, false}};
    const struct measure_referral referrals[] = {{0, 1, 1}, {2, 1, 1}, {2, 3, 1}, {1, 4, 1}};
    const struct measure_network network = {referrals, 4, accounts, 5, names, 2, 1, true, 0};
    struct measure_referral_options options = usual;
    assert_true(measure_referral_table(&network, &options, NULL, &table, &fault));
    size_t row = row_of(&table, "reproduction", "");
    assert_true(fabs(measure_cell_find(&table, row, "value")->number - 1.0 / 3) < 1e-12);
    assert_int_equal(measure_cell_find(&table, row, "n")->whole, 3);
    assert_string_equal(measure_cell_find(&table, 0, "verdict")->text,
                        "insufficient: 2 segments and 4 referrals, 8 and 30 are needed");
    assert_true(fabs(measure_cell_find(&table, row_of(&table, "density", ""), "value")->number -
                     0.2) < 1e-12);
    measure_table_fini(&table);
    const struct measure_network nobody = {NULL, 0, accounts, 5, names, 2, 1, true, 3};
    assert_false(measure_referral_table(&nobody, &options, NULL, &table, &fault));
    assert_int_equal(fault.code, PROTO_NO_EVIDENCE);
    assert_non_null(strstr(fault.message, "3 name nobody"));
    measure_table_fini(&table);
}

static bool gives_up(void *context, struct proto_fault *why)
{
    unsigned *left = context;
    return (*left)-- > 0 || proto_fault_set(why, PROTO_DEADLINE, "", "too late");
}

/* In the resamples at once, and later in the permutations. */
static void who_asked_can_give_up(void **state)
{
    (void)state;
    struct math_random random;
    static struct made made;
    static const unsigned lefts[] = {0, 1050};
    math_random_init(&random, 47);
    make(&made, &random, 0.5, 0);
    for (size_t i = 0; i < 2; i++) {
        unsigned left = lefts[i];
        struct measure_table table;
        struct proto_fault fault = {.code = PROTO_OK};
        const struct measure_pace pace = {gives_up, &left};
        assert_false(measure_referral_table(&made.network, &usual, &pace, &table, &fault));
        assert_int_equal(fault.code, PROTO_DEADLINE);
        measure_table_fini(&table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(couples_of_newman_are_621),
        cmocka_unit_test(chance_is_no_pattern),
        cmocka_unit_test(what_is_planted_is_found),
        cmocka_unit_test(a_customer_reproduces_what_it_referred),
        cmocka_unit_test(who_asked_can_give_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

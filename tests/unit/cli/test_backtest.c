/* SPDX-License-Identifier: Apache-2.0 */
/* Figures against the same worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cli/backtest.h"

enum { ACCOUNTS = 150 };

static char ids[ACCOUNTS][16];
static char values[3][8] = {"", "ann", "bob"};
static struct backtest_account accounts[ACCOUNTS];

/* Raw scores 0 to 149, none in order; the first 70 places meet a condition of Newcombe 1998: 56 of
 * 70 against 48 of 80. */
static int setup(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        snprintf(ids[i], sizeof ids[i], "a%03u", (i * 67) % ACCOUNTS);
        accounts[i] = (struct backtest_account){.id = ids[i],
                                                .value = values[i % 3],
                                                .raw = (int64_t)((i * 7) % ACCOUNTS) - 20,
                                                .p = 0.5,
                                                .fit = i,
                                                .grade = 'B'};
    }
    backtest_sort(accounts, ACCOUNTS);
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        accounts[i].outcome = i < 70 ? i < 56 : i - 70 < 48;
        accounts[i].points = i < 70 ? 3 : 0;
    }
    return 0;
}

static void accounts_are_found_by_their_id(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        char id[24];
        snprintf(id, sizeof id, "a%03ub", i);
        assert_ptr_equal(backtest_find(accounts, ACCOUNTS, id, 4), &accounts[i]);
        assert_null(backtest_find(accounts, ACCOUNTS, id, 5));
        assert_null(backtest_find(accounts, ACCOUNTS, id, 3));
    }
    assert_null(backtest_find(accounts, 0, "a", 1));
}

static void lists_hold_the_best_the_poorest_and_some(void **state)
{
    (void)state;
    struct backtest_lists lists;
    struct backtest_lists again;
    struct backtest_lists other;
    assert_true(backtest_lists_make(accounts, ACCOUNTS, 20, 5, &lists));
    assert_true(backtest_lists_make(accounts, ACCOUNTS, 20, 5, &again));
    assert_true(backtest_lists_make(accounts, ACCOUNTS, 20, 6, &other));
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(accounts[lists.places[BACKTEST_BEST][i]].raw, 129 - (int)i);
        assert_int_equal(accounts[lists.places[BACKTEST_POOR][i]].raw, -20 + (int)i);
    }
    assert_memory_equal(lists.places[BACKTEST_CONTROL], again.places[BACKTEST_CONTROL], 80);
    assert_memory_not_equal(lists.places[BACKTEST_CONTROL], other.places[BACKTEST_CONTROL], 80);
    backtest_lists_free(&lists);
    backtest_lists_free(&again);
    backtest_lists_free(&other);
    assert_true(backtest_lists_make(accounts, ACCOUNTS, 1000, 5, &lists));
    assert_int_equal(lists.count, ACCOUNTS);
    assert_int_equal(lists.rates[BACKTEST_CONTROL].outcomes, 104);
    backtest_lists_free(&lists);
}

static void an_auc_counts_pairs(void **state)
{
    (void)state;
    struct math_auc auc;
    double lift;
    double won = 0;
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        for (unsigned k = 0; k < ACCOUNTS; k++) {
            if (accounts[i].outcome && !accounts[k].outcome) {
                won += accounts[i].points > accounts[k].points    ? 1
                       : accounts[i].points == accounts[k].points ? 0.5
                                                                  : 0;
            }
        }
    }
    assert_true(backtest_auc(accounts, ACCOUNTS, true, &auc, &lift));
    assert_true(fabs(auc.auc - won / (104.0 * 46.0)) < 1e-12);
    assert_true(fabs(lift - (56.0 / 70.0) / (104.0 / 150.0)) < 1e-12);
}

static void a_condition_has_evidence_on_the_side_of_its_points(void **state)
{
    (void)state;
    bool meets[ACCOUNTS] = {false};
    for (unsigned i = 0; i < 70; i++) {
        meets[i] = true;
    }
    struct backtest_condition conditions[4] = {
        {.points = 6}, {.points = -2}, {.points = 1}, {.points = 0}};
    backtest_condition_judge(accounts, meets, ACCOUNTS, &conditions[0]);
    backtest_condition_judge(accounts, meets, ACCOUNTS, &conditions[1]);
    memset(meets, 0, sizeof meets);
    backtest_condition_judge(accounts, meets, ACCOUNTS, &conditions[2]);
    assert_true(fabs(conditions[0].effect - 0.2) < 1e-12);
    assert_true(fabs(conditions[0].low - 0.0524) < 5e-5);
    assert_true(fabs(conditions[0].high - 0.3339) < 5e-5);
    assert_true(conditions[0].evidence);
    assert_false(conditions[1].evidence || conditions[2].evidence);
    assert_int_equal(conditions[2].with.accounts, 0);
    assert_true(fabs(backtest_weight_with_evidence(conditions, 4) - 6.0 / 9.0) < 1e-12);
    assert_true(backtest_weight_with_evidence(conditions, 0) == 0);
}

static void what_a_field_explains_is_the_spread_between_its_values(void **state)
{
    (void)state;
    struct backtest_account few[4] = {{.value = values[1], .raw = 1, .fit = 10, .outcome = 1},
                                      {.value = values[1], .raw = 3, .fit = 30},
                                      {.value = values[2], .raw = 7, .fit = 50},
                                      {.value = values[0], .raw = 5, .fit = 70}};
    struct backtest_part *parts;
    size_t count;
    double eta;
    assert_true(backtest_parts_make(few, 4, &parts, &count, &eta));
    assert_int_equal(count, 3);
    assert_string_equal(parts[0].value, "ann");
    assert_int_equal(parts[0].rate.accounts, 2);
    assert_int_equal(parts[0].rate.outcomes, 1);
    assert_true(parts[0].fit == 20);
    /* Mean 4; spread 9 + 1 + 9 + 1 = 20; between 2·(2−4)² + (7−4)² + (5−4)² = 18. */
    assert_true(fabs(eta - 18.0 / 20.0) < 1e-12);
    free(parts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accounts_are_found_by_their_id),
        cmocka_unit_test(lists_hold_the_best_the_poorest_and_some),
        cmocka_unit_test(an_auc_counts_pairs),
        cmocka_unit_test(a_condition_has_evidence_on_the_side_of_its_points),
        cmocka_unit_test(what_a_field_explains_is_the_spread_between_its_values),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}

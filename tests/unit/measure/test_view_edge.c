/* SPDX-License-Identifier: Apache-2.0 */
/* Views at their edges: nobody there, one account alone, accounts that are alike in all that orders
 * them, the largest amounts; and that a figure which is not told always says why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "server/measure/measure_view.h"
#include "server/measure/spell.h"

#define DAY MEASURE_DAY_MS
#define NOW (INT64_C(20000) * DAY)

static struct proto_fault fault;

static struct measure_view view_of(const struct measure_standing *accounts, uint32_t count)
{
    return (struct measure_view){.at_ms = NOW,
                                 .window_ms = 365 * DAY,
                                 .onboarding_ms = 90 * DAY,
                                 .outstanding_ms = 365 * DAY,
                                 .margin = 1,
                                 .discount = 0.1,
                                 .dominates = 0.5,
                                 .least = 1,
                                 .top = 50,
                                 .by = "",
                                 .scored = true,
                                 .accounts = accounts,
                                 .count = count};
}

static const struct measure_cell *at(const struct measure_table *table, size_t row,
                                     const char *column)
{
    return measure_cell_find(table, row, column);
}

static void nobody_there_gives_tables_without_figures(void **state)
{
    (void)state;
    struct measure_view view = view_of(NULL, 0);
    struct measure_table table;
    uint32_t order[1];
    uint32_t listed = 7;
    assert_true(measure_sales_order(&view, order, &listed, &fault));
    assert_int_equal(listed, 0);
    assert_true(measure_outstanding(&view, order, &listed, &fault));
    assert_int_equal(listed, 0);
    assert_true(measure_success_order(&view, order, &listed, &fault));
    assert_int_equal(listed, 0);
    assert_true(measure_product_rows(&view, NULL, &listed, &fault));
    assert_int_equal(listed, 0);
    measure_table_init(&table, MEASURE_ID_MARKETING);
    assert_true(measure_marketing_table(&view, &table, &fault));
    assert_int_equal(measure_table_rows(&table), 1); /* all, of whom there are none */
    assert_int_equal(at(&table, 0, "members")->whole, 0);
    assert_int_equal(at(&table, 0, "fitting")->kind, MEASURE_ABSENT);
    assert_int_equal(at(&table, 0, "rate")->kind, MEASURE_ABSENT);
    assert_string_equal(at(&table, 0, "verdict")->text, "insufficient: 0 of 1 mature cases");
    measure_table_fini(&table);
}

/* A value or a reason, never both and never neither; the ends of an interval in their order. */
static void reasons_hold(const struct measure_view *view, const struct measure_cohort_lost *cohort,
                         const char *of)
{
    struct measure_table table;
    measure_table_init(&table, MEASURE_ID_FINANCE);
    assert_true(measure_finance_table(view, cohort, &table, &fault));
    for (size_t row = 0; row < measure_table_rows(&table); row++) {
        const struct measure_cell *value = at(&table, row, "value");
        const struct measure_cell *low = at(&table, row, "low");
        const struct measure_cell *high = at(&table, row, "high");
        const char *why = at(&table, row, "verdict")->text;
        bool told = value->kind == MEASURE_KIND_NUMBER;
        if (told == (why[0] != '\0') || (told && !isfinite(value->number))) {
            fail_msg("%s, %s of %s: %g, '%s'", of, at(&table, row, "figure")->text,
                     at(&table, row, "of")->text, value->number, why);
        }
        assert_true(told || (low->kind == MEASURE_ABSENT && high->kind == MEASURE_ABSENT));
        if (low->kind == MEASURE_KIND_NUMBER && high->kind == MEASURE_KIND_NUMBER) {
            assert_true(low->number <= high->number);
        }
        assert_true(strncmp(why, "insufficient: nobody pays", 25) != 0 || view->accounts == NULL ||
                    view->accounts[0].mrr == 0);
    }
    measure_table_fini(&table);
}

static void a_figure_of_money_that_is_not_told_says_why(void **state)
{
    (void)state;
    static const struct measure_cohort_lost cohorts[] = {
        {.customers = 0}, {{1}, 1}, {.customers = 50}, {{50}, 50}, {{9, 5, 3, 2, 1}, 50}};
    static const struct measure_standing one[] = {{.customer = true,
                                                   .mrr = MEASURE_AMOUNT_MAX,
                                                   .since_ms = NOW - 9 * DAY,
                                                   .won_spend = MEASURE_AMOUNT_MAX}};
    static const struct measure_standing stayed[] = {
        {.customer = true, .customer_then = true, .mrr = 100, .since_ms = NOW - 700 * DAY}};
    static const struct measure_standing free_ones[] = {
        {.customer = true, .customer_then = true, .since_ms = NOW - DAY, .won_spend = 5},
        {.customer = true, .since_ms = NOW - DAY, .grade = 1},
        {.customer_then = true, .since_ms = NOW - 800 * DAY, .pipeline = 3, .grade = 3}};
    /* Of three that came within the window one is still there, and pays. */
    static const struct measure_standing left[] = {
        {.customer = true, .mrr = 100, .since_ms = NOW - 9 * DAY, .won_spend = 5},
        {.since_ms = NOW - 200 * DAY, .won_spend = 5},
        {.customer_then = true, .since_ms = NOW - 300 * DAY, .won_spend = 5}};
    const struct measure_view views[] = {view_of(NULL, 0), view_of(one, 1), view_of(stayed, 1),
                                         view_of(free_ones, 3), view_of(left, 3)};
    static const char *const names[] = {"nobody", "one", "one that stayed", "free", "left"};
    for (size_t v = 0; v < sizeof views / sizeof *views; v++) {
        for (size_t c = 0; c < sizeof cohorts / sizeof *cohorts; c++) {
            for (int way = 0; way < 8; way++) {
                struct measure_view view = views[v];
                view.spent = (way & 1) != 0;
                view.scored = (way & 2) != 0;
                view.margin = (way & 4) != 0 ? 1 : 0;
                reasons_hold(&view, &cohorts[c], names[v]);
            }
        }
    }
}

static void who_is_alike_stands_in_the_order_of_accounts(void **state)
{
    (void)state;
    struct measure_standing accounts[40];
    uint32_t order[40];
    uint32_t listed = 0;
    for (uint32_t a = 0; a < 40; a++) {
        accounts[a] = (struct measure_standing){.grade = MEASURE_UNGRADED, .fit = MEASURE_NAN};
    }
    struct measure_view view = view_of(accounts, 40);
    assert_true(measure_sales_order(&view, order, &listed, &fault));
    assert_int_equal(listed, 40);
    for (uint32_t a = 0; a < 40; a++) {
        assert_int_equal(order[a], a);
        accounts[a].customer = true;
        accounts[a].mrr = a == 39 ? MEASURE_AMOUNT_MAX : 100;
        accounts[a].since_ms = NOW - 400 * DAY;
    }
    /* Nothing is known of their risk: who pays most stands first. */
    assert_true(measure_success_order(&view, order, &listed, &fault));
    assert_int_equal(order[0], 39);
    for (uint32_t a = 1; a < 40; a++) {
        assert_int_equal(order[a], a - 1);
    }
    view.top = 0;
    assert_true(measure_success_order(&view, order, &listed, &fault));
    assert_int_equal(listed, 0);
    view.top = 50; /* all pay the median but one, who pays more */
    assert_true(measure_outstanding(&view, order, &listed, &fault));
    assert_int_equal(listed, 40);
    accounts[7].since_ms = NOW - 365 * DAY + 1; /* a moment short of a year */
    accounts[8].since_ms = NOW - 365 * DAY;
    assert_true(measure_outstanding(&view, order, &listed, &fault));
    assert_int_equal(listed, 39);
    assert_int_equal(order[7], 8);
}

static void the_largest_account_is_advised_without_overflow(void **state)
{
    (void)state;
    struct measure_standing account = {.customer = true,
                                       .customer_then = true,
                                       .since_ms = NOW - 400 * DAY,
                                       .mrr = MEASURE_AMOUNT_MAX};
    struct measure_view view = view_of(&account, 1);
    struct measure_table table;
    const struct measure_listed text = {.id = "a", .name = "", .reasons = "", .reference = ""};
    const uint32_t order[1] = {0};
    view.window_ms = 36500 * DAY;
    view.kept[0][0] = (struct measure_kept){1, 1, 1, MEASURE_AMOUNT_MAX};
    struct measure_outlook outlook = measure_outlook_of(&view, &account);
    assert_string_equal(outlook.like, "grade and band");
    assert_int_equal(outlook.growth, MEASURE_AMOUNT_MAX);
    assert_true(outlook.expected > 1000 * MEASURE_AMOUNT_MAX); /* of some 1199 months */
    assert_true(outlook.low <= outlook.expected && outlook.expected <= outlook.high);
    view.kept[0][0].n = 0; /* nobody is like it, nobody at all */
    view.least = 0;
    outlook = measure_outlook_of(&view, &account);
    assert_string_equal(outlook.like, "");
    assert_string_equal(outlook.advice, "insufficient");
    measure_table_init(&table, MEASURE_ID_SUCCESS);
    assert_true(measure_success_table(&view, order, 1, &text, &table, &fault));
    assert_string_equal(at(&table, 0, "advice")->text,
                        "insufficient: 0 of 0 customers of a window ago");
    assert_int_equal(at(&table, 0, "expected")->kind, MEASURE_ABSENT);
    measure_table_fini(&table);
}

static void a_request_of_one_account_alone_is_weighed(void **state)
{
    (void)state;
    struct measure_standing accounts[] = {{.customer = true, .mrr = 10, .grade = 2, .fit = 50},
                                          {.grade = 0, .fit = 90}};
    const struct measure_asking askings[] = {{0, 0, 1, 1, NOW}, {2, 1, 1, 0, INT64_MAX}};
    const struct measure_request requests[] = {{"SSO", ""}, {"nobody's", ""}, {"free", ""}};
    struct measure_view view = view_of(accounts, 2);
    const struct measure_listed texts[3] = {{.id = "a"}, {.id = "b"}, {.id = ""}};
    struct measure_asked rows[3];
    struct measure_table table;
    uint32_t listed = 0;
    view.askings = askings;
    view.asking_count = 2;
    view.requests = requests;
    view.request_count = 3;
    assert_true(measure_product_rows(&view, rows, &listed, &fault));
    assert_int_equal(listed, 3);
    assert_true(rows[0].lighthouse);      /* the only customer is among the largest tenth */
    assert_int_equal(rows[1].request, 2); /* one asks, and pays nothing */
    assert_false(rows[1].lighthouse);
    assert_int_equal(rows[2].accounts, 0);
    measure_table_init(&table, MEASURE_ID_PRODUCT);
    assert_true(measure_product_table(&view, rows, listed, texts, &table, &fault));
    assert_int_equal(at(&table, 0, "weighed")->whole, 60);
    assert_int_equal(at(&table, 2, "oldest")->kind, MEASURE_ABSENT);
    measure_table_fini(&table);
    view.scored = false; /* nobody has a fit: nothing is weighed, nobody misfits */
    view.top = 1;
    assert_true(measure_product_rows(&view, rows, &listed, &fault));
    assert_int_equal(listed, 1);
    assert_int_equal(rows[0].weighed, 120);
    assert_false(rows[0].lighthouse);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_there_gives_tables_without_figures),
        cmocka_unit_test(a_figure_of_money_that_is_not_told_says_why),
        cmocka_unit_test(who_is_alike_stands_in_the_order_of_accounts),
        cmocka_unit_test(the_largest_account_is_advised_without_overflow),
        cmocka_unit_test(a_request_of_one_account_alone_is_weighed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

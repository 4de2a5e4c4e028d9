/* SPDX-License-Identifier: Apache-2.0 */
/* The views' tables over accounts made by hand: each figure worked out beside it; and a grid over
 * cases without signal, whose intervals miss the truth as seldom as they say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "server/math/random.h"
#include "server/measure/measure_view.h"

#define DAY MEASURE_DAY_MS
#define NOW (INT64_C(20000) * DAY)

static struct measure_view view_of(const struct measure_standing *accounts, uint32_t count)
{
    return (struct measure_view){.at_ms = NOW,
                                 .window_ms = 365 * DAY,
                                 .onboarding_ms = 90 * DAY,
                                 .outstanding_ms = 365 * DAY,
                                 .margin = 1,
                                 .discount = 0.1,
                                 .dominates = 0.5,
                                 .least = 10,
                                 .top = 50,
                                 .by = "",
                                 .scored = true,
                                 .accounts = accounts,
                                 .count = count};
}

static double number(const struct measure_table *table, size_t row, const char *column)
{
    const struct measure_cell *cell = measure_cell_find(table, row, column);
    return cell->kind == MEASURE_KIND_NUMBER ? cell->number
           : cell->kind == MEASURE_ABSENT    ? -1
                                             : (double)cell->whole;
}

static const char *text(const struct measure_table *table, size_t row, const char *column)
{
    return measure_cell_find(table, row, column)->text;
}

static void the_grid_counts_accounts_and_cases_in_their_cells(void **state)
{
    (void)state;
    const struct measure_standing accounts[] = {
        {.grade = 0, .band = MEASURE_BAND_HIGH, .customer = true},
        {.grade = 0, .band = MEASURE_BAND_HIGH},
        {.grade = 3, .band = MEASURE_BAND_NONE}};
    struct measure_view view = view_of(accounts, 3);
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_table table;
    view.cells[0][MEASURE_BAND_HIGH] = (struct measure_tally){20, 10};
    view.cells[3][MEASURE_BAND_NONE] = (struct measure_tally){9, 1};
    measure_table_init(&table, MEASURE_ID_GRID);
    assert_true(measure_grid_table(&view, &table, &fault));
    assert_int_equal(measure_table_rows(&table), 16);
    assert_string_equal(text(&table, 0, "grade"), "A");
    assert_string_equal(text(&table, 0, "band"), "high");
    assert_true(number(&table, 0, "accounts") == 2);
    assert_true(number(&table, 0, "customers") == 1);
    assert_true(number(&table, 0, "rate") == 0.5);
    /* Wilson of 10 of 20: .2993, .7007. */
    assert_true(fabs(number(&table, 0, "low") - 0.2993) < 5e-5);
    assert_true(fabs(number(&table, 0, "high") - 0.7007) < 5e-5);
    assert_string_equal(text(&table, 15, "band"), "none");
    assert_true(number(&table, 15, "rate") == -1); /* 9 of 10 cases are too few */
    assert_string_equal(text(&table, 15, "verdict"), "insufficient: 9 of 10 mature cases");
    measure_table_fini(&table);
}

static void a_grid_without_signal_finds_none(void **state)
{
    (void)state;
    struct math_random random;
    size_t missed = 0;
    size_t cells = 0;
    math_random_init(&random, 11);
    for (int run = 0; run < 200; run++) {
        struct measure_view view = view_of(NULL, 0);
        struct measure_table table;
        struct proto_fault fault = {.code = PROTO_OK};
        for (int grade = 0; grade < MEASURE_GRADES; grade++) {
            for (int band = 0; band < MEASURE_BANDS; band++) {
                view.cells[grade][band].n = 200;
                for (int i = 0; i < 200; i++) {
                    view.cells[grade][band].hits += math_random_unit(&random) < 0.3;
                }
            }
        }
        measure_table_init(&table, MEASURE_ID_GRID);
        assert_true(measure_grid_table(&view, &table, &fault));
        for (size_t row = 0; row < 16; row++) {
            missed += number(&table, row, "low") > 0.3 || number(&table, row, "high") < 0.3;
            cells++;
        }
        measure_table_fini(&table);
    }
    assert_true((double)missed / (double)cells < 0.065);
    assert_true(missed > 0); /* a control: intervals that never miss are too wide */
}

static void sales_lists_by_grade_band_and_fit(void **state)
{
    (void)state;
    const struct measure_standing accounts[] = {
        {.grade = 1, .band = MEASURE_BAND_HIGH, .fit = 70},
        {.grade = 0, .band = MEASURE_BAND_LOW, .fit = 99},
        {.grade = 0, .band = MEASURE_BAND_HIGH, .fit = 90},
        {.grade = 0, .band = MEASURE_BAND_HIGH, .fit = 95},
        {.grade = 0, .band = MEASURE_BAND_HIGH, .fit = 97, .customer = true}};
    struct measure_view view = view_of(accounts, 5);
    struct proto_fault fault = {.code = PROTO_OK};
    uint32_t order[5];
    uint32_t listed = 0;
    assert_true(measure_sales_order(&view, order, &listed, &fault));
    assert_int_equal(listed, 4); /* the customer is none to call */
    assert_int_equal(order[0], 3);
    assert_int_equal(order[1], 2);
    assert_int_equal(order[2], 1);
    assert_int_equal(order[3], 0);
    view.top = 2;
    assert_true(measure_sales_order(&view, order, &listed, &fault));
    assert_int_equal(listed, 2);
}

static void a_reference_has_stayed_and_pays_well(void **state)
{
    (void)state;
    const int64_t old = NOW - 400 * DAY;
    const struct measure_standing accounts[] = {
        {.customer = true, .customer_then = true, .since_ms = old, .mrr = 500, .mrr_then = 400},
        {.customer = true, .customer_then = true, .since_ms = old, .mrr = 500, .mrr_then = 600},
        {.customer = true, .since_ms = NOW - 10 * DAY, .mrr = 900},
        {.customer = true, .customer_then = true, .since_ms = old, .mrr = 100, .mrr_then = 100},
        {.customer = true, .customer_then = true, .since_ms = old, .mrr = 500, .lapsed = true}};
    struct measure_view view = view_of(accounts, 5);
    struct proto_fault fault = {.code = PROTO_OK};
    uint32_t order[5];
    uint32_t listed = 0;
    assert_true(measure_outstanding(&view, order, &listed, &fault));
    assert_int_equal(listed, 1); /* the others fell, are new, pay little, came back */
    assert_int_equal(order[0], 0);
}

static void success_advises_by_expected_margin(void **state)
{
    (void)state;
    /* 100 a month for 365 days of 30.4375: 1199.18 at no risk. */
    struct measure_standing account = {.grade = 0,
                                       .band = MEASURE_BAND_HIGH,
                                       .customer = true,
                                       .since_ms = NOW - 400 * DAY,
                                       .mrr = 100};
    struct measure_view view = view_of(&account, 1);
    view.kept[0][MEASURE_BAND_HIGH] = (struct measure_kept){20, 19, 5, 250};
    view.kept[1][MEASURE_BAND_LOW] = (struct measure_kept){20, 10, 0, 0};
    struct measure_outlook outlook = measure_outlook_of(&view, &account);
    assert_string_equal(outlook.like, "grade and band");
    assert_int_equal(outlook.risk.hits, 1);
    assert_int_equal(outlook.expected, 1139); /* 1199.18 · .95 */
    assert_int_equal(outlook.growth, 50);
    assert_string_equal(outlook.advice, "renew");
    account.serving = 5000;
    assert_string_equal(measure_outlook_of(&view, &account).advice, "release");
    account.serving = 1100;
    assert_string_equal(measure_outlook_of(&view, &account).advice, "mend");
    account.serving = 0;
    account.grade = 1;
    account.band = MEASURE_BAND_LOW; /* half of those were lost, of all 11 of 40 */
    assert_string_equal(measure_outlook_of(&view, &account).advice, "mend");
    account.band = MEASURE_BAND_MEDIUM; /* nobody is like it: all are taken */
    assert_string_equal(measure_outlook_of(&view, &account).like, "all");
    view.least = 41;
    assert_string_equal(measure_outlook_of(&view, &account).advice, "insufficient");
}

static void who_is_new_is_held_against_those_who_began(void **state)
{
    (void)state;
    struct measure_standing account = {
        .band = MEASURE_BAND_LOW, .customer = true, .since_ms = NOW - 30 * DAY, .mrr = 100};
    struct measure_view view = view_of(&account, 1);
    view.starters[MEASURE_BAND_LOW] = (struct measure_tally){30, 12};
    struct measure_outlook outlook = measure_outlook_of(&view, &account);
    assert_true(outlook.onboarding);
    assert_int_equal(outlook.risk.n, 30);
    assert_int_equal(outlook.risk.hits, 12);
    assert_int_equal(outlook.grows.n, 0);
}

static void a_large_account_of_low_fit_is_a_lighthouse(void **state)
{
    (void)state;
    /* 21 customers; the first pays more than all others who ask for the same. */
    struct measure_standing accounts[21];
    for (uint32_t a = 0; a < 21; a++) {
        accounts[a] = (struct measure_standing){.customer = true,
                                                .mrr = a == 0 ? 1000 : 100,
                                                .grade = a == 0 ? 3 : 0,
                                                .fit = a == 0 ? 10 : 90};
    }
    const struct measure_asking askings[] = {{0, 0, 3, 2, NOW - 5 * DAY},
                                             {0, 1, 1, 0, INT64_MAX},
                                             {1, 2, 1, 1, NOW - 9 * DAY},
                                             {1, 3, 1, 1, NOW - 8 * DAY}};
    const struct measure_request requests[] = {{"SSO", "feature"}, {"audit log", "feature"}};
    struct measure_view view = view_of(accounts, 21);
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_asked rows[2];
    uint32_t listed = 0;
    view.askings = askings;
    view.asking_count = 4;
    view.requests = requests;
    view.request_count = 2;
    assert_true(measure_product_rows(&view, rows, &listed, &fault));
    assert_int_equal(listed, 2);
    /* By ARR: SSO 12·1100, audit log 12·200; weighed: 1200·1 + 1080 = 2280 and 2160. */
    assert_int_equal(rows[0].request, 0);
    assert_int_equal(rows[0].arr, 13200);
    assert_int_equal(rows[0].weighed, 2280);
    assert_true(rows[0].lighthouse);
    assert_int_equal(rows[0].loudest, 0);
    assert_int_equal(rows[0].open, 2);
    assert_int_equal(rows[1].weighed, 2160);
    assert_false(rows[1].lighthouse);
    assert_int_equal(rows[1].fitting, 2);
    accounts[0].fit = 5; /* what fits weighs more than what is loud */
    assert_true(measure_product_rows(&view, rows, &listed, &fault));
    assert_int_equal(rows[0].request, 1);
    assert_int_equal(rows[0].plain, 2);
    accounts[0].grade = 0; /* one that fits is none */
    assert_true(measure_product_rows(&view, rows, &listed, &fault));
    assert_false(rows[1].lighthouse);
}

static size_t row_of(const struct measure_table *table, const char *figure, const char *of)
{
    for (size_t row = 0; row < measure_table_rows(table); row++) {
        if (strcmp(text(table, row, "figure"), figure) == 0 &&
            strcmp(text(table, row, "of"), of) == 0) {
            return row;
        }
    }
    fail_msg("there is no %s of %s", figure, of);
    return 0;
}

static void finance_tells_what_it_can_and_what_is_missing(void **state)
{
    (void)state;
    struct measure_standing accounts[100];
    for (uint32_t a = 0; a < 100; a++) {
        accounts[a] =
            (struct measure_standing){.grade = (uint8_t)(a % 2),
                                      .customer = a < 80,
                                      .customer_then = a < 40 || a >= 80,
                                      .since_ms = NOW - (a < 40 || a >= 80 ? 800 : 100) * DAY,
                                      .mrr = a < 80 ? 100 + 100 * (a % 2) : 0,
                                      .won_spend = a >= 40 && a < 80 ? 600 : 0};
    }
    struct measure_view view = view_of(accounts, 100);
    struct measure_cohort_lost cohort = {.customers = 0};
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_table table;
    view.spent = true;
    measure_table_init(&table, MEASURE_ID_FINANCE);
    assert_true(measure_finance_table(&view, &cohort, &table, &fault));
    assert_true(number(&table, row_of(&table, "arr", "all"), "value") == 12 * 12000);
    assert_true(fabs(number(&table, row_of(&table, "arr share", "B"), "value") - 2.0 / 3) < 1e-9);
    assert_true(number(&table, row_of(&table, "arpa", "all"), "value") == 150);
    /* 20 of 60 customers of a window ago are gone: Wilson .2273, .4594. */
    size_t lost = row_of(&table, "lost", "all");
    assert_true(fabs(number(&table, lost, "value") - 1.0 / 3) < 1e-9);
    assert_true(fabs(number(&table, lost, "low") - 0.2273) < 5e-5);
    assert_true(number(&table, lost, "n") == 60);
    assert_true(number(&table, row_of(&table, "cac", "all"), "value") == 600);
    size_t payback = row_of(&table, "payback", "all");
    assert_true(number(&table, payback, "value") == 4);
    assert_true(number(&table, payback, "low") < 4 && number(&table, payback, "high") > 4);
    /* Nobody began between two and one years ago. */
    size_t ltv = row_of(&table, "ltv", "all");
    assert_true(number(&table, ltv, "value") == -1);
    assert_non_null(strstr(text(&table, ltv, "verdict"), "too few customers began"));
    measure_table_fini(&table);

    cohort = (struct measure_cohort_lost){{13, 12, 9, 6, 4, 3, 3, 2, 2, 1, 1, 1}, 100};
    view.spent = false;
    measure_table_init(&table, MEASURE_ID_FINANCE);
    assert_true(measure_finance_table(&view, &cohort, &table, &fault));
    ltv = row_of(&table, "ltv", "all");
    assert_true(number(&table, ltv, "value") > 150 * 12); /* more than a year of 150 a month */
    assert_true(number(&table, ltv, "low") < number(&table, ltv, "value"));
    assert_true(number(&table, ltv, "high") > number(&table, ltv, "value"));
    assert_non_null(strstr(text(&table, row_of(&table, "cac", "all"), "verdict"), "no spend"));
    assert_non_null(strstr(text(&table, row_of(&table, "ltv:cac", "all"), "verdict"), "no spend"));
    measure_table_fini(&table);
}

static void campaigns_and_segments_have_their_members(void **state)
{
    (void)state;
    const struct measure_standing accounts[] = {
        {.grade = 0, .band = MEASURE_BAND_HIGH, .segment = 1, .cases = 12, .won = 6},
        {.grade = 3, .segment = 2},
        {.grade = 1, .segment = 0}};
    const struct measure_membership members[] = {{0, 0}, {0, 1}, {1, 2}};
    const struct measure_campaign campaigns[] = {{"spring", {12, 6}, 900}, {"fall", {1, 0}, 0}};
    static const char *const segments[] = {"(none)", "O'Hara", "b"};
    struct measure_view view = view_of(accounts, 3);
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_table table;
    view.members = members;
    view.member_count = 3;
    view.campaigns = campaigns;
    view.campaign_count = 2;
    view.segments = segments;
    view.segment_count = 3;
    view.by = "my \"field\"";
    measure_table_init(&table, MEASURE_ID_MARKETING);
    assert_true(measure_marketing_table(&view, &table, &fault));
    assert_int_equal(measure_table_rows(&table), 6);
    assert_string_equal(text(&table, 1, "name"), "spring");
    assert_true(number(&table, 1, "members") == 2);
    assert_true(number(&table, 1, "fitting") == 0.5);
    assert_true(number(&table, 1, "rate") == 0.5);
    assert_true(number(&table, 2, "rate") == -1);
    assert_string_equal(text(&table, 3, "filter"), "\"my \"\"field\"\"\" is missing");
    assert_string_equal(text(&table, 4, "filter"), "\"my \"\"field\"\"\" = 'O''Hara'");
    measure_table_fini(&table);
}

static void without_a_version_nobody_has_a_grade(void **state)
{
    (void)state;
    const struct measure_standing accounts[] = {
        {.grade = MEASURE_UNGRADED, .fit = MEASURE_NAN, .customer = true, .mrr = 100},
        {.grade = MEASURE_UNGRADED, .fit = MEASURE_NAN, .band = MEASURE_BAND_LOW}};
    const struct measure_cohort_lost cohort = {.customers = 0};
    struct measure_view view = view_of(accounts, 2);
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_table table;
    view.scored = false;
    measure_table_init(&table, MEASURE_ID_GRID);
    assert_true(measure_grid_table(&view, &table, &fault));
    assert_int_equal(measure_table_rows(&table), MEASURE_BANDS);
    assert_string_equal(text(&table, 0, "grade"), "-");
    measure_table_fini(&table);
    measure_table_init(&table, MEASURE_ID_FINANCE);
    assert_true(measure_finance_table(&view, &cohort, &table, &fault));
    assert_true(number(&table, row_of(&table, "arr", "all"), "value") == 1200);
    for (size_t row = 0; row < measure_table_rows(&table); row++) {
        assert_string_equal(text(&table, row, "of"), "all");
    }
    measure_table_fini(&table);
    measure_table_init(&table, MEASURE_ID_MARKETING);
    assert_true(measure_marketing_table(&view, &table, &fault));
    assert_true(number(&table, 0, "fitting") == -1);
    measure_table_fini(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_grid_counts_accounts_and_cases_in_their_cells),
        cmocka_unit_test(a_grid_without_signal_finds_none),
        cmocka_unit_test(sales_lists_by_grade_band_and_fit),
        cmocka_unit_test(a_reference_has_stayed_and_pays_well),
        cmocka_unit_test(success_advises_by_expected_margin),
        cmocka_unit_test(who_is_new_is_held_against_those_who_began),
        cmocka_unit_test(a_large_account_of_low_fit_is_a_lighthouse),
        cmocka_unit_test(finance_tells_what_it_can_and_what_is_missing),
        cmocka_unit_test(campaigns_and_segments_have_their_members),
        cmocka_unit_test(without_a_version_nobody_has_a_grade),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

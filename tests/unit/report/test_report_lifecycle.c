/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of tables that are made here: what they say, and what they say where there is nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/report/report_lifecycle.h"

#define DAY INT64_C(86400000)

static char *page_of(const struct report_lifecycle *report)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    report_lifecycle(out, report);
    assert_int_equal(ferror(out), 0);
    fclose(out);
    return text;
}

static struct report_lifecycle nothing(const struct measure_rules *rules)
{
    return (struct report_lifecycle){
        .ground = {.rules = rules, .currency = "", .digits = 2, .newest_ms = INT64_MIN},
        .from_ms = 0,
        .to_ms = 365 * DAY,
        .period = "month",
        .mrr.why = "there is <nothing>",
        .no_grades = "nobody grades"};
}

static void a_page_of_nothing_says_why(void **state)
{
    (void)state;
    struct measure_rules rules;
    measure_rules_default(&rules);
    struct report_lifecycle report = nothing(&rules);
    char *text = page_of(&report);
    assert_non_null(strstr(text, "<title>Lifecycle, 1970-01-01 to 1971-01-01</title>"));
    assert_non_null(strstr(text, "Not measured: there is &lt;nothing&gt;."));
    assert_non_null(strstr(text, "Not measured: nobody grades."));
    assert_non_null(strstr(text, "Not measured: there are no rows."));
    assert_null(strstr(text, "class=\"tiles\""));
    assert_null(strstr(text, "nan"));
    free(text);
}

/* One period of yen: 1,000 + 300 + 20 + 40 - 60 - 100 = 1,200. */
static void movements_make(struct measure_table *table)
{
    const int64_t cells[] = {1000, 300, 20, 40, 60, 100, 1200};
    measure_table_init(table, MEASURE_ID_MRR);
    measure_add_whole(table, 0);
    measure_add_whole(table, 365 * DAY);
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        measure_add_whole(table, cells[i]);
    }
    measure_add_whole(table, 12);
    measure_add_number(table, 0.88);
    measure_add_number(table, 0.84);
    measure_add_text(table, "all");
    assert_true(measure_table_good(table));
}

static void money_is_shown_by_the_minor_unit_of_its_currency(void **state)
{
    (void)state;
    struct measure_table table;
    struct measure_rules rules;
    measure_rules_default(&rules);
    movements_make(&table);
    struct report_lifecycle report = nothing(&rules);
    report.mrr = (struct report_part){&table, NULL};
    report.ground.currency = "JPY";
    report.ground.digits = 0;
    char *text = page_of(&report);
    assert_non_null(strstr(text, "MRR rose from 1,000 JPY to 1,200 JPY (+200 JPY, 20.0 %)"));
    assert_non_null(strstr(text, "contraction took 60 JPY, churn 100 JPY."));
    assert_non_null(strstr(text, "<td class=\"n total\">1,200</td>"));
    assert_null(strstr(text, "<dd>88.0 %</dd>")); /* that would be retention's */
    free(text);
    report.ground.digits = 2;
    text = page_of(&report);
    assert_non_null(strstr(text, "MRR rose from 10 JPY to 12 JPY"));
    assert_non_null(strstr(text, "<td class=\"n\">12.00</td>"));
    free(text);
    measure_table_fini(&table);
}

static void ratio_add(struct measure_table *table, const char *segment, const char *metric,
                      double value, double half)
{
    measure_add_text(table, segment);
    measure_add_text(table, metric);
    measure_add_number(table, value);
    measure_add_number(table, value - half);
    measure_add_number(table, value + half);
    measure_add_whole(table, 50);
}

static void segment_add(struct measure_table *table, const char *segment, double nrr, double half)
{
    ratio_add(table, segment, "nrr-cohort", nrr, half);
    ratio_add(table, segment, "grr-cohort", 0.8, 0.01);
    ratio_add(table, segment, "nrr-movement", nrr, half);
    ratio_add(table, segment, "grr-movement", 0.8, 0.01);
    ratio_add(table, segment, "logo-retention", 0.9, __builtin_nan(""));
}

/* By chance one of twenty intervals at 95 % leaves out the figure of all: 2.2 standard errors are
 * beyond 1.96, but not beyond the 2.39 of three segments. */
static void a_segment_differs_only_by_the_interval_of_as_many_segments(void **state)
{
    (void)state;
    struct measure_table table;
    struct measure_rules rules;
    measure_rules_default(&rules);
    struct report_lifecycle report = nothing(&rules);
    measure_table_init(&table, MEASURE_ID_RETENTION);
    segment_add(&table, "all", 1, 0.02);
    segment_add(&table, "Steel", 1 + 2.2 * 0.1, 1.96 * 0.1);
    segment_add(&table, "all", 1, 0.1);
    segment_add(&table, "Ships", 1, 0.1);
    assert_true(measure_table_good(&table));
    report.retention = (struct report_part){&table, NULL};
    report.segment = "industry";
    char *text = page_of(&report);
    assert_non_null(strstr(text, "No value of industry differs from all accounts"));
    free(text);
    segment_add(&table, "Bread & Co", 1 - 3 * 0.1, 1.96 * 0.1);
    text = page_of(&report);
    assert_non_null(strstr(text, "1 of 4 values of industry differ from all accounts in NRR, at "
                                 "1 − 0.05/4: Bread &amp; Co with 70.0 %."));
    free(text);
    measure_table_fini(&table);
}

static void steps_of_a_bridge_go_from_one_number_to_the_other(void **state)
{
    (void)state;
    static const struct {
        const char *step, *change, *account;
        double value;
    } steps[] = {{"first", "", "", 3},
                 {"churn-unit", "each -> account", "", -0.5},
                 {"churn-unit", "", "A<1>", -0.5},
                 {"second", "", "", 2.5}};
    struct measure_table table;
    struct measure_rules rules;
    measure_rules_default(&rules);
    struct report_lifecycle report = nothing(&rules);
    measure_table_init(&table, MEASURE_ID_BRIDGE);
    for (size_t i = 0; i < 4; i++) {
        measure_add_text(&table, steps[i].step);
        measure_add_text(&table, steps[i].change);
        measure_add_text(&table, steps[i].account);
        measure_add_number(&table, steps[i].value);
        measure_add_absent(&table);
    }
    assert_true(measure_table_good(&table));
    report.bridge_count = 3;
    report.bridges[0] =
        (struct report_bridge){"ends", "accounts", MEASURE_METRIC_CHURN_COUNT, {&table, NULL}};
    report.bridges[1] =
        (struct report_bridge){"accounts", "flags", MEASURE_METRIC_CHURN_COUNT, {&table, NULL}};
    report.bridges[2] = (struct report_bridge){
        "x", "y", MEASURE_METRIC_NRR_COHORT, {NULL, "too many rules differ"}};
    char *text = page_of(&report);
    assert_non_null(strstr(text, "3 ends, 2.5 accounts, 2.5 flags. None of them is wrong"));
    assert_non_null(strstr(text, "A&lt;1&gt;"));
    assert_non_null(strstr(text, "Not measured: too many rules differ."));
    assert_non_null(strstr(text, "id=\"bridge-table-2\""));
    free(text);
    measure_table_fini(&table);
}

static void the_lowest_shares_are_to_be_mended_first(void **state)
{
    (void)state;
    static const struct {
        const char *figure, *of;
        double share;
        const char *verdict;
    } shares[] = {{"complete", "size", 0.5, "mend first"},
                  {"complete", "land", 0.2, "mend first"},
                  {"unique", "", 1, "ready"},
                  {"covered", "crm", 0.1, ""}};
    struct measure_table table;
    struct measure_rules rules;
    measure_rules_default(&rules);
    struct report_lifecycle report = nothing(&rules);
    measure_table_init(&table, MEASURE_ID_READINESS);
    for (size_t i = 0; i < 4; i++) {
        measure_add_text(&table, shares[i].figure);
        measure_add_text(&table, shares[i].of);
        measure_add_number(&table, shares[i].share);
        measure_add_number(&table, shares[i].share / 2);
        measure_add_number(&table, 1);
        measure_add_whole(&table, 10);
        measure_add_text(&table, shares[i].verdict);
    }
    report.readiness = (struct report_part){&table, NULL};
    report.floor = 0.8;
    char *text = page_of(&report);
    assert_non_null(strstr(text, "1 of 3 shares reach the floor of 80.0 %; mend first: complete: "
                                 "land (20.0 %), complete: size (50.0 %).</p>"));
    free(text);
    measure_table_fini(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_of_nothing_says_why),
        cmocka_unit_test(money_is_shown_by_the_minor_unit_of_its_currency),
        cmocka_unit_test(a_segment_differs_only_by_the_interval_of_as_many_segments),
        cmocka_unit_test(steps_of_a_bridge_go_from_one_number_to_the_other),
        cmocka_unit_test(the_lowest_shares_are_to_be_mended_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

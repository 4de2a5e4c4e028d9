/* SPDX-License-Identifier: Apache-2.0 */
/* The page of journeys of tables that are made here: its sections and sentences, what it says where
 * nothing was measured, names that are markup, and the path of an account. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/measure/measure_rules.h"
#include "server/report/report_journey.h"

static char *page_of(const struct report_journey *report)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    report_journey(out, report);
    assert_int_equal(ferror(out), 0);
    fclose(out);
    return text;
}

static struct report_journey empty(struct measure_rules *rules)
{
    measure_rules_default(rules);
    return (struct report_journey){
        .ground = {.rules = rules, .currency = "EUR", .digits = 2, .newest_ms = INT64_MIN}};
}

static void has(const char *page, const char *part)
{
    if (strstr(page, part) == NULL) {
        fail_msg("the page does not say: %s", part);
    }
}

/* A row of a table in which only what is named is told. */
static void row_add(struct measure_table *table, const char *const *names, const double *values,
                    size_t count, const char *const *texts)
{
    size_t columns = 0;
    size_t text = 0;
    const struct measure_column *known = measure_columns(table->id, &columns);
    for (size_t c = 0; c < columns; c++) {
        size_t at = 0;
        while (at < count && strcmp(names[at], known[c].name) != 0) {
            at++;
        }
        if (known[c].kind == MEASURE_KIND_TEXT && texts[text] != NULL) {
            measure_add_text(table, texts[text++]);
        } else if (at == count) {
            measure_add_absent(table);
        } else if (known[c].kind == MEASURE_KIND_NUMBER) {
            measure_add_number(table, values[at]);
        } else {
            measure_add_whole(table, (int64_t)values[at]);
        }
    }
}

static void a_page_of_nothing_has_only_what_it_rests_on(void **state)
{
    (void)state;
    struct measure_rules rules;
    struct report_journey report = empty(&rules);
    report.parts[REPORT_JOURNEY_GREY].why = "insufficient: 0 journeys were won, 30 are needed";
    char *page = page_of(&report);
    has(page, "Not measured: insufficient: 0 journeys were won, 30 are needed.");
    has(page, "What the figures rest on");
    assert_null(strstr(page, "<h2 id=\"price\">"));
    assert_null(strstr(page, "<h2 id=\"path\">"));
    free(page);
}

static void the_end_of_the_quarter_is_told_in_a_sentence(void **state)
{
    (void)state;
    static const char *const names[] = {"n", "won", "won_share", "low", "high", "immature"};
    struct measure_rules rules;
    struct measure_table table;
    struct report_journey report = empty(&rules);
    measure_table_init(&table, MEASURE_ID_QUARTER_END);
    row_add(&table, names, (const double[]){1282, 1027, .8011, .7784, .822}, 5,
            (const char *const[]){"last", "", NULL});
    row_add(&table, names, (const double[]){5429, 3211, .59145, .5783, .6045}, 5,
            (const char *const[]){"before", "", NULL});
    row_add(&table, names, (const double[]){6711, 4238, .2096, .1834, .2344}, 5,
            (const char *const[]){"difference", "", NULL});
    row_add(&table, names, (const double[]){94, 47, .5, .4009, .5991, 991}, 6,
            (const char *const[]){"cohort", "2017-10-01", NULL});
    report.parts[REPORT_JOURNEY_QUARTER_END].table = &table;
    char *page = page_of(&report);
    has(page,
        "Of 1282 deals that closed in the last days of a quarter 80.1 % were won, of the 5429 "
        "others 59.1 %: more than chance explains (difference +18.3 to +23.4 points).");
    has(page, "Created from 2017-10-01");
    has(page, "50.0 % (40.1 to 59.9), n = 94, 991 immature");
    assert_null(strstr(page, "discount")); /* a column that says nothing is left out */
    free(page);
    measure_table_fini(&table);
}

static void a_gap_is_a_waterfall_of_its_parts(void **state)
{
    (void)state;
    static const char *const names[] = {"value", "low", "high", "n_a", "rate_a", "n_b", "rate_b"};
    static const char *const parts[] = {"gap", "follow-up", "mix", "not comparable"};
    static const double values[] = {.1416, -.036, .1777, 0};
    struct measure_rules rules;
    struct measure_table table;
    struct report_journey report = empty(&rules);
    measure_table_init(&table, MEASURE_ID_GAP);
    for (size_t p = 0; p < 4; p++) {
        row_add(
            &table, names,
            (const double[]){values[p], values[p] - .03, values[p] + .03, 2691, .4452, 1835, .3035},
            7, (const char *const[]){parts[p], "", NULL});
    }
    report.parts[REPORT_JOURNEY_GAP].table = &table;
    report.group[0] = "<men>";
    report.group[1] = "women";
    char *page = page_of(&report);
    has(page, "&lt;men&gt; wins 14.2 points more than women (+11.2 to +17.2): -3.6 of follow-up at "
              "equal mix, +17.8 of mix, +0.0 that cannot be compared.");
    has(page, "class=\"t3\""); /* what takes away */
    has(page, "<div class=\"ends\"><span>-6.6 points</span>");
    free(page);
    measure_table_fini(&table);
}

static void long_tables_say_how_many_rows_there_are(void **state)
{
    (void)state;
    static const char *const names[] = {"value", "low", "high", "n"};
    struct measure_rules rules;
    struct measure_table table;
    struct report_journey report = empty(&rules);
    measure_table_init(&table, MEASURE_ID_REFERRAL);
    for (int i = 0; i < REPORT_JOURNEY_ROWS + 1; i++) {
        row_add(&table, names, (const double[]){.5, .4, .6, 30}, 4,
                (const char *const[]){"within", "a", "", NULL});
    }
    report.parts[REPORT_JOURNEY_REFERRAL].table = &table;
    char *page = page_of(&report);
    has(page, "The first 200 of 201 rows of icp measure referral, which has all");
    has(page, "Within the segment: a");
    free(page);
    measure_table_fini(&table);
}

static void patterns_are_drawn_by_their_odds_on_later_journeys(void **state)
{
    (void)state;
    static const char *const names[] = {"n",       "rate",       "odds",      "low",       "high",
                                        "later_n", "later_odds", "later_low", "later_high"};
    struct measure_rules rules;
    struct measure_table table;
    struct report_journey report = empty(&rules);
    measure_table_init(&table, MEASURE_ID_PATTERNS);
    row_add(&table, names, (const double[]){900, .25}, 2,
            (const char *const[]){"(all)", "", "", "", NULL});
    row_add(&table, names, (const double[]){300, .4, 3, 2, 4, 90, 2.5, 1.5, 4}, 9,
            (const char *const[]){"demo > <call>", "adjacent", "", "leads", NULL});
    row_add(&table, names, (const double[]){200, .1, .4, .2, .8, 80, .5, .25, 1}, 9,
            (const char *const[]){"ad", "single", "", "loses", NULL});
    row_add(&table, names, (const double[]){40, .2, .9, .5, 2}, 5,
            (const char *const[]){"fair", "single", "", "insufficient", NULL});
    report.parts[REPORT_JOURNEY_PATTERNS].table = &table;
    char *page = page_of(&report);
    has(page,
        "Of 900 journeys 25.0 % reached the goal. Patterns that later journeys confirm: 1 lead "
        "there, 1 lose it.");
    has(page, "demo &gt; &lt;call&gt;");
    has(page, "odds × 2.50 (1.50 to 4.00), n = 90");
    has(page, "odds × 0.90 (0.50 to 2.00), n = 40, earlier journeys");
    has(page, "odds × 0.2"); /* the axis is one of odds, whose logarithms are drawn */
    assert_null(strstr(page, "Values with their intervals"));
    free(page);
    measure_table_fini(&table);
}

static void a_motion_that_drains_is_named(void **state)
{
    (void)state;
    static const char *const names[] = {"value", "low", "high", "n"};
    struct measure_rules rules;
    struct measure_table table;
    struct report_journey report = empty(&rules);
    measure_table_init(&table, MEASURE_ID_MOTIONS);
    row_add(&table, names, (const double[]){.25, .2, .3, 400}, 4,
            (const char *const[]){"(all)", "conversion", "", NULL});
    row_add(&table, names, (const double[]){.1, .05, .2, 90}, 4,
            (const char *const[]){"outbound", "conversion", "", NULL});
    report.parts[REPORT_JOURNEY_MOTIONS].table = &table;
    char *page = page_of(&report);
    has(page, "No motion is sure to take more spend than it brings.");
    free(page);
    row_add(&table, names, (const double[]){.3, .1, .5, 90}, 4,
            (const char *const[]){"outbound", "drain", "drains", NULL});
    page = page_of(&report);
    has(page, "More spend than outcome: outbound.");
    has(page, "10.0 % (5.0 to 20.0), n = 90");
    free(page);
    measure_table_fini(&table);
}

static void volume_up_and_outcome_flat_is_told(void **state)
{
    (void)state;
    static const char *const names[] = {"n",          "more",        "rate",         "better",
                                        "better_low", "better_high", "in_proportion"};
    struct measure_rules rules;
    struct measure_table table;
    struct report_journey report = empty(&rules);
    measure_table_init(&table, MEASURE_ID_YIELD);
    row_add(&table, names, (const double[]){100, 2, .3, .01, -.04, .06, .15}, 7,
            (const char *const[]){"ann", "rest", "volume up, outcome flat", NULL});
    report.parts[REPORT_JOURNEY_YIELD].table = &table;
    char *page = page_of(&report);
    has(page, "Volume up, outcome flat: ann.");
    has(page, "+1.0 points (-4.0 to +6.0)");
    has(page, "ann, in proportion");
    has(page, "<div class=\"ends\"><span>-4 points</span><span>+5.5 points</span><span>+15 "
              "points</span>");
    has(page, "+15.0 points");
    free(page);
    measure_table_fini(&table);
}

static void a_path_is_drawn_along_its_time(void **state)
{
    (void)state;
    struct measure_rules rules;
    struct report_journey report = empty(&rules);
    const struct report_step steps[] = {{0, "touch", "<b>", "ann"},
                                        {86400000, "outcome", "won", ""}};
    report.account = "a&b";
    char *page = page_of(&report);
    has(page, "Of a&amp;b nothing is told.");
    free(page);
    report.steps = steps;
    report.step_count = 2;
    report.step_total = 5;
    page = page_of(&report);
    has(page, "a&amp;b: the newest 2 of its 5 events.");
    has(page, "touch &lt;b&gt; ann");
    has(page, "1970-01-02");
    free(page);
    report.step_count = report.step_total = 1;
    page = page_of(&report);
    has(page, "a&amp;b: 1 event, all that is told.");
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_of_nothing_has_only_what_it_rests_on),
        cmocka_unit_test(the_end_of_the_quarter_is_told_in_a_sentence),
        cmocka_unit_test(a_gap_is_a_waterfall_of_its_parts),
        cmocka_unit_test(long_tables_say_how_many_rows_there_are),
        cmocka_unit_test(patterns_are_drawn_by_their_odds_on_later_journeys),
        cmocka_unit_test(a_motion_that_drains_is_named),
        cmocka_unit_test(volume_up_and_outcome_flat_is_told),
        cmocka_unit_test(a_path_is_drawn_along_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

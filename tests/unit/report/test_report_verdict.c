/* SPDX-License-Identifier: Apache-2.0 */
/* The page of a verdict of tables that are made here: where no week is matured, where one is, how
 * its answer narrows, and what it says of the share that was committed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/report/report_verdict.h"

#define DAY INT64_C(86400000)
#define NEW_YEAR INT64_C(1798761600000) /* 2027-01-01 */

static const char *const words[] = {"Insufficient: nothing can be told."};

/* Tables of a verdict, empty at first. */
struct tables {
    struct measure_table lift, rate, forecast, promise, adherence;
};

static void tables_init(struct tables *tables)
{
    measure_table_init(&tables->lift, MEASURE_ID_LIFT);
    measure_table_init(&tables->rate, MEASURE_ID_RATE);
    measure_table_init(&tables->forecast, MEASURE_ID_FORECAST);
    measure_table_init(&tables->promise, MEASURE_ID_PROMISE);
    measure_table_init(&tables->adherence, MEASURE_ID_ADHERENCE);
}

static void tables_fini(struct tables *tables)
{
    measure_table_fini(&tables->lift);
    measure_table_fini(&tables->rate);
    measure_table_fini(&tables->forecast);
    measure_table_fini(&tables->promise);
    measure_table_fini(&tables->adherence);
}

static char *page_of(const struct tables *tables, double committed)
{
    char *text = NULL;
    size_t bytes = 0;
    const struct report_verdict report = {
        .list = "best",
        .verdict = "insufficient",
        .policy = "won",
        .words = {words, 1},
        .lift = &tables->lift,
        .rate = &tables->rate,
        .forecast = &tables->forecast,
        .promise = &tables->promise,
        .adherence = measure_table_rows(&tables->adherence) > 0 ? &tables->adherence : NULL,
        .plan = "",
        .committed = committed,
        .created_ms = NEW_YEAR,
        .since_ms = NEW_YEAR,
        .at_ms = NEW_YEAR,
        .cases = 12,
        .open = 2,
        .alpha = .05};
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    report_verdict(out, &report);
    assert_int_equal(ferror(out), 0);
    fclose(out);
    return text;
}

static void has(const char *page, const char *part)
{
    if (strstr(page, part) == NULL) {
        fail_msg("the page does not say: %s", part);
    }
}

static void has_not(const char *page, const char *part)
{
    if (strstr(page, part) != NULL) {
        fail_msg("the page says: %s", part);
    }
}

/* A section, a link and a cell each have something in them. */
static void is_filled(const char *page)
{
    has_not(page, "</h2>\n</section>");
    has_not(page, "<th scope=\"row\" class=\"d\"></th>");
    has_not(page, "<tbody></tbody>");
    has(page, "<main>");
}

/* known_ms: 0 for a comparison without a week. */
static void lift_add(struct measure_table *lift, const char *against, int64_t known_ms,
                     const char *verdict)
{
    size_t count = 0;
    const struct measure_column *columns = measure_columns(MEASURE_ID_LIFT, &count);
    measure_add_text(lift, "closed");
    measure_add_text(lift, against);
    for (size_t c = 2; c + 1 < count; c++) {
        bool odds = columns[c].kind == MEASURE_KIND_NUMBER;
        if (known_ms == 0 && (odds || columns[c].kind == MEASURE_KIND_TIME)) {
            measure_add_absent(lift);
        } else if (odds) {
            measure_add_number(lift, 2.5);
        } else if (columns[c].kind == MEASURE_KIND_TIME) {
            measure_add_whole(lift, known_ms);
        } else {
            measure_add_whole(lift, known_ms == 0 ? 0 : 40);
        }
    }
    measure_add_text(lift, verdict);
}

static void kept_add(struct measure_table *adherence, const char *verdict)
{
    size_t count = 0;
    const struct measure_column *columns = measure_columns(MEASURE_ID_ADHERENCE, &count);
    measure_add_text(adherence, "(all)");
    for (size_t c = 1; c + 1 < count; c++) {
        if (columns[c].kind == MEASURE_KIND_NUMBER) {
            measure_add_number(adherence, .5);
        } else {
            measure_add_whole(adherence, 8);
        }
    }
    measure_add_text(adherence, verdict);
}

static void where_no_week_is_matured_nothing_is_shown_empty(void **state)
{
    struct tables tables;
    (void)state;
    tables_init(&tables);
    lift_add(&tables.lift, "equal-effort", 0, "insufficient");
    lift_add(&tables.lift, "just-missed", 0, "insufficient");
    measure_add_text(&tables.forecast, "closed");
    measure_add_text(&tables.forecast, "base-rate");
    measure_add_whole(&tables.forecast, 0);
    for (int i = 0; i < 5; i++) {
        measure_add_absent(&tables.forecast);
    }
    measure_add_text(&tables.forecast, "undecided");
    measure_add_text(&tables.rate, "closed");
    measure_add_text(&tables.rate, "on the list");
    measure_add_whole(&tables.rate, 0);
    measure_add_whole(&tables.rate, 0);
    measure_add_absent(&tables.rate);
    measure_add_number(&tables.rate, 0);
    measure_add_number(&tables.rate, 1);
    char *page = page_of(&tables, 0);
    is_filled(page);
    has(page, "No week is matured in which the list can be held against others worked as much");
    has(page, "No case is counted yet that a promise could be held against.");
    has_not(page, "promised too much or too little beyond chance");
    has_not(page, "href=\"#weeks\"");
    has_not(page, "id=\"weeks\"");
    has(page, "<dt>Counted</dt><dd>10</dd>");
    free(page);
    tables_fini(&tables);
}

static void an_answer_narrows_from_the_second_week_on(void **state)
{
    struct tables tables;
    (void)state;
    tables_init(&tables);
    lift_add(&tables.lift, "equal-effort", NEW_YEAR, "insufficient");
    char *page = page_of(&tables, 0);
    has(page, "One week is matured in which the list can be held against others worked as much");
    has_not(page, "aria-details");
    has(page, "href=\"#weeks\"");
    has(page, "<th scope=\"row\" class=\"d\">2027-01-01</th>");
    free(page);

    lift_add(&tables.lift, "equal-effort", NEW_YEAR + 7 * DAY, "insufficient");
    lift_add(&tables.lift, "equal-effort", NEW_YEAR + 42 * DAY, "supported");
    page = page_of(&tables, 0);
    has_not(page, "an answer narrows from the second on");
    has(page, "<figure aria-details=\"week-table\">");
    has(page, "id=\"week-table\"");
    /* The first week of a month with a later one is not told. */
    has_not(page, "<th scope=\"row\" class=\"d\">2027-01-01</th>");
    has(page, "<th scope=\"row\" class=\"d\">2027-01-08</th>");
    has(page, "<th scope=\"row\" class=\"d\">2027-02-12</th>");
    free(page);
    tables_fini(&tables);
}

static void a_share_is_held_against_what_was_committed(void **state)
{
    static const struct {
        const char *verdict, *said;
    } cases[] = {
        {"below what was committed", "That is less than the 62.5 % that were committed."},
        {"above what was committed", "That is more than the 62.5 % that were committed."},
        {"", "That is as far as can be told, the 62.5 % that were committed."},
        {"insufficient: 8.0 effective acts, 30 are needed",
         "That is too little to hold against the 62.5 % that were committed."},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tables tables;
        tables_init(&tables);
        lift_add(&tables.lift, "equal-effort", NEW_YEAR, "insufficient");
        kept_add(&tables.adherence, cases[i].verdict);
        char *page = page_of(&tables, .625);
        has(page, cases[i].said);
        has(page, "the line stands at the 62.5 % that were committed");
        has(page, "50 %, committed 62.5 %");
        has(page, "<dt>Committed to it</dt><dd>62.5 % of the work</dd>");
        free(page);
        page = page_of(&tables, 0);
        has_not(page, "that were committed");
        has_not(page, "Committed to it");
        free(page);
        tables_fini(&tables);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_no_week_is_matured_nothing_is_shown_empty),
        cmocka_unit_test(an_answer_narrows_from_the_second_week_on),
        cmocka_unit_test(a_share_is_held_against_what_was_committed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Measures where there is next to nothing: no account, one alone, all alike, the first and the last
 * moment that can be told. Each says what is missing in its words, or figures that hold; what is
 * not defined has no end of an interval either. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "server/feature/date_text.h"
#include "server/measure/campaign.h"
#include "server/measure/focus.h"
#include "server/measure/motion.h"
#include "server/measure/pattern.h"
#include "server/measure/quarter.h"
#include "server/measure/referral.h"
#include "server/measure/yield.h"

#define DAY MEASURE_DAY_MS

static const char *const names[] = {"a", "b", "c", "d"};
static struct proto_fault fault;
static struct measure_table table;

static const struct measure_cell *at(size_t row, const char *column)
{
    return measure_cell_find(&table, row, column);
}

static size_t row_of(const char *column, const char *is, const char *other, const char *that)
{
    size_t row = 0;
    while (row < measure_table_rows(&table) &&
           (strcmp(at(row, column)->text, is) != 0 || strcmp(at(row, other)->text, that) != 0)) {
        row++;
    }
    if (row == measure_table_rows(&table)) {
        fail_msg("no row of %s, %s", is, that);
    }
    return row;
}

/* A refusal leaves no row, and says in whole what it wants. */
static void refused(bool good, enum proto_error code, const char *message)
{
    assert_false(good);
    assert_int_equal(fault.code, code);
    assert_string_equal(fault.message, message);
    assert_int_equal(measure_table_rows(&table), 0);
    measure_table_fini(&table);
}

static void figure_is(size_t row, const char *column, double value)
{
    const struct measure_cell *cell = at(row, column);
    double told = cell->kind == MEASURE_KIND_NUMBER ? cell->number : MEASURE_NAN;
    if (isnan(value) != isnan(told) || (!isnan(value) && fabs(told - value) > 1e-9)) {
        fail_msg("row %zu, %s: %g, not %g", row, column, told, value);
    }
}

static void ends_are(size_t row, const char *column, double value, double low, double high)
{
    figure_is(row, column, value);
    figure_is(row, "low", low);
    figure_is(row, "high", high);
}

static void one_account_is_all_there_is(void **state)
{
    (void)state;
    const struct measure_focus_options options = {.top = 9, .resamples = 99, .seed = 1, .least = 1};
    const struct measure_focus_options once = {.top = 0, .resamples = 0, .seed = 1, .least = 1};
    const struct measure_focus_unit unit = {1, 1, 500};
    const struct measure_focus_unit nothing = {0, 1, 0};
    refused(measure_focus_table(NULL, 0, names, 0, &options, NULL, &table, &fault),
            PROTO_NO_EVIDENCE, "insufficient: there are 0 accounts, 1 are needed");
    assert_true(measure_focus_table(&unit, 1, names, 2, &options, NULL, &table, &fault));
    size_t row = row_of("row", "hhi", "by", "logos");
    figure_is(row, "value", 1);
    /* Of one account no pair can be drawn: there is no unbiased figure, so it has no ends. */
    ends_are(row_of("row", "unbiased", "by", "logos"), "value", MEASURE_NAN, MEASURE_NAN,
             MEASURE_NAN);
    row = row_of("row", "group", "by", "value");
    assert_string_equal(at(row, "group")->text, "b");
    ends_are(row, "value", 1, 1, 1);
    figure_is(row, "next", 0); /* the next deal of the only group moves nothing */
    measure_table_fini(&table);
    /* Without resamples there are no ends, of effective as little as of others. */
    assert_true(measure_focus_table(&unit, 1, names, 2, &once, NULL, &table, &fault));
    ends_are(row_of("row", "hhi", "by", "value"), "value", 1, MEASURE_NAN, MEASURE_NAN);
    ends_are(row_of("row", "effective", "by", "value"), "value", 1, MEASURE_NAN, MEASURE_NAN);
    row_of("row", "others", "by", "value"); /* nobody is named: all are others */
    measure_table_fini(&table);
    /* One that is worth nothing is a logo, and no value to share. */
    assert_true(measure_focus_table(&nothing, 1, names, 1, &options, NULL, &table, &fault));
    for (row = 0; row < measure_table_rows(&table); row++) {
        assert_string_equal(at(row, "by")->text, "logos");
    }
    measure_table_fini(&table);
}

static void groups_of_one_size_stand_as_they_came(void **state)
{
    (void)state;
    const struct measure_focus_options options = {.top = 2, .resamples = 9, .seed = 1, .least = 4};
    const struct measure_focus_unit units[] = {{3, 1, 5}, {1, 1, 5}, {0, 1, 5}, {2, 1, 5}};
    assert_true(measure_focus_table(units, 4, names, 4, &options, NULL, &table, &fault));
    size_t first = row_of("row", "group", "by", "logos");
    assert_string_equal(at(first, "group")->text, "a");
    assert_string_equal(at(first + 1, "group")->text, "b");
    assert_string_equal(at(first + 2, "row")->text, "others");
    assert_int_equal(at(first + 2, "n")->whole, 2);
    figure_is(first + 2, "value", 0.5);
    measure_table_fini(&table);
}

static void two_that_know_each_other_are_the_network(void **state)
{
    (void)state;
    const struct measure_referral_options options = {
        .permutations = 9, .seed = 1, .segments = 1, .least = 1, .outcomes = true};
    const struct measure_referred accounts[] = {{0, 0, true, true}, {0, 0, true, false}};
    const struct measure_referral referrals[] = {{0, 1, 1}, {0, 1, 1}};
    struct measure_network network = {.accounts = accounts,
                                      .account_count = 2,
                                      .segments = names,
                                      .segment_count = 1,
                                      .stratum_count = 1,
                                      .unknown = 3};
    refused(measure_referral_table(&network, &options, NULL, &table, &fault), PROTO_NO_EVIDENCE,
            "insufficient: no referral between two of the 2 accounts is told, 1 are needed; 3 name "
            "nobody who was looked at");
    network.unknown = 0;
    refused(measure_referral_table(&network, &options, NULL, &table, &fault), PROTO_NO_EVIDENCE,
            "insufficient: no referral between two of the 2 accounts is told, 1 are needed");
    network.referrals = referrals;
    network.count = 2;
    assert_true(measure_referral_table(&network, &options, NULL, &table, &fault));
    /* All are of one segment: to keep to it says nothing. */
    ends_are(row_of("figure", "assortativity", "of", ""), "value", MEASURE_NAN, MEASURE_NAN,
             MEASURE_NAN);
    figure_is(row_of("figure", "density", "of", ""), "value", 1); /* two, and two could be */
    figure_is(row_of("figure", "rate", "of", "referred"), "value", 0);
    figure_is(row_of("figure", "within", "of", "a"), "value", 1);
    measure_table_fini(&table);
}

static void owners_with_as_many_stand_in_their_order(void **state)
{
    (void)state;
    struct measure_members members = {.count = 0};
    const struct measure_campaign_options options = {.segment = true, .owners = 9, .least = 0};
    for (uint32_t m = 0; m < 6; m++) {
        const struct measure_member member = {0, 2 - m % 3, true, m < 3, false, true};
        assert_true(measure_members_add(&members, &member, &fault));
    }
    assert_true(measure_campaign_table(&members, names, names, &options, &table, &fault));
    assert_int_equal(measure_table_rows(&table), 4);
    for (size_t row = 0; row < 4; row++) {
        assert_string_equal(at(row, "owner")->text, row == 0 ? "all" : names[row - 1]);
        assert_int_equal(at(row, "on_list")->kind, MEASURE_ABSENT); /* was not asked for */
        figure_is(row, "in_share", 0.5);
        assert_int_equal(at(row, "watched")->whole, 0); /* worked or not: it is too early to say */
        assert_int_equal(at(row, "worked")->whole, 0);
        figure_is(row, "worked_share", MEASURE_NAN);
        assert_string_equal(at(row, "verdict")->text, "");
    }
    measure_table_fini(&table);
    measure_members_fini(&members);
}

static void deals_at_the_ends_of_time_are_in_a_quarter(void **state)
{
    (void)state;
    const int64_t ends[] = {FEATURE_DATE_MS_MIN, -1, 0, FEATURE_DATE_MS_MAX};
    struct measure_quarter_options options = {.from_ms = INT64_MIN,
                                              .to_ms = INT64_MAX,
                                              .as_of_ms = FEATURE_DATE_MS_MAX,
                                              .days = 14,
                                              .first_month = 1};
    struct measure_deals none = {.count = 0};
    refused(measure_quarter_table(&none, &options, &table, &fault), PROTO_NO_EVIDENCE,
            "insufficient: 0 deals were closed, 0 are needed");
    for (options.first_month = 1; options.first_month <= 12; options.first_month++) {
        struct measure_deals deals = {.count = 0};
        for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
            const struct measure_deal deal = {ends[i], ends[i], 50, 0, MEASURE_JOURNEY_WON, 0};
            assert_true(measure_deals_add(&deals, &deal, &fault));
        }
        assert_true(measure_quarter_table(&deals, &options, &table, &fault));
        size_t last = row_of("row", "last", "of", "");
        size_t before = row_of("row", "before", "of", "");
        assert_int_equal(at(last, "n")->whole + at(before, "n")->whole, 4);
        int64_t weeks = 0;
        for (size_t row = 0; row < measure_table_rows(&table); row++) {
            bool week = strcmp(at(row, "row")->text, "week") == 0;
            weeks += week ? at(row, "n")->whole : 0;
            /* Of a list price of nothing no discount can be given. */
            figure_is(row, "discount", MEASURE_NAN);
            figure_is(row, "churn", MEASURE_NAN);
        }
        assert_int_equal(weeks, 4);
        measure_table_fini(&table);
        measure_deals_fini(&deals);
    }
}

static void a_group_without_another_is_held_against_nothing(void **state)
{
    (void)state;
    struct measure_yields yields = {.options = {.least = 1}};
    struct measure_worked item = {.group = MEASURE_GROUPS_MAX, .touches = UINT32_MAX};
    refused(measure_yields_table(&yields, names, 0, &table, &fault), PROTO_NO_EVIDENCE,
            "insufficient: of 0 journeys (0 more are too young) no group has 1 to be held against "
            "as many others");
    assert_false(measure_yields_item(&yields, &item, &fault));
    assert_string_equal(fault.message, "more than 10000 groups");
    item.group = 2;
    assert_true(measure_yields_item(&yields, &item, &fault));
    refused(measure_yields_table(&yields, names, 3, &table, &fault), PROTO_NO_EVIDENCE,
            "insufficient: of 1 journeys (0 more are too young) no group has 1 to be held against "
            "as many others");
    item.group = 0;
    assert_true(measure_yields_item(&yields, &item, &fault));
    /* One on either side has no spread: two rows, of as many journeys in the order of groups. */
    assert_true(measure_yields_table(&yields, names, 3, &table, &fault));
    assert_int_equal(measure_table_rows(&table), 2);
    assert_string_equal(at(0, "group")->text, "a");
    assert_string_equal(at(1, "group")->text, "c");
    assert_string_equal(at(0, "verdict")->text,
                        "insufficient: 2 journeys of equal fit on either side");
    figure_is(0, "touches", UINT32_MAX);
    measure_table_fini(&table);
    yields.items[0].touches = yields.items[1].touches = 0;
    refused(measure_yields_table(&yields, names, 3, &table, &fault), PROTO_NO_EVIDENCE,
            "insufficient: of 2 journeys none has a touch that was told, and yield holds outcomes "
            "against touches");
    measure_yields_fini(&yields);
}

static void what_a_way_of_selling_lost_is_told_too(void **state)
{
    (void)state;
    struct measure_motions motions = {.as_of_ms = 900 * DAY,
                                      .options = {.to_ms = 500 * DAY, .margin = 1, .least = 1}};
    const struct measure_journey old = {
        .end = MEASURE_JOURNEY_WON, .created_ms = -9 * DAY, .end_ms = -DAY};
    const struct measure_journey now = {.end = MEASURE_JOURNEY_LOST, .end_ms = 2 * DAY};
    refused(measure_motions_table(&motions, names, 100, &table, &fault), PROTO_NO_EVIDENCE,
            "insufficient: 0 journeys were created in the period, 1 are needed");
    measure_motions_account(&motions);
    assert_true(measure_motions_journey(&motions, 0, &now, 0, &fault));
    assert_true(measure_motions_spend(&motions, 0, 0, &fault));
    assert_true(measure_motions_account_end(&motions, 3, &fault));
    measure_motions_account(&motions); /* was won long ago by another, and left */
    assert_true(measure_motions_journey(&motions, 1, &old, 70, &fault));
    measure_motions_revenue(&motions, 100, 0, false);
    assert_true(measure_motions_account_end(&motions, 3, &fault));
    assert_true(measure_motions_table(&motions, names, 1, &table, &fault));
    figure_is(row_of("motion", "(all)", "figure", "net new revenue"), "value", -1200);
    figure_is(row_of("motion", "a", "figure", "net new revenue"), "value", 0);
    figure_is(row_of("motion", "b", "figure", "net new revenue"), "value", -1200);
    assert_string_equal(at(row_of("motion", "b", "figure", "efficiency"), "verdict")->text,
                        "refused: net new revenue is not positive");
    size_t row = row_of("motion", "a", "figure", "drain");
    figure_is(row, "value", MEASURE_NAN);
    assert_string_equal(at(row, "verdict")->text, "refused: the spend of the period is 0");
    measure_table_fini(&table);
    measure_motions_fini(&motions);
}

static void no_journey_and_one_have_no_pattern(void **state)
{
    (void)state;
    struct measure_patterns patterns = {
        .options = {.first = 10, .longest = 3, .adjacent = true, .least = 1, .top = 9}};
    const uint16_t steps[] = {1, 1, 1};
    refused(measure_patterns_table(&patterns, names, &table, &fault), PROTO_NO_EVIDENCE,
            "insufficient: of 0 journeys (0 more are too young, 0 have no step) 0 are earlier, and "
            "the pattern seen most often is in 0 of those; 1 earlier ones with it and as many "
            "without it are needed");
    /* The earlier 60 % of one are none: it is a later one, which is not searched. */
    assert_true(measure_patterns_sequence(&patterns, steps, 3, 0, true, &fault));
    refused(measure_patterns_table(&patterns, names, &table, &fault), PROTO_NO_EVIDENCE,
            "insufficient: of 1 journeys (0 more are too young, 0 have no step) 0 are earlier, and "
            "the pattern seen most often is in 0 of those; 1 earlier ones with it and as many "
            "without it are needed");
    measure_patterns_fini(&patterns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_account_is_all_there_is),
        cmocka_unit_test(groups_of_one_size_stand_as_they_came),
        cmocka_unit_test(two_that_know_each_other_are_the_network),
        cmocka_unit_test(owners_with_as_many_stand_in_their_order),
        cmocka_unit_test(deals_at_the_ends_of_time_are_in_a_quarter),
        cmocka_unit_test(a_group_without_another_is_held_against_nothing),
        cmocka_unit_test(what_a_way_of_selling_lost_is_told_too),
        cmocka_unit_test(no_journey_and_one_have_no_pattern),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

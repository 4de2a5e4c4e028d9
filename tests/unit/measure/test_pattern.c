/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns: which steps of a journey count, what is planted is found, and without signal nothing
 * is, although longer journeys and better accounts both hold more patterns and win more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/math/random.h"
#include "server/measure/pattern.h"

#define DAY MEASURE_DAY_MS

static struct proto_fault fault;
static const char *const letters[] = {"a", "b", "c", "d", "e", "f", "g", "h"};

static struct measure_pattern_options usual(void)
{
    return (struct measure_pattern_options){.first = 10,
                                            .window_ms = 90 * DAY,
                                            .longest = 3,
                                            .adjacent = true,
                                            .gapped = true,
                                            .tenths = true,
                                            .least = 30,
                                            .top = 100};
}

/* What a company of chance is like. */
struct company {
    unsigned journeys;
    bool strata;    /* length and fit are known, as they are made */
    bool planted;   /* a … b wins more, d > d less */
    bool the_later; /* only then */
};

/* Longer journeys and better accounts win more; nothing else does, unless it is planted. */
static void journey_draw(struct measure_patterns *patterns, struct math_random *random,
                         const struct company *company, unsigned number)
{
    uint16_t steps[10];
    size_t count = 1 + math_random_below(random, 10);
    int64_t fit = (int64_t)math_random_below(random, 1000);
    bool early = number < company->journeys * 3 / 5;
    double odds = 0.15 * (double)count * exp((double)fit / 500);
    bool seen_a = false;
    bool pair = false;
    bool twice = false;
    for (size_t i = 0; i < count; i++) {
        /* Better accounts get more calls (h). */
        steps[i] = (uint16_t)(math_random_below(random, 1000) < (uint64_t)fit / 3
                                  ? 7
                                  : math_random_below(random, 7));
        pair = pair || (seen_a && steps[i] == 1);
        seen_a = seen_a || steps[i] == 0;
        twice = twice || (i > 0 && steps[i] == 3 && steps[i - 1] == 3);
    }
    if (company->planted && (!company->the_later || !early)) {
        odds *= (pair ? 3 : 1) * (twice ? 0.2 : 1);
    }
    patterns->fit = company->strata ? fit : 0;
    assert_true(measure_patterns_sequence(patterns, steps, count, number * DAY / 7,
                                          math_random_unit(random) < odds / (1 + odds), &fault));
}

static void table_draw(const struct company *company, uint64_t seed, struct measure_table *table)
{
    struct math_random random;
    struct measure_patterns patterns = {.options = usual()};
    math_random_init(&random, seed);
    for (unsigned i = 0; i < company->journeys; i++) {
        journey_draw(&patterns, &random, company, i);
    }
    if (!company->strata) { /* and all of one length, as far as is told */
        for (size_t i = 0; i < patterns.count; i++) {
            patterns.fits[i] = 0;
        }
        patterns.options.tenths = false;
    }
    fault.code = PROTO_OK;
    assert_true(measure_patterns_table(&patterns, letters, table, &fault));
    measure_patterns_fini(&patterns);
}

static const char *verdict(const struct measure_table *table, size_t row)
{
    return measure_cell_find(table, row, "verdict")->text;
}

static unsigned confirmed(const struct measure_table *table)
{
    unsigned count = 0;
    for (size_t row = 1; row < measure_table_rows(table); row++) {
        count +=
            strcmp(verdict(table, row), "leads") == 0 || strcmp(verdict(table, row), "loses") == 0;
    }
    return count;
}

/* The row of a pattern; 0: it is not told. */
static size_t row_find(const struct measure_table *table, const char *pattern)
{
    for (size_t row = 1; row < measure_table_rows(table); row++) {
        if (strcmp(measure_cell_find(table, row, "pattern")->text, pattern) == 0) {
            return row;
        }
    }
    return 0;
}

/* All of it: 200 seeds with ICP_LONG=1. At 5 % six or more of 20 are seen once in 3,000 times. */
static void without_signal_nothing_is_found(void **state)
{
    (void)state;
    unsigned seeds = getenv("ICP_LONG") != NULL ? 200 : 20;
    unsigned most = seeds == 200 ? 20 : 5; /* binomial, beyond 1 in 1,000 */
    unsigned found = 0;
    const struct company company = {.journeys = 2000, .strata = true};
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct measure_table table;
        table_draw(&company, seed, &table);
        found += confirmed(&table) > 0;
        measure_table_fini(&table);
    }
    print_message("%u of %u seeds found something\n", found, seeds);
    assert_in_range(found, 0, most);
}

/* The control: who does not know of fit finds calls, which good accounts get. */
static void without_strata_of_fit_something_would_be_found(void **state)
{
    (void)state;
    unsigned found = 0;
    const struct company company = {.journeys = 6000};
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct measure_table table;
        table_draw(&company, seed, &table);
        found += row_find(&table, "h") > 0;
        measure_table_fini(&table);
    }
    assert_int_equal(found, 5);
}

static void what_is_planted_is_found_in_its_direction(void **state)
{
    (void)state;
    const struct company company = {.journeys = 6000, .strata = true, .planted = true};
    struct measure_table table;
    table_draw(&company, 1, &table);
    size_t pair = row_find(&table, "a ... b");
    size_t twice = row_find(&table, "d > d");
    assert_string_equal(verdict(&table, pair), "leads");
    assert_string_equal(verdict(&table, twice), "loses");
    double low = measure_cell_find(&table, pair, "later_low")->number;
    double high = measure_cell_find(&table, pair, "later_high")->number;
    assert_true(low < 3 && high > 3 && low > 1.5);
    assert_true(measure_cell_find(&table, twice, "later_odds")->number < 0.5);
    assert_string_equal(measure_cell_find(&table, pair, "says")->text, "");
    /* What holds it says no more than it does. */
    size_t close = row_find(&table, "a > b");
    assert_string_equal(measure_cell_find(&table, close, "says")->text, "a ... b");
    const char *all = verdict(&table, 0);
    assert_non_null(strstr(all, "patterns tested"));
    assert_int_equal(measure_cell_find(&table, 0, "n")->whole, 6000);
    assert_int_equal(measure_cell_find(&table, 0, "later_n")->whole, 2400);
    measure_table_fini(&table);
}

static void what_began_later_is_not_found_by_looking_there(void **state)
{
    (void)state;
    const struct company company = {
        .journeys = 6000, .strata = true, .planted = true, .the_later = true};
    struct measure_table table;
    table_draw(&company, 2, &table);
    assert_int_equal(confirmed(&table), 0);
    measure_table_fini(&table);
}

static bool number_of(void *context, const struct event *step, uint32_t *number,
                      struct proto_fault *why)
{
    (void)why;
    *number = step->kind.data[0] - (uint8_t)'a' + *(uint32_t *)context;
    return true;
}

/* Touches a day apart from day 10 on; an outcome or a stage at the end. */
static void journey_put(struct measure_patterns *patterns, const char *touches,
                        enum measure_journey_end end, int64_t end_day, int64_t stage_day,
                        uint64_t stage_seq)
{
    struct event events[12];
    const struct event *chosen[12];
    size_t count = strlen(touches);
    for (size_t i = 0; i < count; i++) {
        events[i] = (struct event){.type = EVENT_TOUCH,
                                   .time_ms = (10 + (int64_t)i) * DAY,
                                   .seq = 5,
                                   .kind = {(const uint8_t *)touches + i, 1}};
        chosen[i] = &events[i];
    }
    const struct event stage = {.type = EVENT_STAGE,
                                .time_ms = stage_day * DAY,
                                .seq = stage_seq,
                                .kind = proto_span_text("s")};
    const struct event outcome = {.type = EVENT_OUTCOME, .time_ms = end_day * DAY};
    const struct event *const steps[] = {&stage, &outcome};
    const struct measure_journey journey = {.end = end,
                                            .created_ms = 10 * DAY,
                                            .end_ms = end_day * DAY,
                                            .outcome =
                                                end != MEASURE_JOURNEY_OPEN ? &outcome : NULL,
                                            .touches = chosen,
                                            .touch_count = count,
                                            .steps = steps,
                                            .step_count = end != MEASURE_JOURNEY_OPEN ? 2 : 1};
    assert_true(measure_patterns_add(patterns, &journey, &fault));
}

static void steps_are(const struct measure_patterns *patterns, size_t at, const char *text,
                      bool won)
{
    const struct measure_case *item = &patterns->cases[at];
    assert_int_equal(item->count, strlen(text));
    for (size_t i = 0; i < item->count; i++) {
        assert_int_equal(patterns->steps[item->first + i], text[i] - 'a');
    }
    assert_int_equal(item->won, won);
}

static void steps_count_within_the_window_and_before_the_end(void **state)
{
    (void)state;
    uint32_t base = 0;
    struct measure_patterns patterns = {.options = usual(),
                                        .as_of_ms = 200 * DAY,
                                        .mature_ms = 100 * DAY,
                                        .number = number_of,
                                        .context = &base};
    journey_put(&patterns, "abcdef", MEASURE_JOURNEY_WON, 14, 30, 1); /* e came with the outcome */
    patterns.options.first = 3;
    journey_put(&patterns, "abcdef", MEASURE_JOURNEY_LOST, 40, 30, 1);
    patterns.options.first = 10;
    patterns.options.window_ms = DAY;
    journey_put(&patterns, "abcdef", MEASURE_JOURNEY_OPEN, 200, 30, 1);
    patterns.options.window_ms = 90 * DAY;
    patterns.options.of = MEASURE_OF_BOTH;
    journey_put(&patterns, "ab", MEASURE_JOURNEY_WON, 40, 11, 9); /* told after the touch */
    journey_put(&patterns, "ab", MEASURE_JOURNEY_WON, 40, 11, 1); /* told before it */
    patterns.options.of = MEASURE_OF_STAGES;
    journey_put(&patterns, "ab", MEASURE_JOURNEY_LOST, 40, 11, 1);
    patterns.options.of = MEASURE_OF_TOUCHES;
    patterns.options.goal = proto_span_text("s");
    journey_put(&patterns, "abc", MEASURE_JOURNEY_LOST, 40, 12, 1); /* reached, and lost later */
    journey_put(&patterns, "", MEASURE_JOURNEY_LOST, 40, 12, 1);
    steps_are(&patterns, 0, "abcd", true);
    steps_are(&patterns, 1, "abc", false);
    steps_are(&patterns, 2, "ab", false);
    steps_are(&patterns, 3, "abs", true);
    steps_are(&patterns, 4, "asb", true);
    steps_are(&patterns, 5, "s", false);
    steps_are(&patterns, 6, "ab", true);
    steps_are(&patterns, 7, "", true);
    assert_int_equal(patterns.empty, 1);
    assert_int_equal(patterns.young, 0);
    patterns.mature_ms = 191 * DAY;
    journey_put(&patterns, "ab", MEASURE_JOURNEY_WON, 14, 12, 1);
    assert_int_equal(patterns.young, 1); /* it ended, but others of its age have not */
    assert_int_equal(patterns.count, 8);
    patterns.mature_ms = 190 * DAY;
    journey_put(&patterns, "ab", MEASURE_JOURNEY_WON, 14, 12, 1);
    assert_int_equal(patterns.count, 9);
    measure_patterns_fini(&patterns);
}

static void too_many_names_are_refused(void **state)
{
    (void)state;
    uint32_t base = MEASURE_STEPS_NAMED_MAX - 1;
    struct measure_patterns patterns = {
        .options = usual(), .as_of_ms = 200 * DAY, .number = number_of, .context = &base};
    journey_put(&patterns, "a", MEASURE_JOURNEY_OPEN, 200, 30, 1);
    const struct event touch = {.type = EVENT_TOUCH, .kind = proto_span_text("b")};
    const struct event *const touches[] = {&touch};
    const struct measure_journey journey = {
        .end = MEASURE_JOURNEY_OPEN, .touches = touches, .touch_count = 1};
    assert_false(measure_patterns_add(&patterns, &journey, &fault));
    assert_int_equal(fault.code, PROTO_LIMIT);
    measure_patterns_fini(&patterns);
}

static bool looks_count(void *context, struct proto_fault *why)
{
    unsigned *left = context;
    return *left == UINT32_MAX || (*left)-- > 0 ||
           proto_fault_set(why, PROTO_CANCELLED, "", "no longer wanted");
}

static void too_little_is_told_and_who_asked_can_give_up(void **state)
{
    (void)state;
    struct math_random random;
    struct measure_table table;
    unsigned left = 3;
    const struct measure_pace pace = {looks_count, &left};
    const struct company company = {.journeys = 40, .strata = true};
    struct measure_patterns patterns = {.options = usual(), .pace = &pace};
    math_random_init(&random, 1);
    assert_false(measure_patterns_table(&patterns, letters, &table, &fault));
    assert_int_equal(fault.code, PROTO_NO_EVIDENCE);
    measure_table_fini(&table);
    for (unsigned i = 0; i < 40; i++) {
        journey_draw(&patterns, &random, &company, i);
    }
    assert_false(measure_patterns_table(&patterns, letters, &table, &fault));
    assert_int_equal(fault.code, PROTO_NO_EVIDENCE);
    assert_non_null(strstr(fault.message, "40 journeys"));
    assert_non_null(strstr(fault.message, "30 earlier ones with it"));
    measure_table_fini(&table);
    for (unsigned i = 0; i < 40000; i++) {
        journey_draw(&patterns, &random, &company, i);
    }
    left = 3;
    assert_false(measure_patterns_table(&patterns, letters, &table, &fault));
    assert_int_equal(fault.code, PROTO_CANCELLED);
    measure_table_fini(&table);
    measure_patterns_fini(&patterns);
}

/* Nobody reached the goal: counts are told to who asks for all, and else what is missing. */
static void a_goal_that_nobody_reached_is_told(void **state)
{
    (void)state;
    struct measure_table table;
    struct measure_patterns patterns = {.options = usual()};
    for (uint16_t i = 0; i < 200; i++) {
        const uint16_t steps[] = {i % 2, 2};
        assert_true(measure_patterns_sequence(&patterns, steps, 2, i, false, &fault));
    }
    assert_false(measure_patterns_table(&patterns, letters, &table, &fault));
    assert_int_equal(fault.code, PROTO_NO_EVIDENCE);
    assert_non_null(strstr(fault.message, "0 of 200 journeys reached the goal"));
    measure_table_fini(&table);
    patterns.options.all = true;
    assert_true(measure_patterns_table(&patterns, letters, &table, &fault));
    assert_int_equal(measure_table_rows(&table), 1 + 6); /* a, b, and with c after each, twice */
    measure_table_fini(&table);
    measure_patterns_fini(&patterns);
}

/* Journeys of one moment are not parted: none is earlier, and nothing is tested. */
static void journeys_of_one_moment_are_on_one_side(void **state)
{
    (void)state;
    struct measure_table table;
    struct measure_patterns patterns = {.options = usual()};
    for (uint16_t i = 0; i < 200; i++) {
        const uint16_t steps[] = {i % 2, 2};
        assert_true(measure_patterns_sequence(&patterns, steps, 2, 77, i % 3 == 0, &fault));
    }
    assert_false(measure_patterns_table(&patterns, letters, &table, &fault));
    assert_int_equal(fault.code, PROTO_NO_EVIDENCE);
    assert_non_null(strstr(fault.message, " 0 are earlier"));
    measure_table_fini(&table);
    measure_patterns_fini(&patterns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_count_within_the_window_and_before_the_end),
        cmocka_unit_test(too_many_names_are_refused),
        cmocka_unit_test(what_is_planted_is_found_in_its_direction),
        cmocka_unit_test(what_began_later_is_not_found_by_looking_there),
        cmocka_unit_test(without_signal_nothing_is_found),
        cmocka_unit_test(without_strata_of_fit_something_would_be_found),
        cmocka_unit_test(too_little_is_told_and_who_asked_can_give_up),
        cmocka_unit_test(a_goal_that_nobody_reached_is_told),
        cmocka_unit_test(journeys_of_one_moment_are_on_one_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Journeys cut out of instants, without an event anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <stdio.h>

#include "server/measure/journey_cut.h"

static char told[256]; /* what each() was given */

static bool cut_print(void *context, const struct measure_cut *cut, struct proto_fault *fault)
{
    static const char *const ends[] = {"won", "lost", "open"};
    size_t used = strlen(told);
    (void)context;
    (void)fault;
    used +=
        (size_t)snprintf(told + used, sizeof told - used, "%s%s %lld-%lld:", used > 0 ? "; " : "",
                         ends[cut->end], (long long)cut->created_ms, (long long)cut->end_ms);
    for (size_t i = 0; i < cut->touch_count; i++) {
        used += (size_t)snprintf(told + used, sizeof told - used, " %u", cut->touches[i]->at);
    }
    for (size_t i = 0; i < cut->step_count; i++) {
        used += (size_t)snprintf(told + used, sizeof told - used, " >%u", cut->steps[i].at);
    }
    return true;
}

static const char *cut_all(const struct measure_instants *instants,
                           const struct measure_journey_options *options)
{
    struct measure_cutter cutter = {.room = 0};
    struct proto_fault fault = {.code = PROTO_OK};
    told[0] = '\0';
    assert_true(measure_journeys_cut(&cutter, instants, options, cut_print, NULL, &fault));
    measure_cutter_fini(&cutter);
    return told;
}

static const struct measure_journey_options usual = {
    .from_ms = INT64_MIN, .to_ms = INT64_MAX, .as_of_ms = 100, .lookback_ms = 30, .mature_ms = 20};

static const struct measure_instant touches[] = {
    {.time_ms = 5, .at = 0},
    {.time_ms = 40, .at = 1, .seq = 9},
    {.time_ms = 46, .at = 2, .subject = 1, .bound = true},
    {.time_ms = 47, .at = 3, .subject = 2, .bound = true},
    {.time_ms = 48, .at = 4, .subject = 7}};
static const struct measure_instant steps[] = {
    {.time_ms = 45, .at = 5, .subject = 1, .kind = MEASURE_INSTANT_STAGE, .owned = true},
    {.time_ms = 50, .at = 6, .subject = 1, .seq = 8, .kind = MEASURE_INSTANT_WON},
    {.time_ms = 47, .at = 7, .subject = 2, .kind = MEASURE_INSTANT_STAGE},
    {.time_ms = 55, .at = 8, .subject = 2, .kind = MEASURE_INSTANT_LOST},
    {.time_ms = 60, .at = 9, .subject = 3, .kind = MEASURE_INSTANT_DECISION}};
static const struct measure_instants all = {touches, 5, steps, 5};

static void touches_of_another_opportunity_are_left_to_it(void **state)
{
    (void)state;
    struct measure_journey_options options = usual;
    assert_string_equal(cut_all(&all, &options), "won 45-50: 1 2 4 >5 >6; lost 47-55: 1 3 4 >7 >8");
    options.by_account = true; /* the first that is won ends it */
    assert_string_equal(cut_all(&(struct measure_instants){touches, 5, steps, 2}, &options),
                        "won 45-50: 1 2 3 4 >5 >6");
}

static void what_was_known_late_and_by_others_is_left_out(void **state)
{
    (void)state;
    struct measure_journey_options options = usual;
    options.late_left_out = true;
    options.owner = proto_span_text("ann"); /* whom only instants know */
    assert_string_equal(cut_all(&all, &options), "won 45-50: 2 4 >5 >6");
    options.as_of_ms = 44; /* nothing of hers had begun */
    assert_string_equal(cut_all(&all, &options), "");
}

static void touches_alone_are_one_journey_and_decisions_where_nothing_else_is(void **state)
{
    (void)state;
    assert_string_equal(cut_all(&(struct measure_instants){touches + 1, 1, NULL, 0}, &usual), "");
    struct measure_journey_options options = usual;
    options.lookback_ms = 60;
    assert_string_equal(cut_all(&(struct measure_instants){touches + 1, 1, NULL, 0}, &options),
                        "open 40-100: 1");
    assert_string_equal(cut_all(&(struct measure_instants){NULL, 0, steps + 4, 1}, &options),
                        "open 60-100: >9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(touches_of_another_opportunity_are_left_to_it),
        cmocka_unit_test(what_was_known_late_and_by_others_is_left_out),
        cmocka_unit_test(touches_alone_are_one_journey_and_decisions_where_nothing_else_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

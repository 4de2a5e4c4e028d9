/* SPDX-License-Identifier: Apache-2.0 */
/* Which touches and steps make which journey. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "server/measure/journey.h"

#define DAY MEASURE_DAY_MS

static struct event pool[32];
static struct measure_event events[32];
static size_t count;
static char told[512]; /* what each() was given */

static struct event *tell(enum event_type type, const char *kind, const char *subject, int64_t day)
{
    static char ids[32][8];
    struct event *event = &pool[count];
    (void)snprintf(ids[count], sizeof ids[count], "e%02zu", count);
    *event = (struct event){.type = type,
                            .time_ms = day * DAY,
                            .seq = count,
                            .source = proto_span_text("crm"),
                            .id = proto_span_text(ids[count]),
                            .kind = proto_span_text(kind),
                            .subject = proto_span_text(subject)};
    events[count] = (struct measure_event){0, event};
    count++;
    return event;
}

static bool journey_print(void *context, const struct measure_journey *journey,
                          struct proto_fault *fault)
{
    size_t used = strlen(told);
    static const char *const ends[] = {"won", "lost", "open"};
    (void)context;
    (void)fault;
    used += (size_t)snprintf(
        told + used, sizeof told - used, "%s%.*s %s%s %lld-%lld:", used > 0 ? "; " : "",
        (int)journey->subject.bytes, (const char *)journey->subject.data, ends[journey->end],
        journey->mature ? " mature" : "", (long long)(journey->created_ms / DAY),
        (long long)(journey->end_ms / DAY));
    for (size_t i = 0; i < journey->touch_count; i++) {
        used += (size_t)snprintf(told + used, sizeof told - used, " %.*s",
                                 (int)journey->touches[i]->kind.bytes,
                                 (const char *)journey->touches[i]->kind.data);
    }
    for (size_t i = 0; i < journey->step_count; i++) {
        used += (size_t)snprintf(told + used, sizeof told - used, " >%.*s",
                                 (int)journey->steps[i]->kind.bytes,
                                 (const char *)journey->steps[i]->kind.data);
    }
    return true;
}

static struct measure_journey_options usual(void)
{
    return (struct measure_journey_options){.from_ms = INT64_MIN,
                                            .to_ms = INT64_MAX,
                                            .as_of_ms = 100 * DAY,
                                            .lookback_ms = 30 * DAY,
                                            .mature_ms = 20 * DAY,
                                            .won = proto_span_text("won"),
                                            .lost = proto_span_text("lost")};
}

static const char *read_all(const struct measure_journey_options *options)
{
    struct measure_journey_reader reader = {.room = 0};
    struct proto_fault fault = {.code = PROTO_OK};
    told[0] = '\0';
    assert_true(
        measure_journeys_read(&reader, events, count, options, journey_print, NULL, &fault));
    measure_journey_reader_fini(&reader);
    return told;
}

static int begin(void **state)
{
    (void)state;
    count = 0;
    return 0;
}

static void each_opportunity_has_its_touches(void **state)
{
    (void)state;
    struct measure_journey_options options = usual();
    tell(EVENT_TOUCH, "old", "", 5); /* before the lookback */
    tell(EVENT_TOUCH, "webinar", "", 40);
    tell(EVENT_STAGE, "created", "A", 45);
    tell(EVENT_TOUCH, "call", "A", 46);
    tell(EVENT_TOUCH, "visit", "B", 47);
    tell(EVENT_TOUCH, "ticket", "T-9", 48); /* of no opportunity: of each */
    tell(EVENT_OUTCOME, "won", "A", 50);
    tell(EVENT_TOUCH, "after", "A", 51);
    tell(EVENT_STAGE, "created", "B", 47);
    tell(EVENT_OUTCOME, "lost", "B", 55);
    assert_string_equal(read_all(&options), "A won 45-50: webinar call ticket >created >won; "
                                            "B lost 47-55: webinar visit ticket >created >lost");
    options.until_created = true;
    assert_string_equal(read_all(&options), "A won 45-50: webinar >created >won; "
                                            "B lost 47-55: webinar visit >created >lost");
    options.by_account = true;
    options.until_created = false;
    assert_string_equal(read_all(&options),
                        " won 45-50: webinar call visit ticket >created >created >won");
    options.from_ms = 46 * DAY;
    assert_string_equal(read_all(&options), "");
}

static void an_end_is_the_first_won_else_the_last_lost(void **state)
{
    (void)state;
    struct measure_journey_options options = usual();
    tell(EVENT_OUTCOME, "lost", "A", 50);
    tell(EVENT_OUTCOME, "lost", "A", 60);
    tell(EVENT_OUTCOME, "nps", "A", 65);
    assert_string_equal(read_all(&options), "A lost 50-60: >lost >lost");
    tell(EVENT_OUTCOME, "won", "A", 70);
    tell(EVENT_OUTCOME, "won", "A", 80);
    assert_string_equal(read_all(&options), "A won 50-70: >lost >lost >won");
    options.as_of_ms = 69 * DAY; /* nobody knew yet */
    assert_string_equal(read_all(&options), "A lost 50-60: >lost >lost");
    options.as_of_ms = 49 * DAY;
    assert_string_equal(read_all(&options), "");
}

static void what_is_open_matures(void **state)
{
    (void)state;
    struct measure_journey_options options = usual();
    tell(EVENT_STAGE, "created", "A", 79);
    tell(EVENT_STAGE, "created", "B", 81);
    tell(EVENT_TOUCH, "call", "", 99);
    assert_string_equal(read_all(&options),
                        "A open mature 79-100: call >created; B open 81-100: call >created");
    begin(state);
    tell(EVENT_TOUCH, "mail", "", 75); /* touches and nothing else */
    tell(EVENT_TOUCH, "call", "", 90);
    assert_string_equal(read_all(&options), " open mature 75-100: mail call");
    begin(state);
    tell(EVENT_DECISION, "routed", "lead", 90);
    assert_string_equal(read_all(&options), "lead open 90-100: >routed");
    tell(EVENT_STAGE, "created", "A", 95);
    assert_string_equal(read_all(&options), "A open 95-100: >created");
}

static void what_was_typed_in_after_the_outcome_is_known(void **state)
{
    (void)state;
    struct measure_journey_options options = usual();
    tell(EVENT_TOUCH, "known", "A", 40);
    struct event *won = tell(EVENT_OUTCOME, "won", "A", 50);
    struct event *late = tell(EVENT_TOUCH, "late", "A", 45);
    assert_true(measure_touch_late(late, won));
    assert_false(measure_touch_late(&pool[0], won));
    assert_false(measure_touch_late(late, NULL));
    assert_string_equal(read_all(&options), "A won 50-50: known late >won");
    options.late_left_out = true;
    assert_string_equal(read_all(&options), "A won 50-50: known >won");
}

static bool looks_count(void *context, struct proto_fault *why)
{
    unsigned *left = context;
    return (*left)-- > 0 || proto_fault_set(why, PROTO_CANCELLED, "", "no longer wanted");
}

static bool journey_pass(void *context, const struct measure_journey *journey,
                         struct proto_fault *fault)
{
    (void)fault;
    *(size_t *)context += journey->touch_count;
    return true;
}

/* 400 opportunities and 1,000 touches of one account are 400,000 touches to look at: who asked is
 * asked in between. */
static void an_account_of_many_opportunities_can_be_given_up(void **state)
{
    (void)state;
    enum { OPPORTUNITIES = 400, TOUCHES = 1000, ALL = OPPORTUNITIES + TOUCHES };
    struct event *many = calloc(ALL, sizeof *many);
    struct measure_event *items = calloc(ALL, sizeof *items);
    char(*names)[8] = calloc(OPPORTUNITIES, sizeof *names);
    assert_true(many != NULL && items != NULL && names != NULL);
    for (size_t i = 0; i < ALL; i++) {
        many[i] = (struct event){
            .type = i < TOUCHES ? EVENT_TOUCH : EVENT_STAGE, .time_ms = DAY, .seq = i};
        if (i >= TOUCHES) {
            (void)snprintf(names[i - TOUCHES], sizeof *names, "o%zu", i - TOUCHES);
            many[i].subject = proto_span_text(names[i - TOUCHES]);
            many[i].kind = proto_span_text("created");
        }
        items[i] = (struct measure_event){0, &many[i]};
    }
    struct measure_journey_options options = usual();
    options.lookback_ms = 100 * DAY;
    unsigned left = UINT32_MAX;
    const struct measure_pace pace = {looks_count, &left};
    struct measure_journey_reader reader = {.cutter = {.pace = &pace}};
    struct proto_fault fault = {.code = PROTO_OK};
    size_t touched = 0;
    assert_true(
        measure_journeys_read(&reader, items, ALL, &options, journey_pass, &touched, &fault));
    assert_int_equal(touched, OPPORTUNITIES * TOUCHES);
    assert_true(UINT32_MAX - left >= 6);
    left = 3;
    assert_false(
        measure_journeys_read(&reader, items, ALL, &options, journey_pass, &touched, &fault));
    assert_int_equal(fault.code, PROTO_CANCELLED);
    assert_ptr_equal(reader.cutter.pace, &pace); /* it is there still for the next account */
    measure_journey_reader_fini(&reader);
    free(many);
    free(items);
    free(names);
}

static void an_owner_is_who_took_the_first_step(void **state)
{
    (void)state;
    struct measure_journey_options options = usual();
    tell(EVENT_STAGE, "created", "A", 45)->person = proto_span_text("ann");
    tell(EVENT_OUTCOME, "won", "A", 50)->person = proto_span_text("bob");
    tell(EVENT_STAGE, "created", "B", 46)->person = proto_span_text("bob");
    tell(EVENT_STAGE, "created", "C", 47);
    options.owner = proto_span_text("ann");
    assert_string_equal(read_all(&options), "A won 45-50: >created >won");
    options.owner = proto_span_text("bob");
    assert_string_equal(read_all(&options), "B open mature 46-100: >created");
    options.owner = proto_span_text("cy");
    assert_string_equal(read_all(&options), "");
}

/* Out of columns: no ids, one commit, one moment. The subjects are out of order, so all is sorted.
 */
static void events_of_one_moment_without_ids_stay_in_their_order(void **state)
{
    (void)state;
    struct measure_journey_options options = usual();
    static const char *const subjects[] = {"B", "B", "B", "A", "A", "A"};
    static const char *const kinds[] = {"s3", "s1", "s2", "s6", "s4", "s5"};
    for (size_t i = 0; i < 6; i++) {
        tell(EVENT_STAGE, kinds[i], subjects[i], 45);
    }
    for (size_t i = 0; i < count; i++) {
        pool[i].seq = 7;
        pool[i].id.bytes = 0;
    }
    assert_string_equal(read_all(&options),
                        "A open mature 45-100: >s6 >s4 >s5; B open mature 45-100: >s3 >s1 >s2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_opportunity_has_its_touches, begin),
        cmocka_unit_test_setup(an_end_is_the_first_won_else_the_last_lost, begin),
        cmocka_unit_test_setup(what_is_open_matures, begin),
        cmocka_unit_test_setup(what_was_typed_in_after_the_outcome_is_known, begin),
        cmocka_unit_test_setup(an_account_of_many_opportunities_can_be_given_up, begin),
        cmocka_unit_test_setup(an_owner_is_who_took_the_first_step, begin),
        cmocka_unit_test_setup(events_of_one_moment_without_ids_stay_in_their_order, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

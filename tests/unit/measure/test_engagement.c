/* SPDX-License-Identifier: Apache-2.0 */
/* Engagement by hand, in any order of events, and its definitions as documents: what is wrong in
 * one is refused at its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/math/random.h"
#include "server/measure/metric_registry.h"

#define DAY INT64_C(86400000)
#define NOW (INT64_C(20000) * DAY)

static struct event happened(enum event_type type, const char *kind, int64_t days_ago)
{
    return (struct event){
        .type = type, .kind = proto_span_text(kind), .time_ms = NOW - days_ago * DAY};
}

static int64_t sum_of(const struct measure_engagement *weights, const struct event *events,
                      size_t count, int64_t at_ms)
{
    struct measure_engaged engaged = measure_engaged_none();
    for (size_t i = 0; i < count; i++) {
        measure_engagement_add(weights, &events[i], at_ms, &engaged);
    }
    return engaged.millionths;
}

static void a_touch_is_worth_half_after_its_half_life(void **state)
{
    (void)state;
    struct measure_engagement usual;
    struct measure_engaged engaged = measure_engaged_none();
    measure_engagement_default(&usual);
    const struct event events[] = {happened(EVENT_TOUCH, "email", 0),
                                   happened(EVENT_TOUCH, "call", 30),
                                   happened(EVENT_TOUCH, "", 60)};
    assert_int_equal(sum_of(&usual, events, 1, NOW), 1000000);
    assert_int_equal(sum_of(&usual, events + 1, 1, NOW), 500000);
    assert_int_equal(sum_of(&usual, events, 3, NOW), 1750000);
    /* A month later all is half of that, with nothing done. */
    assert_int_equal(sum_of(&usual, events, 3, NOW + 30 * DAY), 875000);
    measure_engagement_add(&usual, &events[2], NOW, &engaged);
    assert_int_equal(engaged.last_ms, NOW - 60 * DAY);
    assert_int_equal(engaged.events, 1);
    assert_int_equal(engaged.by_type[EVENT_TOUCH], 250000);
}

static void what_stopped_long_ago_fades_to_none(void **state)
{
    (void)state;
    struct measure_engagement usual;
    struct event events[100];
    measure_engagement_default(&usual);
    for (size_t i = 0; i < 100; i++) {
        events[i] = happened(EVENT_TOUCH, "email", 0);
    }
    assert_int_equal(measure_engagement_band(&usual, sum_of(&usual, events, 100, NOW)),
                     MEASURE_BAND_HIGH);
    /* 100 touches are 100 / 2^8 = .390625 after eight half-lives, below .5. */
    assert_int_equal(sum_of(&usual, events, 100, NOW + 240 * DAY), 390600);
    assert_int_equal(measure_engagement_band(&usual, 390600), MEASURE_BAND_NONE);
}

static void what_happens_later_is_not_seen(void **state)
{
    (void)state;
    struct measure_engagement usual;
    measure_engagement_default(&usual);
    const struct event tomorrow = happened(EVENT_TOUCH, "call", -1);
    const struct event other = happened(EVENT_SPEND, "ads", 1);
    assert_int_equal(sum_of(&usual, &tomorrow, 1, NOW), 0);
    assert_int_equal(sum_of(&usual, &tomorrow, 1, NOW + DAY), 1000000);
    assert_int_equal(sum_of(&usual, &other, 1, NOW), 0); /* no row is of spend */
}

static void quantities_weigh_where_a_row_says_so(void **state)
{
    (void)state;
    const struct measure_engagement weights = {
        .weights = {{EVENT_USAGE, "export", 2000000, 7000000, true},
                    {EVENT_USAGE, "", 1000000, 7000000, false}},
        .count = 2,
        .least = {0, 1, 2, 3}};
    struct event export = happened(EVENT_USAGE, "export", 7);
    struct event login = happened(EVENT_USAGE, "login", 7);
    export.quantity = login.quantity = 4000; /* four */
    export.has = login.has = EVENT_HAS_QUANTITY;
    assert_int_equal(sum_of(&weights, &export, 1, NOW), 4000000); /* 2 · 4 / 2 */
    assert_int_equal(sum_of(&weights, &login, 1, NOW), 500000);
}

static void the_order_of_events_changes_nothing(void **state)
{
    (void)state;
    struct measure_engagement usual;
    struct math_random random;
    struct event events[200];
    measure_engagement_default(&usual);
    math_random_init(&random, 7);
    for (size_t i = 0; i < 200; i++) {
        events[i] = happened(i % 3 == 0 ? EVENT_USAGE : EVENT_TOUCH, "",
                             (int64_t)math_random_below(&random, 400));
    }
    int64_t sum = sum_of(&usual, events, 200, NOW);
    for (int run = 0; run < 100; run++) {
        for (size_t i = 199; i > 0; i--) {
            size_t other = math_random_below(&random, i + 1);
            struct event kept = events[i];
            events[i] = events[other];
            events[other] = kept;
        }
        assert_int_equal(sum_of(&usual, events, 200, NOW), sum);
    }
}

static const char board[] =
    "{\"metric\":\"engagement\",\"name\":\"board\",\"version\":2,\n"
    " \"weights\":[{\"type\":\"touch\",\"kind\":\"demo\",\"weight\":5,\"half_life_days\":30.5},\n"
    "  {\"type\":\"touch\",\"weight\":0.1,\"half_life_days\":14},\n"
    "  {\"type\":\"usage\",\"weight\":-1,\"half_life_days\":1,\"by\":\"quantity\"}],\n"
    " \"bands\":{\"low\":0.5,\"medium\":3,\"high\":10}}";

static void a_definition_is_read_and_printed_the_same(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_definition first;
    struct measure_definition again;
    assert_true(measure_definition_read(proto_span_text(board), &first, &fault));
    assert_int_equal(first.metric, MEASURE_METRIC_ENGAGEMENT);
    assert_int_equal(first.engagement.count, 3);
    assert_int_equal(first.engagement.weights[0].half_life, 30500000);
    assert_int_equal(first.engagement.weights[1].weight, 100000);
    assert_true(first.engagement.weights[2].by_quantity);
    char *text = measure_definition_print(&first);
    assert_non_null(strstr(text, "\"weight\": 0.1\n"));
    assert_null(strstr(text, "rules"));
    assert_true(measure_definition_read(proto_span_text(text), &again, &fault));
    assert_true(measure_definition_same(&first, &again));
    char *twice = measure_definition_print(&again);
    assert_string_equal(text, twice);
    free(text);
    free(twice);
}

static void what_is_wrong_in_a_definition_is_told_at_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *weights, *field, *message;
    } wrong[] = {
        {"[]", "weights", "1 to 32 rows"},
        {"[7]", "weights[0]", "a row is an object"},
        {"[{\"type\":\"touched\",\"weight\":1,\"half_life_days\":1}]", "weights[0].type", "touch"},
        {"[{\"type\":\"retraction\",\"weight\":1,\"half_life_days\":1}]", "weights[0].type",
         "engages nobody"},
        {"[{\"type\":\"touch\",\"weight\":\"1\",\"half_life_days\":1}]", "weights[0].weight",
         "a number from -1000 to 1000"},
        {"[{\"type\":\"touch\",\"weight\":1,\"half_life_days\":0}]", "weights[0].half_life_days",
         "from 0.01 to 36500"},
        {"[{\"type\":\"touch\",\"weight\":1,\"half_life\":3,\"half_life_days\":1}]",
         "weights[0].half_life", "no member of that name"},
        {"[{\"type\":\"touch\",\"weight\":1,\"half_life_days\":1,\"by\":\"sum\"}]", "weights[0].by",
         "by event"},
        {"[{\"type\":\"touch\",\"weight\":1,\"half_life_days\":1},"
         "{\"type\":\"touch\",\"kind\":\"demo\",\"weight\":1,\"half_life_days\":1}]",
         "weights[1].kind", "row 0 takes all"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char text[512];
        struct proto_fault fault = {.code = PROTO_OK};
        struct measure_definition definition;
        (void)snprintf(text, sizeof text,
                       "{\"metric\":\"engagement\",\"name\":\"n\",\"version\":1,\"weights\":%s,"
                       "\"bands\":{\"low\":1,\"medium\":2,\"high\":3}}",
                       wrong[i].weights);
        assert_false(measure_definition_read(proto_span_text(text), &definition, &fault));
        assert_int_equal(fault.code, PROTO_BAD_DOCUMENT);
        if (strcmp(fault.field, wrong[i].field) != 0 ||
            strstr(fault.message, wrong[i].message) == NULL) {
            fail_msg("%s: '%s' %s", wrong[i].weights, fault.field, fault.message);
        }
    }
}

static void bands_ascend_and_rules_have_no_place(void **state)
{
    (void)state;
    struct measure_definition definition;
    struct proto_fault fault = {.code = PROTO_OK};
    static const char mixed[] =
        "{\"metric\":\"engagement\",\"name\":\"n\",\"version\":1,\"currency\":\"\"}";
    static const char bands[] =
        "{\"metric\":\"engagement\",\"name\":\"n\",\"version\":1,\"weights\":[{\"type\":\"touch\","
        "\"weight\":1,\"half_life_days\":1}],\"bands\":{\"low\":1,\"medium\":1,\"high\":3}}";
    assert_false(measure_definition_read(proto_span_text(mixed), &definition, &fault));
    assert_string_equal(fault.field, "currency");
    assert_false(measure_definition_read(proto_span_text(bands), &definition, &fault));
    assert_string_equal(fault.field, "bands.medium");
}

static void changes_are_told_row_by_row(void **state)
{
    (void)state;
    struct measure_engagement_change changes[MEASURE_ENGAGEMENT_CHANGES_MAX];
    struct measure_engagement was;
    measure_engagement_default(&was);
    struct measure_engagement now = was;
    assert_int_equal(measure_engagement_changes(&was, &now, changes), 0);
    now.weights[0].weight = 2000000;
    now.count--; /* without adopted */
    now.least[MEASURE_BAND_HIGH] = 12000000;
    assert_int_equal(measure_engagement_changes(&was, &now, changes), 3);
    assert_string_equal(changes[0].rule, "touch");
    assert_string_equal(changes[0].before, "1 over 30 days");
    assert_string_equal(changes[0].now, "2 over 30 days");
    assert_string_equal(changes[1].rule, "outcome adopted");
    assert_string_equal(changes[1].now, "");
    assert_string_equal(changes[2].rule, "band high");
    assert_string_equal(changes[2].now, "from 12");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_touch_is_worth_half_after_its_half_life),
        cmocka_unit_test(what_stopped_long_ago_fades_to_none),
        cmocka_unit_test(what_happens_later_is_not_seen),
        cmocka_unit_test(quantities_weigh_where_a_row_says_so),
        cmocka_unit_test(the_order_of_events_changes_nothing),
        cmocka_unit_test(a_definition_is_read_and_printed_the_same),
        cmocka_unit_test(what_is_wrong_in_a_definition_is_told_at_its_place),
        cmocka_unit_test(bands_ascend_and_rules_have_no_place),
        cmocka_unit_test(changes_are_told_row_by_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

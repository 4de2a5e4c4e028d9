/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "server/math/random.h"
#include "server/measure/event_fold.h"

#define DAY MEASURE_DAY_MS

static struct event paid(const char *id, const char *subject, int64_t day, int64_t amount)
{
    return (struct event){.type = EVENT_SUBSCRIPTION,
                          .time_ms = day * DAY,
                          .known_ms = day * DAY,
                          .has = EVENT_HAS_SUBJECT | EVENT_HAS_AMOUNT | EVENT_HAS_CURRENCY |
                                 EVENT_HAS_MONTHS,
                          .source = proto_span_text("billing"),
                          .id = proto_span_text(id),
                          .subject = proto_span_text(subject),
                          .currency = proto_span_text("USD"),
                          .amount = amount,
                          .months = 1};
}

static struct event back(const char *id, const char *retracts, int64_t known_day)
{
    return (struct event){.type = EVENT_RETRACTION,
                          .known_ms = known_day * DAY,
                          .has = EVENT_HAS_RETRACTS,
                          .source = proto_span_text("billing"),
                          .id = proto_span_text(id),
                          .retracts = proto_span_text(retracts)};
}

/* MRR of account 0 at a day, as known at another, whatever the order of the events. */
static int64_t mrr(const struct event *events, size_t count, int64_t day, int64_t known_ms,
                   const char *rule)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_rules rules;
    measure_rules_default(&rules);
    assert_true(measure_rules_set_text(&rules, "currency=USD", &fault));
    assert_true(rule == NULL || measure_rules_set_text(&rules, rule, &fault));
    int64_t found = -1;
    struct math_random random;
    math_random_init(&random, count);
    for (int shuffle = 0; shuffle < 6; shuffle++) {
        struct measure_event items[16];
        size_t made = 0;
        struct measure_spells spells;
        for (size_t i = 0; i < count; i++) {
            items[i] = (struct measure_event){0, &events[i]};
        }
        for (size_t i = count; i > 1; i--) {
            size_t other = math_random_below(&random, i);
            struct measure_event item = items[i - 1];
            items[i - 1] = items[other];
            items[other] = item;
        }
        struct measure_subscription *s = measure_events_fold(items, count, known_ms, &made, &fault);
        assert_non_null(s);
        assert_true(measure_spells_make(s, made, 1, &rules, &spells, &fault));
        int64_t minor = measure_account_at(&spells, 0, day * DAY, NULL);
        assert_true(shuffle == 0 || minor == found);
        found = minor;
        measure_spells_fini(&spells);
        free(s);
    }
    return found;
}

static void the_latest_of_a_subject_holds_up_to_its_end(void **state)
{
    (void)state;
    struct event events[] = {paid("e1", "s1", 0, 1000), paid("e2", "s1", 30, 1500),
                             paid("e3", "s2", 10, 200)};
    events[1].has |= EVENT_HAS_END;
    events[1].end_ms = 60 * DAY;
    assert_int_equal(mrr(events, 3, 5, MEASURE_NEVER, NULL), 1000);
    assert_int_equal(mrr(events, 3, 20, MEASURE_NEVER, NULL), 1200);
    assert_int_equal(mrr(events, 3, 30, MEASURE_NEVER, NULL), 1700);
    assert_int_equal(mrr(events, 3, 60, MEASURE_NEVER, NULL), 200);
}

static void kinds_and_terms_are_what_rules_ask_for(void **state)
{
    (void)state;
    struct event trial = paid("e1", "s1", 0, 1000);
    trial.has |= EVENT_HAS_KIND;
    trial.kind = proto_span_text("trial");
    assert_int_equal(mrr(&trial, 1, 5, MEASURE_NEVER, NULL), 0);
    assert_int_equal(mrr(&trial, 1, 5, MEASURE_NEVER, "trials=counted"), 1000);
    trial.kind = proto_span_text("paused");
    assert_int_equal(mrr(&trial, 1, 5, MEASURE_NEVER, NULL), 0);
    assert_int_equal(mrr(&trial, 1, 5, MEASURE_NEVER, "paused=counted"), 1000);
    trial.kind = proto_span_text("past-due");
    assert_int_equal(mrr(&trial, 1, 5, MEASURE_NEVER, NULL), 1000);
    assert_int_equal(mrr(&trial, 1, 5, MEASURE_NEVER, "past-due=excluded"), 0);
    struct event annual = paid("e1", "s1", 0, 200000);
    annual.months = 12;
    assert_int_equal(mrr(&annual, 1, 5, MEASURE_NEVER, NULL), 16667);
    annual.months = 0;
    assert_int_equal(mrr(&annual, 1, 5, MEASURE_NEVER, NULL), 0);
    assert_int_equal(mrr(&annual, 1, 5, MEASURE_NEVER, "one-off=counted"), 200000);
}

static void repeats_count_once_and_what_is_taken_back_was_never_there(void **state)
{
    (void)state;
    struct event events[] = {paid("e1", "s1", 0, 1000), paid("e1", "s1", 0, 9000),
                             paid("e2", "s2", 0, 500), back("r1", "e2", 100),
                             back("r2", "e9", 100)};
    events[1].known_ms = 50 * DAY; /* the same id again, later, with another amount */
    assert_int_equal(mrr(events, 5, 5, MEASURE_NEVER, NULL), 1000);
    assert_int_equal(mrr(events, 5, 5, 60 * DAY, NULL), 1500); /* as it was known then */
    /* Another source may use the same id. */
    events[1].source = proto_span_text("crm");
    events[1].subject = proto_span_text("s3");
    assert_int_equal(mrr(events, 5, 5, MEASURE_NEVER, NULL), 10000);
}

static void what_takes_back_may_be_taken_back(void **state)
{
    (void)state;
    struct event events[] = {paid("e1", "s1", 0, 1000), back("r1", "e1", 10), back("r2", "r1", 20),
                             back("r3", "r2", 30),      back("r4", "r9", 40), back("r9", "r4", 40)};
    assert_int_equal(mrr(events, 1, 5, MEASURE_NEVER, NULL), 1000);
    assert_int_equal(mrr(events, 2, 5, MEASURE_NEVER, NULL), 0);
    assert_int_equal(mrr(events, 3, 5, MEASURE_NEVER, NULL), 1000);
    assert_int_equal(mrr(events, 4, 5, MEASURE_NEVER, NULL), 0);
    assert_int_equal(mrr(events, 4, 5, 25 * DAY, NULL), 1000);
    assert_int_equal(mrr(events, 6, 5, MEASURE_NEVER, NULL), 0); /* a ring is no matter */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_latest_of_a_subject_holds_up_to_its_end),
        cmocka_unit_test(kinds_and_terms_are_what_rules_ask_for),
        cmocka_unit_test(repeats_count_once_and_what_is_taken_back_was_never_there),
        cmocka_unit_test(what_takes_back_may_be_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

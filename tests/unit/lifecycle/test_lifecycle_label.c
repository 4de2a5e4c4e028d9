/* SPDX-License-Identifier: Apache-2.0 */
/* Labels over the timelines of an engine: counts, the day of looking, what was known, and what is
 * refused. What a case comes to is tested with the policy itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "server/lifecycle/lifecycle_label.h"
#include "tests/unit/engine/engine_await.h"
#include "tests/unit/engine/engine_fixture.h"

#define DAY MEASURE_DAY_MS

static struct engine_fixture fixture;
static struct engine_worker *worker;
static struct measure_policy *policy;

static struct measure_policy *policy_of(const char *text)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_policy *read = measure_policy_read(proto_span_text(text), &fault);
    assert_non_null(read);
    return read;
}

static int setup(void **state)
{
    (void)state;
    engine_fixture_open(&fixture);
    fixture.now_ms = 1000 * DAY;
    engine_fixture_fill(&fixture, 4); /* a0 … a3 */
    worker = engine_fixture_worker(&fixture);
    policy = policy_of(
        "{\"policy\": 1, \"name\": \"n\", \"case\": \"subject\", \"moment\": \"stage:created\", "
        "\"archetypes\": [{\"name\": \"good\", \"when\": [{\"event\": \"outcome:won\", \"within\": "
        "\"10 days\", \"campaign\": \"fair\"}]}], \"positive\": [\"good\"]}");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    measure_policy_destroy(policy);
    engine_worker_destroy(worker);
    engine_fixture_close(&fixture);
    return 0;
}

static uint64_t tell(const char *account, enum event_type type, const char *kind,
                     const char *subject, int64_t day)
{
    struct proto_fault fault = {0};
    struct proto_span none = {NULL, 0};
    char id[64];
    (void)snprintf(id, sizeof id, "%s-%s-%s-%lld", account, kind, subject, (long long)day);
    struct event event = {.type = type,
                          .time_ms = day * DAY,
                          .has = EVENT_HAS_KIND | EVENT_HAS_SUBJECT | EVENT_HAS_CAMPAIGN,
                          .source = proto_span_text("crm"),
                          .id = proto_span_text(id),
                          .kind = proto_span_text(kind),
                          .campaign = proto_span_text("fair"),
                          .subject = proto_span_text(subject)};
    struct engine_ingest *ingest = engine_ingest_begin(&fault);
    assert_non_null(ingest);
    assert_true(engine_ingest_event(ingest, fixture.engine, proto_span_text(account), none, &event,
                                    &fault));
    struct engine_await await;
    engine_await_begin(&await);
    bool given = engine_ingest_commit(ingest, fixture.engine, &await.write, &fault);
    return engine_await_end(&await, worker, given, &fault).seq;
}

static struct lifecycle_label_request request_of(void)
{
    return (struct lifecycle_label_request){.policy = policy,
                                            .at_ms = MEASURE_NEVER,
                                            .as_of = {UINT64_MAX, INT64_MAX},
                                            .subjects = true};
}

static void look(const struct lifecycle_label_request *request, struct lifecycle_label *label)
{
    struct proto_fault fault = {.code = PROTO_OK};
    assert_true(lifecycle_label(worker, NULL, request, label, &fault));
}

static uint64_t story(void)
{
    (void)tell("a1", EVENT_STAGE, "created", "o1", 10);
    (void)tell("a1", EVENT_OUTCOME, "won", "o1", 15);
    (void)tell("a1", EVENT_STAGE, "created", "o2", 12);
    (void)tell("a2", EVENT_OUTCOME, "won", "o9", 12); /* without the moment */
    uint64_t seq = tell("a3", EVENT_STAGE, "created", "o3", 20);
    (void)tell("a3", EVENT_OUTCOME, "won", "o3", 25);
    return seq;
}

static void the_day_of_looking_is_that_of_the_newest_event(void **state)
{
    (void)state;
    struct lifecycle_label_request request = request_of();
    struct lifecycle_label label;
    uint64_t seq = story();
    look(&request, &label); /* day 25 */
    assert_int_equal(label.at_ms, 25 * DAY);
    assert_int_equal(label.accounts, 4);
    assert_int_equal(label.without, 2);
    assert_int_equal(label.count, 3);
    assert_int_equal(label.events, 6);
    assert_int_equal(label.open, 1); /* o3, though it is won */
    assert_int_equal(label.positives, 1);
    assert_int_equal(label.negatives, 1);
    assert_int_equal(label.of[0], 1);
    assert_int_equal(label.of[1], 1);
    assert_true(proto_span_is(label.cases[1].subject, "o2"));
    assert_false(lifecycle_case_open(&label, &label.cases[1]));
    lifecycle_label_fini(&label);
    request.as_of.seq = seq; /* before o3 was won: the newest event is of day 20 */
    look(&request, &label);
    assert_int_equal(label.at_ms, 20 * DAY);
    assert_int_equal(label.open, 2);
    lifecycle_label_fini(&label);
    request = request_of();
    request.at_ms = 30 * DAY;
    request.subjects = false;
    look(&request, &label);
    assert_int_equal(label.open, 0);
    assert_int_equal(label.positives, 2);
    assert_int_equal(label.cases[0].subject.bytes, 0);
    lifecycle_label_fini(&label);
}

static void an_event_ahead_of_the_clock_does_not_make_cases_mature(void **state)
{
    (void)state;
    struct lifecycle_label_request request = request_of();
    struct lifecycle_label label;
    (void)story();
    fixture.now_ms = 21 * DAY;
    look(&request, &label);
    assert_int_equal(label.at_ms, 20 * DAY);
    lifecycle_label_fini(&label);
}

static void a_filter_chooses_accounts(void **state)
{
    (void)state;
    struct lifecycle_label_request request = request_of();
    struct lifecycle_label label;
    (void)story();
    request.filter = proto_span_text("employees >= 0");
    struct proto_fault fault = {.code = PROTO_OK};
    look(&request, &label);
    assert_int_equal(label.accounts, 4);
    lifecycle_label_fini(&label);
    request.filter = proto_span_text("employees < 0");
    assert_false(lifecycle_label(worker, NULL, &request, &label, &fault));
    assert_int_equal(fault.code, PROTO_NO_EVIDENCE); /* of nobody there is a case */
    assert_int_equal(label.accounts, 0);
    lifecycle_label_fini(&label);
    request.filter = proto_span_text("employees >");
    assert_false(lifecycle_label(worker, NULL, &request, &label, &fault));
    assert_int_equal(fault.code, PROTO_BAD_FILTER);
    lifecycle_label_fini(&label);
}

static void what_the_policy_asks_for_and_nobody_told_is_said(void **state)
{
    (void)state;
    struct lifecycle_label_request request = request_of();
    struct lifecycle_label label;
    struct proto_fault fault = {.code = PROTO_OK};
    char text[300];
    (void)tell("a1", EVENT_STAGE, "Created", "o1", 10);
    assert_false(lifecycle_label(worker, NULL, &request, &label, &fault));
    assert_int_equal(fault.code, PROTO_NO_EVIDENCE);
    assert_non_null(strstr(fault.message, "no event stage:created as the policy asks for is told; "
                                          "there are Created"));
    lifecycle_label_fini(&label);
    (void)tell("a1", EVENT_STAGE, "created", "o2", 11);
    look(&request, &label);
    assert_false(lifecycle_label_unseen(&label, policy, 0, text, sizeof text));
    assert_true(lifecycle_label_unseen(&label, policy, 2, text, sizeof text));
    assert_string_equal(text, "no event outcome:won as the policy asks for is told; none of "
                              "outcome is");
    lifecycle_label_fini(&label);
}

static void what_nobody_told_is_said_once_and_only_what_is_asked_for(void **state)
{
    (void)state;
    struct lifecycle_label_request request = request_of();
    struct lifecycle_label label;
    char text[300];
    size_t notes = 0;
    struct measure_policy *other = policy_of(
        "{\"policy\": 1, \"name\": \"n\", \"case\": \"stage\", \"moment\": \"stage\", "
        "\"stage_field\": \"s\", \"archetypes\": [{\"name\": \"good\", \"when\": [{\"event\": "
        "\"outcome:won\", \"within\": \"10 days\"}]}, {\"name\": \"poor\", \"when\": [{\"event\": "
        "\"outcome:won\", \"within\": \"10 days\", \"not\": true}]}]}");
    request.policy = other;
    (void)tell("a1", EVENT_STAGE, "created", "o1", 10);
    look(&request, &label);
    for (size_t m = 0; m < other->match_count; m++) {
        notes += lifecycle_label_unseen(&label, other, m, text, sizeof text);
    }
    assert_int_equal(notes, 1); /* and none that outcomes of any kind were asked for */
    lifecycle_label_fini(&label);
    measure_policy_destroy(other);
}

static void a_moment_of_a_field_is_a_date_of_the_schema(void **state)
{
    (void)state;
    struct lifecycle_label_request request = request_of();
    struct lifecycle_label label;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_policy *other = policy_of(
        "{\"policy\": 1, \"name\": \"n\", \"moment\": \"field:employees\", \"archetypes\": "
        "[{\"name\": \"good\", \"when\": [{\"event\": \"outcome:won\", \"within\": \"10 days\"}]}]"
        "}");
    request.policy = other;
    assert_false(lifecycle_label(worker, NULL, &request, &label, &fault));
    assert_int_equal(fault.code, PROTO_BAD_FIELD);
    assert_string_equal(fault.field, "policy");
    lifecycle_label_fini(&label);
    measure_policy_destroy(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_day_of_looking_is_that_of_the_newest_event, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_event_ahead_of_the_clock_does_not_make_cases_mature,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_filter_chooses_accounts, setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_policy_asks_for_and_nobody_told_is_said, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_nobody_told_is_said_once_and_only_what_is_asked_for,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_moment_of_a_field_is_a_date_of_the_schema, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

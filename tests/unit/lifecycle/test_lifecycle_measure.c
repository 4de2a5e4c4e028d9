/* SPDX-License-Identifier: Apache-2.0 */
/* Measures over the timelines of an engine: what they come to, as of when, of whom; and what is
 * refused instead of measured. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/lifecycle/lifecycle.h"
#include "tests/unit/engine/engine_await.h"
#include "tests/unit/engine/engine_fixture.h"

#define DAY MEASURE_DAY_MS

static struct engine_fixture fixture;
static struct engine_worker *worker;

static int setup(void **state)
{
    (void)state;
    engine_fixture_open(&fixture);
    fixture.now_ms = 1000 * DAY;
    engine_fixture_fill(&fixture, 4); /* a0 … a3 */
    worker = engine_fixture_worker(&fixture);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    engine_worker_destroy(worker);
    engine_fixture_close(&fixture);
    return 0;
}

static struct event paid(const char *id, int64_t from, int64_t to, int64_t amount)
{
    return (struct event){.type = EVENT_SUBSCRIPTION,
                          .time_ms = from * DAY,
                          .end_ms = to * DAY,
                          .has = EVENT_HAS_SUBJECT | EVENT_HAS_AMOUNT | EVENT_HAS_CURRENCY |
                                 EVENT_HAS_MONTHS | (to > 0 ? EVENT_HAS_END : 0),
                          .source = proto_span_text("billing"),
                          .id = proto_span_text(id),
                          .subject = proto_span_text(id),
                          .currency = proto_span_text("USD"),
                          .amount = amount,
                          .months = 1};
}

static uint64_t tell(const char *account, const struct event *event)
{
    struct proto_fault fault = {0};
    struct proto_span none = {NULL, 0};
    struct engine_ingest *ingest = engine_ingest_begin(&fault);
    assert_non_null(ingest);
    assert_true(
        engine_ingest_event(ingest, fixture.engine, proto_span_text(account), none, event, &fault));
    struct engine_await await;
    engine_await_begin(&await);
    bool given = engine_ingest_commit(ingest, fixture.engine, &await.write, &fault);
    return engine_await_end(&await, worker, given, &fault).seq;
}

static const struct lifecycle_parameter days[] = {
    {.name = {(const uint8_t *)"from", 4}, .text = {(const uint8_t *)"1970-02-01", 10}},
    {.name = {(const uint8_t *)"to", 2}, .number = 60.0 * 86400000, .is_number = true}};

static struct lifecycle_request request_of(enum measure_id measure)
{
    struct lifecycle_request request = {.measure = measure,
                                        .parameters = days,
                                        .parameter_count = 2,
                                        .metric = MEASURE_METRICS,
                                        .against_metric = MEASURE_METRICS,
                                        .as_of = {UINT64_MAX, INT64_MAX}};
    measure_rules_default(&request.rules);
    request.against = request.rules;
    return request;
}

static void must_refuse(const struct lifecycle_request *request, enum proto_error code,
                        const char *field)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct lifecycle_result result;
    assert_false(lifecycle_measure(worker, NULL, request, &result, &fault));
    lifecycle_result_fini(&result);
    assert_int_equal(fault.code, code);
    assert_string_equal(fault.field, field);
    assert_true(fault.message[0] != '\0');
}

/* The cell of a row and column. */
static int64_t whole(const struct lifecycle_result *result, size_t row, size_t column)
{
    return result->table.cells[row * result->table.columns + column].whole;
}

enum { START = 2, NEW, REACTIVATION, EXPANSION, CONTRACTION, CHURN, END };

static void nothing_told_is_no_figure(void **state)
{
    (void)state;
    struct lifecycle_request request = request_of(MEASURE_ID_MRR);
    must_refuse(&request, PROTO_NO_EVIDENCE, "");
}

static void movements_are_those_of_the_timelines_as_they_are_and_as_they_were(void **state)
{
    (void)state;
    struct lifecycle_result result;
    struct proto_fault fault = {.code = PROTO_OK};
    struct lifecycle_request request = request_of(MEASURE_ID_MRR);
    const struct event events[] = {paid("s1", 10, 45, 1000), paid("s2", 40, 0, 500),
                                   paid("s3", 10, 0, 200)};
    tell("a0", &events[0]);
    tell("a1", &events[1]);
    uint64_t seq = tell("a1", &events[2]);
    struct event back = {.type = EVENT_RETRACTION,
                         .time_ms = 50 * DAY,
                         .has = EVENT_HAS_RETRACTS,
                         .source = proto_span_text("billing"),
                         .id = proto_span_text("r1"),
                         .retracts = proto_span_text("s2")};
    tell("a1", &back);
    assert_true(lifecycle_measure(worker, NULL, &request, &result, &fault));
    assert_int_equal(measure_table_rows(&result.table), 1); /* February */
    assert_int_equal(whole(&result, 0, START), 1200);
    assert_int_equal(whole(&result, 0, EXPANSION), 0);
    assert_int_equal(whole(&result, 0, CHURN), 1000);
    assert_int_equal(whole(&result, 0, END), 200);
    assert_int_equal(result.accounts, 4);
    assert_int_equal(result.events, 4);
    assert_int_equal(result.subscriptions, 2);
    assert_int_equal(result.newest_ms, 1000 * DAY);
    assert_string_equal(result.rules.base, "USD");
    lifecycle_result_fini(&result);
    request.as_of.seq = seq;
    assert_true(lifecycle_measure(worker, NULL, &request, &result, &fault));
    assert_int_equal(whole(&result, 0, EXPANSION), 500);
    assert_int_equal(whole(&result, 0, END), 700);
    assert_int_equal(result.seq, seq);
    lifecycle_result_fini(&result);
    request.as_of = (struct lifecycle_as_of){UINT64_MAX, 999 * DAY}; /* before anything was told */
    must_refuse(&request, PROTO_NO_EVIDENCE, "");
}

static void a_filter_and_a_field_say_of_whom(void **state)
{
    (void)state;
    struct lifecycle_result result;
    struct proto_fault fault = {.code = PROTO_OK};
    struct lifecycle_request request = request_of(MEASURE_ID_RETENTION);
    request.filter = proto_span_text("employees is not missing");
    request.by = proto_span_text("industry");
    assert_true(lifecycle_measure(worker, NULL, &request, &result, &fault));
    assert_int_equal(result.accounts, 4);
    assert_true(measure_table_rows(&result.table) > 5);
    assert_string_equal(result.table.cells[0].text, "all");
    lifecycle_result_fini(&result);
    request.filter = proto_span_text("employees < 0");
    must_refuse(&request, PROTO_NO_EVIDENCE, "");
    request.filter = proto_span_text("employees <");
    must_refuse(&request, PROTO_BAD_FILTER, "filter");
    request.filter = (struct proto_span){NULL, 0};
    request.by = proto_span_text("nofield");
    must_refuse(&request, PROTO_BAD_FIELD, "by");
    request.by = proto_span_text("tech"); /* tags */
    must_refuse(&request, PROTO_BAD_FIELD, "by");
    request.by = proto_span_text("industry");
    request.measure = MEASURE_ID_CLV_SBG;
    must_refuse(&request, PROTO_BAD_FIELD, "by");
}

static void what_a_request_cannot_mean_is_told_at_its_member(void **state)
{
    (void)state;
    struct lifecycle_request request = request_of(MEASURE_ID_MRR);
    request.parameter_count = 1;
    must_refuse(&request, PROTO_MISSING_FIELD, "parameters.to");
    struct lifecycle_parameter more[3] = {days[0], days[1]};
    request.parameters = more;
    request.parameter_count = 3;
    more[2] = (struct lifecycle_parameter){.name = proto_span_text("period"),
                                           .text = proto_span_text("week")};
    must_refuse(&request, PROTO_BAD_FIELD, "parameters.period");
    more[2].name = proto_span_text("grace");
    must_refuse(&request, PROTO_BAD_FIELD, "parameters.grace");
    request.parameter_count = 2;
    more[1].number = 0;
    must_refuse(&request, PROTO_BAD_FIELD, "parameters.to");
    more[0].text = proto_span_text("0001-01-01"); /* refused before anything is walked */
    must_refuse(&request, PROTO_BAD_FIELD, "parameters.to");
    more[0].text = proto_span_text("yesterday");
    must_refuse(&request, PROTO_BAD_FIELD, "parameters.from");
    request = request_of(MEASURE_ID_CLV_SBG);
    must_refuse(&request, PROTO_MISSING_FIELD, "parameters.as-of");
    request = request_of(MEASURE_ID_CLV_PURCHASES); /* from is none of its parameters */
    must_refuse(&request, PROTO_BAD_FIELD, "parameters.from");
    request = request_of(MEASURE_ID_BRIDGE);
    must_refuse(&request, PROTO_MISSING_FIELD, "against");
    request.churn_flag = proto_span_text("industry");
    struct proto_fault fault;
    assert_true(measure_rules_set_text(&request.against, "churn-at=cancel", &fault));
    must_refuse(&request, PROTO_BAD_FIELD, "churn_flag");
    const struct lifecycle_parameter of_mrr[] = {
        days[0], days[1], {.name = proto_span_text("metric"), .text = proto_span_text("mrr")}};
    request.parameters = of_mrr;
    request.parameter_count = 3;
    request.metric = MEASURE_METRIC_NRR_COHORT;
    must_refuse(&request, PROTO_BAD_DOCUMENT, "definition");
    /* Left out it is the definition's, and the other one must be of it too. */
    request.parameter_count = 2;
    request.against_metric = MEASURE_METRIC_MRR;
    must_refuse(&request, PROTO_BAD_DOCUMENT, "against_definition");
    request.metric = request.against_metric = MEASURE_METRIC_CHURN_COUNT;
    request.churn_flag = (struct proto_span){NULL, 0};
    assert_true(measure_rules_set_text(&request.against, "churn-evidence=flag", &fault));
    must_refuse(&request, PROTO_MISSING_FIELD, "churn_flag");
}

/* What it pays a month fits into 64 bits, what it pays a year does not. */
static void a_year_beyond_the_bound_of_sums_is_no_view(void **state)
{
    (void)state;
    static const struct lifecycle_parameter then[] = {
        {.name = {(const uint8_t *)"as-of", 5}, .number = 20.0 * 86400000, .is_number = true}};
    struct lifecycle_result result;
    struct proto_fault fault = {.code = PROTO_OK};
    struct lifecycle_request request = request_of(MEASURE_ID_PRODUCT);
    struct event event = paid("s9", 20, 21, MEASURE_AMOUNT_MAX);
    tell("a2", &event);
    request.parameters = then;
    request.parameter_count = 1;
    assert_true(lifecycle_measure(worker, NULL, &request, &result, &fault));
    lifecycle_result_fini(&result);
    assert_true(measure_rules_set_text(&request.rules, "currency=EUR", &fault));
    assert_true(measure_rules_set_text(&request.rules, "rate-USD=100000", &fault));
    must_refuse(&request, PROTO_LIMIT, "subscriptions");
}

static void currencies_are_never_added_up_and_terms_are_known(void **state)
{
    (void)state;
    struct lifecycle_result result;
    struct proto_fault fault = {.code = PROTO_OK};
    struct lifecycle_request request = request_of(MEASURE_ID_MRR);
    struct event event = paid("s4", 20, 0, 100);
    event.currency = proto_span_text("EUR");
    tell("a2", &event);
    must_refuse(&request, PROTO_BAD_FIELD, "rules.currency");
    assert_true(measure_rules_set_text(&request.rules, "currency=USD", &fault));
    must_refuse(&request, PROTO_BAD_FIELD, "accounts[a2].currency");
    assert_true(measure_rules_set_text(&request.rules, "rate-EUR=2", &fault));
    assert_true(lifecycle_measure(worker, NULL, &request, &result, &fault));
    assert_int_equal(whole(&result, 0, END), 400);
    lifecycle_result_fini(&result);
    event = paid("s5", 20, 0, 100);
    event.months = 5;
    tell("a3", &event);
    must_refuse(&request, PROTO_BAD_FIELD, "accounts[a3].term");
}

/* Who asks has given up before it begins. */
static void a_measure_that_nobody_waits_for_ends(void **state)
{
    (void)state;
    struct engine_job job = {.engine = fixture.engine};
    struct lifecycle_request request = request_of(MEASURE_ID_MRR);
    struct proto_fault fault = {.code = PROTO_OK};
    struct lifecycle_result result;
    atomic_store(&job.cancel, true);
    assert_false(lifecycle_measure(worker, &job, &request, &result, &fault));
    lifecycle_result_fini(&result);
    assert_int_equal(fault.code, PROTO_CANCELLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_told_is_no_figure),
        cmocka_unit_test(movements_are_those_of_the_timelines_as_they_are_and_as_they_were),
        cmocka_unit_test(a_filter_and_a_field_say_of_whom),
        cmocka_unit_test(what_a_request_cannot_mean_is_told_at_its_member),
        cmocka_unit_test(a_year_beyond_the_bound_of_sums_is_no_view),
        cmocka_unit_test(currencies_are_never_added_up_and_terms_are_known),
        cmocka_unit_test(a_measure_that_nobody_waits_for_ends),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

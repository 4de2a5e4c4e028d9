/* SPDX-License-Identifier: Apache-2.0 */
/* Who left after a deal: a share where leaving is told of somebody, and none where it is of nobody,
 * for that is what a server looks like that no one tells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>

#include "server/lifecycle/lifecycle.h"
#include "tests/unit/engine/engine_await.h"
#include "tests/unit/engine/engine_fixture.h"

#define DAY MEASURE_DAY_MS

enum { BEFORE = 1 }; /* the row of deals that closed earlier in their quarter */

static struct engine_fixture fixture;
static struct engine_worker *worker;

static void tell(const char *account, enum event_type type, const char *kind, int64_t day)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct proto_span none = {NULL, 0};
    char id[64];
    (void)snprintf(id, sizeof id, "%s-%s-%lld", account, kind, (long long)day);
    struct event event = {.type = type,
                          .time_ms = day * DAY,
                          .has = EVENT_HAS_KIND | EVENT_HAS_SUBJECT,
                          .source = proto_span_text("crm"),
                          .id = proto_span_text(id),
                          .kind = proto_span_text(kind),
                          .subject = proto_span_text("deal")};
    struct engine_ingest *ingest = engine_ingest_begin(&fault);
    assert_non_null(ingest);
    assert_true(engine_ingest_event(ingest, fixture.engine, proto_span_text(account), none, &event,
                                    &fault));
    struct engine_await await;
    engine_await_begin(&await);
    bool given = engine_ingest_commit(ingest, fixture.engine, &await.write, &fault);
    (void)engine_await_end(&await, worker, given, &fault);
}

/* a0 to a2 have won a deal long ago, a3 lately: it was not watched for a year. */
static int setup(void **state)
{
    (void)state;
    engine_fixture_open(&fixture);
    fixture.now_ms = 1000 * DAY;
    engine_fixture_fill(&fixture, 5); /* a0 … a4 */
    worker = engine_fixture_worker(&fixture);
    for (int i = 0; i < 4; i++) {
        char account[8];
        (void)snprintf(account, sizeof account, "a%d", i);
        int64_t day = i < 3 ? 100 : 850;
        tell(account, EVENT_STAGE, "created", day);
        tell(account, EVENT_OUTCOME, "won", day + 10);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    engine_worker_destroy(worker);
    engine_fixture_close(&fixture);
    return 0;
}

static void churn_is(int64_t as_of_day, const char *kind, double share, int64_t n)
{
    const struct lifecycle_parameter parameters[] = {
        {.name = proto_span_text("as-of"), .number = (double)(as_of_day * DAY), .is_number = true},
        {.name = proto_span_text("churn-kind"), .text = proto_span_text(kind)},
        {.name = proto_span_text("least"), .number = 1, .is_number = true}};
    struct lifecycle_request request = {.measure = MEASURE_ID_QUARTER_END,
                                        .parameters = parameters,
                                        .parameter_count = 3,
                                        .metric = MEASURE_METRICS,
                                        .against_metric = MEASURE_METRICS,
                                        .as_of = {UINT64_MAX, INT64_MAX}};
    struct proto_fault fault = {.code = PROTO_OK};
    struct lifecycle_result result;
    measure_rules_default(&request.rules);
    request.against = request.rules;
    assert_true(lifecycle_measure(worker, NULL, &request, &result, &fault));
    const struct measure_table *table = &result.table;
    double found = measure_cell_find(table, BEFORE, "churn")->number;
    assert_true(isnan(share) ? isnan(found) : found == share);
    assert_int_equal(isnan(measure_cell_find(table, BEFORE, "churn_high")->number), isnan(share));
    assert_int_equal(measure_cell_find(table, BEFORE, "churn_n")->whole, n);
    lifecycle_result_fini(&result);
}

static void churn_that_nobody_tells_is_no_churn_of_0(void **state)
{
    (void)state;
    churn_is(1000, "churned", MEASURE_NAN, 0);
    tell("a4", EVENT_STAGE, "churned", 900); /* no outcome */
    tell("a4", EVENT_OUTCOME, "closed", 900);
    churn_is(1000, "churned", MEASURE_NAN, 0);
}

static void churn_of_one_says_that_the_others_have_stayed(void **state)
{
    (void)state;
    tell("a4", EVENT_OUTCOME, "churned", 900); /* which has no deal */
    churn_is(1000, "churned", 0, 3);
    churn_is(899, "churned", MEASURE_NAN, 0); /* nobody knew then */
    churn_is(1000, "gone", MEASURE_NAN, 0);
    tell("a1", EVENT_OUTCOME, "churned", 200);
    churn_is(1000, "churned", 1.0 / 3, 3);
    churn_is(1000, "gone", MEASURE_NAN, 0);
}

static void one_that_left_too_late_has_stayed(void **state)
{
    (void)state;
    tell("a2", EVENT_OUTCOME, "churned", 110 + 366); /* a day too late for its deal */
    churn_is(1000, "churned", 0, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(churn_that_nobody_tells_is_no_churn_of_0, setup, teardown),
        cmocka_unit_test_setup_teardown(churn_of_one_says_that_the_others_have_stayed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(one_that_left_too_late_has_stayed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

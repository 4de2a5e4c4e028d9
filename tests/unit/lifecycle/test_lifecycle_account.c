/* SPDX-License-Identifier: Apache-2.0 */
/* What the timeline of one account comes to, at a moment and as it was known. */
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
static struct base_arena arena;

static int setup(void **state)
{
    (void)state;
    engine_fixture_open(&fixture);
    fixture.now_ms = 1000 * DAY;
    engine_fixture_fill(&fixture, 2);
    worker = engine_fixture_worker(&fixture);
    base_arena_init(&arena, 0, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    base_arena_fini(&arena);
    engine_worker_destroy(worker);
    engine_fixture_close(&fixture);
    return 0;
}

static struct event event_of(enum event_type type, const char *id, const char *kind, int64_t day)
{
    return (struct event){.type = type,
                          .time_ms = day * DAY,
                          .has = kind != NULL ? EVENT_HAS_KIND : 0,
                          .kind = kind != NULL ? proto_span_text(kind) : (struct proto_span){0},
                          .source = proto_span_text("crm"),
                          .id = proto_span_text(id)};
}

static struct event paid(const char *id, const char *subject, int64_t from, int64_t to,
                         int64_t amount)
{
    struct event event = event_of(EVENT_SUBSCRIPTION, id, NULL, from);
    event.has = EVENT_HAS_SUBJECT | EVENT_HAS_AMOUNT | EVENT_HAS_CURRENCY | EVENT_HAS_MONTHS |
                (to > 0 ? EVENT_HAS_END : 0);
    event.subject = proto_span_text(subject);
    event.currency = proto_span_text("USD");
    event.amount = amount;
    event.months = 1;
    event.end_ms = to * DAY;
    return event;
}

static uint64_t tell(const struct event *events, size_t count)
{
    struct proto_fault fault = {0};
    struct proto_span none = {NULL, 0};
    struct engine_ingest *ingest = engine_ingest_begin(&fault);
    assert_non_null(ingest);
    for (size_t i = 0; i < count; i++) {
        assert_true(engine_ingest_event(ingest, fixture.engine, proto_span_text("a1"), none,
                                        &events[i], &fault));
    }
    struct engine_await await;
    engine_await_begin(&await);
    bool given = engine_ingest_commit(ingest, fixture.engine, &await.write, &fault);
    return engine_await_end(&await, worker, given, &fault).seq;
}

static struct lifecycle_account look(const char *id, int64_t day, uint64_t seq)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct lifecycle_account account;
    struct measure_rules rules;
    const struct engine_name name = {.id = proto_span_text(id)};
    const struct lifecycle_as_of as_of = {seq, INT64_MAX};
    measure_rules_default(&rules);
    uint32_t slot = engine_find(worker, &name, &fault);
    assert_true(slot != ENGINE_NO_SLOT);
    assert_true(
        lifecycle_account(worker, slot, day * DAY, &rules, &as_of, &arena, &account, &fault));
    return account;
}

static void an_account_of_which_nothing_is_told_is_no_customer(void **state)
{
    (void)state;
    struct lifecycle_account account = look("a0", 100, UINT64_MAX);
    assert_int_equal(account.mrr, 0);
    assert_false(account.customer);
    assert_string_equal(account.currency, "");
    assert_true(account.since_ms == MEASURE_NEVER && account.last_touch_ms == MEASURE_NEVER &&
                account.nps_ms == MEASURE_NEVER && account.newest_ms == INT64_MIN);
    assert_int_equal(account.open_count + account.events, 0);
}

static void a_timeline_comes_to_what_it_tells_by_the_moment_of_looking(void **state)
{
    (void)state;
    struct event events[] = {event_of(EVENT_TOUCH, "t1", "email", 5),
                             event_of(EVENT_TOUCH, "t2", "call", 70),
                             event_of(EVENT_OUTCOME, "o1", "renewed", 40),
                             event_of(EVENT_OUTCOME, "o2", "nps", 30),
                             event_of(EVENT_OUTCOME, "o3", "nps", 80),
                             paid("p1", "s1", 10, 0, 1000),
                             paid("p2", "s1", 50, 90, 1500),
                             paid("p3", "s2", 20, 30, 200)};
    events[3].has |= EVENT_HAS_QUANTITY;
    events[3].quantity = 9000;
    events[4].has |= EVENT_HAS_QUANTITY;
    events[4].quantity = -3000;
    uint64_t seq = tell(events, sizeof events / sizeof *events);
    struct lifecycle_account account = look("a1", 60, UINT64_MAX);
    assert_int_equal(account.mrr, 1500);
    assert_true(account.customer);
    assert_string_equal(account.currency, "USD");
    assert_int_equal(account.since_ms, 10 * DAY);
    assert_int_equal(account.tenure_days, 50);
    assert_int_equal(account.first_touch_ms, 5 * DAY);
    assert_int_equal(account.last_touch_ms, 5 * DAY);
    assert_int_equal(account.renewals, 1);
    assert_int_equal(account.nps, 9000);
    assert_int_equal(account.open_count, 1);
    assert_int_equal(account.open_listed, 1);
    assert_true(proto_span_is(account.open[0].subject, "s1"));
    assert_int_equal(account.open[0].end_ms, 90 * DAY);
    account = look("a1", 100, UINT64_MAX);
    assert_int_equal(account.mrr, 0);
    assert_int_equal(account.tenure_days, 80);
    assert_int_equal(account.nps, -3000);
    assert_int_equal(account.last_touch_ms, 70 * DAY);
    assert_int_equal(account.open_count, 0);
    struct event back = event_of(EVENT_RETRACTION, "r1", NULL, 95);
    back.has = EVENT_HAS_RETRACTS;
    back.retracts = proto_span_text("p2");
    tell(&back, 1);
    assert_int_equal(look("a1", 100, UINT64_MAX).mrr, 1000);
    assert_int_equal(look("a1", 100, seq).mrr, 0); /* as it was known */
    assert_int_equal(look("a1", 10, UINT64_MAX).tenure_days, 0);
    assert_true(look("a1", 9, UINT64_MAX).since_ms == MEASURE_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_of_which_nothing_is_told_is_no_customer),
        cmocka_unit_test(a_timeline_comes_to_what_it_tells_by_the_moment_of_looking),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

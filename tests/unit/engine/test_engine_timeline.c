/* SPDX-License-Identifier: Apache-2.0 */
/* Events as the engine takes them, and pages of what was told of an account. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/engine/timeline.h"
#include "tests/unit/engine/engine_await.h"
#include "tests/unit/engine/engine_fixture.h"

static struct engine_fixture fixture;
static struct engine_worker *worker;

static int setup(void **state)
{
    (void)state;
    engine_fixture_open(&fixture);
    engine_fixture_fill(&fixture, 5);
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

static struct event touch(const char *id, int64_t day)
{
    return (struct event){.type = EVENT_TOUCH,
                          .time_ms = day * INT64_C(86400000),
                          .source = proto_span_text("crm"),
                          .id = proto_span_text(id)};
}

static struct engine_written tell(const char *id, const char *key, const struct event *events,
                                  size_t count)
{
    struct proto_fault fault = {0};
    struct engine_ingest *ingest = engine_ingest_begin(&fault);
    assert_non_null(ingest);
    for (size_t i = 0; i < count; i++) {
        assert_true(engine_ingest_event(ingest, fixture.engine, proto_span_text(id),
                                        proto_span_text(key), &events[i], &fault));
    }
    struct engine_await await;
    engine_await_begin(&await);
    bool given = engine_ingest_commit(ingest, fixture.engine, &await.write, &fault);
    return engine_await_end(&await, worker, given, &fault);
}

static void a_page_of_a_timeline_holds_what_was_told_in_its_order(void **state)
{
    struct proto_fault fault = {0};
    struct base_arena arena;
    struct engine_timeline page;
    struct event_choice choice = event_choice_all();
    struct event events[] = {touch("c", 3), touch("a", 1), touch("b", 2), touch("d", 4)};
    (void)state;
    const char *const words[] = {"key", "crm:timeline", NULL};
    engine_fixture_put(&fixture, "timeline", words);
    assert_true(engine_worker_refresh(worker, &fault));
    assert_int_equal(tell("", "crm:timeline", events, 3).count, 3);
    assert_int_equal(tell("timeline", "", events, 4).count, 1);
    base_arena_init(&arena, 0, 0);
    const struct engine_name name = {.id = proto_span_text("timeline")};
    uint32_t slot = engine_find(worker, &name, &fault);
    assert_true(engine_timeline(worker, slot, &choice, 1, 2, &arena, &page, &fault));
    assert_int_equal(page.total, 4);
    assert_int_equal(page.count, 2);
    assert_true(proto_span_is(page.events[0].event.id, "b"));
    assert_true(proto_span_is(page.events[1].event.id, "c"));
    choice.newest = true;
    assert_true(engine_timeline(worker, slot, &choice, 0, 1, &arena, &page, &fault));
    assert_true(proto_span_is(page.events[0].event.id, "d"));
    assert_true(engine_timeline(worker, slot, &choice, 9, 1, &arena, &page, &fault));
    assert_int_equal(page.count, 0);
    base_arena_fini(&arena);
}

static void an_event_that_is_none_is_refused_before_the_writer_sees_it(void **state)
{
    struct proto_fault fault = {0};
    struct proto_span none = {NULL, 0};
    struct event event = touch("x", 100000); /* in the year 2243 */
    (void)state;
    struct engine_ingest *ingest = engine_ingest_begin(&fault);
    assert_non_null(ingest);
    assert_false(engine_ingest_event(ingest, fixture.engine, proto_span_text("timeline"), none,
                                     &event, &fault));
    assert_string_equal(fault.field, "time");
    event = touch("x", 1);
    assert_false(engine_ingest_event(ingest, fixture.engine, none, none, &event, &fault));
    assert_int_equal(fault.code, PROTO_MISSING_FIELD);
    assert_false(engine_ingest_event(ingest, fixture.engine, none, proto_span_text("no key"),
                                     &event, &fault));
    assert_string_equal(fault.field, "key");
    engine_ingest_drop(ingest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_of_a_timeline_holds_what_was_told_in_its_order),
        cmocka_unit_test(an_event_that_is_none_is_refused_before_the_writer_sees_it),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Measures of journeys out of columns: the same tables as of timelines, whatever was told late, at
 * one moment, twice or taken back; and what columns do not have is read of timelines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "server/lifecycle/lifecycle_collect.h"
#include "tests/unit/engine/engine_await.h"
#include "tests/unit/engine/engine_fixture.h"

#define DAY MEASURE_DAY_MS

enum { ACCOUNTS = 300, STEPS = 12, EACH = 50 };

static struct engine_fixture fixture;
static struct engine_worker *worker;
static struct lifecycle_columns *columns;
static uint64_t seed;

static int setup(void **state)
{
    struct proto_fault fault = {.code = PROTO_OK};
    (void)state;
    engine_fixture_open(&fixture);
    fixture.now_ms = 20000 * DAY;
    engine_fixture_fill(&fixture, ACCOUNTS);
    worker = engine_fixture_worker(&fixture);
    columns = lifecycle_columns_create((size_t)1 << 26, &fault);
    assert_non_null(columns);
    seed = 20261;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lifecycle_columns_destroy(columns);
    engine_worker_destroy(worker);
    engine_fixture_close(&fixture);
    return 0;
}

static uint32_t chance(uint32_t of)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((seed >> 33) % of);
}

static void tell(const char *account, const struct event *events, size_t count)
{
    struct proto_fault fault = {0};
    struct proto_span none = {NULL, 0};
    struct engine_ingest *ingest = engine_ingest_begin(&fault);
    assert_non_null(ingest);
    for (size_t i = 0; i < count; i++) {
        if (!engine_ingest_event(ingest, fixture.engine, proto_span_text(account), none, &events[i],
                                 &fault)) {
            fail_msg("%s: %s", fault.field, fault.message);
        }
    }
    struct engine_await await;
    engine_await_begin(&await);
    bool given = engine_ingest_commit(ingest, fixture.engine, &await.write, &fault);
    struct engine_written written = engine_await_end(&await, worker, given, &fault);
    if (written.fault.code != PROTO_OK) {
        fail_msg("%s: %s", written.fault.field, written.fault.message);
    }
}

static struct proto_span one_of(const char *const *texts, uint32_t count)
{
    return proto_span_text(texts[chance(count)]);
}

/* An event of an account's journey; its id is of the caller. */
static struct event random_event(const char *id)
{
    static const char *const channels[] = {"email", "call", "webinar", "ad", "event"};
    static const char *const stages[] = {"created", "qualified", "demo", "proposal"};
    static const char *const ends[] = {"won", "lost", "churned"};
    static const char *const people[] = {"lea", "ben", "kim"};
    static const char *const subjects[] = {"o1", "o2", "ticket"};
    static const char *const motions[] = {"inbound", "outbound"};
    static const enum event_type types[] = {EVENT_TOUCH,   EVENT_TOUCH,    EVENT_TOUCH, EVENT_STAGE,
                                            EVENT_OUTCOME, EVENT_DECISION, EVENT_USAGE};
    enum event_type type = types[chance(7)];
    struct event event = {.type = type,
                          .time_ms = (19000 + (int64_t)chance(60)) * DAY, /* many of one moment */
                          .has = EVENT_HAS_KIND | EVENT_HAS_PERSON | EVENT_HAS_SUBJECT,
                          .source = proto_span_text(chance(2) == 0 ? "crm" : "web"),
                          .id = proto_span_text(id),
                          .person = one_of(people, 3),
                          .subject = one_of(subjects, 3)};
    event.kind = type == EVENT_STAGE     ? one_of(stages, 4)
                 : type == EVENT_OUTCOME ? one_of(ends, 3)
                                         : one_of(channels, 5);
    if (type != EVENT_USAGE) {
        event.has |= EVENT_HAS_MOTION | EVENT_HAS_FUNCTION;
        event.motion = one_of(motions, 2);
        event.function = proto_span_text(chance(2) == 0 ? "sales" : "marketing");
    } else {
        event.has |= EVENT_HAS_QUANTITY;
        event.quantity = 1000;
    }
    if (type == EVENT_OUTCOME) {
        event.has |= EVENT_HAS_AMOUNT | EVENT_HAS_CURRENCY;
        event.amount = chance(100000);
        event.currency = proto_span_text("USD");
    }
    if (chance(3) == 0 && type != EVENT_DECISION) {
        event.has &= ~(uint32_t)EVENT_HAS_SUBJECT;
        event.subject = (struct proto_span){NULL, 0};
    }
    return event;
}

/* Some events of one account at once, told in no order of their ids; perhaps one taken back. */
static void random_batch(size_t *told)
{
    char account[16];
    char ids[4][40];
    struct event events[4];
    uint32_t count = 1 + chance(3);
    (void)snprintf(account, sizeof account, "a%u", chance(ACCOUNTS));
    for (uint32_t i = 0; i < count; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "e%u-%zu", 9 - i, *told);
        events[i] = random_event(ids[i]);
        *told += 1;
    }
    tell(account, events, count);
    if (chance(8) == 0) {
        (void)snprintf(ids[3], sizeof ids[3], "back-%zu", *told);
        const struct event back = {.type = EVENT_RETRACTION,
                                   .time_ms = events[0].time_ms,
                                   .has = EVENT_HAS_RETRACTS,
                                   .source = events[0].source,
                                   .id = proto_span_text(ids[3]),
                                   .retracts = events[0].id};
        tell(account, &back, 1);
    }
}

struct asked {
    enum measure_id measure;
    struct {
        const char *name, *text;
        double number; /* where there is no text */
    } parameters[4];
};

static const struct asked asked[] = {
    {MEASURE_ID_ATTRIBUTION, {{"least", NULL, 1}}},
    {MEASURE_ID_ATTRIBUTION, {{"least", NULL, 1}, {"channel", "person", 0}, {"weigh", "value", 0}}},
    {MEASURE_ID_ATTRIBUTION,
     {{"least", NULL, 1}, {"unit", "account", 0}, {"channel", "motion", 0}}},
    {MEASURE_ID_ATTRIBUTION, {{"least", NULL, 1}, {"typed-in", "left-out", 0}}},
    {MEASURE_ID_ATTRIBUTION,
     {{"least", NULL, 1}, {"owner", "lea", 0}, {"weigh", "value", 0}, {"lookback", NULL, 20}}},
    {MEASURE_ID_ATTRIBUTION,
     {{"least", NULL, 1},
      {"until", "created", 0},
      {"mature", NULL, 400},
      {"channel", "source", 0}}},
    {MEASURE_ID_GREY, {{"least", NULL, 1}}},
    {MEASURE_ID_HANDOFFS, {{"least", NULL, 1}, {"answered-by", "sales", 0}}},
    {MEASURE_ID_HANDOFFS, {{"least", NULL, 1}, {"unit", "account", 0}}},
    {MEASURE_ID_PATTERNS, {{"least", NULL, 2}, {"fit", "none", 0}, {"show", "all", 0}}},
    {MEASURE_ID_PATTERNS,
     {{"least", NULL, 2}, {"fit", "none", 0}, {"show", "all", 0}, {"steps-of", "both", 0}}},
    {MEASURE_ID_YIELD, {{"fit", "none", 0}, {"group-by", "person", 0}, {"least", NULL, 1}}},
    {MEASURE_ID_FOCUS, {{"of", "won", 0}}},
    {MEASURE_ID_QUARTER_END, {{"least", NULL, 1}}},
    {MEASURE_ID_MOTIONS, {{"group-by", "motion", 0}}},
};
enum { ASKED = sizeof asked / sizeof *asked };

static struct lifecycle_request request_of(const struct asked *what,
                                           struct lifecycle_parameter parameters[4])
{
    struct lifecycle_request request = {.measure = what->measure,
                                        .parameters = parameters,
                                        .metric = MEASURE_METRICS,
                                        .against_metric = MEASURE_METRICS,
                                        .as_of = {UINT64_MAX, INT64_MAX}};
    for (size_t i = 0; i < 4 && what->parameters[i].name != NULL; i++) {
        bool number = what->parameters[i].text == NULL;
        parameters[request.parameter_count++] = (struct lifecycle_parameter){
            .name = proto_span_text(what->parameters[i].name),
            .text = proto_span_text(number ? "" : what->parameters[i].text),
            .number = what->parameters[i].number,
            .is_number = number};
    }
    if (what->measure == MEASURE_ID_FOCUS) {
        request.by = proto_span_text("industry");
    }
    measure_rules_default(&request.rules);
    request.against = request.rules;
    return request;
}

static bool tables_same(const struct measure_table *a, const struct measure_table *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; i < a->count && same; i++) {
        const struct measure_cell *x = &a->cells[i];
        const struct measure_cell *y = &b->cells[i];
        same = x->kind == y->kind && (x->kind == MEASURE_KIND_TEXT ? strcmp(x->text, y->text) == 0
                                                                   : x->whole == y->whole);
    }
    return same;
}

/* Rows of the table; 0 where it is refused, and then it is both ways. */
static size_t ways_compare(const struct asked *what, size_t step)
{
    struct lifecycle_parameter parameters[4];
    struct lifecycle_request request = request_of(what, parameters);
    struct lifecycle_result read;
    struct lifecycle_result kept;
    struct proto_fault faults[2] = {{.code = PROTO_OK}, {.code = PROTO_OK}};
    bool good = lifecycle_measure(worker, NULL, &request, &read, &faults[0]);
    request.columns = columns;
    assert_int_equal(lifecycle_measure(worker, NULL, &request, &kept, &faults[1]), good);
    if (faults[0].code == PROTO_BAD_FIELD) {
        fail_msg("%s: %s: %s", measure_info(what->measure)->name, faults[0].field,
                 faults[0].message);
    }
    assert_int_equal(faults[0].code, faults[1].code);
    assert_string_equal(faults[0].message, faults[1].message);
    if (!tables_same(&read.table, &kept.table) || read.accounts != kept.accounts ||
        read.events != kept.events || read.newest_ms != kept.newest_ms) {
        fail_msg("%s of columns, step %zu of seed 20261", measure_info(what->measure)->name, step);
    }
    size_t rows = good ? measure_table_rows(&kept.table) : 0;
    lifecycle_result_fini(&read);
    lifecycle_result_fini(&kept);
    return rows;
}

static void journeys_of_columns_and_of_timelines_are_the_same(void **state)
{
    size_t told = 0;
    size_t rows[ASKED] = {0};
    (void)state;
    for (size_t step = 0; step < STEPS; step++) {
        fixture.now_ms += DAY;
        for (size_t i = 0; i < EACH; i++) {
            random_batch(&told);
        }
        if (chance(2) == 0) {
            char id[16];
            (void)snprintf(id, sizeof id, "a%u", chance(ACCOUNTS));
            assert_true(engine_fixture_delete(&fixture, id));
            engine_fixture_put(&fixture, id, (const char *const[]){"industry", "Anew", NULL});
        }
        struct proto_fault fault = {.code = PROTO_OK};
        assert_true(engine_worker_refresh(worker, &fault));
        for (size_t i = 0; i < ASKED; i++) {
            rows[i] += ways_compare(&asked[i], step);
        }
    }
    for (size_t i = 0; i < ASKED; i++) {
        if (rows[i] == 0) {
            fail_msg("%s, number %zu, never said anything", measure_info(asked[i].measure)->name,
                     i);
        }
    }
}

static struct lifecycle_collect collect_of(uint32_t types, uint64_t seq)
{
    struct lifecycle_collect collect;
    const struct lifecycle_as_of as_of = {seq, INT64_MAX};
    lifecycle_collect_init(&collect, worker, NULL, &as_of, types);
    collect.whole = true;
    lifecycle_collect_columns(&collect, columns);
    return collect;
}

static void what_columns_do_not_have_is_read_of_timelines(void **state)
{
    struct proto_fault fault = {.code = PROTO_OK};
    (void)state;
    struct event event = random_event("1");
    event.type = EVENT_TOUCH;
    event.has &= ~(uint32_t)(EVENT_HAS_AMOUNT | EVENT_HAS_CURRENCY | EVENT_HAS_QUANTITY);
    event.amount = event.quantity = 0;
    event.currency = (struct proto_span){NULL, 0};
    tell("a0", &event, 1);
    uint32_t slot = store_find_id(worker->view, proto_span_text("a0"), &fault);
    const uint32_t touch = UINT32_C(1) << EVENT_TOUCH;
    const struct {
        uint32_t types;
        uint64_t seq;
        bool recalled;
    } cases[] = {{touch, UINT64_MAX, true},
                 {touch | UINT32_C(1) << EVENT_USAGE, UINT64_MAX, false},
                 {touch, engine_worker_seq(worker) - 1, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lifecycle_collect collect = collect_of(cases[i].types, cases[i].seq);
        assert_true(lifecycle_collect_account(&collect, slot, 0, &fault));
        assert_int_equal(collect.recall.count > 0, cases[i].recalled);
        assert_int_equal(collect.count, i < 2);
        if (i < 2) {
            const struct event *got = collect.events[0].event;
            assert_true(proto_span_equal(got->person, event.person));
            assert_true(proto_span_equal(got->subject, event.subject));
            assert_true(proto_span_equal(got->motion, event.motion));
            assert_int_equal(got->time_ms, event.time_ms);
            assert_int_equal(got->seq, engine_worker_seq(worker));
            /* A page does not have the source's id. */
            assert_int_equal(got->id.bytes > 0, !cases[i].recalled);
        }
        lifecycle_collect_fini(&collect);
    }
}

static void neighbours_of_two_pages_are_told_apart(void **state)
{
    struct proto_fault fault = {.code = PROTO_OK};
    (void)state;
    struct event first = random_event("1");
    first.type = EVENT_STAGE;
    first.has = EVENT_HAS_KIND;
    struct event second = first;
    first.kind = proto_span_text("created");
    second.kind = proto_span_text("demo");
    tell("a0", &first, 1);
    tell("a299", &second, 1); /* of the second page */
    uint32_t slots[] = {store_find_id(worker->view, proto_span_text("a0"), &fault),
                        store_find_id(worker->view, proto_span_text("a299"), &fault)};
    struct lifecycle_collect collect = collect_of(UINT32_C(1) << EVENT_STAGE, UINT64_MAX);
    for (size_t i = 0; i < 6; i++) {
        assert_true(lifecycle_collect_account(&collect, slots[i % 2], 0, &fault));
        assert_int_equal(collect.recall.count, 1);
        assert_true(proto_span_is(collect.events[0].event->kind, i % 2 == 0 ? "created" : "demo"));
    }
    lifecycle_collect_fini(&collect);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(journeys_of_columns_and_of_timelines_are_the_same, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_columns_do_not_have_is_read_of_timelines, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(neighbours_of_two_pages_are_told_apart, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

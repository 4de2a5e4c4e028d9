/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to events: what they come to by hand, and that columns and timelines give the same,
 * whatever was told late, twice, taken back, or belonged to an account that is gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "server/lifecycle/lifecycle_kept.h"
#include "server/lifecycle/lifecycle_query.h"
#include "server/store/store.h"
#include "tests/unit/engine/engine_await.h"
#include "tests/unit/engine/engine_fixture.h"

#define DAY MEASURE_DAY_MS

enum { ACCOUNTS = 300, STEPS = 60, EACH = 8 };

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
    seed = 20251;
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

static uint64_t tell(const char *account, const struct event *events, size_t count)
{
    struct proto_fault fault = {0};
    struct proto_span none = {NULL, 0};
    struct engine_ingest *ingest = engine_ingest_begin(&fault);
    assert_non_null(ingest);
    for (size_t i = 0; i < count; i++) {
        assert_true(engine_ingest_event(ingest, fixture.engine, proto_span_text(account), none,
                                        &events[i], &fault));
    }
    struct engine_await await;
    engine_await_begin(&await);
    bool given = engine_ingest_commit(ingest, fixture.engine, &await.write, &fault);
    return engine_await_end(&await, worker, given, &fault).seq;
}

static struct event outcome(const char *id, const char *kind, int64_t day, int64_t amount)
{
    return (struct event){.type = EVENT_OUTCOME,
                          .time_ms = day * DAY,
                          .has = EVENT_HAS_KIND | EVENT_HAS_AMOUNT | EVENT_HAS_CURRENCY,
                          .source = proto_span_text("crm"),
                          .id = proto_span_text(id),
                          .kind = proto_span_text(kind),
                          .currency = proto_span_text("USD"),
                          .amount = amount};
}

static struct lifecycle_query everything(void)
{
    return (struct lifecycle_query){
        .since_ms = INT64_MIN, .until_ms = INT64_MAX, .as_of = {UINT64_MAX, INT64_MAX}};
}

static void ask(const struct lifecycle_query *query, struct lifecycle_columns *of,
                struct lifecycle_query_result *result)
{
    struct proto_fault fault = {.code = PROTO_OK};
    if (!lifecycle_query(worker, NULL, of, query, result, &fault)) {
        fail_msg("%s: %s", fault.field, fault.message);
    }
}

static void must_refuse(const struct lifecycle_query *query, enum proto_error code,
                        const char *field)
{
    struct lifecycle_columns *const ways[] = {NULL, columns};
    for (size_t i = 0; i < 2; i++) {
        struct proto_fault fault = {.code = PROTO_OK};
        struct lifecycle_query_result result;
        assert_false(lifecycle_query(worker, NULL, ways[i], query, &result, &fault));
        lifecycle_query_fini(&result);
        assert_int_equal(fault.code, code);
        assert_string_equal(fault.field, field);
        assert_true(fault.message[0] != '\0');
    }
}

static void events_are_counted_by_what_was_asked(void **state)
{
    (void)state;
    const struct event first[] = {outcome("1", "won", 19000, 1000), outcome("2", "lost", 19040, 0)};
    const struct event second[] = {outcome("3", "won", 19045, 500), outcome("4", "won", 19001, 70)};
    tell("a0", first, 2);
    tell("a1", second, 2);
    struct proto_span members[] = {proto_span_text("kind")};
    struct lifecycle_query query = everything();
    query.members = members;
    query.member_count = 1;
    query.sum = LIFECYCLE_SUM_AMOUNT;
    query.period = LIFECYCLE_PERIOD_MONTH;
    struct lifecycle_columns *const ways[] = {NULL, columns};
    for (size_t i = 0; i < 2; i++) {
        struct lifecycle_query_result result;
        ask(&query, ways[i], &result);
        assert_int_equal(result.of_columns, i == 1);
        assert_int_equal(result.count, 3); /* January: won; February: lost, won */
        assert_int_equal(result.accounts, ACCOUNTS);
        assert_int_equal(result.events, 4);
        assert_string_equal(result.currency, "USD");
        assert_int_equal(result.newest_ms, 20000 * DAY);
        assert_int_equal(result.rows[0].period, 18993); /* 2022-01-01 */
        assert_int_equal(result.rows[0].events, 2);
        assert_int_equal(result.rows[0].accounts, 2);
        assert_int_equal(result.rows[0].of, ACCOUNTS);
        assert_int_equal(result.rows[0].sum, 1070);
        assert_true(result.rows[0].low > 0 && result.rows[0].low < result.rows[0].rate &&
                    result.rows[0].rate < result.rows[0].high);
        assert_string_equal(result.texts.texts[result.rows[1].members[0]], "lost");
        assert_int_equal(result.rows[2].sum, 500);
        lifecycle_query_fini(&result);
    }
    query.member_count = 0;
    query.cohort = LIFECYCLE_PERIOD_MONTH; /* both began in January; a0 came back in February */
    query.where = proto_span_text("kind = 'lost' or amount > 100");
    struct lifecycle_query_result result;
    ask(&query, columns, &result);
    assert_int_equal(result.count, 3);
    assert_int_equal(result.rows[0].cohort, 18993);
    assert_int_equal(result.rows[0].of, 1);
    assert_int_equal(result.rows[1].cohort, 18993);
    assert_int_equal(result.rows[1].period, 19024);
    assert_int_equal(result.rows[2].cohort, 19024); /* a1, whose 70 does not match */
    lifecycle_query_fini(&result);
}

static void what_a_question_cannot_mean_is_told_at_its_member(void **state)
{
    (void)state;
    struct event other = outcome("2", "won", 19000, 5);
    const struct event usd = outcome("1", "won", 19000, 5);
    other.currency = proto_span_text("EUR");
    tell("a0", &usd, 1);
    tell("a1", &other, 1);
    struct proto_span members[] = {proto_span_text("kind"), proto_span_text("currency"),
                                   proto_span_text("amount")};
    struct lifecycle_query query = everything();
    query.sum = LIFECYCLE_SUM_AMOUNT;
    must_refuse(&query, PROTO_BAD_FIELD, "sum");
    query.members = members;
    query.member_count = 3;
    must_refuse(&query, PROTO_BAD_FIELD, "members[2]");
    query.member_count = 2;
    struct lifecycle_query_result result;
    ask(&query, columns, &result);
    assert_int_equal(result.count, 2);
    assert_string_equal(result.currency, "");
    lifecycle_query_fini(&result);
    query = everything();
    query.where = proto_span_text("kinds = 'won'");
    must_refuse(&query, PROTO_BAD_FILTER, "where");
    query.where = proto_span_text("grade = 'A'");
    must_refuse(&query, PROTO_BAD_FILTER, "where");
    query = everything();
    query.by = proto_span_text("tech"); /* tags */
    must_refuse(&query, PROTO_BAD_FIELD, "by");
    query = everything();
    query.filter = proto_span_text("employees <");
    must_refuse(&query, PROTO_BAD_FILTER, "filter");
}

/* What was told in the course of a test, to be told again and taken back. */
struct told {
    char account[16], id[16], kind[16], retracts[16];
    struct event event;
};

static void random_event(struct told *told, size_t number, const struct told *before, size_t count)
{
    static const char *const kinds[] = {"won", "lost", "email", "trial", "paid", "churned"};
    static const enum event_type types[] = {EVENT_TOUCH, EVENT_OUTCOME, EVENT_SUBSCRIPTION,
                                            EVENT_USAGE};
    enum event_type type = types[chance(4)];
    struct event *event = &told->event;
    (void)snprintf(told->account, sizeof told->account, "a%u", chance(ACCOUNTS));
    (void)snprintf(told->id, sizeof told->id, "e%zu", number);
    (void)snprintf(told->kind, sizeof told->kind, "%s", kinds[chance(6)]);
    *event = (struct event){
        .type = type, .time_ms = (18000 + (int64_t)chance(1500)) * DAY, .has = EVENT_HAS_KIND};
    if (type == EVENT_SUBSCRIPTION || (type == EVENT_OUTCOME && chance(2) == 0)) {
        event->has |= EVENT_HAS_AMOUNT | EVENT_HAS_CURRENCY;
        event->amount = chance(100000);
    }
    if (type == EVENT_SUBSCRIPTION) {
        event->has |= EVENT_HAS_SUBJECT | EVENT_HAS_MONTHS;
        event->months = chance(4) == 0 ? 12 : 1;
    }
    if (type == EVENT_USAGE) {
        event->has |= EVENT_HAS_QUANTITY;
        event->quantity = chance(5000);
    }
    if (count > 0 && chance(4) == 0) { /* of another one, perhaps a retraction itself */
        const struct told *other = &before[chance((uint32_t)count)];
        memcpy(told->account, other->account, sizeof told->account);
        memcpy(told->retracts, other->id, sizeof told->retracts);
        *event = (struct event){
            .type = EVENT_RETRACTION, .time_ms = event->time_ms, .has = EVENT_HAS_RETRACTS};
    }
}

/* Texts are those of the struct, which may have moved. */
static const struct event *event_of(struct told *told)
{
    struct event *event = &told->event;
    event->source = proto_span_text("crm");
    event->id = proto_span_text(told->id);
    event->kind = (event->has & EVENT_HAS_KIND) != 0 ? proto_span_text(told->kind) : event->kind;
    event->retracts =
        (event->has & EVENT_HAS_RETRACTS) != 0 ? proto_span_text(told->retracts) : event->retracts;
    event->subject =
        (event->has & EVENT_HAS_SUBJECT) != 0 ? proto_span_text(told->account) : event->subject;
    event->currency =
        (event->has & EVENT_HAS_CURRENCY) != 0 ? proto_span_text("USD") : event->currency;
    return event;
}

static bool rows_same(const struct lifecycle_query_result *a,
                      const struct lifecycle_query_result *b)
{
    bool same = a->count == b->count && a->accounts == b->accounts && a->events == b->events &&
                a->newest_ms == b->newest_ms && strcmp(a->currency, b->currency) == 0;
    for (size_t i = 0; i < a->count && same; i++) {
        const struct lifecycle_query_row *x = &a->rows[i];
        const struct lifecycle_query_row *y = &b->rows[i];
        same = x->cohort == y->cohort && x->period == y->period && x->events == y->events &&
               x->accounts == y->accounts && x->of == y->of && x->sum == y->sum;
        if (a->segments.count > 0) {
            same =
                same && strcmp(a->segments.texts[x->segment], b->segments.texts[y->segment]) == 0;
        }
        for (size_t m = 0; m < PROTO_QUERY_MEMBERS_MAX; m++) {
            same =
                same && strcmp(a->texts.texts[x->members[m]], b->texts.texts[y->members[m]]) == 0;
        }
    }
    return same;
}

static struct lifecycle_query random_query(struct proto_span members[2])
{
    static const char *const wheres[] = {"",
                                         "kind = 'won'",
                                         "amount > 50000 or type = 'touch'",
                                         "quantity is missing",
                                         "months = 12",
                                         "time >= '2020-06-01'",
                                         "not amount between 20000 and 70000",
                                         "kind = 'won' and (amount < 30000 or quantity > 3000)",
                                         "amount in (0, 50000) or time < '2020-06-01'",
                                         "amount > 30000 and time > '2020-03-01' or months = 1"};
    static const char *const names[] = {"type", "kind", "currency", "source"};
    struct lifecycle_query query = everything();
    query.types = chance(3) == 0 ? UINT32_C(1) << EVENT_TOUCH | UINT32_C(1) << EVENT_USAGE : 0;
    query.where = proto_span_text(wheres[chance(sizeof wheres / sizeof *wheres)]);
    query.since_ms = chance(2) == 0 ? INT64_MIN : (18000 + (int64_t)chance(1000)) * DAY;
    query.by = chance(2) == 0 ? query.by : proto_span_text("industry");
    query.cohort = (enum lifecycle_period)chance(LIFECYCLE_COHORT_PERIODS);
    query.period = (enum lifecycle_period)chance(LIFECYCLE_PERIODS);
    query.sum = (enum lifecycle_sum)chance(3);
    query.members = members;
    query.member_count = chance(3);
    members[0] = proto_span_text(names[chance(4)]);
    members[1] = proto_span_text(names[chance(4)]);
    return query;
}

static void columns_are_what_timelines_say(uint64_t *different, size_t step)
{
    struct proto_span members[2];
    struct lifecycle_query_result kept;
    struct lifecycle_query_result read;
    struct lifecycle_query query = random_query(members);
    ask(&query, columns, &kept);
    ask(&query, NULL, &read);
    if (!rows_same(&kept, &read)) {
        fail_msg("step %zu of seed 20251: %zu rows of columns, %zu of timelines", step, kept.count,
                 read.count);
    }
    *different += kept.count > 1;
    lifecycle_query_fini(&kept);
    lifecycle_query_fini(&read);
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

static void movements_must_add_up(const struct measure_table *table)
{
    for (size_t row = 0; row < measure_table_rows(table); row++) {
        int64_t sum = measure_cell_find(table, row, "start")->whole +
                      measure_cell_find(table, row, "new")->whole +
                      measure_cell_find(table, row, "reactivation")->whole +
                      measure_cell_find(table, row, "expansion")->whole -
                      measure_cell_find(table, row, "contraction")->whole -
                      measure_cell_find(table, row, "churn")->whole;
        assert_int_equal(measure_cell_find(table, row, "end")->whole, sum);
    }
}

static const struct lifecycle_parameter days[] = {
    {.name = {(const uint8_t *)"from", 4}, .text = {(const uint8_t *)"2019-06-01", 10}},
    {.name = {(const uint8_t *)"to", 2}, .text = {(const uint8_t *)"2023-06-01", 10}}};

static struct lifecycle_request mrr_request(void)
{
    struct lifecycle_request request = {.measure = MEASURE_ID_MRR,
                                        .parameters = days,
                                        .parameter_count = 2,
                                        .metric = MEASURE_METRICS,
                                        .against_metric = MEASURE_METRICS,
                                        .as_of = {UINT64_MAX, INT64_MAX}};
    measure_rules_default(&request.rules);
    request.against = request.rules;
    return request;
}

/* What is kept, by itself: done says whether it can answer. */
static bool kept_ask(const struct lifecycle_request *request, struct lifecycle_result *result)
{
    struct proto_fault fault = {.code = PROTO_OK};
    bool done = false;
    struct lifecycle_run run = {.worker = worker,
                                .request = request,
                                .settings = {.from_ms = 18048 * DAY, /* 2019-06-01 */
                                             .to_ms = 19509 * DAY,
                                             .period_months = 1},
                                .result = result};
    *result = (struct lifecycle_result){.rules = request->rules, .newest_ms = INT64_MIN};
    measure_table_init(&result->table, MEASURE_ID_MRR);
    assert_true(lifecycle_kept_mrr(&run, &done, &fault));
    return done;
}

/* Of timelines, of columns by segment and of what is kept: the same. */
static void measures_are_the_same(size_t step, bool *any)
{
    struct lifecycle_request request = mrr_request();
    struct lifecycle_result kept;
    struct lifecycle_result read;
    struct lifecycle_result sums;
    struct proto_fault fault = {.code = PROTO_OK};
    bool good = lifecycle_measure(worker, NULL, &request, &read, &fault);
    request.columns = columns;
    assert_int_equal(kept_ask(&request, &sums), good); /* without a subscription neither */
    if (good && (!tables_same(&sums.table, &read.table) || sums.events != read.events ||
                 sums.subscriptions != read.subscriptions || sums.newest_ms != read.newest_ms ||
                 sums.accounts != read.accounts || strcmp(sums.rules.base, read.rules.base) != 0)) {
        fail_msg("step %zu of seed 20251: movements that are kept", step);
    }
    movements_must_add_up(&sums.table);
    lifecycle_result_fini(&sums);
    lifecycle_result_fini(&read);
    request.by = proto_span_text("industry");
    assert_int_equal(lifecycle_measure(worker, NULL, &request, &kept, &fault), good);
    request.columns = NULL;
    assert_int_equal(lifecycle_measure(worker, NULL, &request, &read, &fault), good);
    if (good && !tables_same(&kept.table, &read.table)) {
        fail_msg("step %zu of seed 20251: movements by segment", step);
    }
    *any = *any || good;
    lifecycle_result_fini(&kept);
    lifecycle_result_fini(&read);
}

/* Sums that are kept and not made anew where something was told would be found out. */
static void control_sums_of_before_differ(void **state)
{
    (void)state;
    struct lifecycle_request request = mrr_request();
    struct lifecycle_result before;
    struct lifecycle_result after;
    struct lifecycle_result again;
    struct event event = outcome("1", "paid", 18500, 1000);
    event.type = EVENT_SUBSCRIPTION;
    event.has |= EVENT_HAS_SUBJECT | EVENT_HAS_MONTHS;
    event.subject = proto_span_text("s");
    event.months = 1;
    request.columns = columns;
    tell("a0", &event, 1);
    assert_true(kept_ask(&request, &before));
    assert_true(kept_ask(&request, &again));
    assert_true(tables_same(&before.table, &again.table));
    event.id = proto_span_text("2");
    event.subject = proto_span_text("t");
    event.amount = 70;
    tell("a1", &event, 1);
    assert_true(kept_ask(&request, &after));
    assert_false(tables_same(&before.table, &after.table));
    assert_int_equal(measure_cell_find(&after.table, 47, "end")->whole, 1070);
    lifecycle_result_fini(&again);
    lifecycle_result_fini(&after);
    request.filter = proto_span_text("industry is missing");
    assert_false(kept_ask(&request, &after)); /* not of all accounts */
    lifecycle_result_fini(&after);
    request = mrr_request();
    request.columns = columns;
    event.id = proto_span_text("3");
    event.subject = proto_span_text("u");
    event.currency = proto_span_text("EUR");
    tell("a2", &event, 1);
    assert_false(kept_ask(&request, &after)); /* of two currencies: whoever gathers says so */
    lifecycle_result_fini(&before);
    lifecycle_result_fini(&after);
}

static void columns_and_timelines_give_the_same_whatever_is_told(void **state)
{
    (void)state;
    struct told *told = calloc(STEPS * EACH, sizeof *told);
    size_t count = 0;
    uint64_t different = 0;
    bool any = false;
    assert_non_null(told);
    for (size_t step = 0; step < STEPS; step++) {
        fixture.now_ms += DAY;
        for (size_t i = 0; i < EACH; i++) {
            bool again = count > 0 && chance(6) == 0;
            struct told *one = again ? &told[chance((uint32_t)count)] : &told[count];
            if (!again) {
                random_event(one, count, told, count);
                count++;
            }
            /* One that was taken away with its account may tell anew. */
            (void)tell(one->account, event_of(one), 1);
        }
        if (chance(6) == 0) {
            char id[16];
            (void)snprintf(id, sizeof id, "a%u", chance(ACCOUNTS));
            assert_true(engine_fixture_delete(&fixture, id));
            engine_fixture_put(&fixture, id, (const char *const[]){"industry", "Anew", NULL});
        }
        struct proto_fault fault = {.code = PROTO_OK};
        assert_true(engine_worker_refresh(worker, &fault));
        columns_are_what_timelines_say(&different, step);
        measures_are_the_same(step, &any);
    }
    assert_true(any && different > STEPS / 4);
    assert_true(lifecycle_columns_bytes(columns) > 0);
    free(told);
}

/* What the comparison above rests on: a page of before is not what timelines say, and says so. */
static void control_a_page_of_before_is_found_out(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    const struct event event = outcome("1", "won", 19000, 1000);
    struct lifecycle_page *before = lifecycle_columns_page(columns, worker, NULL, 0, &fault);
    assert_non_null(before);
    assert_true(lifecycle_page_holds(before, worker->view, 1));
    struct lifecycle_query query = everything();
    struct lifecycle_query_result old;
    struct lifecycle_query_result new;
    ask(&query, columns, &old);
    tell("a0", &event, 1);
    ask(&query, columns, &new);
    assert_false(rows_same(&old, &new));
    struct lifecycle_page *after = lifecycle_columns_page(columns, worker, NULL, 0, &fault);
    assert_non_null(after);
    assert_ptr_not_equal(before, after);
    uint32_t slot = store_find_id(worker->view, proto_span_text("a0"), &fault);
    assert_false(lifecycle_page_holds(before, worker->view, slot));
    assert_true(lifecycle_page_holds(after, worker->view, slot));
    lifecycle_page_release(before);
    lifecycle_page_release(after);
    lifecycle_query_fini(&old);
    lifecycle_query_fini(&new);
}

static void without_room_timelines_are_read(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct lifecycle_columns *none = lifecycle_columns_create(0, &fault);
    const struct event event = outcome("1", "won", 19000, 1000);
    struct lifecycle_query query = everything();
    struct lifecycle_query_result result;
    tell("a0", &event, 1);
    assert_non_null(none);
    ask(&query, none, &result);
    assert_int_equal(result.events, 1);
    assert_false(result.of_columns);
    assert_int_equal(lifecycle_columns_bytes(none), 0);
    lifecycle_query_fini(&result);
    lifecycle_columns_destroy(none);
    query.as_of.seq = 1; /* of before: columns do not know it */
    ask(&query, columns, &result);
    assert_int_equal(result.events, 0);
    assert_int_equal(result.seq, 1);
    assert_false(result.of_columns);
    lifecycle_query_fini(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(events_are_counted_by_what_was_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_question_cannot_mean_is_told_at_its_member, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(columns_and_timelines_give_the_same_whatever_is_told, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(control_a_page_of_before_is_found_out, setup, teardown),
        cmocka_unit_test_setup_teardown(control_sums_of_before_differ, setup, teardown),
        cmocka_unit_test_setup_teardown(without_room_timelines_are_read, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

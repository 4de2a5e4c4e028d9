/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts in memory are what the store holds, each as of its own slice. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "server/engine/population.h"
#include "tests/unit/engine/engine_fixture.h"

enum { VALUES = 16 };

static struct engine_population_options all_of(const struct engine_worker *worker)
{
    return (struct engine_population_options){.schema = worker->state->schema};
}

static bool same_value(const struct feature_value *a, const struct feature_value *b)
{
    if (a->present != b->present || (a->present && a->type != b->type)) {
        return false;
    }
    if (!a->present) {
        return true;
    }
    switch (a->type) {
    case FEATURE_NUMBER:
        return a->number == b->number;
    case FEATURE_FLAG:
        return a->flag == b->flag;
    default:
        return proto_span_equal(a->text, b->text);
    }
}

/* Every row of the population is what its record says now. */
static void must_match_records(struct engine_population *population, struct engine_worker *worker)
{
    struct proto_fault fault = {0};
    size_t slots = worker->state->schema->id_count;
    struct feature_value stored[VALUES];
    struct feature_value kept[VALUES];
    assert_true(slots <= VALUES && engine_worker_refresh(worker, &fault));
    for (size_t row = 0; row < population->count; row++) {
        struct feature_record record;
        assert_true(engine_record(worker, population->slots[row], &record, &fault));
        feature_record_values(&record, stored, slots);
        assert_true(engine_population_values(population, row, kept, slots));
        for (size_t i = 0; i < slots; i++) {
            assert_true(same_value(&stored[i], &kept[i]));
        }
    }
}

static void every_type_of_value_is_kept(void **state)
{
    (void)state;
    struct engine_fixture fixture;
    struct proto_fault fault = {0};
    struct engine_population population;
    engine_fixture_open(&fixture);
    engine_fixture_fill(&fixture, 300);
    engine_fixture_put(&fixture, "all",
                       (const char *const[]){"industry", "Steel", "employees", "7", "tech",
                                             "Jira;Slack", "trial", "1", "embedding", "0.5 -2",
                                             "parent", "a1", "won", "0", NULL});
    engine_fixture_put(&fixture, "none", (const char *const[]){NULL});
    struct engine_worker *worker = engine_fixture_worker(&fixture);
    struct engine_population_options options = all_of(worker);
    assert_true(engine_population_read(&population, worker, &options, &fault));
    assert_int_equal(population.count, 302);
    must_match_records(&population, worker);
    /* Fewer slots than fields: what lies behind is left out. */
    struct feature_value values[2];
    assert_true(engine_population_values(&population, 300, values, 2));
    assert_true(values[0].present && values[1].present && values[1].number == 7);
    engine_population_fini(&population);
    engine_worker_destroy(worker);
    engine_fixture_close(&fixture);
}

static void fields_filter_and_slots_narrow_it(void **state)
{
    (void)state;
    struct engine_fixture fixture;
    struct proto_fault fault = {0};
    struct engine_population population;
    struct feature_value values[VALUES];
    engine_fixture_open(&fixture);
    engine_fixture_fill(&fixture, 100);
    assert_true(engine_fixture_delete(&fixture, "a10"));
    struct engine_worker *worker = engine_fixture_worker(&fixture);
    const struct feature_schema *schema = worker->state->schema;
    bool fields[VALUES] = {[1] = true}; /* employees */
    const uint32_t slots[] = {3, 10, 40, 99};
    struct engine_population_options options = {
        .schema = schema, .fields = fields, .slots = slots, .slot_count = 4};
    assert_true(engine_population_read(&population, worker, &options, &fault));
    assert_int_equal(population.count, 3); /* 10 is deleted */
    assert_int_equal(population.slots[1], 40);
    assert_true(engine_population_values(&population, 1, values, schema->id_count));
    assert_true(!values[0].present && values[1].present && !values[6].present);
    engine_population_fini(&population);

    options = all_of(worker);
    options.where = filter_parse(schema, engine_fixture_span("employees > 500"), &fault, NULL);
    assert_non_null(options.where);
    assert_true(engine_population_read(&population, worker, &options, &fault));
    assert_true(population.count > 20 && population.count < 80);
    for (size_t row = 0; row < population.count; row++) {
        engine_population_values(&population, row, values, schema->id_count);
        assert_true(values[1].number > 500);
    }
    engine_population_fini(&population);
    filter_destroy((struct filter *)(uintptr_t)options.where);
    engine_worker_destroy(worker);
    engine_fixture_close(&fixture);
}

/* Changes what the next slice will read. */
struct meddling {
    struct engine_fixture *fixture;
    unsigned slices;
    unsigned stop_at; /* 0: never */
};

static bool meddle(void *context, double done, struct proto_fault *fault)
{
    struct meddling *meddling = context;
    assert_true(done >= 0 && done < 1);
    if (++meddling->slices == 2) {
        engine_fixture_put(meddling->fixture, "a4500",
                           (const char *const[]){"employees", "123456", NULL});
        assert_true(engine_fixture_delete(meddling->fixture, "a4501"));
        engine_fixture_put(meddling->fixture, "late",
                           (const char *const[]){"employees", "1", NULL});
    }
    return meddling->slices != meddling->stop_at ||
           proto_fault_set(fault, PROTO_CANCELLED, "", "stopped");
}

static void each_slice_sees_what_was_committed_before_it(void **state)
{
    (void)state;
    struct engine_fixture fixture;
    struct proto_fault fault = {0};
    struct engine_population population;
    engine_fixture_open(&fixture);
    engine_fixture_fill(&fixture, 5000);
    struct engine_worker *worker = engine_fixture_worker(&fixture);
    struct meddling meddling = {.fixture = &fixture};
    struct engine_population_options options = all_of(worker);
    options.on_slice = meddle;
    options.context = &meddling;
    assert_true(engine_population_read(&population, worker, &options, &fault));
    assert_int_equal(meddling.slices, 2);
    assert_int_equal(population.count, 4999); /* without the deleted one and the late one */
    must_match_records(&population, worker);
    engine_population_fini(&population);

    meddling.stop_at = 3;
    assert_false(engine_population_read(&population, worker, &options, &fault));
    assert_int_equal(fault.code, PROTO_CANCELLED);
    assert_int_equal(population.count, 0);
    assert_null(population.rows);
    engine_worker_destroy(worker);
    engine_fixture_close(&fixture);
}

/* Values of the fixture are of 1970. */
static void a_case_is_read_as_its_account_was_at_its_moment(void **state)
{
    (void)state;
    struct engine_fixture fixture;
    struct proto_fault fault = {0};
    struct engine_population population;
    struct feature_value values[VALUES];
    engine_fixture_open(&fixture);
    engine_fixture_fill(&fixture, 3);
    engine_fixture_put(&fixture, "later",
                       (const char *const[]){"employees", "5", "trial", "1", NULL}); /* slot 3 */
    assert_true(engine_fixture_delete(&fixture, "a1"));
    struct engine_worker *worker = engine_fixture_worker(&fixture);
    size_t slots = worker->state->schema->id_count;
    bool timeless[VALUES] = {[3] = true}; /* trial */
    const struct engine_case cases[] = {{0, true, 1000, 0},
                                        {1, true, 1000, 0}, /* deleted */
                                        {3, false, -1, 0},
                                        {3, true, 0, 0}};
    struct engine_population_options options = all_of(worker);
    options.cases = cases;
    options.case_count = 4;
    options.timeless = timeless;
    assert_true(engine_population_read(&population, worker, &options, &fault));
    assert_int_equal(population.count, 3);
    const uint32_t places[] = {0, 2, 3};
    const bool there[] = {true, false, true};
    for (size_t row = 0; row < 3; row++) {
        assert_int_equal(population.cases[row], places[row]);
        assert_int_equal(population.slots[row], cases[places[row]].slot);
        assert_true(engine_population_values(&population, row, values, slots));
        assert_int_equal(values[1].present, there[row]); /* employees */
        assert_true(values[3].present);
    }
    engine_population_fini(&population);
    engine_worker_destroy(worker);
    engine_fixture_close(&fixture);
}

#define DAY INT64_C(86400000)

enum { EMPLOYEES = 1 }; /* number of the field */

static int64_t day_ms(const struct engine_fixture *fixture, int day)
{
    return fixture->now_ms / DAY * DAY + day * DAY;
}

/* A number of employees, true on one day and told on another. */
static void tell(struct engine_fixture *fixture, int64_t zero_ms, const char *id, int number,
                 int true_day, int known_day)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_result result;
    struct store_batch *batch = store_batch_create();
    struct feature_value values[VALUES] = {{0}};
    const struct proto_span source = proto_span_text("test");
    values[EMPLOYEES] = (struct feature_value){
        .present = true, .number = number, .time_ms = zero_ms + true_day * DAY};
    const struct feature_record record = {.id = engine_fixture_span(id),
                                          .sources = &source,
                                          .source_count = 1,
                                          .values = values,
                                          .value_slots = VALUES};
    fixture->now_ms = zero_ms + known_day * DAY;
    assert_true(store_batch_put_record(batch, &record, &fault));
    assert_true(store_submit_wait(engine_store(fixture->engine), batch, &result));
}

/* What a row had been by the times of the values that stand now: the control. */
static int by_stamps_alone(struct engine_worker *worker, const struct engine_case *one)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct feature_record record;
    struct feature_value value;
    assert_true(engine_record(worker, one->slot, &record, &fault));
    assert_true(feature_record_value(&record, EMPLOYEES, &value));
    return value.time_ms <= one->moment_ms ? (int)value.number : 0;
}

/* x was overwritten, and then corrected by a value that is dated before all of it; y was brought in
 * late, from a file of the past. */
static void a_row_is_what_was_known_at_its_moment(void **state)
{
    (void)state;
    struct engine_fixture fixture;
    struct proto_fault fault = {0};
    struct engine_population population;
    struct feature_value values[VALUES];
    engine_fixture_open(&fixture);
    engine_fixture_fill(&fixture, 1);
    int64_t zero_ms = day_ms(&fixture, 10);
    tell(&fixture, zero_ms, "x", 10, 10, 10); /* slot 1 */
    tell(&fixture, zero_ms, "x", 99, 20, 20);
    tell(&fixture, zero_ms, "x", 77, 5, 30);
    tell(&fixture, zero_ms, "y", 7, 5, 40); /* slot 2 */
    tell(&fixture, zero_ms, "y", 8, 50, 50);
    struct engine_worker *worker = engine_fixture_worker(&fixture);
    const struct {
        uint32_t slot;
        int day, number; /* 0: it is not there */
        bool known;
    } rows[] = {{1, 15, 10, true}, {1, 25, 99, true}, {1, 35, 77, true}, {2, 3, 0, false},
                {2, 15, 7, false}, {2, 45, 7, true},  {2, 55, 8, true}};
    enum { ROWS = sizeof rows / sizeof *rows };
    struct engine_case cases[ROWS];
    size_t known = 0;
    size_t other = 0;
    for (size_t i = 0; i < ROWS; i++) {
        cases[i] = (struct engine_case){rows[i].slot, true, zero_ms + rows[i].day * DAY, 0};
        known += rows[i].known;
        other += by_stamps_alone(worker, &cases[i]) != rows[i].number;
    }
    struct engine_population_options options = all_of(worker);
    options.cases = cases;
    options.case_count = ROWS;
    assert_true(engine_population_read(&population, worker, &options, &fault));
    assert_int_equal(population.count, ROWS);
    assert_int_equal(population.known, known);
    assert_int_equal(population.not_kept, 0);
    for (size_t row = 0; row < ROWS; row++) {
        assert_true(engine_population_values(&population, row, values, VALUES));
        int number = values[EMPLOYEES].present ? (int)values[EMPLOYEES].number : 0;
        if (number != rows[row].number) {
            fail_msg("row %zu: %d, not %d", row, number, rows[row].number);
        }
    }
    assert_int_equal(other, 4); /* x on days 15 and 25, y on days 15 and 45 */
    engine_population_fini(&population);
    engine_worker_destroy(worker);
    engine_fixture_close(&fixture);
}

/* A value that is too long to be kept is no missing one. */
static void what_is_not_kept_is_no_row(void **state)
{
    (void)state;
    struct engine_fixture fixture;
    struct proto_fault fault = {0};
    struct engine_population population;
    char tags[1600] = "tag0";
    for (size_t i = 1; strlen(tags) < sizeof tags - 16; i++) {
        size_t used = strlen(tags);
        (void)snprintf(tags + used, sizeof tags - used, ";tag%zu", i);
    }
    engine_fixture_open(&fixture);
    engine_fixture_fill(&fixture, 1);
    int64_t then_ms = fixture.now_ms + DAY;
    engine_fixture_put(&fixture, "long", (const char *const[]){"tech", tags, "trial", "1", NULL});
    fixture.now_ms += 2 * DAY;
    engine_fixture_put(&fixture, "long", (const char *const[]){"tech", "t1", "trial", "0", NULL});
    struct engine_worker *worker = engine_fixture_worker(&fixture);
    const struct engine_case cases[] = {{1, true, then_ms, 0}, {1, true, then_ms + 2 * DAY, 0}};
    struct engine_population_options options = all_of(worker);
    options.cases = cases;
    options.case_count = 2;
    assert_true(engine_population_read(&population, worker, &options, &fault));
    assert_int_equal(population.count, 1);
    assert_int_equal(population.not_kept, 1);
    engine_population_fini(&population);
    bool fields[VALUES] = {[3] = true}; /* trial: who does not ask for the other has the row */
    options.fields = fields;
    assert_true(engine_population_read(&population, worker, &options, &fault));
    assert_int_equal(population.count, 2);
    engine_population_fini(&population);
    engine_worker_destroy(worker);
    engine_fixture_close(&fixture);
}

struct seen_stage {
    size_t rows, other_sources;
    int64_t time_ms;
};

static bool stage_see(void *context, const struct feature_record *record,
                      const struct feature_value *values, const struct proto_span *sources,
                      int64_t moment_ms, struct proto_fault *fault)
{
    struct seen_stage *seen = context;
    (void)record;
    (void)fault;
    seen->rows++;
    seen->time_ms = values[0].time_ms;
    assert_true(values[0].time_ms == moment_ms); /* never stale */
    seen->other_sources += !proto_span_equal(sources[0], sources[EMPLOYEES]);
    return true;
}

/* Neither what the account has there, nor what it had, is seen. */
static void the_stage_of_a_case_is_laid_over_its_field(void **state)
{
    (void)state;
    struct engine_fixture fixture;
    struct proto_fault fault = {0};
    struct engine_population population;
    struct feature_value values[VALUES];
    struct seen_stage seen = {.rows = 0};
    engine_fixture_open(&fixture);
    engine_fixture_fill(&fixture, 3);
    struct engine_worker *worker = engine_fixture_worker(&fixture);
    size_t slots = worker->state->schema->id_count;
    const char *const stages[] = {"demo", "proposal"};
    const struct engine_case cases[] = {{0, true, 1000, 1}, {0, true, 2000, 0}, {2, true, 1, 1}};
    struct engine_population_options options = all_of(worker);
    options.cases = cases;
    options.case_count = 3;
    options.stages = stages;
    options.stage_field_id = 0; /* industry */
    options.where =
        filter_parse(worker->state->schema,
                     proto_span_text("industry = 'proposal' or industry = 'demo'"), &fault, NULL);
    assert_non_null(options.where);
    options.on_row = stage_see;
    options.context = &seen;
    assert_true(engine_population_read(&population, worker, &options, &fault));
    assert_int_equal(population.count, 3); /* the filter sees it */
    for (size_t row = 0; row < 3; row++) {
        assert_true(engine_population_values(&population, row, values, slots));
        assert_true(proto_span_is(values[0].text, stages[cases[row].stage]));
    }
    assert_int_equal(seen.rows, 3);
    assert_int_equal(seen.other_sources, 0); /* it makes no source of its own */
    engine_population_fini(&population);
    filter_destroy((struct filter *)(uintptr_t)options.where);
    engine_worker_destroy(worker);
    engine_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_of_value_is_kept),
        cmocka_unit_test(fields_filter_and_slots_narrow_it),
        cmocka_unit_test(each_slice_sees_what_was_committed_before_it),
        cmocka_unit_test(a_case_is_read_as_its_account_was_at_its_moment),
        cmocka_unit_test(a_row_is_what_was_known_at_its_moment),
        cmocka_unit_test(what_is_not_kept_is_no_row),
        cmocka_unit_test(the_stage_of_a_case_is_laid_over_its_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

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
    const struct engine_case cases[] = {{0, true, 1000},
                                        {1, true, 1000}, /* deleted */
                                        {3, false, -1},
                                        {3, true, 0}};
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_of_value_is_kept),
        cmocka_unit_test(fields_filter_and_slots_narrow_it),
        cmocka_unit_test(each_slice_sees_what_was_committed_before_it),
        cmocka_unit_test(a_case_is_read_as_its_account_was_at_its_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Learning from cases that a source gives: what the document says of them, who frees the source,
 * and what is refused before anything is learned. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdlib.h>

#include "server/engine/learn_case.h"
#include "server/measure/readiness_floor.h"
#include "tests/unit/engine/engine_fixture.h"

#define ACCOUNTS 300

static struct engine_fixture fixture;

/* Gives each account as a case, positive where it was won; of what it was asked it keeps count. */
struct giver {
    unsigned asked, destroyed;
    bool refuses;
    int64_t moment_ms; /* 0: before there was an account */
};

static bool giver_read(void *context, struct engine_worker *worker, const struct engine_job *job,
                       struct engine_cases *cases, struct proto_fault *fault)
{
    struct giver *giver = context;
    const struct feature_schema *schema = worker->state->schema;
    const struct feature_field *won = feature_schema_find(schema, proto_span_text("won"));
    (void)job;
    giver->asked++;
    if (giver->refuses) {
        return proto_fault_set(fault, PROTO_NO_EVIDENCE, "label", "nobody has a case");
    }
    cases->rows = calloc(ACCOUNTS, sizeof *cases->rows);
    cases->told = strdup("{\"cases\":300}");
    assert_true(cases->rows != NULL && cases->told != NULL);
    for (uint32_t slot = 0; slot < ACCOUNTS; slot++) {
        struct feature_record record;
        struct feature_value value = {.present = false};
        assert_true(engine_record(worker, slot, &record, fault));
        assert_true(feature_record_value(&record, won->id, &value));
        cases->rows[cases->count++] =
            (struct engine_case){.slot = slot,
                                 .positive = value.flag,
                                 .moment_ms = giver->moment_ms != 0 ? giver->moment_ms : 1000};
    }
    return true;
}

static void giver_destroy(void *context)
{
    ((struct giver *)context)->destroyed++;
}

static int setup(void **state)
{
    (void)state;
    engine_fixture_open(&fixture);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    engine_fixture_close(&fixture);
    return 0;
}

static struct engine_case_source source_of(struct giver *giver)
{
    return (struct engine_case_source){.read = giver_read,
                                       .destroy = giver_destroy,
                                       .context = giver,
                                       .name = proto_span_text("policy: given")};
}

static struct engine_learn learn_of(const struct engine_case_source *source)
{
    static const struct proto_span won[] = {{(const uint8_t *)"won", 3}};
    return (struct engine_learn){.cases = source,
                                 .exclude = won,
                                 .exclude_count = 1,
                                 .despite_readiness = true, /* values are of 1970, and stale */
                                 .on_done = engine_fixture_ended,
                                 .context = &fixture};
}

static struct engine_job_info learn(const struct engine_learn *request)
{
    struct proto_fault fault = {0};
    size_t before = fixture.ended_count;
    assert_true(engine_learn(fixture.engine, request, &fault) > 0);
    return engine_fixture_wait(&fixture, before + 1);
}

static void the_document_says_what_it_was_learned_from(void **state)
{
    (void)state;
    static struct giver giver; /* the job lets go of it after its answer */
    struct engine_case_source source = source_of(&giver);
    struct engine_learn request = learn_of(&source);
    struct proto_fault fault = {0};
    engine_fixture_fill(&fixture, ACCOUNTS);
    struct engine_job_info info = learn(&request);
    assert_int_equal(info.state, ENGINE_JOB_DONE);
    assert_int_equal(giver.asked, 1);
    struct engine_state *known = engine_state_get(fixture.engine);
    const struct learn_document *document = engine_state_document(known, info.icp, &fault);
    assert_non_null(document);
    const json_t *label = json_object_get(document->json, "label");
    assert_string_equal(json_string_value(json_object_get(label, "expression")), "policy: given");
    assert_int_equal(json_integer_value(json_object_get(label, "population")), ACCOUNTS);
    const json_t *told = json_object_get(label, "policy");
    assert_int_equal(json_integer_value(json_object_get(told, "cases")), 300);
    assert_non_null(json_object_get(json_object_get(document->json, "evidence"), "readiness"));
    engine_state_release(known);
}

/* Whether it is a trial is told anew, so that it gives the outcome away, and dated back to the day
 * on which the account was stored. */
static void outcome_plant(int64_t dated_ms)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_result result;
    struct engine_worker *worker = engine_fixture_worker(&fixture);
    const struct feature_schema *schema = engine_worker_state(worker)->schema;
    const struct feature_field *won = feature_schema_find(schema, proto_span_text("won"));
    const struct feature_field *trial = feature_schema_find(schema, proto_span_text("trial"));
    const struct proto_span source = proto_span_text("afterwards");
    struct store_batch *batch = store_batch_create();
    for (uint32_t slot = 0; slot < ACCOUNTS; slot++) {
        struct feature_record stored;
        struct feature_value values[64] = {{0}};
        struct feature_value value = {.present = false};
        assert_true(engine_record(worker, slot, &stored, &fault));
        assert_true(feature_record_value(&stored, won->id, &value));
        values[trial->id] =
            (struct feature_value){.present = true,
                                   .type = FEATURE_FLAG,
                                   .time_ms = dated_ms,
                                   .flag = slot % 7 == 0 ? !value.flag : value.flag};
        const struct feature_record record = {.id = stored.id,
                                              .sources = &source,
                                              .source_count = 1,
                                              .values = values,
                                              .value_slots = 64};
        assert_true(store_batch_patch_record(batch, &record, NULL, 0, 0, &fault));
    }
    assert_true(store_submit_wait(engine_store(fixture.engine), batch, &result));
    engine_worker_destroy(worker);
}

/* The moments lie between the telling of the accounts and that of what came of them. The control is
 * the same with moments behind it: there it is learned. */
static void what_was_told_after_the_moment_cannot_be_learned_from(void **state)
{
    (void)state;
    const int64_t day_ms = INT64_C(86400000);
    static const struct proto_span trial[] = {{(const uint8_t *)"trial", 5}};
    static struct giver giver; /* the job lets go of it after its answer */
    struct engine_case_source source = source_of(&giver);
    struct engine_learn request = learn_of(&source);
    struct proto_fault fault = {0};
    request.fields = trial;
    request.field_count = 1;
    request.keep = trial; /* nothing but the moment keeps it out */
    request.keep_count = 1;
    engine_fixture_fill(&fixture, ACCOUNTS);
    int64_t stored_ms = fixture.now_ms;
    fixture.now_ms += 20 * day_ms;
    outcome_plant(stored_ms);
    giver.moment_ms = stored_ms + 10 * day_ms;
    struct engine_job_info info = learn(&request);
    assert_int_equal(info.state, ENGINE_JOB_FAILED);
    assert_int_equal(info.fault.code, PROTO_NO_EVIDENCE);
    giver.moment_ms = stored_ms + 30 * day_ms;
    info = learn(&request);
    assert_int_equal(info.state, ENGINE_JOB_DONE);
    struct engine_state *known = engine_state_get(fixture.engine);
    const struct learn_document *document = engine_state_document(known, info.icp, &fault);
    const json_t *policy = json_object_get(json_object_get(document->json, "label"), "policy");
    const json_t *rows = json_object_get(policy, "rows");
    assert_int_equal(json_integer_value(json_object_get(rows, "known_then")), ACCOUNTS);
    assert_int_equal(json_integer_value(json_object_get(rows, "not_kept")), 0);
    engine_state_release(known);
}

static void what_the_source_says_is_the_fault_of_the_policy(void **state)
{
    (void)state;
    static struct giver giver = {.refuses = true}; /* let go of after the answer */
    struct engine_case_source source = source_of(&giver);
    struct engine_learn request = learn_of(&source);
    engine_fixture_fill(&fixture, 3);
    struct engine_job_info info = learn(&request);
    assert_int_equal(info.state, ENGINE_JOB_FAILED);
    assert_int_equal(info.fault.code, PROTO_NO_EVIDENCE);
    assert_string_equal(info.fault.field, "policy");
    assert_string_equal(info.fault.message, "no evidence: nobody has a case");
}

static void accounts_below_a_floor_are_not_learned_from(void **state)
{
    (void)state;
    static struct giver giver; /* the job lets go of it after its answer */
    struct engine_case_source source = source_of(&giver);
    struct engine_learn request = learn_of(&source);
    struct measure_floors floors;
    struct proto_fault fault = {0};
    measure_floors_default(&floors);
    assert_true(measure_floors_set(&floors, proto_span_text("fresh"), 0, &fault));
    assert_true(measure_floors_set(&floors, proto_span_text("complete"), 1, &fault));
    engine_fixture_fill(&fixture, ACCOUNTS);
    request.floors = &floors;
    request.despite_readiness = false;
    struct engine_job_info info = learn(&request);
    assert_int_equal(info.fault.code, PROTO_BAD_FIELD);
    assert_string_equal(info.fault.field, "readiness");
}

static void a_source_is_freed_once_whatever_is_refused(void **state)
{
    (void)state;
    static const struct proto_span nothing[] = {{(const uint8_t *)"nothing", 7}};
    struct proto_fault fault = {0};
    struct giver giver = {0};
    struct engine_case_source source = source_of(&giver);
    struct engine_learn request = learn_of(&source);
    assert_int_equal(engine_learn(fixture.engine, &request, &fault), 0); /* there is no schema */
    assert_int_equal(fault.code, PROTO_NO_SCHEMA);
    assert_int_equal(giver.destroyed, 1);
    engine_fixture_fill(&fixture, 3);
    source.timeless = nothing;
    source.timeless_count = 1;
    assert_int_equal(engine_learn(fixture.engine, &request, &fault), 0);
    assert_string_equal(fault.field, "policy.timeless[0]");
    assert_int_equal(giver.destroyed, 2);
    assert_int_equal(giver.asked, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_document_says_what_it_was_learned_from, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_was_told_after_the_moment_cannot_be_learned_from,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_source_says_is_the_fault_of_the_policy, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(accounts_below_a_floor_are_not_learned_from, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_source_is_freed_once_whatever_is_refused, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

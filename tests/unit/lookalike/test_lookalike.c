/* SPDX-License-Identifier: Apache-2.0 */
/* Look-alikes of a small base: exact answers, kept with every commit, narrowed as asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/engine/walk.h"
#include "tests/unit/lookalike/lookalike_fixture.h"

enum { ACCOUNTS = 600 };
#define NEAR 1e-4

static bool has(const struct lookalike_result *result, const char *id)
{
    for (size_t i = 0; i < result->count; i++) {
        if (proto_span_equal(result->hits[i].id, engine_fixture_span(id))) {
            return true;
        }
    }
    return false;
}

static uint32_t slot_of(struct lookalike_fixture *fixture, const char *id)
{
    struct proto_fault fault = {0};
    struct engine_name name = {.id = engine_fixture_span(id)};
    return engine_find(fixture->worker, &name, &fault);
}

static void an_exact_answer_is_that_of_comparing_with_each(void **state)
{
    (void)state;
    struct lookalike_fixture fixture;
    lookalike_fixture_open(&fixture, ACCOUNTS);
    for (unsigned example = 0; example < 5; example++) {
        char id[16];
        snprintf(id, sizeof id, "a%u", example * 97);
        struct lookalike_result result = lookalike_fixture_like(&fixture, id, 20);
        assert_int_equal(result.count, 20);
        uint32_t self = slot_of(&fixture, id);
        double last = 2;
        for (size_t i = 0; i < result.count; i++) {
            const struct lookalike_hit *hit = &result.hits[i];
            double wanted = lookalike_fixture_cosine(&fixture, self, hit->slot);
            assert_true(hit->slot != self);
            assert_true(hit->similarity > wanted - NEAR && hit->similarity < wanted + NEAR);
            assert_true(hit->similarity <= last);
            assert_true(proto_span_equal(hit->example_id, engine_fixture_span(id)));
            assert_true(hit->shared_count <= 3);
            last = hit->similarity;
        }
        size_t better = 0;
        for (uint32_t slot = 0; slot < ACCOUNTS; slot++) {
            better += slot != self && lookalike_fixture_cosine(&fixture, self, slot) > last + NEAR;
        }
        assert_true(better <= result.count);
        lookalike_similar_free(&result);
    }
    lookalike_fixture_close(&fixture);
}

static void what_was_acknowledged_is_found_and_what_was_deleted_is_not(void **state)
{
    (void)state;
    struct lookalike_fixture fixture;
    lookalike_fixture_open(&fixture, ACCOUNTS);
    static const char *const twin[] = {"industry",   "Steel", "employees", "77", "tech",
                                       "Slack;Jira", "trial", "1",         NULL};
    engine_fixture_put(&fixture.base, "one", twin);
    engine_fixture_put(&fixture.base, "two", twin);
    struct lookalike_result result = lookalike_fixture_like(&fixture, "one", 3);
    assert_true(has(&result, "two"));
    assert_true(result.hits[0].similarity > 0.999);
    lookalike_similar_free(&result);

    /* With the set built, commits are followed. */
    engine_fixture_put(&fixture.base, "three", twin);
    result = lookalike_fixture_like(&fixture, "one", 3);
    assert_true(has(&result, "two") && has(&result, "three"));
    lookalike_similar_free(&result);
    assert_true(engine_fixture_delete(&fixture.base, "two"));
    engine_fixture_put(&fixture.base, "three",
                       (const char *const[]){"industry", "Retail", "employees", "900", NULL});
    result = lookalike_fixture_like(&fixture, "one", 3);
    assert_false(has(&result, "two") || has(&result, "three"));
    lookalike_similar_free(&result);
    lookalike_fixture_close(&fixture);
}

static void values_can_be_an_example_alone_or_over_an_account(void **state)
{
    (void)state;
    struct lookalike_fixture fixture;
    struct proto_fault fault = {0};
    struct lookalike_result result;
    lookalike_fixture_open(&fixture, ACCOUNTS);
    struct feature_value values[8] = {{0}};
    values[0] = (struct feature_value){
        .present = true, .type = FEATURE_CATEGORY, .text = engine_fixture_span("Steel")};
    struct lookalike_example alone = {.values = values, .value_slots = 8};
    struct lookalike_similar query = {.positives = &alone, .positive_count = 1, .k = 10};
    assert_true(lookalike_fixture_ask(&fixture, &query, &result, &fault));
    assert_int_equal(result.count, 10);
    for (size_t i = 0; i < result.count; i++) {
        assert_true(engine_values(fixture.worker, result.hits[i].slot, NULL, &fault));
        assert_true(proto_span_equal(fixture.worker->values[0].text, engine_fixture_span("Steel")));
        assert_int_equal(result.hits[i].example_id.bytes, 0);
    }
    lookalike_similar_free(&result);

    struct lookalike_example over = {
        .name.id = engine_fixture_span("a5"), .values = values, .value_slots = 8};
    query.positives = &over;
    assert_true(lookalike_fixture_ask(&fixture, &query, &result, &fault));
    assert_false(has(&result, "a5")); /* an example is no result */
    lookalike_similar_free(&result);

    struct feature_value none[8] = {{0}};
    struct lookalike_example empty = {.values = none, .value_slots = 8};
    query.positives = &empty;
    assert_false(lookalike_fixture_ask(&fixture, &query, &result, &fault));
    assert_int_equal(fault.code, PROTO_BAD_FIELD);
    assert_string_equal(fault.field, "positives[0]");
    lookalike_fixture_close(&fixture);
}

static void filter_and_exclusions_narrow_the_answer(void **state)
{
    (void)state;
    struct lookalike_fixture fixture;
    struct proto_fault fault = {0};
    struct lookalike_result result;
    lookalike_fixture_open(&fixture, ACCOUNTS);
    struct lookalike_result plain = lookalike_fixture_like(&fixture, "a0", 4);
    struct lookalike_example example = {.name.id = engine_fixture_span("a0")};
    char first[16];
    char key[48];
    snprintf(first, sizeof first, "%.*s", (int)plain.hits[0].id.bytes,
             (const char *)plain.hits[0].id.data);
    snprintf(key, sizeof key, "domain:company%.*s.example", (int)plain.hits[1].id.bytes - 1,
             (const char *)plain.hits[1].id.data + 1);
    uint32_t third = plain.hits[2].slot;
    lookalike_similar_free(&plain);
    const struct proto_span ids[] = {engine_fixture_span(first), engine_fixture_span("nobody")};
    const struct proto_span keys[] = {engine_fixture_span(key)};
    struct lookalike_similar query = {
        .positives = &example,
        .positive_count = 1,
        .exclude_ids = ids,
        .exclude_id_count = 2,
        .exclude_keys = keys,
        .exclude_key_count = 1,
        .k = 50,
    };
    assert_true(lookalike_fixture_ask(&fixture, &query, &result, &fault));
    assert_false(has(&result, first));
    assert_int_equal(result.hits[0].slot, third);
    lookalike_similar_free(&result);

    query.filter = engine_fixture_span("employees > 900 and industry = 'Retail'");
    assert_true(lookalike_fixture_ask(&fixture, &query, &result, &fault));
    assert_true(result.count > 0 && result.count < 50);
    for (size_t i = 0; i < result.count; i++) {
        assert_true(engine_values(fixture.worker, result.hits[i].slot, NULL, &fault));
        assert_true(fixture.worker->values[1].number > 900);
    }
    lookalike_similar_free(&result);
    query.filter = engine_fixture_span("employees >");
    assert_false(lookalike_fixture_ask(&fixture, &query, &result, &fault));
    assert_int_equal(fault.code, PROTO_BAD_FILTER);
    lookalike_fixture_close(&fixture);
}

static void examples_come_from_an_expression_and_stand_on_two_sides(void **state)
{
    (void)state;
    struct lookalike_fixture fixture;
    struct proto_fault fault = {0};
    struct lookalike_result result;
    lookalike_fixture_open(&fixture, ACCOUNTS);
    struct lookalike_similar query = {
        .positives_where = engine_fixture_span("industry = 'Software' and employees > 950"),
        .negatives_where = engine_fixture_span("industry = 'Steel' and employees < 40"),
        .k = 10,
    };
    assert_true(lookalike_fixture_ask(&fixture, &query, &result, &fault));
    assert_true(result.positives_matched > 0);
    assert_int_equal(result.positives_used, result.positives_matched);
    assert_true(result.negatives_used > 0);
    for (size_t i = 0; i < result.count; i++) {
        assert_true(engine_values(fixture.worker, result.hits[i].slot, NULL, &fault));
        const struct feature_value *values = fixture.worker->values;
        bool example = (proto_span_equal(values[0].text, engine_fixture_span("Software")) &&
                        values[1].number > 950) ||
                       (proto_span_equal(values[0].text, engine_fixture_span("Steel")) &&
                        values[1].number < 40);
        assert_false(example);
    }
    lookalike_similar_free(&result);

    query.positives_where = engine_fixture_span("industry = 'Nowhere'");
    assert_false(lookalike_fixture_ask(&fixture, &query, &result, &fault));
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
    query.positives_where = engine_fixture_span("industry =");
    assert_false(lookalike_fixture_ask(&fixture, &query, &result, &fault));
    assert_string_equal(fault.field, "positives_where");
    struct lookalike_example nobody = {.name.id = engine_fixture_span("nobody")};
    query = (struct lookalike_similar){.positives = &nobody, .positive_count = 1, .k = 5};
    assert_false(lookalike_fixture_ask(&fixture, &query, &result, &fault));
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
    lookalike_fixture_close(&fixture);
}

static void families_are_left_out_whatever_they_are_called(void **state)
{
    (void)state;
    struct lookalike_fixture fixture;
    struct proto_fault fault = {0};
    struct lookalike_result result;
    lookalike_fixture_open(&fixture, ACCOUNTS);
    static const char *const names[] = {"mother", "map:mother", "mother", "map:mother"};
    engine_fixture_put(&fixture.base, "mother",
                       (const char *const[]){"key", "map:mother", "industry", "Steel", "employees",
                                             "55", "trial", "1", NULL});
    for (unsigned i = 0; i < 4; i++) {
        char id[16];
        snprintf(id, sizeof id, "child%u", i);
        engine_fixture_put(&fixture.base, id,
                           (const char *const[]){"parent", names[i], "industry", "Steel",
                                                 "employees", "55", "trial", "1", NULL});
    }
    struct lookalike_example example = {.name.id = engine_fixture_span("child0")};
    struct lookalike_similar query = {.positives = &example, .positive_count = 1, .k = 4};
    assert_true(lookalike_fixture_ask(&fixture, &query, &result, &fault));
    assert_true(has(&result, "child1") || has(&result, "child2"));
    lookalike_similar_free(&result);

    query.exclude_family = true;
    assert_true(lookalike_fixture_ask(&fixture, &query, &result, &fault));
    assert_int_equal(result.count, 4);
    for (size_t i = 0; i < result.count; i++) {
        assert_int_equal(result.hits[i].id.data[0], 'a');
    }
    lookalike_similar_free(&result);

    const struct proto_span parents[] = {engine_fixture_span("map:mother")};
    query.exclude_family = false;
    query.exclude_parents = parents;
    query.exclude_parent_count = 1;
    query.parent_field = engine_fixture_span("parent");
    assert_true(lookalike_fixture_ask(&fixture, &query, &result, &fault));
    assert_false(has(&result, "mother") || has(&result, "child1") || has(&result, "child2"));
    lookalike_similar_free(&result);
    query.parent_field = engine_fixture_span("employees");
    assert_false(lookalike_fixture_ask(&fixture, &query, &result, &fault));
    assert_string_equal(fault.field, "parent_field");
    lookalike_fixture_close(&fixture);
}

static void queries_that_wait_together_are_answered_as_alone(void **state)
{
    (void)state;
    enum { ASKS = 6 };
    struct lookalike_fixture fixture;
    struct proto_fault fault = {0};
    static const char *const ids[ASKS] = {"a1", "a2", "nobody", "a3", "a4", "a5"};
    struct lookalike_example examples[ASKS];
    struct lookalike_similar queries[ASKS] = {0};
    struct lookalike_ask asks[ASKS] = {0};
    lookalike_fixture_open(&fixture, ACCOUNTS);
    for (size_t i = 0; i < ASKS; i++) {
        examples[i] = (struct lookalike_example){.name.id = engine_fixture_span(ids[i])};
        queries[i] = (struct lookalike_similar){
            .positives = &examples[i], .positive_count = 1, .k = 5 + (uint32_t)i};
        asks[i].query = &queries[i];
    }
    queries[4].filter = engine_fixture_span("trial = 1");
    assert_true(engine_worker_refresh(fixture.worker, &fault));
    lookalike_similar_many(fixture.lookalike, fixture.worker, asks, ASKS);
    for (size_t i = 0; i < ASKS; i++) {
        struct lookalike_result alone;
        assert_int_equal(asks[i].good, i != 2);
        if (!asks[i].good) {
            assert_int_equal(asks[i].fault.code, PROTO_NOT_FOUND);
            continue;
        }
        assert_true(lookalike_fixture_ask(&fixture, &queries[i], &alone, &fault));
        assert_int_equal(asks[i].result.count, alone.count);
        for (size_t h = 0; h < alone.count; h++) {
            assert_int_equal(asks[i].result.hits[h].slot, alone.hits[h].slot);
        }
        lookalike_similar_free(&alone);
        lookalike_similar_free(&asks[i].result);
    }
    lookalike_fixture_close(&fixture);
}

static void results_are_scored_by_the_version_asked_for(void **state)
{
    (void)state;
    struct lookalike_fixture fixture;
    struct proto_fault fault = {0};
    struct lookalike_result result;
    lookalike_fixture_open(&fixture, ACCOUNTS);
    result = lookalike_fixture_like(&fixture, "a0", 3);
    assert_false(result.hits[0].scored);
    lookalike_similar_free(&result);
    assert_int_equal(engine_fixture_learn(&fixture.base), 1);
    result = lookalike_fixture_like(&fixture, "a0", 3);
    assert_true(result.hits[0].scored);
    int64_t raw;
    assert_true(engine_values(fixture.worker, result.hits[0].slot, NULL, &fault));
    assert_true(engine_values_raw(fixture.worker, fixture.worker->state->active, &raw, &fault));
    assert_int_equal(result.hits[0].raw, raw);
    lookalike_similar_free(&result);
    struct lookalike_example example = {.name.id = engine_fixture_span("a0")};
    struct lookalike_similar query = {.positives = &example, .positive_count = 1, .k = 3, .icp = 7};
    assert_false(lookalike_fixture_ask(&fixture, &query, &result, &fault));
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
    lookalike_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exact_answer_is_that_of_comparing_with_each),
        cmocka_unit_test(what_was_acknowledged_is_found_and_what_was_deleted_is_not),
        cmocka_unit_test(values_can_be_an_example_alone_or_over_an_account),
        cmocka_unit_test(filter_and_exclusions_narrow_the_answer),
        cmocka_unit_test(examples_come_from_an_expression_and_stand_on_two_sides),
        cmocka_unit_test(families_are_left_out_whatever_they_are_called),
        cmocka_unit_test(queries_that_wait_together_are_answered_as_alone),
        cmocka_unit_test(results_are_scored_by_the_version_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

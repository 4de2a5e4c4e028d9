/* SPDX-License-Identifier: Apache-2.0 */
/* Sets from their building to their opening, the wishes they follow, and recall. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/lookalike/lookalike_fixture.h"

enum { ACCOUNTS = 500 };

static bool ask(struct lookalike_fixture *fixture, const char *id, struct proto_fault *fault)
{
    struct lookalike_example example = {.name.id = engine_fixture_span(id)};
    struct lookalike_similar query = {.positives = &example, .positive_count = 1, .k = 3};
    struct lookalike_result result;
    bool good = lookalike_fixture_ask(fixture, &query, &result, fault);
    if (good) {
        lookalike_similar_free(&result);
    }
    return good;
}

static void without_accounts_there_is_nothing_to_compare(void **state)
{
    (void)state;
    struct lookalike_fixture fixture;
    struct proto_fault fault = {0};
    struct lookalike_rebuild build = {0};
    lookalike_fixture_open(&fixture, 0);
    assert_false(ask(&fixture, "a1", &fault));
    assert_int_equal(fault.code, PROTO_NO_VECTORS);
    assert_int_equal(lookalike_rebuild(fixture.lookalike, &build, &fault), 0);
    assert_int_equal(fault.code, PROTO_NO_SCHEMA);
    assert_null(lookalike_plan(fixture.lookalike));
    lookalike_fixture_close(&fixture);
}

static void a_large_base_waits_to_be_told(void **state)
{
    (void)state;
    struct lookalike_fixture fixture;
    struct proto_fault fault = {0};
    struct lookalike_rebuild build = {0};
    lookalike_fixture_open(&fixture, LOOKALIKE_SMALL + 1);
    assert_false(ask(&fixture, "a1", &fault));
    assert_int_equal(fault.code, PROTO_NO_VECTORS);
    assert_int_equal(lookalike_fixture_build(&fixture, &build).state, ENGINE_JOB_DONE);
    assert_true(ask(&fixture, "a1", &fault));
    struct lookalike_stats stats = lookalike_fixture_opened(&fixture);
    assert_true(stats.ready && !stats.opened);
    assert_int_equal(stats.vectors, LOOKALIKE_SMALL + 1);

    /* The next start opens what was stored, with what changed since. */
    engine_fixture_put(&fixture.base, "later", (const char *const[]){"employees", "5", NULL});
    assert_true(engine_fixture_delete(&fixture.base, "a7"));
    lookalike_fixture_again(&fixture);
    stats = lookalike_fixture_opened(&fixture);
    assert_true(stats.ready && stats.opened);
    assert_true(ask(&fixture, "later", &fault));
    lookalike_stats(fixture.lookalike, &stats);
    assert_int_equal(stats.vectors, LOOKALIKE_SMALL + 1);
    assert_int_equal(stats.pending, 0);
    lookalike_fixture_close(&fixture);
}

static void wishes_are_checked_and_kept(void **state)
{
    (void)state;
    struct lookalike_fixture fixture;
    struct proto_fault fault = {0};
    static const struct {
        struct lookalike_rebuild build;
        const char *field;
    } wrong[] = {
        {{.metric = {(const uint8_t *)"angle", 5}}, "metric"},
        {{.vector_share = 1}, "vector_share"},
        {{.vector_share = -0.5}, "vector_share"},
        {{.dims = 15}, "dims"},
        {{.dims = 2049}, "dims"},
    };
    lookalike_fixture_open(&fixture, ACCOUNTS);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(lookalike_rebuild(fixture.lookalike, &wrong[i].build, &fault), 0);
        assert_int_equal(fault.code, PROTO_BAD_FIELD);
        assert_string_equal(fault.field, wrong[i].field);
    }
    struct lookalike_weight weights[] = {{engine_fixture_span("industry"), 5},
                                         {engine_fixture_span("nothing"), 1}};
    struct lookalike_rebuild build = {.weights = weights, .weight_count = 2};
    assert_int_equal(lookalike_rebuild(fixture.lookalike, &build, &fault), 0);
    assert_string_equal(fault.field, "weights");
    weights[1] = (struct lookalike_weight){engine_fixture_span("employees"), 1001};
    assert_int_equal(lookalike_rebuild(fixture.lookalike, &build, &fault), 0);
    assert_string_equal(fault.field, "weights");

    weights[1].weight = 0;
    build.metric = engine_fixture_span("l2");
    build.dims = 32;
    assert_int_equal(lookalike_fixture_build(&fixture, &build).state, ENGINE_JOB_DONE);
    struct lookalike_stats stats = lookalike_fixture_opened(&fixture);
    assert_int_equal(stats.metric, FEATURE_VECTOR_L2);
    char *wishes = lookalike_wishes(fixture.lookalike);
    assert_non_null(strstr(wishes, "\"metric\":\"l2\""));
    assert_non_null(strstr(wishes, "\"industry\":5.0"));
    free(wishes);

    /* A build that says nothing keeps them, also over a restart; defaults drops them. */
    lookalike_fixture_again(&fixture);
    (void)lookalike_fixture_opened(&fixture);
    struct lookalike_rebuild silent = {0};
    assert_int_equal(lookalike_fixture_build(&fixture, &silent).state, ENGINE_JOB_DONE);
    lookalike_stats(fixture.lookalike, &stats);
    assert_int_equal(stats.metric, FEATURE_VECTOR_L2);
    struct lookalike_rebuild defaults = {.defaults = true};
    assert_int_equal(lookalike_fixture_build(&fixture, &defaults).state, ENGINE_JOB_DONE);
    lookalike_stats(fixture.lookalike, &stats);
    assert_int_equal(stats.metric, FEATURE_VECTOR_COSINE);
    char *plan = lookalike_plan(fixture.lookalike);
    assert_non_null(plan);
    free(plan);
    lookalike_fixture_close(&fixture);
}

static void weights_of_the_icp_change_the_plan(void **state)
{
    (void)state;
    struct lookalike_fixture fixture;
    struct lookalike_stats plain;
    struct lookalike_stats weighted;
    lookalike_fixture_open(&fixture, ACCOUNTS);
    engine_fixture_learn(&fixture.base);
    struct lookalike_rebuild build = {.icp_weights = LOOKALIKE_NO};
    assert_int_equal(lookalike_fixture_build(&fixture, &build).state, ENGINE_JOB_DONE);
    lookalike_stats(fixture.lookalike, &plain);
    build.icp_weights = LOOKALIKE_YES;
    assert_int_equal(lookalike_fixture_build(&fixture, &build).state, ENGINE_JOB_DONE);
    lookalike_stats(fixture.lookalike, &weighted);
    assert_int_not_equal(plain.plan_digest, weighted.plan_digest);
    lookalike_fixture_close(&fixture);
}

static void a_build_can_be_given_up(void **state)
{
    (void)state;
    struct lookalike_fixture fixture;
    struct proto_fault fault = {0};
    lookalike_fixture_open(&fixture, ACCOUNTS);
    (void)lookalike_fixture_opened(&fixture);
    struct engine_job job = {.engine = fixture.base.engine};
    struct lookalike_build build = {.lookalike = fixture.lookalike, .scan = &job};
    atomic_store(&job.cancel, true);
    assert_false(lookalike_build(&build, &fault));
    assert_int_equal(fault.code, PROTO_CANCELLED);
    struct lookalike_stats stats = lookalike_fixture_opened(&fixture);
    assert_false(stats.ready || stats.building);
    atomic_store(&job.cancel, false);
    assert_true(lookalike_build(&build, &fault));
    lookalike_stats(fixture.lookalike, &stats);
    assert_true(stats.ready);
    lookalike_fixture_close(&fixture);
}

/* A base that is written to while a set is built from it, in slices: the set that comes has seen
 * every commit. */
static void what_is_written_while_a_set_is_built_is_in_it(void **state)
{
    (void)state;
    struct lookalike_fixture fixture;
    struct proto_fault fault = {0};
    lookalike_fixture_open(&fixture, 9000);
    (void)lookalike_fixture_opened(&fixture);
    size_t before = fixture.base.ended_count;
    struct lookalike_rebuild build = {.on_done = engine_fixture_ended, .context = &fixture.base};
    assert_true(lookalike_rebuild(fixture.lookalike, &build, &fault) > 0);
    unsigned written = 0;
    bool over = false;
    while (!over && written < 3000) {
        char id[16];
        snprintf(id, sizeof id, "w%u", written++);
        engine_fixture_put(&fixture.base, id,
                           (const char *const[]){"industry", "Steel", "employees", "3", NULL});
        pthread_mutex_lock(&fixture.base.lock);
        over = fixture.base.ended_count > before;
        pthread_mutex_unlock(&fixture.base.lock);
    }
    assert_int_equal(engine_fixture_wait(&fixture.base, before + 1).state, ENGINE_JOB_DONE);
    assert_true(ask(&fixture, "w0", &fault)); /* waits until all was taken over */
    struct lookalike_stats stats;
    lookalike_stats(fixture.lookalike, &stats);
    assert_int_equal(stats.vectors, 9000 + written);
    lookalike_fixture_close(&fixture);
}

static void recall_is_measured_and_repeats_with_its_seed(void **state)
{
    (void)state;
    struct lookalike_fixture fixture;
    struct proto_fault fault = {0};
    struct lookalike_recall first = {.k = 10, .recall = 0.9, .n = 40, .seed = 3};
    lookalike_fixture_open(&fixture, 3000);
    assert_true(lookalike_recall(fixture.lookalike, fixture.worker, NULL, &first, &fault));
    assert_int_equal(first.queries, 40);
    assert_int_equal(first.vectors, 3000);
    assert_true(first.measured >= 0.8 && first.measured <= 1);
    struct lookalike_recall second = {.k = 10, .recall = 0.9, .n = 40, .seed = 3};
    assert_true(engine_worker_refresh(fixture.worker, &fault));
    assert_true(lookalike_recall(fixture.lookalike, fixture.worker, NULL, &second, &fault));
    assert_true(first.measured == second.measured);

    struct engine_job job = {.engine = fixture.base.engine};
    atomic_store(&job.cancel, true);
    assert_true(engine_worker_refresh(fixture.worker, &fault));
    assert_false(lookalike_recall(fixture.lookalike, fixture.worker, &job, &second, &fault));
    assert_int_equal(fault.code, PROTO_CANCELLED);
    lookalike_fixture_close(&fixture);
}

/* What an approximate query for a stored account gives, as one number. */
static double answer_sum(struct lookalike_fixture *fixture, const char *id, uint32_t *count)
{
    struct proto_fault fault = {0};
    struct lookalike_result result;
    struct lookalike_example example = {.name = {.id = proto_span_text(id)}};
    struct lookalike_similar query = {
        .positives = &example, .positive_count = 1, .k = 10, .recall = 0.9};
    double sum = 0;
    assert_true(lookalike_fixture_ask(fixture, &query, &result, &fault));
    for (size_t i = 0; i < result.count; i++) {
        sum += result.hits[i].similarity * (double)(i + 1);
    }
    *count = (uint32_t)result.count;
    lookalike_similar_free(&result);
    return sum;
}

/* A graph that is wanted is built with the vectors, follows writes, and is there after a start; who
 * wants none, or less than it takes, has the partitions. */
static void a_graph_is_kept_beside_the_vectors(void **state)
{
    (void)state;
    enum { MANY = 1300 };
    struct lookalike_fixture fixture;
    struct lookalike_stats stats;
    struct lookalike_rebuild build = {0};
    uint32_t count;
    lookalike_fixture_open(&fixture, MANY);
    fixture.graph_bytes_max = (uint64_t)64 << 20;
    lookalike_fixture_again(&fixture);
    assert_int_equal(lookalike_fixture_build(&fixture, &build).state, ENGINE_JOB_DONE);
    lookalike_stats(fixture.lookalike, &stats);
    assert_int_equal(stats.graph_vectors, MANY);
    assert_true(stats.graph_bytes >= MANY * similar_graph_bytes((uint32_t)stats.dims) &&
                stats.graph_bytes < stats.bytes);
    for (unsigned i = 0; i < 50; i++) {
        char id[16];
        snprintf(id, sizeof id, "g%u", i);
        engine_fixture_put(&fixture.base, id,
                           (const char *const[]){"industry", "Steel", "employees", "3", NULL});
    }
    double before = answer_sum(&fixture, "g7", &count);
    assert_int_equal(count, 10);
    lookalike_stats(fixture.lookalike, &stats);
    assert_int_equal(stats.graph_vectors, MANY + 50);
    lookalike_fixture_again(&fixture);
    stats = lookalike_fixture_opened(&fixture);
    assert_true(stats.opened);
    double again = answer_sum(&fixture, "g7", &count);
    assert_true(again == before);
    lookalike_stats(fixture.lookalike, &stats);
    assert_int_equal(stats.graph_vectors, MANY + 50);
    fixture.graph_bytes_max = 0;
    lookalike_fixture_again(&fixture);
    stats = lookalike_fixture_opened(&fixture);
    assert_true(stats.opened && stats.graph_vectors == 0 && stats.graph_bytes == 0);
    fixture.graph_bytes_max = 1000;
    lookalike_fixture_again(&fixture);
    assert_int_equal(lookalike_fixture_build(&fixture, &build).state, ENGINE_JOB_DONE);
    lookalike_stats(fixture.lookalike, &stats);
    assert_true(stats.ready && stats.graph_vectors == 0);
    lookalike_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_accounts_there_is_nothing_to_compare),
        cmocka_unit_test(a_large_base_waits_to_be_told),
        cmocka_unit_test(wishes_are_checked_and_kept),
        cmocka_unit_test(weights_of_the_icp_change_the_plan),
        cmocka_unit_test(a_build_can_be_given_up),
        cmocka_unit_test(what_is_written_while_a_set_is_built_is_in_it),
        cmocka_unit_test(recall_is_measured_and_repeats_with_its_seed),
        cmocka_unit_test(a_graph_is_kept_beside_the_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Approximate search against the exact oracle: recall floors, filters, and what it reports. */
#include "tests/unit/similar/similar_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdlib.h>

enum { COUNT = 20000, QUERIES = 200 };

/* Vectors in clusters, as accounts are: a centre and some noise. */
static void clusters_make(struct fixture *fixture, uint32_t clusters)
{
    uint32_t dim = fixture->dim;
    float *centres = calloc((size_t)clusters * dim, sizeof *centres);
    assert_non_null(centres);
    for (size_t i = 0; i < (size_t)clusters * dim; i++) {
        centres[i] = fixture_normal(fixture);
    }
    for (uint32_t row = 0; row < fixture->count; row++) {
        uint64_t cluster = fixture_random(fixture, clusters);
        for (uint32_t i = 0; i < dim; i++) {
            fixture->vectors[(size_t)row * dim + i] =
                centres[cluster * dim + i] + 0.5f * fixture_normal(fixture);
        }
    }
    free(centres);
}

static void queries_make(struct fixture *fixture, struct similar_query *queries, double recall)
{
    for (uint32_t q = 0; q < QUERIES; q++) {
        uint64_t row = fixture_random(fixture, fixture->count);
        queries[q] = (struct similar_query){
            .vector = fixture->vectors + row * fixture->dim, .k = 10, .recall = recall};
    }
}

static void recall_reaches_its_target(void **state)
{
    (void)state;
    static const double targets[] = {0.9, 0.95, 0.99};
    for (uint32_t metric = 0; metric < 3; metric++) {
        struct fixture fixture;
        struct similar_query queries[QUERIES];
        fixture_init(&fixture, 11 + metric, 72, COUNT, metric, SHAPE_SMOOTH);
        clusters_make(&fixture, 60);
        fixture_build(&fixture, 0);
        for (uint32_t t = 0; t < 3; t++) {
            double recall = 0;
            struct similar_report report;
            struct similar_hit hits[10];
            uint32_t count;
            queries_make(&fixture, queries, targets[t]);
            assert_int_equal(
                similar_recall(fixture.set, fixture.scratch, queries, QUERIES, &recall),
                SIMILAR_OK);
            similar_search(fixture.set, fixture.scratch, &queries[0], hits, &count, &report);
            print_message("metric %u target %.3f: recall %.4f, path %u, probed %u\n", metric,
                          targets[t], recall, (unsigned)report.path, (unsigned)report.lists_probed);
            /* 2,000 hits: three standard errors below the target is 0.02 at 0.9. */
            assert_true(recall >= targets[t] - 0.02);
        }
        fixture_fini(&fixture);
    }
}

/* Every target has its own price, between those that calibration measures as well. */
static void recall_follows_any_target_closely(void **state)
{
    (void)state;
    static const double targets[] = {0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.975, 0.98, 0.985, 0.99};
    struct fixture fixture;
    struct similar_query queries[QUERIES];
    uint64_t codes_before = 0;
    fixture_init(&fixture, 51, 72, COUNT, SIMILAR_L2, SHAPE_SMOOTH);
    clusters_make(&fixture, 2000); /* many lists hold a part of an answer */
    fixture_build(&fixture, 0);
    queries_make(&fixture, queries, 0.9);
    for (size_t t = 0; t < sizeof targets / sizeof *targets; t++) {
        double recall = 0;
        uint64_t codes = 0;
        for (uint32_t q = 0; q < QUERIES; q++) {
            struct similar_report report;
            struct similar_hit hits[10];
            uint32_t count;
            queries[q].recall = targets[t];
            similar_search(fixture.set, fixture.scratch, &queries[q], hits, &count, &report);
            assert_int_equal(report.path, SIMILAR_PATH_PROBE);
            codes += report.codes_scanned;
        }
        similar_recall(fixture.set, fixture.scratch, queries, QUERIES, &recall);
        print_message("target %.3f: recall %.4f, %u codes\n", targets[t], recall,
                      (unsigned)(codes / QUERIES));
        assert_true(recall >= targets[t] - 0.015);
        assert_true(recall <= targets[t] + 0.7 * (1 - targets[t]));
        assert_true(codes > codes_before);
        codes_before = codes;
    }
    fixture_fini(&fixture);
}

static void filters_hold_and_recall_survives_them(void **state)
{
    (void)state;
    static const uint32_t permilles[] = {500, 100, 20, 5};
    struct fixture fixture;
    struct similar_query queries[QUERIES];
    fixture_init(&fixture, 21, 64, COUNT, SIMILAR_L2, SHAPE_SMOOTH);
    clusters_make(&fixture, 60);
    fixture_build(&fixture, 0);
    for (uint32_t p = 0; p < 4; p++) {
        double recall = 0;
        fixture_filter(&fixture, permilles[p]);
        struct similar_filter *filter =
            similar_filter_create(fixture.set, fixture.words, fixture.word_count, NULL);
        queries_make(&fixture, queries, 0.95);
        for (uint32_t q = 0; q < QUERIES; q++) {
            struct similar_hit hits[10];
            uint32_t count = 0;
            queries[q].filter = filter;
            similar_search(fixture.set, fixture.scratch, &queries[q], hits, &count, NULL);
            for (uint32_t i = 0; i < count; i++) {
                assert_true((fixture.words[hits[i].id / 64] >> hits[i].id % 64 & 1) != 0);
            }
        }
        similar_recall(fixture.set, fixture.scratch, queries, QUERIES, &recall);
        print_message("filter %u/1000: recall %.4f\n", permilles[p], recall);
        assert_true(recall >= 0.9);
        similar_filter_destroy(filter);
    }
    fixture_fini(&fixture);
}

/* The harness has to be able to say no: one list and a bound of no width find little. */
static void control_careless_setting_falls_short(void **state)
{
    (void)state;
    struct fixture fixture;
    struct similar_query queries[QUERIES];
    double recall = 1;
    fixture_init(&fixture, 31, 64, COUNT, SIMILAR_L2, SHAPE_SMOOTH);
    fixture_build(&fixture, 0);
    queries_make(&fixture, queries, 0.99);
    for (uint32_t q = 0; q < QUERIES; q++) {
        queries[q].probes = 1;
        queries[q].epsilon = 0.01f;
    }
    assert_int_equal(similar_recall(fixture.set, fixture.scratch, queries, QUERIES, &recall),
                     SIMILAR_OK);
    assert_true(recall < 0.6);
    fixture_fini(&fixture);
}

static void small_sets_and_large_k_are_exact(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, 41, 16, 300, SIMILAR_COSINE, SHAPE_SMOOTH);
    fixture_build(&fixture, 0);
    struct similar_hit hits[300];
    struct similar_report report;
    uint32_t count;
    struct similar_query query = {.vector = fixture.vectors, .k = 300, .recall = 0.9};
    assert_int_equal(similar_search(fixture.set, fixture.scratch, &query, hits, &count, &report),
                     SIMILAR_OK);
    assert_true(report.exact);
    assert_int_equal(count, 300);
    query.recall = 1.5;
    assert_int_equal(similar_search(fixture.set, fixture.scratch, &query, hits, &count, &report),
                     SIMILAR_ERROR_OPTION);
    query.recall = 0;
    query.k = 0;
    assert_int_equal(similar_search(fixture.set, fixture.scratch, &query, hits, &count, &report),
                     SIMILAR_ERROR_OPTION);
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recall_reaches_its_target),
        cmocka_unit_test(recall_follows_any_target_closely),
        cmocka_unit_test(filters_hold_and_recall_survives_them),
        cmocka_unit_test(control_careless_setting_falls_short),
        cmocka_unit_test(small_sets_and_large_k_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

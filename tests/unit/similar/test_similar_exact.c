/* SPDX-License-Identifier: Apache-2.0 */
/* The exact search returns what brute force over the same stored vectors returns. Always. */
#include "server/similar/similar_block.h"
#include "tests/unit/similar/similar_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SETS = 500, QUERIES = 5, COUNT_MAX = 420 };

static const uint32_t DIMS[] = {1, 2, 3, 5, 15, 16, 17, 31, 63, 64, 65, 100, 129, 200, 333};
static const uint32_t PERMILLES[] = {0, 1, 10, 100, 500, 990, 1000};

/* One answer in three ways: alone, among 17 that wait together, and by brute force. */
static bool query_agrees(struct fixture *fixture, const struct similar_query *query)
{
    struct similar_hit expected[COUNT_MAX + 8];
    struct similar_hit found[COUNT_MAX + 8];
    struct similar_report report;
    uint32_t found_count = 0;
    uint32_t expected_count = fixture_oracle(fixture, query, query->filter != NULL, expected);
    assert_int_equal(
        similar_search(fixture->set, fixture->scratch, query, found, &found_count, &report),
        SIMILAR_OK);
    assert_true(report.exact);
    bool same = fixture_same(found, found_count, expected, expected_count);
    static struct similar_hit many[17][COUNT_MAX + 8];
    struct similar_hit *hits[17];
    struct similar_query queries[17];
    uint32_t counts[17];
    for (uint32_t i = 0; i < 17; i++) {
        hits[i] = many[i];
        queries[i] = *query;
    }
    assert_int_equal(similar_search_many(fixture->set, fixture->scratch, queries, 17, hits, counts),
                     SIMILAR_OK);
    /* Among others that need a search of their own: every third is content with less. */
    struct similar_report reports[17];
    static struct similar_hit waiting[17][COUNT_MAX + 8];
    struct similar_hit *rows[17];
    uint32_t row_counts[17];
    for (uint32_t i = 0; i < 17; i++) {
        rows[i] = waiting[i];
        queries[i].recall = i % 3 == 1 ? 0.9 : 0;
    }
    assert_int_equal(similar_search_waiting(fixture->set, fixture->scratch, queries, 17, rows,
                                            row_counts, reports),
                     SIMILAR_OK);
    for (uint32_t i = 0; i < 17; i++) {
        assert_true(i % 3 == 1 || reports[i].exact);
        same = same && (!reports[i].exact ||
                        fixture_same(waiting[i], row_counts[i], expected, expected_count));
    }
    return same && fixture_same(many[0], counts[0], expected, expected_count) &&
           fixture_same(many[16], counts[16], expected, expected_count);
}

static struct similar_query query_draw(struct fixture *fixture, float *vector)
{
    uint64_t row = fixture_random(fixture, fixture->count);
    bool stored = fixture_random(fixture, 2) == 0;
    for (uint32_t i = 0; i < fixture->dim; i++) {
        vector[i] = stored ? fixture->vectors[row * fixture->dim + i] : fixture_normal(fixture);
    }
    if (fixture_random(fixture, 10) == 0) {
        memset(vector, 0, fixture->dim * sizeof *vector);
    }
    return (struct similar_query){.vector = vector,
                                  .k = 1 + (uint32_t)fixture_random(fixture, fixture->count + 4)};
}

/* Queries with every filter shape, fresh and stale, and with exclusions. */
static bool set_agrees(struct fixture *fixture, uint32_t shape)
{
    float vector[SIMILAR_DIM_MAX];
    bool same = true;
    for (uint32_t q = 0; q < QUERIES && same; q++) {
        struct similar_query query = query_draw(fixture, vector);
        struct similar_filter *filter = NULL;
        if ((shape + q) % 3 != 0) {
            uint32_t kind = (uint32_t)fixture_random(fixture, 7);
            fixture_filter(fixture, PERMILLES[kind]);
            filter = similar_filter_create(fixture->set, fixture->words, fixture->word_count, NULL);
            assert_non_null(filter);
        }
        query.filter = filter;
        if (q % 2 == 0) {
            query.exclude = fixture->ids;
            query.exclude_count = (uint32_t)fixture_random(fixture, fixture->count + 1);
        }
        same = query_agrees(fixture, &query);
        if (q == 2 && same) {
            /* A change makes the filter's masks stale; its answers stay right. */
            uint64_t row = fixture_random(fixture, fixture->count);
            if (!fixture->absent[row]) {
                assert_int_equal(similar_remove(fixture->set, fixture->ids[row]), SIMILAR_OK);
                fixture->absent[row] = true;
            }
            same = query_agrees(fixture, &query);
        }
        similar_filter_destroy(filter);
    }
    return same;
}

static void exact_equals_brute_force_on_random_sets(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SETS; seed++) {
        struct fixture fixture;
        uint32_t dim = DIMS[seed % (sizeof DIMS / sizeof *DIMS)];
        enum fixture_shape shape = seed % SHAPES;
        uint32_t count = 1 + (uint32_t)(seed * 7919 % COUNT_MAX);
        fixture_init(&fixture, seed, dim, count, seed / SHAPES % 3, shape);
        fixture_build(&fixture, (uint32_t)(seed % 7));
        if (!set_agrees(&fixture, (uint32_t)seed)) {
            fail_msg("seed %llu: dim %u, %u vectors, metric %u, shape %u", (unsigned long long)seed,
                     dim, count, (unsigned)fixture.metric, (unsigned)shape);
        }
        fixture_fini(&fixture);
    }
}

/* The oracle itself against the textbook formulas. */
static void pair_is_the_formula(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, 3, 77, 40, SIMILAR_COSINE, SHAPE_SMOOTH);
    for (uint32_t row = 1; row < 40; row++) {
        const float *x = fixture.vectors;
        const float *y = fixture.vectors + (size_t)row * 77;
        double dot = 0;
        double xx = 0;
        double yy = 0;
        double gap = 0;
        for (uint32_t i = 0; i < 77; i++) {
            dot += (double)x[i] * (double)y[i];
            xx += (double)x[i] * (double)x[i];
            yy += (double)y[i] * (double)y[i];
            gap += ((double)x[i] - (double)y[i]) * ((double)x[i] - (double)y[i]);
        }
        assert_true(fabs(similar_pair(SIMILAR_DOT, x, y, 77) - dot) < 1e-12);
        assert_true(fabs(similar_pair(SIMILAR_COSINE, x, y, 77) - dot / sqrt(xx * yy)) < 1e-12);
        assert_true(fabs(similar_pair(SIMILAR_L2, x, y, 77) - 1 / (1 + sqrt(gap))) < 1e-12);
        assert_true(similar_pair(SIMILAR_L2, x, y, 77) == similar_pair(SIMILAR_L2, y, x, 77));
    }
    assert_true(similar_pair(SIMILAR_L2, fixture.vectors, fixture.vectors, 77) == 1.0);
    float zero[77] = {0};
    assert_true(similar_pair(SIMILAR_COSINE, zero, fixture.vectors, 77) == 0.0);
    fixture_fini(&fixture);
}

/* Writes a bound that is too tight into every byte block: the search then has to miss. */
static void bounds_break(struct fixture *fixture)
{
    struct similar_source source = similar_memory_source(fixture->memory);
    size_t tile_bytes = (size_t)16 * similar_dim_padded(fixture->dim) + 192;
    for (uint32_t chunk = 0;; chunk++) {
        const uint8_t *block = source.on_read(source.context, SIMILAR_KIND_BYTE, chunk);
        if (block == NULL) {
            return;
        }
        uint8_t *bytes = source.on_write(source.context, SIMILAR_KIND_BYTE, chunk,
                                         similar_block_bytes(SIMILAR_KIND_BYTE, fixture->dim));
        for (uint32_t t = 0; t < SIMILAR_CHUNK_TILES; t++) {
            for (uint32_t i = 0; i < SIMILAR_TILE; i += 2) {
                float wrong = -10.0f;
                memcpy(bytes + sizeof(struct similar_header) + t * tile_bytes + 128 + i * 4, &wrong,
                       sizeof wrong);
            }
        }
    }
}

static void control_wrong_bound_is_noticed(void **state)
{
    (void)state;
    uint32_t noticed = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct fixture fixture;
        fixture_init(&fixture, seed, 64, 300, SIMILAR_L2, SHAPE_SMOOTH);
        fixture_build(&fixture, 4);
        struct similar_query query = {.vector = fixture.vectors, .k = 10};
        assert_true(query_agrees(&fixture, &query));
        bounds_break(&fixture);
        noticed += !query_agrees(&fixture, &query);
        fixture_fini(&fixture);
    }
    assert_true(noticed >= 15);
}

static void vectors_that_are_no_numbers_are_refused(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, 9, 20, 50, SIMILAR_L2, SHAPE_SMOOTH);
    fixture_build(&fixture, 0);
    float bad[3][20] = {{0}, {0}, {0}};
    bad[0][19] = NAN;
    bad[1][0] = INFINITY;
    bad[2][5] = 2e15f;
    static const enum similar_status expected[] = {
        SIMILAR_ERROR_NOT_FINITE, SIMILAR_ERROR_NOT_FINITE, SIMILAR_ERROR_TOO_LARGE};
    for (uint32_t i = 0; i < 3; i++) {
        struct similar_query query = {.vector = bad[i], .k = 1};
        struct similar_hit hit;
        uint32_t count = 7;
        assert_int_equal(similar_insert(fixture.set, 100000, bad[i]), expected[i]);
        assert_int_equal(similar_search(fixture.set, fixture.scratch, &query, &hit, &count, NULL),
                         expected[i]);
        assert_int_equal(count, 0);
    }
    assert_int_equal(similar_count(fixture.set), 50);
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_equals_brute_force_on_random_sets),
        cmocka_unit_test(pair_is_the_formula),
        cmocka_unit_test(control_wrong_bound_is_noticed),
        cmocka_unit_test(vectors_that_are_no_numbers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

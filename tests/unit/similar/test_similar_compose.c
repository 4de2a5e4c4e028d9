/* SPDX-License-Identifier: Apache-2.0 */
/* Several examples: order, properties, and agreement with brute force. */
#include "tests/unit/similar/similar_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

enum { EXAMPLES = 24, K = 40 };

static double best_of(const struct fixture *fixture, const float *const *examples, uint32_t count,
                      const float *vector)
{
    double best = (double)-INFINITY;
    for (uint32_t i = 0; i < count; i++) {
        best = fmax(best, similar_pair(fixture->metric, examples[i], vector, fixture->dim));
    }
    return best;
}

struct scored {
    uint32_t id;
    bool far;
    double key;
};

static int scored_order(const void *a, const void *b)
{
    const struct scored *x = a;
    const struct scored *y = b;
    if (x->far != y->far) {
        return x->far ? 1 : -1;
    }
    if (x->key > y->key || x->key < y->key) {
        return x->key > y->key ? -1 : 1;
    }
    return x->id < y->id ? -1 : 1;
}

static void compose_agrees(struct fixture *fixture, const struct similar_examples *examples)
{
    struct similar_hit hits[K];
    uint32_t count = 0;
    struct scored *all = calloc(fixture->count, sizeof *all);
    assert_non_null(all);
    for (uint32_t row = 0; row < fixture->count; row++) {
        const float *vector = fixture->vectors + (size_t)row * fixture->dim;
        double near = best_of(fixture, examples->positives, examples->positive_count, vector);
        double against = best_of(fixture, examples->negatives, examples->negative_count, vector);
        bool far = !(near > against);
        all[row] = (struct scored){
            .id = fixture->ids[row], .far = far, .key = far ? near - against : near};
    }
    qsort(all, fixture->count, sizeof *all, scored_order);
    assert_int_equal(similar_compose(fixture->set, fixture->scratch, examples, hits, &count, NULL),
                     SIMILAR_OK);
    assert_int_equal(count, K);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(hits[i].id, all[i].id);
        assert_true(hits[i].example < examples->positive_count);
    }
    free(all);
}

static void composed_order_is_brute_force_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct fixture fixture;
        const float *rows[2 * EXAMPLES];
        fixture_init(&fixture, seed, 12 + (uint32_t)seed, 350, seed % 3, seed % 4);
        fixture_build(&fixture, (uint32_t)(seed % 5));
        for (uint32_t i = 0; i < 2 * EXAMPLES; i++) {
            rows[i] = fixture.vectors + fixture_random(&fixture, 350) * fixture.dim;
        }
        struct similar_examples examples = {
            .positives = rows,
            .positive_count = 1 + (uint32_t)fixture_random(&fixture, EXAMPLES),
            .negatives = rows + EXAMPLES,
            .negative_count = (uint32_t)fixture_random(&fixture, EXAMPLES),
            .base.k = K,
        };
        compose_agrees(&fixture, &examples);
        fixture_fini(&fixture);
    }
}

static void one_positive_is_a_plain_search(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, 9, 50, 3000, SIMILAR_COSINE, SHAPE_SMOOTH);
    fixture_build(&fixture, 0);
    for (uint32_t row = 0; row < 50; row++) {
        const float *vector = fixture.vectors + (size_t)row * 50;
        struct similar_hit a[K];
        struct similar_hit b[K];
        uint32_t a_count = 0;
        uint32_t b_count = 0;
        struct similar_query query = {.vector = vector, .k = K};
        struct similar_examples examples = {.positives = &vector, .positive_count = 1, .base.k = K};
        similar_search(fixture.set, fixture.scratch, &query, a, &a_count, NULL);
        similar_compose(fixture.set, fixture.scratch, &examples, b, &b_count, NULL);
        assert_true(fixture_same(a, a_count, b, b_count));
    }
    fixture_fini(&fixture);
}

/* On a line: positives at 0, negatives at 10. Whoever is nearer to a positive comes first. */
static void nearer_to_a_positive_never_loses(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, 1, 1, 101, SIMILAR_L2, SHAPE_SMOOTH);
    for (uint32_t row = 0; row < 101; row++) {
        fixture.vectors[row] = (float)row * 0.1f;
    }
    fixture_build(&fixture, 1);
    float zero = 0;
    float ten = 10;
    const float *positives[] = {&zero};
    const float *negatives[] = {&ten, &ten};
    struct similar_hit hits[101];
    uint32_t count = 0;
    struct similar_examples examples = {.positives = positives,
                                        .positive_count = 1,
                                        .negatives = negatives,
                                        .negative_count = 2,
                                        .base.k = 101};
    assert_int_equal(similar_compose(fixture.set, fixture.scratch, &examples, hits, &count, NULL),
                     SIMILAR_OK);
    assert_int_equal(count, 101);
    for (uint32_t i = 1; i < count; i++) {
        assert_true(hits[i - 1].similarity > hits[i].similarity);
    }
    fixture_fini(&fixture);
}

static void exclusions_and_limits_hold(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, 4, 10, 200, SIMILAR_DOT, SHAPE_SMOOTH);
    fixture_build(&fixture, 3);
    const float *rows[] = {fixture.vectors, fixture.vectors + 10};
    struct similar_hit hits[200];
    uint32_t count = 0;
    struct similar_examples examples = {
        .positives = rows,
        .positive_count = 2,
        .base = {.k = 200, .exclude = fixture.ids, .exclude_count = 20}};
    assert_int_equal(similar_compose(fixture.set, fixture.scratch, &examples, hits, &count, NULL),
                     SIMILAR_OK);
    assert_int_equal(count, 180);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(hits[i].id > fixture.ids[19]);
    }
    examples.positive_count = 0;
    assert_int_equal(similar_compose(fixture.set, fixture.scratch, &examples, hits, &count, NULL),
                     SIMILAR_ERROR_OPTION);
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(composed_order_is_brute_force_order),
        cmocka_unit_test(one_positive_is_a_plain_search),
        cmocka_unit_test(nearer_to_a_positive_never_loses),
        cmocka_unit_test(exclusions_and_limits_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Insert, remove, balance, reopen: the set answers for exactly what it holds. */
#include "server/similar/similar_block.h"
#include "tests/unit/similar/similar_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void answers_agree(struct fixture *fixture, uint32_t queries)
{
    struct similar_hit expected[20];
    struct similar_hit found[20];
    for (uint32_t q = 0; q < queries; q++) {
        uint64_t row = fixture_random(fixture, fixture->count);
        struct similar_query query = {.vector = fixture->vectors + row * fixture->dim, .k = 20};
        uint32_t count = 0;
        uint32_t expected_count = fixture_oracle(fixture, &query, false, expected);
        assert_int_equal(
            similar_search(fixture->set, fixture->scratch, &query, found, &count, NULL),
            SIMILAR_OK);
        assert_true(fixture_same(found, count, expected, expected_count));
    }
}

static void set_start(struct fixture *fixture)
{
    struct similar_options options = fixture_options(fixture, 0);
    fixture->set = similar_create(&options, NULL);
    assert_non_null(fixture->set);
    fixture->scratch = similar_scratch_create(fixture->set);
    assert_non_null(fixture->scratch);
    for (uint32_t row = 0; row < fixture->count; row++) {
        fixture->absent[row] = true;
    }
}

static void row_toggle(struct fixture *fixture, uint64_t row)
{
    const float *vector = fixture->vectors + row * fixture->dim;
    uint32_t id = fixture->ids[row];
    if (fixture->absent[row]) {
        assert_int_equal(similar_remove(fixture->set, id), SIMILAR_ERROR_ABSENT);
        assert_int_equal(similar_insert(fixture->set, id, vector), SIMILAR_OK);
        assert_int_equal(similar_insert(fixture->set, id, vector), SIMILAR_ERROR_EXISTS);
        assert_memory_equal(similar_get(fixture->set, id), vector, fixture->dim * sizeof *vector);
    } else {
        assert_int_equal(similar_remove(fixture->set, id), SIMILAR_OK);
        assert_null(similar_get(fixture->set, id));
    }
    fixture->absent[row] = !fixture->absent[row];
}

static void changes_are_visible_at_once(void **state)
{
    (void)state;
    for (uint32_t metric = 0; metric < 3; metric++) {
        struct fixture fixture;
        fixture_init(&fixture, 77 + metric, 30, 400, metric, SHAPE_SMOOTH);
        set_start(&fixture);
        answers_agree(&fixture, 1);
        for (uint32_t step = 0; step < 3000; step++) {
            row_toggle(&fixture, fixture_random(&fixture, fixture.count));
            if (step % 50 == 0) {
                answers_agree(&fixture, 1);
            }
        }
        fixture_fini(&fixture);
    }
}

static void lists_split_and_dissolve_without_loss(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, 5, 24, 6000, SIMILAR_L2, SHAPE_SMOOTH);
    set_start(&fixture);
    for (uint32_t row = 0; row < fixture.count; row++) {
        row_toggle(&fixture, row);
        if (similar_balance_due(fixture.set)) {
            assert_int_equal(similar_balance(fixture.set, 1, NULL), SIMILAR_OK);
        }
    }
    uint32_t grown = similar_list_count(fixture.set);
    assert_true(grown > 8);
    answers_agree(&fixture, 10);
    for (uint32_t row = 0; row < fixture.count; row++) {
        /* Keep a corner of the space, so that most lists run dry. */
        if (fixture.vectors[(size_t)row * 24] < 1.5f) {
            row_toggle(&fixture, row);
        }
    }
    uint32_t done = 0;
    assert_int_equal(similar_balance(fixture.set, 1000, &done), SIMILAR_OK);
    assert_true(!similar_balance_due(fixture.set));
    answers_agree(&fixture, 10);
    for (uint32_t row = 0; row < fixture.count; row++) {
        if (!fixture.absent[row]) {
            row_toggle(&fixture, row);
        }
    }
    assert_int_equal(similar_count(fixture.set), 0);
    assert_int_equal(similar_balance(fixture.set, 1000, &done), SIMILAR_OK);
    answers_agree(&fixture, 2);
    for (uint32_t row = 0; row < 300; row++) {
        row_toggle(&fixture, row);
    }
    answers_agree(&fixture, 10);
    fixture_fini(&fixture);
}

static void equal_vectors_split(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, 5, 8, 1500, SIMILAR_L2, SHAPE_DUPLICATE);
    for (uint32_t row = 1; row < fixture.count; row++) {
        memcpy(fixture.vectors + (size_t)row * 8, fixture.vectors, 8 * sizeof(float));
    }
    set_start(&fixture);
    for (uint32_t row = 0; row < fixture.count; row++) {
        row_toggle(&fixture, row);
    }
    assert_int_equal(similar_balance(fixture.set, 100, NULL), SIMILAR_OK);
    assert_true(similar_list_count(fixture.set) > 1);
    answers_agree(&fixture, 3);
    fixture_fini(&fixture);
}

static void blocks_seal(struct fixture *fixture)
{
    struct similar_source source = similar_memory_source(fixture->memory);
    assert_int_equal(similar_flush(fixture->set), SIMILAR_OK);
    for (uint32_t kind = SIMILAR_KIND_CENTROID; kind < SIMILAR_KINDS; kind++) {
        size_t bytes = similar_block_bytes(kind, fixture->dim);
        for (uint32_t number = 0; number < 200; number++) {
            if (source.on_read(source.context, kind, number) != NULL) {
                similar_block_seal(source.on_write(source.context, kind, number, bytes), bytes);
            }
        }
    }
}

static void reopened_set_is_the_same_set(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, 31, 40, 3000, SIMILAR_COSINE, SHAPE_SMOOTH);
    fixture_build(&fixture, 0);
    for (uint32_t step = 0; step < 500; step++) {
        row_toggle(&fixture, fixture_random(&fixture, fixture.count));
    }
    assert_int_equal(similar_balance(fixture.set, 100, NULL), SIMILAR_OK);
    uint64_t count = similar_count(fixture.set);
    blocks_seal(&fixture);
    similar_destroy(fixture.set);
    struct similar_options options = fixture_options(&fixture, 0);
    enum similar_status status;
    fixture.set = similar_open(&options, true, &status);
    assert_int_equal(status, SIMILAR_OK);
    assert_non_null(fixture.set);
    assert_int_equal(similar_count(fixture.set), count);
    answers_agree(&fixture, 10);
    for (uint32_t step = 0; step < 200; step++) {
        row_toggle(&fixture, fixture_random(&fixture, fixture.count));
    }
    answers_agree(&fixture, 10);
    fixture_fini(&fixture);
}

static void flipped_bits_are_found_at_open(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, 32, 40, 700, SIMILAR_COSINE, SHAPE_SMOOTH);
    fixture_build(&fixture, 3);
    blocks_seal(&fixture);
    struct similar_source source = similar_memory_source(fixture.memory);
    struct similar_options options = fixture_options(&fixture, 0);
    for (uint32_t flip = 0; flip < 200; flip++) {
        uint32_t kind = flip % SIMILAR_KIND_GRAPH; /* of those that this set has */
        size_t bytes = similar_block_bytes(kind, fixture.dim);
        uint8_t *block = source.on_write(source.context, kind, 0, bytes);
        uint64_t bit = fixture_random(&fixture, bytes * 8);
        enum similar_status status;
        block[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_null(similar_open(&options, true, &status));
        assert_true(status == SIMILAR_ERROR_CORRUPT || status == SIMILAR_ERROR_VERSION);
        block[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    struct similar_set *set = similar_open(&options, true, NULL);
    assert_non_null(set);
    similar_destroy(set);
    fixture_fini(&fixture);
}

/* A source that says no at its n-th request. */
struct failing {
    struct similar_source inner;
    uint32_t left;
};

static void *failing_write(void *context, enum similar_kind kind, uint32_t number, size_t bytes)
{
    struct failing *failing = context;
    if (failing->left == 0) {
        return NULL;
    }
    failing->left--;
    return failing->inner.on_write(failing->inner.context, kind, number, bytes);
}

static void failing_free(void *context, enum similar_kind kind, uint32_t number)
{
    struct failing *failing = context;
    failing->inner.on_free(failing->inner.context, kind, number);
}

static void refused_memory_changes_nothing(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, 8, 16, 900, SIMILAR_L2, SHAPE_SMOOTH);
    struct failing failing = {.inner = similar_memory_source(fixture.memory), .left = 100000};
    struct similar_options options = fixture_options(&fixture, 0);
    options.source.context = &failing;
    options.source.on_write = failing_write;
    options.source.on_free = failing_free;
    fixture.set = similar_create(&options, NULL);
    fixture.scratch = similar_scratch_create(fixture.set);
    for (uint32_t row = 0; row < fixture.count; row++) {
        failing.left = row % 4;
        enum similar_status status = similar_insert(fixture.set, fixture.ids[row],
                                                    fixture.vectors + (size_t)row * fixture.dim);
        assert_true(status == SIMILAR_OK || status == SIMILAR_ERROR_MEMORY);
        fixture.absent[row] = status != SIMILAR_OK;
    }
    answers_agree(&fixture, 3);
    failing.left = 100000;
    for (uint32_t row = 0; row < fixture.count; row++) {
        if (fixture.absent[row]) {
            row_toggle(&fixture, row);
        }
    }
    for (uint32_t left = 0; left < 40; left++) {
        failing.left = left;
        (void)similar_balance(fixture.set, 10, NULL);
        answers_agree(&fixture, 2);
    }
    fixture_fini(&fixture);
}

/* Four threads, each with every fourth task. */
struct lane {
    uint32_t from;
    uint32_t count;
    void (*task)(void *argument, uint32_t index);
    void *argument;
};

static void *lane_run(void *context)
{
    const struct lane *lane = context;
    for (uint32_t i = lane->from; i < lane->count; i += 4) {
        lane->task(lane->argument, i);
    }
    return NULL;
}

static void four_threads(void *context, uint32_t count,
                         void (*task)(void *argument, uint32_t index), void *argument)
{
    pthread_t threads[4];
    struct lane lanes[4];
    (void)context;
    for (uint32_t i = 0; i < 4; i++) {
        lanes[i] = (struct lane){.from = i, .count = count, .task = task, .argument = argument};
        assert_int_equal(pthread_create(&threads[i], NULL, lane_run, &lanes[i]), 0);
    }
    for (uint32_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
}

static const float *row_of(void *context, uint64_t index, uint32_t *id)
{
    const struct fixture *fixture = context;
    *id = fixture->ids[index];
    return fixture->vectors + index * fixture->dim;
}

static void build_is_the_same_on_any_thread_count(void **state)
{
    (void)state;
    struct fixture one;
    fixture_init(&one, 50, 48, 20000, SIMILAR_L2, SHAPE_SMOOTH);
    fixture_build(&one, 0);
    struct similar_memory *memory = similar_memory_create();
    struct similar_options options = fixture_options(&one, 0);
    struct similar_input input = {.context = &one, .count = one.count, .on_row = row_of};
    options.source = similar_memory_source(memory);
    options.parallel.run = four_threads;
    struct similar_set *many = similar_create(&options, NULL);
    assert_int_equal(similar_build(many, &input), SIMILAR_OK);
    assert_int_equal(similar_flush(many), SIMILAR_OK);
    assert_int_equal(similar_flush(one.set), SIMILAR_OK);
    struct similar_source a = similar_memory_source(one.memory);
    uint32_t compared = 0;
    for (uint32_t kind = 0; kind < SIMILAR_KINDS; kind++) {
        for (uint32_t number = 0; number < 1000; number++) {
            const void *x = a.on_read(a.context, kind, number);
            const void *y = options.source.on_read(options.source.context, kind, number);
            assert_true((x == NULL) == (y == NULL));
            if (x != NULL) {
                assert_memory_equal(x, y, similar_block_bytes(kind, one.dim));
                compared++;
            }
        }
    }
    assert_true(compared > 300);
    similar_destroy(many);
    similar_memory_destroy(memory);
    fixture_fini(&one);
}

static void rebuilt_set_holds_the_same_vectors(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, 60, 20, 2500, SIMILAR_DOT, SHAPE_SMOOTH);
    set_start(&fixture);
    for (uint32_t row = 0; row < fixture.count; row++) {
        row_toggle(&fixture, row);
    }
    struct similar_memory *memory = similar_memory_create();
    struct similar_options options = fixture_options(&fixture, 0);
    struct similar_input input;
    options.source = similar_memory_source(memory);
    assert_int_equal(similar_input_create(fixture.set, &input), SIMILAR_OK);
    struct similar_set *rebuilt = similar_create(&options, NULL);
    assert_int_equal(similar_build(rebuilt, &input), SIMILAR_OK);
    similar_input_destroy(&input);
    assert_int_equal(similar_build(rebuilt, &input), SIMILAR_ERROR_NOT_EMPTY);
    struct similar_set *before = fixture.set;
    fixture.set = rebuilt;
    answers_agree(&fixture, 10);
    fixture.set = before;
    similar_destroy(rebuilt);
    similar_memory_destroy(memory);
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_visible_at_once),
        cmocka_unit_test(lists_split_and_dissolve_without_loss),
        cmocka_unit_test(equal_vectors_split),
        cmocka_unit_test(reopened_set_is_the_same_set),
        cmocka_unit_test(flipped_bits_are_found_at_open),
        cmocka_unit_test(refused_memory_changes_nothing),
        cmocka_unit_test(build_is_the_same_on_any_thread_count),
        cmocka_unit_test(rebuilt_set_holds_the_same_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

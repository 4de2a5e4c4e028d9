/* SPDX-License-Identifier: Apache-2.0 */
/* The graph beside the partitions: what it answers is true, how much of it there is, and that it
 * follows its set, comes back from its blocks, and lets the partitions answer where it cannot. */
#include "tests/unit/similar/similar_graph_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void recall_holds_at_every_dimension(void **state)
{
    (void)state;
    static const uint32_t dims[] = {8, 64, 100, 200, 1, 1000, 2048};
    for (uint32_t d = 0; d < 15; d++) {
        struct fixture fixture;
        enum similar_metric metric = (enum similar_metric)(d < 12 ? d / 4 : d - 12);
        uint32_t dim = dims[d < 12 ? d % 4 : 4 + d - 12];
        fixture_init(&fixture, 11 + d, dim, COUNT, metric, SHAPE_SMOOTH);
        fixture_clusters(&fixture, 30);
        fixture_graph(&fixture);
        fixture_effort(&fixture, 150);
        double recall = fixture_recall(&fixture, SIMILAR_PATH_GRAPH);
        print_message("metric %u, dim %u: recall %.4f\n", (unsigned)metric, dim, recall);
        assert_true(recall >= 0.97);
        fixture_fini(&fixture);
    }
}

/* The harness can say no: a pool of 16 places sees little of a set without clusters. */
static void control_little_effort_falls_short(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, 31, 64, COUNT, SIMILAR_L2, SHAPE_SMOOTH);
    fixture_graph(&fixture);
    fixture_effort(&fixture, 16);
    assert_true(fixture_recall(&fixture, SIMILAR_PATH_GRAPH) < 0.9);
    fixture_fini(&fixture);
}

static void calibration_reaches_its_targets(void **state)
{
    (void)state;
    static const double targets[] = {0.9, 0.93, 0.975};
    struct fixture fixture;
    fixture_init(&fixture, 21, 16, 2 * COUNT, SIMILAR_L2, SHAPE_SMOOTH);
    /* So many lists that to rank them takes the partitions longer than a walk. */
    fixture_graph_beside(&fixture, 550);
    assert_int_equal(similar_graph_calibrate(fixture.set), SIMILAR_OK);
    struct similar_query queries[QUERIES];
    uint32_t efforts[3];
    for (uint32_t t = 0; t < 3; t++) {
        double recall = 0;
        for (uint32_t q = 0; q < QUERIES; q++) {
            uint64_t row = fixture_random(&fixture, fixture.count);
            queries[q] = (struct similar_query){
                .vector = fixture.vectors + row * fixture.dim, .k = K, .recall = targets[t]};
        }
        efforts[t] = similar_graph_setting(fixture.set, &queries[0]).probes;
        similar_recall(fixture.set, fixture.scratch, queries, QUERIES, &recall);
        print_message("target %.3f: effort %u, recall %.4f\n", targets[t], efforts[t], recall);
        assert_true(recall >= targets[t] - 0.04);
    }
    assert_true(efforts[0] > 0 && efforts[1] > efforts[0] && efforts[2] > efforts[1]);
    fixture_fini(&fixture);
}

/* Behind a filter only what passes is answered, as much of the truth as was asked for. */
static void filters_are_walked_behind(void **state)
{
    (void)state;
    static const uint32_t permille[] = {500, 200, 100, 10};
    uint32_t walked_ever = 0;
    for (enum similar_metric metric = SIMILAR_DOT; metric <= SIMILAR_DOT; metric++) {
        struct fixture fixture;
        fixture_init(&fixture, 81 + metric, 16, 2 * COUNT, metric, SHAPE_SMOOTH);
        fixture_graph_beside(&fixture, 1400);
        assert_int_equal(similar_graph_calibrate(fixture.set), SIMILAR_OK);
        for (uint32_t f = 0; f < 4; f++) {
            uint32_t walked = 0;
            uint32_t shared = 0;
            uint32_t wanted = 0;
            fixture_filter(&fixture, permille[f]);
            struct similar_filter *filter =
                similar_filter_create(fixture.set, fixture.words, fixture.word_count, NULL);
            /* As calibrated, and in any case on the graph. */
            for (uint32_t q = 0; q < 2 * QUERIES; q++) {
                uint64_t row = fixture_random(&fixture, fixture.count);
                struct similar_query query = {.vector = fixture.vectors + row * fixture.dim,
                                              .k = K,
                                              .recall = 0.9,
                                              .effort = q % 2 == 1 && f < 3 ? 400 : 0,
                                              .filter = filter};
                struct similar_hit hits[K];
                struct similar_hit best[K];
                struct similar_report report;
                uint32_t count;
                assert_int_equal(
                    similar_search(fixture.set, fixture.scratch, &query, hits, &count, &report),
                    SIMILAR_OK);
                uint32_t expected = fixture_oracle(&fixture, &query, true, best);
                assert_int_equal(count, expected);
                for (uint32_t i = 0; i < count; i++) {
                    uint32_t id = hits[i].id;
                    assert_true((fixture.words[id / 64] >> id % 64 & 1) != 0);
                    shared += hits[i].similarity >= best[expected - 1].similarity;
                }
                wanted += expected;
                walked += report.path == SIMILAR_PATH_GRAPH && query.effort == 0;
                assert_true(query.effort == 0 || report.path == SIMILAR_PATH_GRAPH);
            }
            walked_ever += walked;
            print_message("metric %u, %u of 1000 pass: %u of %u walked, recall %.4f\n",
                          (unsigned)metric, permille[f], walked, QUERIES, (double)shared / wanted);
            assert_true((double)shared / wanted >= 0.89);
            /* What passes a hundredth is sooner looked at one by one. */
            assert_true(permille[f] > 10 || walked == 0);
            similar_filter_destroy(filter);
        }
        fixture_fini(&fixture);
    }
    assert_true(walked_ever > 0);
}

/* A filter that keeps away what is near: a walk sees little that passes, and the partitions do. */
static void a_filter_against_the_query_is_for_the_partitions(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, 85, 16, 2 * COUNT, SIMILAR_L2, SHAPE_SMOOTH);
    fixture_graph(&fixture);
    fixture_effort(&fixture, 60);
    memcpy(fixture.set->graph->filtered[0], fixture.set->graph->settings[0],
           sizeof fixture.set->graph->filtered[0]);
    /* Those on one side of the origin, asked from the other. */
    fixture_filter(&fixture, 0);
    for (uint32_t row = 0; row < fixture.count; row++) {
        uint64_t passes = fixture.vectors[(size_t)row * 16] > 0.0f;
        fixture.words[fixture.ids[row] / 64] |= passes << fixture.ids[row] % 64;
    }
    struct similar_filter *filter =
        similar_filter_create(fixture.set, fixture.words, fixture.word_count, NULL);
    for (int side = -1; side <= 1; side += 2) {
        float vector[16] = {2.0f * (float)side};
        struct similar_query query = {.vector = vector, .k = K, .recall = 0.9, .filter = filter};
        struct similar_hit hits[K];
        struct similar_hit best[K];
        struct similar_report report;
        uint32_t count;
        assert_int_equal(similar_graph_setting(fixture.set, &query).probes, 60);
        assert_int_equal(
            similar_search(fixture.set, fixture.scratch, &query, hits, &count, &report),
            SIMILAR_OK);
        assert_int_equal(report.path == SIMILAR_PATH_GRAPH, side > 0);
        assert_int_equal(count, fixture_oracle(&fixture, &query, true, best));
    }
    similar_filter_destroy(filter);
    fixture_fini(&fixture);
}

/* Sets that spoil graphs: ties, copies, zeros, norms of all sizes, a far origin. */
static void hostile_sets_give_true_answers(void **state)
{
    (void)state;
    for (uint32_t turn = 0; turn < 2 * (SHAPES - SHAPE_GRID); turn++) {
        struct fixture fixture;
        enum fixture_shape shape = (enum fixture_shape)(SHAPE_GRID + turn / 2);
        enum similar_metric metric = turn % 2 == 1            ? SIMILAR_DOT
                                     : shape == SHAPE_SHIFTED ? SIMILAR_L2
                                                              : SIMILAR_COSINE;
        fixture_init(&fixture, 70 + shape, 12, COUNT, metric, shape);
        fixture_graph(&fixture);
        fixture_effort(&fixture, 200);
        double recall = fixture_recall(&fixture, SIMILAR_PATH_GRAPH);
        print_message("shape %u, metric %u: recall %.4f\n", (unsigned)shape, (unsigned)metric,
                      recall);
        assert_true(recall >= 0.9);
        fixture_fini(&fixture);
    }
}

/* All the same vector: any ten are right. */
static void equal_vectors_are_found(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, 5, 16, COUNT, SIMILAR_L2, SHAPE_SMOOTH);
    for (uint32_t row = 1; row < fixture.count; row++) {
        memcpy(fixture.vectors + (size_t)row * 16, fixture.vectors, 16 * sizeof(float));
    }
    fixture_graph(&fixture);
    fixture_effort(&fixture, 40);
    assert_true(fixture_recall(&fixture, SIMILAR_PATH_GRAPH) == 1);
    fixture_fini(&fixture);
}

static void what_is_not_for_the_graph_is_not_answered_by_it(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, 44, 24, COUNT, SIMILAR_COSINE, SHAPE_SMOOTH);
    fixture_graph(&fixture);
    fixture_effort(&fixture, 60);
    fixture_filter(&fixture, 500);
    struct similar_filter *filter =
        similar_filter_create(fixture.set, fixture.words, fixture.word_count, NULL);
    const struct similar_query asked[] = {
        {.k = K, .recall = 0},
        {.k = K, .recall = 1},
        {.k = K, .recall = 0.9995},
        {.k = 101, .recall = 0.9},
        {.k = K, .recall = 0.9, .filter = filter},
        {.k = K, .recall = 0.9, .partitions = true},
        {.k = K, .recall = 0.9, .probes = 3},
    };
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        assert_int_equal(similar_graph_setting(fixture.set, &asked[i]).probes, 0);
    }
    const struct similar_query ours = {.k = K, .recall = 0.9};
    assert_int_equal(similar_graph_setting(fixture.set, &ours).probes, 60);
    similar_filter_destroy(filter);
    similar_graph_drop(fixture.set);
    assert_int_equal(similar_graph_setting(fixture.set, &ours).probes, 0);
    assert_int_equal(
        similar_memory_source(fixture.memory).on_read(fixture.memory, SIMILAR_KIND_GRAPH, 1) ==
            NULL,
        true);
    fixture_fini(&fixture);
}

static bool stop_now(void *context)
{
    uint32_t *left = context;
    return *left == 0 || --*left == 0;
}

static void small_bounded_and_stopped_sets_have_none(void **state)
{
    (void)state;
    for (uint32_t kind = 0; kind < 3; kind++) {
        struct fixture fixture;
        uint32_t left = 3;
        fixture_init(&fixture, 45, 24, kind == 0 ? SIMILAR_GRAPH_LEAST - 1 : COUNT, SIMILAR_COSINE,
                     SHAPE_SMOOTH);
        fixture_build(&fixture, 0);
        uint64_t each = similar_graph_bytes(fixture.dim);
        fixture.set->options.graph_bytes_max = fixture.count * each - (kind == 1);
        if (kind == 2) {
            fixture.set->options.on_cancel = stop_now;
            fixture.set->options.cancel_context = &left;
        }
        assert_int_equal(similar_graph_make(fixture.set),
                         kind == 2 ? SIMILAR_ERROR_OPTION : SIMILAR_OK);
        assert_null(fixture.set->graph);
        fixture_fini(&fixture);
    }
}

static void reopened_graph_is_the_same_graph(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, 47, 24, COUNT, SIMILAR_COSINE, SHAPE_SMOOTH);
    fixture_clusters(&fixture, 30);
    fixture_graph(&fixture);
    fixture_effort(&fixture, 60);
    for (uint32_t i = 0; i < 200; i++) {
        fixture_toggle(&fixture, fixture_random(&fixture, fixture.count));
    }
    uint64_t random = fixture.random;
    double before = fixture_recall(&fixture, SIMILAR_PATH_GRAPH);
    fixture_reopen(&fixture);
    fixture.random = random;
    assert_true(fixture_recall(&fixture, SIMILAR_PATH_GRAPH) == before);
    for (uint32_t i = 0; i < 100; i++) {
        fixture_toggle(&fixture, fixture_random(&fixture, fixture.count));
    }
    assert_true(fixture_recall(&fixture, SIMILAR_PATH_GRAPH) >= 0.95);
    /* One that was lost when it was stored does not come back, and who wants none has none. */
    fixture.set->graph->lost = true;
    fixture_reopen(&fixture);
    assert_null(fixture.set->graph);
    fixture_fini(&fixture);
}

static void flipped_bits_are_found_at_open(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, 48, 24, COUNT, SIMILAR_COSINE, SHAPE_SMOOTH);
    fixture_graph(&fixture);
    fixture_seal(&fixture);
    struct similar_source source = similar_memory_source(fixture.memory);
    struct similar_options options = fixture_options(&fixture, 0);
    options.graph_bytes_max = UINT64_MAX;
    for (uint32_t flip = 0; flip < 100; flip++) {
        size_t bytes = similar_block_bytes(SIMILAR_KIND_GRAPH, fixture.dim);
        uint8_t *block = source.on_write(source.context, SIMILAR_KIND_GRAPH, flip % 3, bytes);
        uint64_t bit = fixture_random(&fixture, bytes * 8);
        enum similar_status status;
        block[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_null(similar_open(&options, true, &status));
        assert_true(status == SIMILAR_ERROR_CORRUPT || status == SIMILAR_ERROR_VERSION);
        block[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
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
    if (kind == SIMILAR_KIND_GRAPH && failing->left == 0) {
        return NULL;
    }
    failing->left -= kind == SIMILAR_KIND_GRAPH;
    return failing->inner.on_write(failing->inner.context, kind, number, bytes);
}

static void failing_free(void *context, enum similar_kind kind, uint32_t number)
{
    struct failing *failing = context;
    failing->inner.on_free(failing->inner.context, kind, number);
}

static void refused_memory_loses_the_graph_alone(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, 49, 24, COUNT, SIMILAR_L2, SHAPE_SMOOTH);
    fixture_clusters(&fixture, 30);
    fixture_graph(&fixture);
    struct failing failing = {.inner = similar_memory_source(fixture.memory), .left = 700};
    fixture.set->options.source.context = &failing;
    fixture.set->options.source.on_write = failing_write;
    fixture.set->options.source.on_free = failing_free;
    assert_int_equal(similar_graph_make(fixture.set), SIMILAR_ERROR_MEMORY);
    assert_null(fixture.set->graph);
    failing.left = 1000000;
    assert_int_equal(similar_graph_make(fixture.set), SIMILAR_OK);
    fixture_effort(&fixture, 60);
    for (failing.left = 100; !fixture.set->graph->lost;) {
        fixture_toggle(&fixture, fixture_random(&fixture, fixture.count));
    }
    (void)fixture_recall(&fixture, SIMILAR_PATH_EXACT_SCAN);
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

/* On any number of threads, and with any instruction set, it is the same graph to the byte. */
static void build_is_the_same_everywhere(void **state)
{
    (void)state;
    const struct similar_kernel *tables[8];
    size_t table_count = similar_kernel_all(tables, 8);
    struct fixture fixture;
    fixture_init(&fixture, 50, 40, COUNT, SIMILAR_L2, SHAPE_SMOOTH);
    fixture_clusters(&fixture, 30);
    fixture_graph(&fixture);
    struct similar_source source = similar_memory_source(fixture.memory);
    size_t bytes = similar_block_bytes(SIMILAR_KIND_GRAPH, fixture.dim);
    uint32_t count = COUNT / SIMILAR_GRAPH_GROUP + 1;
    uint8_t *first = malloc(count * bytes);
    assert_non_null(first);
    assert_int_equal(similar_flush(fixture.set), SIMILAR_OK);
    for (uint32_t n = 0; n < count; n++) {
        memcpy(first + n * bytes, source.on_read(source.context, SIMILAR_KIND_GRAPH, n), bytes);
    }
    for (size_t t = 0; t <= table_count; t++) {
        if (t < table_count) {
            fixture.set->space.kernel = tables[t];
        } else {
            fixture.set->options.parallel.run = four_threads;
        }
        assert_int_equal(similar_graph_make(fixture.set), SIMILAR_OK);
        assert_int_equal(similar_flush(fixture.set), SIMILAR_OK);
        for (uint32_t n = 0; n < count; n++) {
            assert_memory_equal(first + n * bytes,
                                source.on_read(source.context, SIMILAR_KIND_GRAPH, n), bytes);
        }
    }
    free(first);
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recall_holds_at_every_dimension),
        cmocka_unit_test(control_little_effort_falls_short),
        cmocka_unit_test(calibration_reaches_its_targets),
        cmocka_unit_test(filters_are_walked_behind),
        cmocka_unit_test(a_filter_against_the_query_is_for_the_partitions),
        cmocka_unit_test(hostile_sets_give_true_answers),
        cmocka_unit_test(equal_vectors_are_found),
        cmocka_unit_test(what_is_not_for_the_graph_is_not_answered_by_it),
        cmocka_unit_test(small_bounded_and_stopped_sets_have_none),
        cmocka_unit_test(reopened_graph_is_the_same_graph),
        cmocka_unit_test(flipped_bits_are_found_at_open),
        cmocka_unit_test(refused_memory_loses_the_graph_alone),
        cmocka_unit_test(build_is_the_same_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

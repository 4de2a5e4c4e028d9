/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench/lookalike/lookalike_bench.h"
#include "bench/lookalike/lookalike_contend.h"
#include "bench/lookalike/lookalike_words.h"

static const struct lookalike_data_options small = {
    .count = 2000, .dim = 32, .query_count = 40, .folder = "no-such-folder"};

static void sets_are_the_same_each_time_and_of_length_one(void **state)
{
    (void)state;
    for (const char *name = "AM"; *name != '\0'; name++) {
        struct lookalike_data one;
        struct lookalike_data two;
        assert_true(lookalike_data_load(&one, *name, &small));
        assert_true(lookalike_data_load(&two, *name, &small));
        assert_memory_equal(one.vectors, two.vectors, (size_t)one.count * one.dim * sizeof(float));
        assert_memory_equal(one.queries, two.queries,
                            (size_t)one.query_count * one.dim * sizeof(float));
        double square = 0;
        for (uint32_t i = 0; i < one.dim; i++) {
            square += (double)one.queries[i] * (double)one.queries[i];
        }
        assert_float_equal(square, 1, 1e-5);
        lookalike_data_free(&one);
        lookalike_data_free(&two);
    }
}

static void a_set_whose_files_are_missing_is_refused(void **state)
{
    struct lookalike_data data;
    (void)state;
    assert_false(lookalike_data_load(&data, 'F', &small));
    assert_null(data.vectors);
}

/* A file as the package has it, of `words` words; one of them is zero, one has a strange name. */
static void words_write(const char *path, uint32_t words)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fprintf(file, "{\"size\":%u,\"words\":[\"vectors\"],\"vectors\":{", words);
    for (uint32_t w = 0; w < words; w++) {
        fprintf(file, "\"%s%u\":[", w == 3 ? "a\\\"],[" : "w", w);
        for (uint32_t i = 0; i < LOOKALIKE_WORDS_DIM; i++) {
            fprintf(file, "%s,", i == w && w != 5 ? "-2.5" : "0");
        }
        fprintf(file, "2.5,%u]%s", w, w + 1 < words ? "," : "},\"unkVector\":[0,0]}");
    }
    fclose(file);
}

static void embeddings_of_words_are_read_and_scaled(void **state)
{
    char path[] = "/tmp/icpd-test-words-XXXXXX";
    struct lookalike_data_options wanted = {.count = 9, .query_count = 3, .words = path};
    struct lookalike_data data;
    (void)state;
    close(mkstemp(path));
    words_write(path, 12);
    /* Twelve words, of which one has no direction: every fourth is a query. */
    assert_true(lookalike_data_load(&data, 'W', &wanted));
    assert_int_equal(data.count, 8);
    assert_int_equal(data.dim, LOOKALIKE_WORDS_DIM);
    static const uint32_t stored[] = {1, 2, 3, 6, 7, 8, 10, 11};
    static const uint32_t asked[] = {0, 4, 9};
    for (uint32_t i = 0; i < 8; i++) {
        assert_true(data.vectors[i * LOOKALIKE_WORDS_DIM + stored[i]] == -1.0f);
    }
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(data.queries[i * LOOKALIKE_WORDS_DIM + asked[i]] == -1.0f);
    }
    lookalike_data_free(&data);
    /* Cut short, too few, and not that at all. */
    assert_int_equal(truncate(path, 2500), 0);
    assert_false(lookalike_data_load(&data, 'W', &wanted));
    words_write(path, 2);
    assert_false(lookalike_data_load(&data, 'W', &wanted));
    unlink(path);
    assert_false(lookalike_data_load(&data, 'W', &wanted));
    assert_null(data.vectors);
}

static void bench_make(struct lookalike_bench *bench, char name)
{
    struct lookalike_data data;
    assert_true(lookalike_data_load(&data, name, &small));
    assert_true(lookalike_bench_init(bench, &data, SIMILAR_L2));
    assert_true(lookalike_bench_filter(bench, 50));
}

static void exact_answers_agree_with_brute_force(void **state)
{
    struct lookalike_bench bench;
    (void)state;
    bench_make(&bench, 'A');
    assert_int_equal(lookalike_inexact(&bench, 20, false), 0);
    assert_int_equal(lookalike_inexact(&bench, 20, true), 0);
    lookalike_bench_fini(&bench);
}

static void control_a_set_that_changed_behind_the_index_is_noticed(void **state)
{
    struct lookalike_bench bench;
    (void)state;
    bench_make(&bench, 'A');
    size_t bytes = bench.data.dim * sizeof(float);
    /* Brute force now finds what the index was never given: the queries themselves. */
    for (uint32_t q = 0; q < 20; q++) {
        memcpy(bench.data.vectors + (size_t)q * bench.data.dim, lookalike_query(&bench, q), bytes);
    }
    assert_int_equal(lookalike_inexact(&bench, 20, false), 20);
    lookalike_bench_fini(&bench);
}

static void icpd_is_tuned_to_the_recall_asked_for(void **state)
{
    struct lookalike_bench bench;
    (void)state;
    bench_make(&bench, 'M');
    for (unsigned filtered = 0; filtered < 2; filtered++) {
        struct lookalike_case what = {0};
        struct lookalike_ours ours = {.bench = &bench, .filtered = filtered == 1};
        assert_true(lookalike_ours_enter(&what, &ours, 0.95));
        assert_true(what.contenders[0].recall >= 0.95);
        lookalike_case_run(&what, 2);
        assert_true(what.contenders[0].per_second[1] > 0);
    }
    lookalike_bench_fini(&bench);
}

/* A peer that finds the first `effort` ids and no others. */
struct peer {
    size_t effort;
    bool ignores_filter;
};

static struct peer only_peer;

static struct peer *fake_create(const struct peer_input *input, double *seconds)
{
    (void)input;
    *seconds = 1;
    return &only_peer;
}

static void fake_destroy(struct peer *peer)
{
    peer->effort = 0;
}

static void fake_effort(struct peer *peer, unsigned variant, size_t effort)
{
    (void)variant;
    peer->effort = effort;
}

static const struct lookalike_bench *fake_bench;

/* The true nearest, as many of the ten as a hundredth of the effort. */
static size_t fake_search(const struct peer *peer, const float *query, size_t k, uint32_t *ids)
{
    struct similar_hit hits[LOOKALIKE_K];
    uint32_t count = 0;
    struct similar_query asked = {.vector = query,
                                  .k = (uint32_t)k,
                                  .filter = peer->ignores_filter ? NULL : fake_bench->filter};
    similar_search(fake_bench->set, fake_bench->scratch, &asked, hits, &count, NULL);
    size_t found = peer->effort / 100 < count ? peer->effort / 100 : count;
    for (size_t i = 0; i < found; i++) {
        ids[i] = hits[i].id;
    }
    return found;
}

static const struct peer_kind fake_kind = {.name = "fake",
                                           .knob = "effort",
                                           .effort_min = 1,
                                           .effort_max = 5000,
                                           .variants = 1,
                                           .query_part = 1,
                                           .create = fake_create,
                                           .destroy = fake_destroy,
                                           .effort = fake_effort,
                                           .search = fake_search};

static void a_peer_is_tuned_to_the_least_effort_that_does(void **state)
{
    struct lookalike_bench bench;
    struct lookalike_case what = {0};
    (void)state;
    bench_make(&bench, 'M');
    fake_bench = &bench;
    only_peer.ignores_filter = true;
    struct lookalike_rival rival = {.bench = &bench, .kind = &fake_kind};
    assert_true(lookalike_rival_build(&rival, NULL, false));
    assert_true(lookalike_rival_enter(&what, &rival, 0.9));
    /* Nine of ten at 900; within two per cent. */
    assert_in_range(rival.effort, 900, 918);
    assert_float_equal(what.contenders[0].recall, 0.9, 1e-9);
    lookalike_rival_leave(&rival);
    lookalike_bench_fini(&bench);
}

static void a_peer_that_ignores_the_filter_finds_nothing(void **state)
{
    struct lookalike_bench bench;
    struct lookalike_case what = {0};
    (void)state;
    bench_make(&bench, 'M');
    fake_bench = &bench;
    for (unsigned ignores = 0; ignores < 2; ignores++) {
        struct lookalike_rival rival = {.bench = &bench, .kind = &fake_kind, .filtered = true};
        only_peer.ignores_filter = ignores == 1;
        assert_true(lookalike_rival_build(&rival, NULL, false));
        assert_true(lookalike_rival_enter(&what, &rival, 0.9) == (ignores == 0));
        lookalike_rival_leave(&rival);
    }
    lookalike_bench_fini(&bench);
}

static void inserts_leave_the_set_as_it_was(void **state)
{
    struct lookalike_bench bench;
    (void)state;
    bench_make(&bench, 'A');
    assert_true(lookalike_insert_seconds(&bench, 100) > 0);
    assert_int_equal(similar_count(bench.set), small.count);
    lookalike_bench_fini(&bench);
}

/* What was changed into another set answers, and is judged, as that one. */
static void sets_that_changed_are_judged_as_what_they_became(void **state)
{
    struct lookalike_bench bench;
    struct lookalike_bench grown;
    struct lookalike_bench shrunk;
    struct lookalike_bench rest;
    struct lookalike_spent spent;
    (void)state;
    bench_make(&bench, 'M');
    assert_true(lookalike_bench_share(&grown, &bench, 0, 1500));
    assert_true(lookalike_bench_graph(&grown) && grown.graph_seconds > 0);
    /* Control: of the first 1,500 the nearest are others. */
    size_t bytes = small.query_count * sizeof *bench.truth;
    assert_memory_not_equal(grown.truth, bench.truth, bytes);
    assert_true(lookalike_bench_grow(&grown, &spent) && spent.change > 0);
    assert_int_equal(similar_count(grown.set), small.count);
    assert_memory_equal(grown.truth, bench.truth, bytes);
    assert_true(lookalike_bench_share(&shrunk, &bench, 0, small.count));
    assert_true(lookalike_bench_graph(&shrunk));
    assert_true(lookalike_bench_shrink(&shrunk, 600, &spent) && spent.upkeep > 0);
    assert_true(lookalike_bench_share(&rest, &bench, 600, small.count));
    assert_int_equal(similar_count(shrunk.set), similar_count(rest.set));
    assert_memory_equal(shrunk.truth, rest.truth, bytes);
    struct lookalike_case what = {.answers = LOOKALIKE_K};
    struct lookalike_ours ours = {.bench = &shrunk};
    assert_true(lookalike_graph_enter(&what, &ours, 0.95));
    assert_true(what.contenders[0].recall >= 0.95);
    lookalike_bench_fini(&rest);
    lookalike_bench_fini(&shrunk);
    lookalike_bench_fini(&grown);
    lookalike_bench_fini(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_are_the_same_each_time_and_of_length_one),
        cmocka_unit_test(a_set_whose_files_are_missing_is_refused),
        cmocka_unit_test(embeddings_of_words_are_read_and_scaled),
        cmocka_unit_test(exact_answers_agree_with_brute_force),
        cmocka_unit_test(control_a_set_that_changed_behind_the_index_is_noticed),
        cmocka_unit_test(icpd_is_tuned_to_the_recall_asked_for),
        cmocka_unit_test(a_peer_is_tuned_to_the_least_effort_that_does),
        cmocka_unit_test(a_peer_that_ignores_the_filter_finds_nothing),
        cmocka_unit_test(inserts_leave_the_set_as_it_was),
        cmocka_unit_test(sets_that_changed_are_judged_as_what_they_became),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

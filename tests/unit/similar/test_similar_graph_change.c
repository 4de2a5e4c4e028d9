/* SPDX-License-Identifier: Apache-2.0 */
/* The graph follows its set: accounts come, move and go, and their places are used again. */
#include "tests/unit/similar/similar_graph_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static void changes_follow(enum similar_metric metric)
{
    struct fixture fixture;
    fixture_init(&fixture, 41, 40, 1900, metric, SHAPE_SMOOTH);
    fixture_clusters(&fixture, 30);
    /* The last 450 come later. */
    fixture.count = 1450;
    fixture_graph(&fixture);
    fixture.count = 1900;
    memset(fixture.absent + 1450, 1, 450);
    fixture_effort(&fixture, 100);
    for (uint32_t row = 1450; row < 1900; row++) {
        fixture_toggle(&fixture, row);
    }
    double inserted = fixture_recall(&fixture, SIMILAR_PATH_GRAPH);
    for (uint32_t step = 0; step < 500; step++) {
        uint64_t row = fixture_random(&fixture, fixture.count);
        if (!fixture.absent[row]) {
            fixture_toggle(&fixture, row);
        }
        similar_balance(fixture.set, 1, NULL);
    }
    double removed = fixture_recall(&fixture, SIMILAR_PATH_GRAPH);
    print_message("after inserts %.4f, after removals %.4f\n", inserted, removed);
    assert_true(inserted >= 0.95 && removed >= 0.95);
    /* A third of 1,450 is the most: then the partitions answer, and they are as true. */
    for (uint32_t row = 0; row < 1900; row++) {
        if (!fixture.absent[row] && row % 2 == 0) {
            fixture_toggle(&fixture, row);
        }
    }
    struct similar_graph_figures figures;
    similar_graph_figures(fixture.set, &figures);
    assert_true(figures.built && !figures.answers);
    (void)fixture_recall(&fixture, SIMILAR_PATH_EXACT_SCAN);
    fixture_fini(&fixture);
}

static void changes_are_followed(void **state)
{
    (void)state;
    changes_follow(SIMILAR_COSINE);
    changes_follow(SIMILAR_DOT);
}

/* Nothing that has an account links to a free place; of what was removed `most` may wait. */
static void places_check(const struct fixture *fixture, uint64_t most)
{
    const struct similar_graph *graph = fixture->set->graph;
    uint8_t *free_now = calloc(graph->count, 1);
    assert_non_null(free_now);
    for (uint32_t i = 0; i < graph->free_count; i++) {
        assert_int_equal(similar_vertex_of(graph, graph->free[i])->id, SIMILAR_ID_NONE);
        assert_int_equal(free_now[graph->free[i]]++, 0);
    }
    uint32_t live = 0;
    for (uint32_t v = 0; v < graph->count; v++) {
        const struct similar_vertex *head = similar_vertex_of(graph, v);
        live += head->id != SIMILAR_ID_NONE;
        for (uint32_t i = 0; i < head->degree; i++) {
            assert_false(free_now[similar_vertex_links(graph, v)[i]]);
        }
    }
    free(free_now);
    assert_int_equal(live, similar_count(fixture->set));
    assert_int_equal(live + graph->free_count + graph->removed_count, graph->count);
    assert_true(graph->removed_count <= most);
}

/* Slices until nothing is due. */
static void graph_mend(struct fixture *fixture)
{
    uint32_t done = 1;
    while (done > 0) {
        assert_int_equal(similar_balance(fixture->set, 1, &done), SIMILAR_OK);
    }
    assert_false(similar_balance_due(fixture->set));
}

/* Accounts come and go while places are freed, slice by slice, and the set is opened between. */
static void places_of_removed_accounts_are_used_again(void **state)
{
    (void)state;
    for (enum similar_metric metric = SIMILAR_DOT; metric <= SIMILAR_L2; metric++) {
        struct fixture fixture;
        fixture_init(&fixture, 61 + metric, 20, 2 * COUNT, metric, SHAPE_SMOOTH);
        fixture_clusters(&fixture, 30);
        fixture_graph(&fixture);
        fixture_effort(&fixture, 80);
        fixture.set->graph->built_count = 1000000; /* all that comes is not too much */
        for (uint32_t row = 0; row < 1000; row++) {
            fixture_toggle(&fixture, row);
            similar_balance(fixture.set, 1, NULL);
        }
        graph_mend(&fixture);
        places_check(&fixture, fixture.set->graph->count / 8);
        assert_true(fixture.set->graph->free_count >= 600);
        double removed = fixture_recall(&fixture, SIMILAR_PATH_GRAPH);
        for (uint32_t step = 0; step < 1000; step++) {
            fixture_toggle(&fixture, step);
            fixture_toggle(&fixture, 1000 + fixture_random(&fixture, 1000));
            similar_balance(fixture.set, 1, NULL);
            if (step % 250 == 0) {
                places_check(&fixture, fixture.set->graph->count / 3);
            }
            if (step % 500 == 0) {
                fixture_reopen(&fixture);
                places_check(&fixture, fixture.set->graph->count / 3);
            }
        }
        graph_mend(&fixture);
        places_check(&fixture, fixture.set->graph->count / 8);
        double churned = fixture_recall(&fixture, SIMILAR_PATH_GRAPH);
        print_message("metric %u: after removals %.4f, after as many again %.4f\n",
                      (unsigned)metric, removed, churned);
        /* More has come by then than a graph may take that is to answer. */
        assert_true(removed >= 0.97 && churned >= 0.93);
        assert_true(fixture.set->graph->count <= 2 * COUNT + 50);
        fixture_fini(&fixture);
    }
}

/* All that a list's entries stood on goes: what is left is found. */
static void entries_that_go_are_replaced(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, 66, 16, COUNT, SIMILAR_L2, SHAPE_SMOOTH);
    fixture_clusters(&fixture, 30);
    fixture_graph(&fixture);
    fixture_effort(&fixture, 80);
    for (uint32_t turn = 0; turn < 3; turn++) {
        for (uint32_t e = 0; e < fixture.set->graph->entry_count; e++) {
            uint32_t id = similar_vertex_of(fixture.set->graph, fixture.set->graph->entries[e])->id;
            for (uint32_t row = 0; row < COUNT && id != SIMILAR_ID_NONE; row++) {
                if (fixture.ids[row] == id) {
                    fixture_toggle(&fixture, row);
                }
            }
        }
        graph_mend(&fixture);
    }
    assert_true(fixture_recall(&fixture, SIMILAR_PATH_GRAPH) >= 0.97);
    /* To the last: a set without accounts has no answers, and takes new ones. */
    for (uint32_t row = 0; row < COUNT; row++) {
        if (!fixture.absent[row]) {
            fixture_toggle(&fixture, row);
            similar_balance(fixture.set, 1, NULL);
        }
    }
    graph_mend(&fixture);
    for (uint32_t row = 0; row < 100; row++) {
        fixture_toggle(&fixture, row);
    }
    (void)fixture_recall(&fixture, SIMILAR_PATH_EXACT_SCAN);
    fixture_fini(&fixture);
}

/* Lists that became short are dissolved: their accounts move, and remain one vertex each. */
static void dissolved_lists_leave_one_vertex_an_account(void **state)
{
    (void)state;
    struct fixture fixture;
    uint32_t done = 1;
    /* So many that a list of one member is too short. */
    fixture_init(&fixture, 42, 8, 3 * COUNT, SIMILAR_COSINE, SHAPE_SMOOTH);
    fixture_graph(&fixture);
    fixture_effort(&fixture, 100);
    for (uint32_t row = 0; row < fixture.count; row++) {
        uint32_t list =
            similar_header_of(
                fixture.set->chunks[fixture.set->places[fixture.ids[row]] / SIMILAR_CHUNK].code)
                ->list;
        if (list < 4 && fixture.set->lists[list].live > 1) {
            fixture_toggle(&fixture, row);
        }
    }
    uint32_t lists = similar_list_count(fixture.set);
    while (done > 0) {
        assert_int_equal(similar_balance(fixture.set, 1, &done), SIMILAR_OK);
    }
    assert_true(similar_list_count(fixture.set) < lists);
    assert_int_equal(fixture.set->graph->count, 3 * COUNT);
    assert_true(fixture_recall(&fixture, SIMILAR_PATH_GRAPH) >= 0.95);
    fixture_reopen(&fixture);
    assert_true(fixture_recall(&fixture, SIMILAR_PATH_GRAPH) >= 0.95);
    fixture_fini(&fixture);
}

/* An account that changes its vector is found where it is, not where it was. */
static void an_account_moves(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, 43, 24, COUNT, SIMILAR_L2, SHAPE_SMOOTH);
    fixture_clusters(&fixture, 30);
    fixture_graph(&fixture);
    fixture_effort(&fixture, 60);
    for (uint32_t row = 0; row < 200; row++) {
        fixture_toggle(&fixture, row);
        memcpy(fixture.vectors + (size_t)row * 24, fixture.vectors + (size_t)(COUNT - 1 - row) * 24,
               24 * sizeof(float));
        fixture.vectors[(size_t)row * 24] += 0.01f;
        fixture_toggle(&fixture, row);
    }
    assert_true(fixture_recall(&fixture, SIMILAR_PATH_GRAPH) >= 0.95);
    fixture_fini(&fixture);
}

/* The first 200 lie far from all others. When they are gone a walk there sees none but removed
 * vertices; who comes is linked nonetheless, and found. */
static void accounts_come_where_all_went(void **state)
{
    (void)state;
    enum { DIM = 16, CORNER = 200 };
    for (enum similar_metric metric = SIMILAR_COSINE; metric <= SIMILAR_L2; metric++) {
        struct fixture fixture;
        uint32_t walked = 0;
        uint32_t right = 0;
        fixture_init(&fixture, 91, DIM, 2 * COUNT, metric, SHAPE_SMOOTH);
        fixture_clusters(&fixture, 30);
        for (size_t i = 0; i < (size_t)CORNER * DIM; i++) {
            fixture.vectors[i] = 0.3f * fixture.vectors[i] + (i % DIM == 0 ? 30.0f : 0.0f);
        }
        fixture_graph(&fixture);
        fixture_effort(&fixture, 80);
        for (uint32_t row = 0; row < CORNER; row++) {
            fixture_toggle(&fixture, row);
        }
        for (uint32_t row = 0; row < CORNER / 2; row++) {
            struct similar_query query = {
                .vector = fixture.vectors + (size_t)row * DIM, .k = 1, .recall = 0.9};
            struct similar_hit hit;
            struct similar_hit best;
            struct similar_report report;
            uint32_t count;
            fixture_toggle(&fixture, row);
            assert_false(fixture.set->graph->lost);
            similar_search(fixture.set, fixture.scratch, &query, &hit, &count, &report);
            assert_int_equal(count, fixture_oracle(&fixture, &query, false, &best));
            walked += report.path == SIMILAR_PATH_GRAPH;
            right += hit.id == best.id;
        }
        print_message("metric %u: %u of %u walked, %u right\n", (unsigned)metric, walked,
                      CORNER / 2, right);
        assert_true(walked >= CORNER / 4 && right >= CORNER / 2 * 95 / 100);
        fixture_fini(&fixture);
    }
}

/* One random set beside a graph: what is asked exactly equals brute force, whatever comes and goes,
 * and what is asked on the graph is true. */
static void random_set_check(uint32_t turn)
{
    struct fixture fixture;
    enum similar_metric metric = (enum similar_metric)(turn % 3);
    enum fixture_shape shape = (enum fixture_shape)(turn / 3 % SHAPES);
    fixture_init(&fixture, 900 + turn, 1 + turn * 7 % 40, 1000 + turn % 5 * 40, metric, shape);
    fixture_graph(&fixture);
    fixture_effort(&fixture, 100);
    memcpy(fixture.set->graph->filtered[0], fixture.set->graph->settings[0],
           sizeof fixture.set->graph->filtered[0]);
    for (uint32_t step = 0; step < 400; step++) {
        fixture_toggle(&fixture, fixture_random(&fixture, fixture.count));
        similar_balance(fixture.set, 1, NULL);
        if (step % 20 != 0) {
            continue;
        }
        struct similar_hit hits[K];
        struct similar_hit best[K];
        struct similar_report report;
        uint32_t count;
        fixture_filter(&fixture, step % 40 == 0 ? 600 : 1000);
        struct similar_filter *filter =
            similar_filter_create(fixture.set, fixture.words, fixture.word_count, NULL);
        struct similar_query query = {
            .vector = fixture.vectors + fixture_random(&fixture, fixture.count) * fixture.dim,
            .k = K,
            .recall = 1,
            .filter = filter};
        uint32_t expected = fixture_oracle(&fixture, &query, true, best);
        similar_search(fixture.set, fixture.scratch, &query, hits, &count, &report);
        assert_true(report.exact && fixture_same(hits, count, best, expected));
        query.recall = 0.92;
        similar_search(fixture.set, fixture.scratch, &query, hits, &count, &report);
        assert_int_equal(count, expected);
        for (uint32_t i = 0; i < count; i++) {
            const float *stored = similar_get(fixture.set, hits[i].id);
            assert_non_null(stored);
            assert_true((fixture.words[hits[i].id / 64] >> hits[i].id % 64 & 1) != 0);
            assert_true(hits[i].similarity ==
                        similar_pair(metric, query.vector, stored, fixture.dim));
            assert_true(i == 0 || hits[i - 1].id != hits[i].id);
        }
        similar_filter_destroy(filter);
    }
    places_check(&fixture, fixture.set->graph->count);
    fixture_reopen(&fixture);
    places_check(&fixture, fixture.set->graph->count);
    fixture_fini(&fixture);
}

static void random_sets_stay_exact_beside_a_graph(void **state)
{
    (void)state;
    /* ICP_LONG: 500 sets, some minutes. */
    uint32_t turns = getenv("ICP_LONG") != NULL ? 500 : 6;
    for (uint32_t turn = 0; turn < turns; turn++) {
        random_set_check(turns == 500 ? turn : turn * 4);
    }
}

/* At its bound it takes no more: the partitions answer. */
static void a_full_graph_lets_the_partitions_answer(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, 46, 24, COUNT, SIMILAR_COSINE, SHAPE_SMOOTH);
    fixture_clusters(&fixture, 30);
    fixture_graph(&fixture);
    fixture_effort(&fixture, 60);
    fixture.set->graph->room = COUNT + 5;
    for (uint32_t i = 0; i < 6; i++) {
        fixture_toggle(&fixture, i);
        fixture_toggle(&fixture, i);
        assert_int_equal(fixture.set->graph->lost, i == 5);
    }
    (void)fixture_recall(&fixture, SIMILAR_PATH_EXACT_SCAN);
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_followed),
        cmocka_unit_test(places_of_removed_accounts_are_used_again),
        cmocka_unit_test(entries_that_go_are_replaced),
        cmocka_unit_test(dissolved_lists_leave_one_vertex_an_account),
        cmocka_unit_test(an_account_moves),
        cmocka_unit_test(accounts_come_where_all_went),
        cmocka_unit_test(random_sets_stay_exact_beside_a_graph),
        cmocka_unit_test(a_full_graph_lets_the_partitions_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/similar/similar_graph_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdlib.h>

void fixture_clusters(struct fixture *fixture, uint32_t clusters)
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

void fixture_graph_beside(struct fixture *fixture, uint32_t lists)
{
    fixture_build(fixture, lists);
    fixture->set->options.graph_bytes_max = 2 * fixture->count * similar_graph_bytes(fixture->dim);
    assert_int_equal(similar_graph_make(fixture->set), SIMILAR_OK);
    assert_non_null(fixture->set->graph);
}

void fixture_graph(struct fixture *fixture)
{
    fixture_graph_beside(fixture, 0);
}

void fixture_effort(struct fixture *fixture, uint32_t effort)
{
    assert_non_null(fixture->set->graph);
    for (uint32_t l = 0; l < SIMILAR_GRAPH_LEVELS; l++) {
        for (uint32_t t = 0; t < SIMILAR_TARGETS; t++) {
            fixture->set->graph->settings[l][t] = (struct similar_setting){
                .target = t < SIMILAR_TARGETS - 1 ? 0.9f + 0.02f * (float)t : 0.999f,
                .measured = 0.9f,
                .probes = effort,
                .depth = l == 0 ? 10 : 100};
        }
    }
}

double fixture_recall(struct fixture *fixture, enum similar_path path)
{
    uint32_t wanted = 0;
    uint32_t shared = 0;
    float *vector = calloc(fixture->dim, sizeof *vector);
    for (uint32_t q = 0; q < QUERIES; q++) {
        const float *a = fixture->vectors + fixture_random(fixture, fixture->count) * fixture->dim;
        const float *b = fixture->vectors + fixture_random(fixture, fixture->count) * fixture->dim;
        for (uint32_t i = 0; i < fixture->dim; i++) {
            vector[i] = 0.9f * a[i] + 0.1f * b[i];
        }
        struct similar_query query = {.vector = vector, .k = K, .recall = 0.95};
        struct similar_hit hits[K];
        struct similar_hit best[K];
        struct similar_report report;
        uint32_t count;
        assert_int_equal(
            similar_search(fixture->set, fixture->scratch, &query, hits, &count, &report),
            SIMILAR_OK);
        uint32_t expected = fixture_oracle(fixture, &query, false, best);
        assert_int_equal(report.path, path);
        assert_int_equal(count, expected);
        for (uint32_t i = 0; i < count; i++) {
            const float *stored = similar_get(fixture->set, hits[i].id);
            assert_non_null(stored);
            assert_true(hits[i].similarity ==
                        similar_pair(fixture->metric, vector, stored, fixture->dim));
            assert_true(
                i == 0 || hits[i - 1].similarity > hits[i].similarity ||
                (hits[i - 1].similarity == hits[i].similarity && hits[i - 1].id < hits[i].id));
            shared += hits[i].similarity >= best[expected - 1].similarity;
        }
        wanted += expected;
    }
    free(vector);
    return (double)shared / wanted;
}

void fixture_toggle(struct fixture *fixture, uint64_t row)
{
    const float *vector = fixture->vectors + row * fixture->dim;
    enum similar_status status = fixture->absent[row]
                                     ? similar_insert(fixture->set, fixture->ids[row], vector)
                                     : similar_remove(fixture->set, fixture->ids[row]);
    assert_int_equal(status, SIMILAR_OK);
    fixture->absent[row] = !fixture->absent[row];
}

void fixture_seal(struct fixture *fixture)
{
    struct similar_source source = similar_memory_source(fixture->memory);
    assert_int_equal(similar_flush(fixture->set), SIMILAR_OK);
    for (uint32_t kind = SIMILAR_KIND_CENTROID; kind < SIMILAR_KINDS; kind++) {
        size_t bytes = similar_block_bytes(kind, fixture->dim);
        for (uint32_t number = 0; number < 500; number++) {
            if (source.on_read(source.context, kind, number) != NULL) {
                similar_block_seal(source.on_write(source.context, kind, number, bytes), bytes);
            }
        }
    }
}

void fixture_reopen(struct fixture *fixture)
{
    struct similar_options options = fixture_options(fixture, 0);
    enum similar_status status;
    options.graph_bytes_max = fixture->set->options.graph_bytes_max;
    fixture_seal(fixture);
    similar_destroy(fixture->set);
    fixture->set = similar_open(&options, true, &status);
    assert_int_equal(status, SIMILAR_OK);
}

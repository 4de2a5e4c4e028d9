/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/similar/similar_fixture.h"

#include "server/similar/similar_random.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

uint64_t fixture_random(struct fixture *fixture, uint64_t bound)
{
    return similar_random_below(&fixture->random, bound);
}

/* Close enough to normal for vectors: a sum of twelve. */
float fixture_normal(struct fixture *fixture)
{
    double sum = -6;
    for (uint32_t i = 0; i < 12; i++) {
        sum += (double)(similar_random(&fixture->random) >> 11) * 0x1p-53;
    }
    return (float)sum;
}

static float value_of(struct fixture *fixture, enum fixture_shape shape, float scale)
{
    switch (shape) {
    case SHAPE_GRID:
        return (float)fixture_random(fixture, 5) - 2.0f;
    case SHAPE_SHIFTED:
        return 100.0f + fixture_normal(fixture);
    case SHAPE_SCALES:
        return scale * fixture_normal(fixture);
    default:
        return fixture_normal(fixture);
    }
}

static void vector_fill(struct fixture *fixture, enum fixture_shape shape, uint32_t row)
{
    float *vector = fixture->vectors + (size_t)row * fixture->dim;
    float scale = powf(10.0f, (float)fixture_random(fixture, 25) - 12.0f);
    if (shape == SHAPE_DUPLICATE && row >= 3 && fixture_random(fixture, 4) != 0) {
        uint64_t other = fixture_random(fixture, row < 8 ? row : 8);
        memcpy(vector, fixture->vectors + other * fixture->dim, fixture->dim * sizeof *vector);
        return;
    }
    if (shape == SHAPE_ZERO && fixture_random(fixture, 2) == 0) {
        memset(vector, 0, fixture->dim * sizeof *vector);
        return;
    }
    for (uint32_t i = 0; i < fixture->dim; i++) {
        vector[i] = value_of(fixture, shape, scale);
    }
}

struct similar_options fixture_options(struct fixture *fixture, uint32_t list_count)
{
    return (struct similar_options){
        .dim = fixture->dim,
        .metric = fixture->metric,
        .seed = 7,
        .source = similar_memory_source(fixture->memory),
        .list_count = list_count,
    };
}

void fixture_init(struct fixture *fixture, uint64_t seed, uint32_t dim, uint32_t count,
                  enum similar_metric metric, enum fixture_shape shape)
{
    *fixture = (struct fixture){.random = seed, .dim = dim, .count = count, .metric = metric};
    fixture->vectors = calloc((size_t)count * dim + 1, sizeof *fixture->vectors);
    fixture->ids = calloc(count + 1, sizeof *fixture->ids);
    fixture->absent = calloc(count + 1, sizeof *fixture->absent);
    fixture->memory = similar_memory_create();
    assert(fixture->vectors != NULL && fixture->ids != NULL && fixture->absent != NULL);
    uint32_t id = (uint32_t)fixture_random(fixture, 3);
    for (uint32_t row = 0; row < count; row++) {
        vector_fill(fixture, shape, row);
        fixture->ids[row] = id;
        id += 1 + (uint32_t)fixture_random(fixture, 3);
    }
    fixture->word_count = id / 64 + 1;
    fixture->words = calloc(fixture->word_count, sizeof *fixture->words);
    assert(fixture->words != NULL);
}

void fixture_fini(struct fixture *fixture)
{
    similar_scratch_destroy(fixture->scratch);
    similar_destroy(fixture->set);
    similar_memory_destroy(fixture->memory);
    free(fixture->vectors);
    free(fixture->ids);
    free(fixture->absent);
    free(fixture->words);
}

static const float *row_of(void *context, uint64_t index, uint32_t *id)
{
    const struct fixture *fixture = context;
    *id = fixture->ids[index];
    return fixture->vectors + index * fixture->dim;
}

void fixture_build(struct fixture *fixture, uint32_t list_count)
{
    struct similar_options options = fixture_options(fixture, list_count);
    struct similar_input input = {.context = fixture, .count = fixture->count, .on_row = row_of};
    enum similar_status status = SIMILAR_OK;
    fixture->set = similar_create(&options, &status);
    assert(fixture->set != NULL && status == SIMILAR_OK);
    status = similar_build(fixture->set, &input);
    assert(status == SIMILAR_OK);
    fixture->scratch = similar_scratch_create(fixture->set);
    assert(fixture->scratch != NULL);
}

void fixture_filter(struct fixture *fixture, uint32_t permille)
{
    memset(fixture->words, 0, fixture->word_count * sizeof *fixture->words);
    for (uint64_t id = 0; id < fixture->word_count * 64; id++) {
        if (fixture_random(fixture, 1000) < permille) {
            fixture->words[id / 64] |= (uint64_t)1 << id % 64;
        }
    }
}

static bool oracle_admits(const struct fixture *fixture, const struct similar_query *query,
                          bool filtered, uint32_t row)
{
    uint32_t id = fixture->ids[row];
    if (fixture->absent[row] || (filtered && (fixture->words[id / 64] >> id % 64 & 1) == 0)) {
        return false;
    }
    for (uint32_t i = 0; i < query->exclude_count; i++) {
        if (query->exclude[i] == id) {
            return false;
        }
    }
    return true;
}

static int hit_order(const void *a, const void *b)
{
    const struct similar_hit *x = a;
    const struct similar_hit *y = b;
    if (x->similarity > y->similarity || x->similarity < y->similarity) {
        return x->similarity > y->similarity ? -1 : 1;
    }
    return x->id < y->id ? -1 : 1;
}

uint32_t fixture_oracle(const struct fixture *fixture, const struct similar_query *query,
                        bool filtered, struct similar_hit *hits)
{
    struct similar_hit *all = calloc(fixture->count + 1, sizeof *all);
    assert(all != NULL);
    uint32_t count = 0;
    for (uint32_t row = 0; row < fixture->count; row++) {
        if (oracle_admits(fixture, query, filtered, row)) {
            const float *vector = fixture->vectors + (size_t)row * fixture->dim;
            all[count++] = (struct similar_hit){
                .id = fixture->ids[row],
                .similarity = similar_pair(fixture->metric, query->vector, vector, fixture->dim),
            };
        }
    }
    qsort(all, count, sizeof *all, hit_order);
    count = count < query->k ? count : query->k;
    memcpy(hits, all, count * sizeof *hits);
    free(all);
    return count;
}

bool fixture_same(const struct similar_hit *a, uint32_t a_count, const struct similar_hit *b,
                  uint32_t b_count)
{
    if (a_count != b_count) {
        return false;
    }
    for (uint32_t i = 0; i < a_count; i++) {
        /* To the bit; similarities are finite, so only the two zeros would pass for one. */
        if (a[i].id != b[i].id || a[i].similarity > b[i].similarity ||
            a[i].similarity < b[i].similarity) {
            return false;
        }
    }
    return true;
}

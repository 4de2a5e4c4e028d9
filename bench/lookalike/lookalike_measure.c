/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/lookalike/lookalike_measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { PASSES = 7 };

double lookalike_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static const float *row_of(void *context, uint64_t index, uint32_t *id)
{
    const struct lookalike_data *data = context;
    *id = (uint32_t)index;
    return data->vectors + index * data->dim;
}

/* The k-th best similarity of every query, exactly. */
static bool truth_find(struct lookalike_bench *bench, const struct similar_filter *filter,
                       double *truth)
{
    uint32_t count = bench->data.query_count;
    struct similar_query *queries = calloc(count, sizeof *queries);
    struct similar_hit *hits = calloc((size_t)count * LOOKALIKE_K, sizeof *hits);
    struct similar_hit **rows = calloc(count, sizeof *rows);
    uint32_t *counts = calloc(count, sizeof *counts);
    bool ready = queries != NULL && hits != NULL && rows != NULL && counts != NULL;
    for (uint32_t q = 0; ready && q < count; q++) {
        rows[q] = hits + (size_t)q * LOOKALIKE_K;
        queries[q] = (struct similar_query){
            .vector = bench->data.queries + (size_t)q * bench->data.dim,
            .k = LOOKALIKE_K,
            .filter = filter,
        };
    }
    ready = ready && similar_search_many(bench->set, bench->scratch, queries, count, rows,
                                         counts) == SIMILAR_OK;
    for (uint32_t q = 0; ready && q < count; q++) {
        truth[q] = counts[q] > 0 ? rows[q][counts[q] - 1].similarity : 2;
    }
    free(queries);
    free(hits);
    free(rows);
    free(counts);
    return ready;
}

bool lookalike_bench_init(struct lookalike_bench *bench, char name, uint32_t count, uint32_t dim,
                          uint32_t query_count)
{
    *bench = (struct lookalike_bench){0};
    if (!lookalike_data_load(&bench->data, name, count, dim, query_count)) {
        return false;
    }
    bench->memory = similar_memory_create();
    bench->truth = calloc(query_count, sizeof *bench->truth);
    bench->truth_filtered = calloc(query_count, sizeof *bench->truth_filtered);
    bench->found = calloc((size_t)query_count * LOOKALIKE_K, sizeof *bench->found);
    bench->found_counts = calloc(query_count, sizeof *bench->found_counts);
    if (bench->memory == NULL || bench->truth == NULL || bench->truth_filtered == NULL ||
        bench->found == NULL || bench->found_counts == NULL) {
        return false;
    }
    struct similar_options options = {
        .dim = bench->data.dim,
        .metric = SIMILAR_L2,
        .seed = 1,
        .source = similar_memory_source(bench->memory),
    };
    struct similar_input input = {
        .context = &bench->data, .count = bench->data.count, .on_row = row_of};
    double start = lookalike_now();
    bench->set = similar_create(&options, NULL);
    bool built = bench->set != NULL && similar_build(bench->set, &input) == SIMILAR_OK;
    bench->build_seconds = lookalike_now() - start;
    bench->scratch = built ? similar_scratch_create(bench->set) : NULL;
    return bench->scratch != NULL && truth_find(bench, NULL, bench->truth);
}

void lookalike_bench_fini(struct lookalike_bench *bench)
{
    similar_filter_destroy(bench->filter);
    similar_scratch_destroy(bench->scratch);
    similar_destroy(bench->set);
    similar_memory_destroy(bench->memory);
    lookalike_data_free(&bench->data);
    free(bench->truth);
    free(bench->truth_filtered);
    free(bench->found);
    free(bench->found_counts);
    free(bench->words);
    *bench = (struct lookalike_bench){0};
}

bool lookalike_bench_filter(struct lookalike_bench *bench, uint32_t permille)
{
    uint64_t state = 99;
    bench->word_count = bench->data.count / 64 + 1;
    bench->words = calloc(bench->word_count, sizeof *bench->words);
    if (bench->words == NULL) {
        return false;
    }
    for (uint32_t id = 0; id < bench->data.count; id++) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        uint64_t pass = (state >> 33) % 1000 < permille;
        bench->words[id / 64] |= pass << id % 64;
    }
    bench->filter = similar_filter_create(bench->set, bench->words, bench->word_count, NULL);
    return bench->filter != NULL && truth_find(bench, bench->filter, bench->truth_filtered);
}

/* What one pass over all queries found and how long it took. */
struct pass {
    uint64_t shared;
    double seconds;
};

/* The least disturbed of some timings: what other tenants add is not the engine's. */
static double least(const double *values, uint32_t count)
{
    double best = values[0];
    for (uint32_t i = 1; i < count; i++) {
        best = values[i] < best ? values[i] : best;
    }
    return best;
}

static struct pass ours_pass(const struct lookalike_bench *bench, double recall, bool filtered)
{
    struct pass pass = {0};
    const double *truth = filtered ? bench->truth_filtered : bench->truth;
    double start = lookalike_now();
    for (uint32_t q = 0; q < bench->data.query_count; q++) {
        struct similar_hit hits[LOOKALIKE_K];
        uint32_t count = 0;
        struct similar_query query = {
            .vector = bench->data.queries + (size_t)q * bench->data.dim,
            .k = LOOKALIKE_K,
            .recall = recall,
            .filter = filtered ? bench->filter : NULL,
        };
        similar_search(bench->set, bench->scratch, &query, hits, &count, NULL);
        for (uint32_t i = 0; i < count; i++) {
            pass.shared += hits[i].similarity >= truth[q];
        }
    }
    pass.seconds = lookalike_now() - start;
    return pass;
}

struct lookalike_point lookalike_ours(const struct lookalike_bench *bench, double recall,
                                      bool filtered)
{
    static const double targets[] = {0.9, 0.95, 0.975, 0.99, 0.995, 0.999, 1};
    double wanted = (double)bench->data.query_count * LOOKALIKE_K;
    struct lookalike_point point = {0};
    for (uint32_t t = 0; t < sizeof targets / sizeof *targets; t++) {
        point.recall = (double)ours_pass(bench, targets[t], filtered).shared / wanted;
        if (point.recall < recall) {
            continue;
        }
        double seconds[PASSES];
        for (uint32_t p = 0; p < PASSES; p++) {
            seconds[p] = ours_pass(bench, targets[t], filtered).seconds;
        }
        point.per_second = bench->data.query_count / least(seconds, PASSES);
        break;
    }
    return point;
}

/* A peer as a function of effort. */
struct engine {
    struct peer *peer;
    void (*effort)(struct peer *peer, size_t effort);
    size_t (*search)(const struct engine *engine, const float *query, uint32_t *ids);
    const uint64_t *words;
};

static struct pass engine_pass(const struct lookalike_bench *bench, const struct engine *engine)
{
    struct pass pass = {0};
    const struct lookalike_data *data = &bench->data;
    const double *truth = engine->words != NULL ? bench->truth_filtered : bench->truth;
    double start = lookalike_now();
    for (uint32_t q = 0; q < data->query_count; q++) {
        const float *query = data->queries + (size_t)q * data->dim;
        bench->found_counts[q] =
            engine->search(engine, query, bench->found + (size_t)q * LOOKALIKE_K);
    }
    pass.seconds = lookalike_now() - start;
    for (uint32_t q = 0; q < data->query_count; q++) {
        const float *query = data->queries + (size_t)q * data->dim;
        for (size_t i = 0; i < bench->found_counts[q]; i++) {
            size_t id = bench->found[(size_t)q * LOOKALIKE_K + i];
            const float *row = data->vectors + id * data->dim;
            pass.shared += similar_pair(SIMILAR_L2, query, row, data->dim) >= truth[q];
        }
    }
    return pass;
}

/* Finer steps where it matters, so that a peer is not charged for overshooting. */
__attribute__((unused)) /* where no peer is installed */
static struct lookalike_point
engine_at(const struct lookalike_bench *bench, const struct engine *engine, double recall)
{
    double wanted = (double)bench->data.query_count * LOOKALIKE_K;
    struct lookalike_point point = {0};
    for (double effort = 4; effort < 20000; effort *= 1.15) {
        engine->effort(engine->peer, (size_t)effort);
        struct pass pass = engine_pass(bench, engine);
        point.recall = (double)pass.shared / wanted;
        if (point.recall < recall) {
            continue;
        }
        double seconds[PASSES];
        for (uint32_t p = 0; p < PASSES; p++) {
            seconds[p] = engine_pass(bench, engine).seconds;
        }
        point.per_second = bench->data.query_count / least(seconds, PASSES);
        break;
    }
    return point;
}

#if LOOKALIKE_HNSWLIB
static size_t hnswlib_search(const struct engine *engine, const float *query, uint32_t *ids)
{
    return peer_hnswlib_search(engine->peer, query, LOOKALIKE_K, engine->words, ids);
}

struct lookalike_point lookalike_hnswlib(const struct lookalike_bench *bench, struct peer *peer,
                                         double recall, bool filtered)
{
    struct engine engine = {
        .peer = peer,
        .effort = peer_hnswlib_effort,
        .search = hnswlib_search,
        .words = filtered ? bench->words : NULL,
    };
    return engine_at(bench, &engine, recall);
}
#endif

#if LOOKALIKE_FAISS
static size_t faiss_search(const struct engine *engine, const float *query, uint32_t *ids)
{
    return peer_faiss_search(engine->peer, query, LOOKALIKE_K, ids);
}

struct lookalike_point lookalike_faiss(const struct lookalike_bench *bench, struct peer *peer,
                                       double recall)
{
    struct engine engine = {.peer = peer, .effort = peer_faiss_effort, .search = faiss_search};
    return engine_at(bench, &engine, recall);
}
#endif

/* The k best by brute force, in the order of the definition. */
static void brute_force(const struct lookalike_data *data, const float *query,
                        struct similar_hit *best)
{
    uint32_t count = 0;
    for (uint32_t id = 0; id < data->count; id++) {
        const float *row = data->vectors + (size_t)id * data->dim;
        double similarity = similar_pair(SIMILAR_L2, query, row, data->dim);
        /* Ids ascend, so an equal similarity stays behind what is there. */
        if (count == LOOKALIKE_K && !(similarity > best[count - 1].similarity)) {
            continue;
        }
        uint32_t at = count < LOOKALIKE_K ? count++ : count - 1;
        for (; at > 0 && best[at - 1].similarity < similarity; at--) {
            best[at] = best[at - 1];
        }
        best[at] = (struct similar_hit){.id = id, .similarity = similarity};
    }
}

uint32_t lookalike_inexact(const struct lookalike_bench *bench, uint32_t queries)
{
    uint32_t wrong = 0;
    for (uint32_t q = 0; q < queries; q++) {
        struct similar_hit best[LOOKALIKE_K] = {{0}};
        struct similar_hit hits[LOOKALIKE_K] = {{0}};
        uint32_t count = 0;
        const float *vector = bench->data.queries + (size_t)q * bench->data.dim;
        struct similar_query query = {.vector = vector, .k = LOOKALIKE_K};
        brute_force(&bench->data, vector, best);
        similar_search(bench->set, bench->scratch, &query, hits, &count, NULL);
        bool same = count == LOOKALIKE_K;
        for (uint32_t i = 0; same && i < count; i++) {
            same = hits[i].id == best[i].id && !(hits[i].similarity > best[i].similarity) &&
                   !(hits[i].similarity < best[i].similarity);
        }
        wrong += !same;
    }
    return wrong;
}

double lookalike_exact_seconds(const struct lookalike_bench *bench)
{
    double seconds[31];
    for (uint32_t i = 0; i < 31; i++) {
        struct similar_hit hits[LOOKALIKE_K];
        uint32_t count = 0;
        uint32_t q = i % bench->data.query_count;
        struct similar_query query = {.vector = bench->data.queries + (size_t)q * bench->data.dim,
                                      .k = LOOKALIKE_K};
        double start = lookalike_now();
        similar_search(bench->set, bench->scratch, &query, hits, &count, NULL);
        seconds[i] = lookalike_now() - start;
    }
    return least(seconds, 31);
}

double lookalike_exact16_seconds(const struct lookalike_bench *bench)
{
    double seconds[11];
    struct similar_hit hits[16][LOOKALIKE_K];
    struct similar_hit *rows[16];
    struct similar_query queries[16];
    uint32_t counts[16];
    for (uint32_t i = 0; i < 11; i++) {
        for (uint32_t j = 0; j < 16; j++) {
            uint32_t q = (16 * i + j) % bench->data.query_count;
            rows[j] = hits[j];
            queries[j] = (struct similar_query){
                .vector = bench->data.queries + (size_t)q * bench->data.dim, .k = LOOKALIKE_K};
        }
        double start = lookalike_now();
        similar_search_many(bench->set, bench->scratch, queries, 16, rows, counts);
        seconds[i] = (lookalike_now() - start) / 16;
    }
    return least(seconds, 11);
}

double lookalike_stream(size_t bytes)
{
    size_t words = bytes / 64 * 8;
    uint64_t *space = aligned_alloc(2 << 20, (bytes + (2 << 20)) / (2 << 20) * (2 << 20));
    volatile uint64_t sink = 0;
    double seconds[11];
    if (space == NULL) {
        return 0;
    }
    (void)madvise(space, bytes, MADV_HUGEPAGE);
    memset(space, 1, words * 8);
    for (uint32_t i = 0; i < 11; i++) {
        uint64_t sums[8] = {0};
        double start = lookalike_now();
        for (size_t w = 0; w < words; w += 8) {
            for (size_t j = 0; j < 8; j++) {
                sums[j] += space[w + j];
            }
        }
        seconds[i] = lookalike_now() - start;
        sink += sums[0] + sums[1] + sums[2] + sums[3] + sums[4] + sums[5] + sums[6] + sums[7];
    }
    (void)sink; /* written so that the reading is not optimised away */
    free(space);
    return (double)bytes / least(seconds, 11);
}

double lookalike_insert_seconds(struct lookalike_bench *bench, uint32_t count)
{
    double spent = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t id = bench->data.count + i;
        const float *vector =
            bench->data.queries + (size_t)(i % bench->data.query_count) * bench->data.dim;
        double start = lookalike_now();
        similar_insert(bench->set, id, vector);
        spent += lookalike_now() - start;
    }
    for (uint32_t i = 0; i < count; i++) {
        similar_remove(bench->set, bench->data.count + i);
    }
    return spent / count;
}

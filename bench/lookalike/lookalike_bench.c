/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/lookalike/lookalike_bench.h"

#include <stdlib.h>
#include <time.h>

double lookalike_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

double lookalike_wall(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static const float *row_of(void *context, uint64_t index, uint32_t *id)
{
    const struct lookalike_bench *bench = context;
    *id = bench->first + (uint32_t)index;
    return bench->data.vectors + (size_t)*id * bench->data.dim;
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
            .vector = lookalike_query(bench, q), .k = LOOKALIKE_K, .filter = filter};
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

static bool build(struct lookalike_bench *bench)
{
    struct similar_options options = {
        .dim = bench->data.dim,
        .metric = bench->metric,
        .seed = 1,
        .source = similar_memory_source(bench->memory),
        .graph_bytes_max = UINT64_MAX,
    };
    struct similar_input input = {
        .context = bench, .count = bench->end - bench->first, .on_row = row_of};
    double start = lookalike_now();
    bench->set = similar_create(&options, NULL);
    bool built = bench->set != NULL && similar_build(bench->set, &input) == SIMILAR_OK;
    bench->build_seconds = lookalike_now() - start;
    return built;
}

static bool make(struct lookalike_bench *bench)
{
    bench->memory = similar_memory_create();
    bench->truth = calloc(bench->data.query_count, sizeof *bench->truth);
    bench->truth_filtered = calloc(bench->data.query_count, sizeof *bench->truth_filtered);
    if (bench->memory == NULL || bench->truth == NULL || bench->truth_filtered == NULL ||
        !build(bench)) {
        return false;
    }
    bench->scratch = similar_scratch_create(bench->set);
    return bench->scratch != NULL && truth_find(bench, NULL, bench->truth);
}

bool lookalike_bench_init(struct lookalike_bench *bench, struct lookalike_data *data,
                          enum similar_metric metric)
{
    *bench = (struct lookalike_bench){
        .data = *data, .end = data->count, .metric = metric, .asked = data->query_count};
    *data = (struct lookalike_data){0};
    return make(bench);
}

bool lookalike_bench_share(struct lookalike_bench *bench, const struct lookalike_bench *of,
                           uint32_t first, uint32_t end)
{
    *bench = (struct lookalike_bench){.data = of->data,
                                      .shared = true,
                                      .first = first,
                                      .end = end,
                                      .metric = of->metric,
                                      .asked = of->data.query_count};
    return make(bench);
}
bool lookalike_bench_graph(struct lookalike_bench *bench)
{
    struct similar_graph_figures figures;
    double start = lookalike_now();
    bool built = similar_graph_build(bench->set) == SIMILAR_OK;
    similar_graph_figures(bench->set, &figures);
    bench->graph_seconds = figures.built ? lookalike_now() - start : 0;
    return built;
}

void lookalike_bench_tune(struct lookalike_bench *bench)
{
    bench->from = 0;
    bench->asked = (bench->data.query_count + 1) / 2;
}

void lookalike_bench_measure(struct lookalike_bench *bench)
{
    bench->from = bench->data.query_count / 2;
    bench->asked = bench->data.query_count - bench->from;
}

void lookalike_bench_fini(struct lookalike_bench *bench)
{
    similar_filter_destroy(bench->filter);
    similar_scratch_destroy(bench->scratch);
    similar_destroy(bench->set);
    similar_memory_destroy(bench->memory);
    if (!bench->shared) {
        lookalike_data_free(&bench->data);
    }
    free(bench->truth);
    free(bench->truth_filtered);
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

/* What is due after a change, as the server does it between requests. */
static bool upkeep(struct lookalike_bench *bench, double *seconds)
{
    bool good = true;
    while (good && similar_balance_due(bench->set)) {
        double start = lookalike_now();
        good = similar_balance(bench->set, 1, NULL) == SIMILAR_OK;
        *seconds += lookalike_now() - start;
    }
    return good;
}

bool lookalike_bench_grow(struct lookalike_bench *bench, struct lookalike_spent *spent)
{
    const struct lookalike_data *data = &bench->data;
    uint32_t count = data->count - bench->end;
    double spare = 0;
    bool good = true;
    double start = lookalike_now();
    for (; good && bench->end < data->count; bench->end++) {
        const float *row = data->vectors + (size_t)bench->end * data->dim;
        good = similar_insert(bench->set, bench->end, row) == SIMILAR_OK && upkeep(bench, &spare);
    }
    double seconds = lookalike_now() - start;
    *spent = (struct lookalike_spent){(seconds - spare) / count, spare / count};
    return good && truth_find(bench, NULL, bench->truth);
}

bool lookalike_bench_shrink(struct lookalike_bench *bench, uint32_t first,
                            struct lookalike_spent *spent)
{
    uint32_t count = first - bench->first;
    double spare = 0;
    bool good = true;
    double start = lookalike_now();
    for (; good && bench->first < first; bench->first++) {
        good = similar_remove(bench->set, bench->first) == SIMILAR_OK && upkeep(bench, &spare);
    }
    double seconds = lookalike_now() - start;
    *spent = (struct lookalike_spent){(seconds - spare) / count, spare / count};
    return good && truth_find(bench, NULL, bench->truth);
}

/* The k best by brute force, in the order of the definition; returns how many there are. */
static uint32_t brute_force(const struct lookalike_bench *bench, const float *query,
                            const uint64_t *words, struct similar_hit *best)
{
    uint32_t count = 0;
    const struct lookalike_data *data = &bench->data;
    for (uint32_t id = 0; id < data->count; id++) {
        if (words != NULL && (words[id / 64] >> id % 64 & 1) == 0) {
            continue;
        }
        const float *row = data->vectors + (size_t)id * data->dim;
        double similarity = similar_pair(bench->metric, query, row, data->dim);
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
    return count;
}

uint32_t lookalike_inexact(const struct lookalike_bench *bench, uint32_t queries, bool filtered)
{
    uint32_t wrong = 0;
    for (uint32_t q = 0; q < queries; q++) {
        struct similar_hit best[LOOKALIKE_K] = {{0}};
        struct similar_hit hits[LOOKALIKE_K] = {{0}};
        uint32_t count = 0;
        struct similar_query query = {.vector = lookalike_query(bench, q),
                                      .k = LOOKALIKE_K,
                                      .filter = filtered ? bench->filter : NULL};
        uint32_t wanted = brute_force(bench, query.vector, filtered ? bench->words : NULL, best);
        bool same =
            similar_search(bench->set, bench->scratch, &query, hits, &count, NULL) == SIMILAR_OK &&
            count == wanted;
        for (uint32_t i = 0; same && i < count; i++) {
            same = hits[i].id == best[i].id && !(hits[i].similarity > best[i].similarity) &&
                   !(hits[i].similarity < best[i].similarity);
        }
        wrong += !same;
    }
    return wrong;
}

double lookalike_insert_seconds(struct lookalike_bench *bench, uint32_t count)
{
    uint32_t from = bench->data.count;
    bool good = true;
    double start = lookalike_now();
    for (uint32_t i = 0; i < count; i++) {
        good &= similar_insert(bench->set, from + i, lookalike_query(bench, i)) == SIMILAR_OK;
    }
    double spent = lookalike_now() - start;
    for (uint32_t i = 0; i < count; i++) {
        good &= similar_remove(bench->set, from + i) == SIMILAR_OK;
    }
    return good ? spent / count : 0;
}

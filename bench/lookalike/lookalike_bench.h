/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One set of vectors with our index of it, its queries, and the truth that recall is counted
 * against. Units: seconds are processor time of the calling thread, so that what other processes
 * take from a core is in no figure. Ownership: fini frees, also after an init that failed. Errors:
 * false when out of memory or when the set is not to be had. Threads: one.
 */
#ifndef ICP_BENCH_LOOKALIKE_BENCH_H
#define ICP_BENCH_LOOKALIKE_BENCH_H

#include "bench/lookalike/lookalike_data.h"
#include "server/similar/similar.h"

enum { LOOKALIKE_K = 10 };

struct lookalike_bench {
    struct lookalike_data data;
    bool shared;         /* the data are another's */
    uint32_t first, end; /* the vectors of the data that are stored, by their numbers as ids */
    enum similar_metric metric;
    struct similar_memory *memory;
    struct similar_set *set;
    struct similar_scratch *scratch;
    double build_seconds;
    double graph_seconds;   /* of the graph beside the partitions; 0: there is none */
    uint32_t from, asked;   /* the queries that passes ask, of all that there are */
    double *truth;          /* similarity of the k-th best, by query */
    double *truth_filtered; /* of the k-th best that passes */
    uint64_t *words;        /* of the filter; NULL until it is made */
    size_t word_count;
    struct similar_filter *filter;
};

/* From here on passes ask the first half of the queries, to tune by, or the other, to measure by:
 * whoever fits his effort to the very queries that he is measured on flatters himself. At first
 * they ask all. */
void lookalike_bench_tune(struct lookalike_bench *bench);
void lookalike_bench_measure(struct lookalike_bench *bench);

double lookalike_now(void);
/* Seconds of the wall clock, for what more than one thread does. */
double lookalike_wall(void);

/* Takes `data` over, also when it fails. */
bool lookalike_bench_init(struct lookalike_bench *bench, struct lookalike_data *data,
                          enum similar_metric metric);
void lookalike_bench_fini(struct lookalike_bench *bench);
/* On the data of `of`, which outlives it, with the vectors from `first` to before `end` alone. */
bool lookalike_bench_share(struct lookalike_bench *bench, const struct lookalike_bench *of,
                           uint32_t first, uint32_t end);
/* Builds the graph as well. False: no memory. */
bool lookalike_bench_graph(struct lookalike_bench *bench);

/* Mean seconds of one change, and of the upkeep that it left behind. */
struct lookalike_spent {
    double change, upkeep;
};
/* Stores the rest of the data, or drops all vectors before `first`, one by one, with the upkeep
 * between; then finds the truth anew. */
bool lookalike_bench_grow(struct lookalike_bench *bench, struct lookalike_spent *spent);
bool lookalike_bench_shrink(struct lookalike_bench *bench, uint32_t first,
                            struct lookalike_spent *spent);
/* A filter of `permille` of the ids at random, with its truth. */
bool lookalike_bench_filter(struct lookalike_bench *bench, uint32_t permille);

static inline const float *lookalike_query(const struct lookalike_bench *bench, uint32_t index)
{
    return bench->data.queries + (size_t)(index % bench->data.query_count) * bench->data.dim;
}

/* Exact answers that differ from brute force with similar_pair, of `queries` asked; with the filter
 * if `filtered`. */
uint32_t lookalike_inexact(const struct lookalike_bench *bench, uint32_t queries, bool filtered);
/* Mean seconds of an insert over `count` fresh ids, which are then removed again. */
double lookalike_insert_seconds(struct lookalike_bench *bench, uint32_t count);

#endif

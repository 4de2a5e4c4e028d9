/* SPDX-License-Identifier: Apache-2.0 */
/* How things are timed, and the truth that recall is counted against. */
#ifndef ICP_BENCH_LOOKALIKE_MEASURE_H
#define ICP_BENCH_LOOKALIKE_MEASURE_H

#include "bench/lookalike/lookalike_data.h"
#include "bench/lookalike/lookalike_peer.h"
#include "server/similar/similar.h"

enum { LOOKALIKE_K = 10 };

/* One data set with its index and its truth. */
struct lookalike_bench {
    struct lookalike_data data;
    struct similar_memory *memory;
    struct similar_set *set;
    struct similar_scratch *scratch;
    double build_seconds;
    double *truth; /* similarity of the k-th best, by query */
    double *truth_filtered;
    uint32_t *found; /* by a peer */
    size_t *found_counts;
    uint64_t *words; /* of the filter */
    size_t word_count;
    struct similar_filter *filter;
};

/* Throughput at a recall. */
struct lookalike_point {
    double recall;
    double per_second;
};

/* Seconds of this thread's processor time: everything here runs on one thread. */
double lookalike_now(void);

bool lookalike_bench_init(struct lookalike_bench *bench, char name, uint32_t count, uint32_t dim,
                          uint32_t query_count);
void lookalike_bench_fini(struct lookalike_bench *bench);
/* A filter of `permille` of the ids, with its truth. */
bool lookalike_bench_filter(struct lookalike_bench *bench, uint32_t permille);

/* Our throughput at the cheapest calibrated target that really reaches `recall` here. */
struct lookalike_point lookalike_ours(const struct lookalike_bench *bench, double recall,
                                      bool filtered);
/* A peer's throughput at the least effort that reaches `recall`. */
struct lookalike_point lookalike_hnswlib(const struct lookalike_bench *bench, struct peer *peer,
                                         double recall, bool filtered);
struct lookalike_point lookalike_faiss(const struct lookalike_bench *bench, struct peer *peer,
                                       double recall);
/* Exact answers that differ from brute force with similar_pair, of `queries` asked. */
uint32_t lookalike_inexact(const struct lookalike_bench *bench, uint32_t queries);
/* Seconds for one exact query, alone and among 16. */
double lookalike_exact_seconds(const struct lookalike_bench *bench);
double lookalike_exact16_seconds(const struct lookalike_bench *bench);
/* Bytes a second that one thread reads from memory in one stream. */
double lookalike_stream(size_t bytes);
/* Mean seconds of an insert, over inserts and removals of fresh ids. */
double lookalike_insert_seconds(struct lookalike_bench *bench, uint32_t count);

#endif

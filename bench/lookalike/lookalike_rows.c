/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/lookalike/lookalike_rows.h"

#include "bench/lookalike/lookalike_measure.h"

#include <stdio.h>
#include <string.h>

static uint32_t row_print(const char *row, double measured, const char *unit, bool at_least,
                          double target)
{
    bool holds = at_least ? measured >= target : measured <= target;
    printf("%-52s %12.2f %-9s %s %8.2f  %s\n", row, measured, unit, at_least ? ">=" : "<=", target,
           holds ? "holds" : "FALLS SHORT");
    fflush(stdout);
    return !holds;
}

static uint32_t exact_rows(const struct lookalike_bench *bench)
{
    char row[80];
    const struct lookalike_data *data = &bench->data;
    snprintf(row, sizeof row, "%c: exact answers that differ from brute force", data->name);
    uint32_t queries = data->query_count < 20 ? data->query_count : 20;
    return row_print(row, lookalike_inexact(bench, queries), "of 20", false, 0);
}

static uint32_t scan_rows(const struct lookalike_bench *bench)
{
    size_t bytes = (size_t)bench->data.count * bench->data.dim;
    double stream = lookalike_stream(bytes);
    double one = lookalike_exact_seconds(bench);
    double many = lookalike_exact16_seconds(bench);
    printf("# stream %.1f GB/s, exact %.3f ms, among 16 %.3f ms\n", stream / 1e9, one * 1e3,
           many * 1e3);
    return row_print("exact, one query: time over reading the int8 bytes",
                     one / ((double)bytes / stream), "x", false, 1.5) +
           row_print("exact, 16 waiting queries: throughput over one", one / many, "x", true, 6);
}

__attribute__((unused)) /* where no peer is installed */
static double
ratio(struct lookalike_point ours, struct lookalike_point theirs)
{
    return theirs.per_second > 0 ? ours.per_second / theirs.per_second : 0;
}

static struct lookalike_point point_print(const char *engine, const char *what,
                                          struct lookalike_point point)
{
    printf("# %-8s %-24s recall %.4f  %10.0f queries/s\n", engine, what, point.recall,
           point.per_second);
    fflush(stdout);
    return point;
}

#if LOOKALIKE_HNSWLIB
static struct peer *hnswlib_of(const struct lookalike_bench *bench,
                               const struct lookalike_options *options, double *seconds)
{
    char path[512] = "";
    const struct lookalike_data *data = &bench->data;
    if (options->cache != NULL) {
        snprintf(path, sizeof path, "%s/hnswlib-%c-%ux%u", options->cache, data->name, data->count,
                 data->dim);
    }
    return peer_hnswlib_create(data->vectors, data->count, data->dim, path, seconds);
}

/* One comparison at a recall. */
static uint32_t peer_row(struct lookalike_bench *bench, struct peer *peer, double recall,
                         bool filtered, double target)
{
    char row[80];
    snprintf(row, sizeof row, "%c: recall >= %.3f%s, over hnswlib", bench->data.name, recall,
             filtered ? ", filter of 1 %" : "");
    struct lookalike_point theirs =
        point_print("hnswlib", row, lookalike_hnswlib(bench, peer, recall, filtered));
    struct lookalike_point ours = point_print("icpd", row, lookalike_ours(bench, recall, filtered));
    return row_print(row, ratio(ours, theirs), "x", true, target);
}

static uint32_t hnswlib_rows(struct lookalike_bench *bench, const struct lookalike_options *options)
{
    double seconds = 0;
    uint32_t short_count = 0;
    char name = bench->data.name;
    struct peer *peer = hnswlib_of(bench, options, &seconds);
    if (peer == NULL) {
        return 1;
    }
    printf("# build: icpd %.1f s, hnswlib %.1f s\n", bench->build_seconds, seconds);
    if (name == 'A') {
        short_count += peer_row(bench, peer, 0.99, false, 6);
        short_count += peer_row(bench, peer, 0.975, false, 6.5);
        short_count += peer_row(bench, peer, 0.95, true, 20);
        short_count +=
            row_print("A: build, over hnswlib", seconds / bench->build_seconds, "x", true, 20);
    } else if (name == 'M') {
        short_count += peer_row(bench, peer, 0.99, false, 2);
    } else {
        short_count += peer_row(bench, peer, 0.99, false, 3);
    }
    peer_hnswlib_destroy(peer);
    return short_count;
}
#endif

#if LOOKALIKE_FAISS
/* For the record beside the rows; faiss has no target of its own. */
static void faiss_lines(const struct lookalike_bench *bench)
{
    double seconds = 0;
    struct peer *peer =
        peer_faiss_create(bench->data.vectors, bench->data.count, bench->data.dim, &seconds);
    if (peer == NULL) {
        return;
    }
    printf("# faiss build %.1f s\n", seconds);
    point_print("faiss", "recall >= 0.975", lookalike_faiss(bench, peer, 0.975));
    point_print("faiss", "recall >= 0.990", lookalike_faiss(bench, peer, 0.99));
    peer_faiss_destroy(peer);
}
#endif

static uint32_t peers_rows(struct lookalike_bench *bench, const struct lookalike_options *options)
{
    uint32_t short_count = 0;
    (void)bench;
    if (!options->peers) {
        return 0;
    }
#if LOOKALIKE_HNSWLIB
    short_count += hnswlib_rows(bench, options);
#else
    printf("# hnswlib was not found: its rows are not run\n");
    short_count++;
#endif
#if LOOKALIKE_FAISS
    if (options->faiss) {
        faiss_lines(bench);
    }
#endif
    return short_count;
}

static uint32_t set_rows(char name, const struct lookalike_options *options)
{
    struct lookalike_bench bench;
    uint32_t short_count = 0;
    if (!lookalike_bench_init(&bench, name, options->count, options->dim, options->query_count)) {
        printf("# set %c is not available: its rows are not run\n", name);
        lookalike_bench_fini(&bench);
        return 1;
    }
    printf("# set %c: %u x %u, %u queries, %u lists, kernels %s, built in %.1f s\n", name,
           bench.data.count, bench.data.dim, bench.data.query_count, similar_list_count(bench.set),
           similar_kernel_name(), bench.build_seconds);
    short_count += exact_rows(&bench);
    if (!options->peers) {
        point_print("icpd", "recall >= 0.975", lookalike_ours(&bench, 0.975, false));
        point_print("icpd", "recall >= 0.990", lookalike_ours(&bench, 0.99, false));
    }
    if (name == 'A') {
        short_count += lookalike_bench_filter(&bench, 10) ? 0 : 1;
        short_count += scan_rows(&bench);
    }
    short_count += peers_rows(&bench, options);
    if (name == 'A') {
        short_count +=
            row_print("A: insert", lookalike_insert_seconds(&bench, 5000) * 1e6, "us", false, 20);
    }
    lookalike_bench_fini(&bench);
    return short_count;
}

uint32_t lookalike_rows(const struct lookalike_options *options)
{
    uint32_t short_count = 0;
    printf("%-52s %12s %-9s    %8s\n", "row", "measured", "", "target");
    for (const char *name = options->sets; *name != '\0'; name++) {
        short_count += set_rows(*name, options);
    }
    return short_count;
}

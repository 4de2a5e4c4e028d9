/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vector engines to compare with, behind one C face. All use squared L2 on the same floats, one
 * thread. `effort` is what the engine calls ef (hnswlib) or nprobe (faiss).
 */
#ifndef ICP_BENCH_LOOKALIKE_PEER_H
#define ICP_BENCH_LOOKALIKE_PEER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct peer;

/*
 * Builds an index, or loads it from `path` when that file is there (the time that its build took
 * is kept beside it). `seconds` receives the build time. NULL on failure.
 */
struct peer *peer_hnswlib_create(const float *vectors, size_t count, size_t dim, const char *path,
                                 double *seconds);
void peer_hnswlib_destroy(struct peer *peer);
void peer_hnswlib_effort(struct peer *peer, size_t effort);
/*
 * Ids of the k nearest; fewer with `words`, which keeps only ids whose bit is set: this version
 * has no filter of its own, so `effort` neighbours are fetched and filtered.
 */
size_t peer_hnswlib_search(const struct peer *peer, const float *query, size_t k,
                           const uint64_t *words, uint32_t *ids);

/* faiss: inverted lists with 4-bit product codes, re-ranked on the floats. */
struct peer *peer_faiss_create(const float *vectors, size_t count, size_t dim, double *seconds);
void peer_faiss_destroy(struct peer *peer);
void peer_faiss_effort(struct peer *peer, size_t effort);
size_t peer_faiss_search(const struct peer *peer, const float *query, size_t k, uint32_t *ids);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vector engines to compare with, behind one C face. All use squared L2 on the same floats, one
 * thread, and are set up as well as their documentation says how; docs/bench-lookalike.md lists the
 * settings. Ownership: what create returns goes to destroy; vectors and words are borrowed while
 * the peer lives. Errors: NULL from create; a search that fails finds nothing. Threads: one.
 */
#ifndef ICP_BENCH_LOOKALIKE_PEER_H
#define ICP_BENCH_LOOKALIKE_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct peer;

/* What an index is built from, and the filter of filtered searches (NULL: none). */
struct peer_input {
    const float *vectors;
    size_t count;
    size_t dim;
    const uint64_t *words; /* bit `id % 64` of word `id / 64`: the id may be returned */
    const char *path;      /* where a built index is kept; NULL: it is not */
};

struct peer_kind {
    const char *name;
    const char *file; /* part of a kept index's name; NULL: too quick to build to be kept */
    const char *knob; /* what effort is called there; NULL: exact, there is nothing to tune */
    unsigned effort_min, effort_max;
    unsigned variants;   /* settings beside effort that are tried one after another */
    unsigned query_part; /* asks one query in so many: brute force takes its time */
    bool takes_minutes;  /* to build for a million vectors: left out unless asked for or kept */
    /* `seconds` receives the processor time of the build, also that of a kept index. */
    struct peer *(*create)(const struct peer_input *input, double *seconds);
    void (*destroy)(struct peer *peer);
    void (*effort)(struct peer *peer, unsigned variant, size_t effort);
    /* Ids of the k nearest, those that pass where the peer has a filter; returns how many. */
    size_t (*search)(const struct peer *peer, const float *query, size_t k, uint32_t *ids);
    /* Mean seconds of an insert of `count` vectors; NULL: not measured. */
    double (*insert)(struct peer *peer, const float *vectors, size_t count);
};

/* hnswlib with M 16 and efConstruction 200, its documented defaults. */
extern const struct peer_kind peer_hnswlib;
/* Version 0.6.2 knows no filter: `effort` neighbours are fetched, those that pass are kept. */
extern const struct peer_kind peer_hnswlib_fetch;
/* hnswlib's BruteforceSearch over a copy of the vectors that pass. */
extern const struct peer_kind peer_hnswlib_brute;

/* faiss: inverted lists with 4-bit product codes, re-ranked on the floats. */
extern const struct peer_kind peer_faiss_pq;
extern const struct peer_kind peer_faiss_ivf;  /* inverted lists of floats; filters by IDSelector */
extern const struct peer_kind peer_faiss_hnsw; /* HNSW32, efConstruction 40 */
extern const struct peer_kind peer_faiss_flat; /* brute force; filters by IDSelector */

#ifdef __cplusplus
}
#endif

#endif

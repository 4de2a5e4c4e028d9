/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sets that look-alike search is measured on. Seeded: the same numbers everywhere.
 *
 * A: 1,000 Gaussian clusters of Zipf-like sizes and low-rank shape, with noise and 5 % background,
 *    scaled to length 1: what accounts look like.
 * M: a smooth 20-dimensional manifold without clusters, scaled to length 1: hard to partition.
 * F: the pictures of fashion-mnist (Debian dataset-fashion-mnist), 784 dimensions.
 * W: learned embeddings of English words, 100 dimensions (lookalike_words.h).
 */
#ifndef ICP_BENCH_LOOKALIKE_DATA_H
#define ICP_BENCH_LOOKALIKE_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lookalike_data {
    char name;
    uint32_t dim;
    uint32_t count;
    uint32_t query_count;
    float *vectors;
    float *queries;
};

/* Where Debian's package dataset-fashion-mnist puts its files. */
#define LOOKALIKE_DATA_FOLDER "/usr/share/datasets/fashion-mnist"

/* What is wanted of a set; a set that comes as files may have less. */
struct lookalike_data_options {
    uint32_t count;
    uint32_t dim;
    uint32_t query_count;
    const char *folder; /* of the files of F */
    const char *words;  /* the file of W */
};

/* False when out of memory, or for F and W when their files, or zlib, are missing. Caller frees. */
bool lookalike_data_load(struct lookalike_data *data, char name,
                         const struct lookalike_data_options *options);
void lookalike_data_free(struct lookalike_data *data);

#endif

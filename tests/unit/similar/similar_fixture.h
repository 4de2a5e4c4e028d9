/* SPDX-License-Identifier: Apache-2.0 */
/* Random sets with everything that goes wrong in vectors, and the oracle they are held against. */
#ifndef ICP_TEST_SIMILAR_FIXTURE_H
#define ICP_TEST_SIMILAR_FIXTURE_H

#include "server/similar/similar.h"

enum fixture_shape {
    SHAPE_SMOOTH,    /* normal numbers */
    SHAPE_GRID,      /* small whole numbers: many ties */
    SHAPE_DUPLICATE, /* few distinct vectors */
    SHAPE_ZERO,      /* half of them zero */
    SHAPE_SCALES,    /* norms from 1e-12 to 1e12 */
    SHAPE_SHIFTED,   /* far from the origin */
    SHAPES
};

struct fixture {
    uint64_t random;
    uint32_t dim;
    uint32_t count;
    enum similar_metric metric;
    float *vectors;  /* by row */
    uint32_t *ids;   /* ascending, with gaps */
    bool *absent;    /* rows that were removed again */
    uint64_t *words; /* of the filter */
    size_t word_count;
    struct similar_memory *memory;
    struct similar_set *set;
    struct similar_scratch *scratch;
};

uint64_t fixture_random(struct fixture *fixture, uint64_t bound);
float fixture_normal(struct fixture *fixture);
/* Vectors, ids and an empty set. */
void fixture_init(struct fixture *fixture, uint64_t seed, uint32_t dim, uint32_t count,
                  enum similar_metric metric, enum fixture_shape shape);
void fixture_fini(struct fixture *fixture);
/* Builds the set with so many lists. */
void fixture_build(struct fixture *fixture, uint32_t list_count);
struct similar_options fixture_options(struct fixture *fixture, uint32_t list_count);
/* A filter that lets about `permille` of the ids through. */
void fixture_filter(struct fixture *fixture, uint32_t permille);
/* Brute force with similar_pair over the rows that are present; `query` as for a search. */
uint32_t fixture_oracle(const struct fixture *fixture, const struct similar_query *query,
                        bool filtered, struct similar_hit *hits);
/* Whether two answers are the same, to the last bit. */
bool fixture_same(const struct similar_hit *a, uint32_t a_count, const struct similar_hit *b,
                  uint32_t b_count);

#endif

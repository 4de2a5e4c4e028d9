/* SPDX-License-Identifier: Apache-2.0 */
/* What trees.h derives for its sums: lines of leaves in reach, and the path of each leaf. Shared by
 * the files of trees alone. Shapes: values in billionths, as in trees.h. Ownership: of the trees.
 * Errors: PROTO_NO_MEMORY; what was made by then is the plan's, freed with the trees. Threads:
 * immutable once made. */
#ifndef MODEL_TREES_PLAN_H
#define MODEL_TREES_PLAN_H

#include "server/model/trees.h"

#define MODEL_LINE_BYTES 64
#define MODEL_LINE_WORDS (MODEL_LINE_BYTES / sizeof(uint64_t))
#define MODEL_TREES_SMALL 16 /* trees of a tile, if none has more than 32 leaves */
#define MODEL_TREES_LARGE 8  /* else; up to 64 leaves */

/* A line is one cache line of 16 or 8 words, one for each tree of the tile. */
struct model_line {
    _Alignas(MODEL_LINE_BYTES) uint64_t words[MODEL_LINE_WORDS];
};

/* A column that some tree of the tile asks, and where its line of code 0 stands. */
struct model_tile_column {
    uint32_t column;
    uint32_t line;
};

struct model_tile {
    struct model_tile_column *columns;
    size_t column_count;
    struct model_line *lines; /* 256 more than codes, so that any byte may be looked up */
    int64_t *values;          /* of the leaf of each word and bit; what has no leaf is 0 */
};

/* One condition of a path to a leaf: of all splits on one column together. */
struct model_path_step {
    double share;    /* of training rows that met it, of those that met the rest */
    uint16_t column; /* place in trees->columns */
    uint8_t low, high;
    uint32_t set; /* 0: codes low … high; else the set set - 1 of the plan */
};

struct model_path {
    double value; /* billionths */
    uint32_t first;
    uint32_t count;  /* of steps */
    uint32_t shared; /* first steps that are those of the path before, in the same group */
};

/* Paths of one tree that need the same rule, in preorder. */
struct model_path_group {
    uint32_t first, count;
    uint32_t parts; /* of MODEL_SHAP_POINTS points */
};

struct model_trees_kernel {
    const char *name;
    /* Adds to sums[count] what the trees of the tile say of each row. large: words of 64 bits. */
    void (*add)(const struct model_tile *tile, bool large, const uint8_t *rows, size_t stride,
                size_t count, int64_t *sums);
    /* model_trees_shap. */
    void (*shap)(const struct model_trees *trees, const uint8_t *row, double *phi);
};

extern const struct model_trees_kernel model_trees_plain;
#ifdef __x86_64__
extern const struct model_trees_kernel model_trees_avx2;
extern const struct model_trees_kernel model_trees_avx512;
#endif

/* All that this processor runs, slowest first; *count set. The last is the one to use. */
const struct model_trees_kernel *const *model_trees_kernels(size_t *count);

struct model_trees_plan {
    const struct model_trees_kernel *kernel;
    struct model_tile *tiles; /* NULL: rows are walked */
    size_t tile_count;
    bool large;
    struct model_path *paths; /* of the leaves of all trees */
    size_t path_count;
    struct model_path_group *groups; /* of these paths */
    size_t group_count;
    struct model_path_step *steps;
    struct model_code_set *sets;
    size_t set_count;
    double expectation; /* billionths, without base */
    /* Gauss–Legendre's points and weights on 0 … 1: rule n has n, from model_rule_first(n) on, and
     * is exact for a path of 2n steps. */
    double *points;
    double *weights;
};

#define MODEL_RULES_MAX (MODEL_TREES_DEPTH_MAX / 2)

static inline size_t model_rule_first(size_t n)
{
    return n * (n - 1) / 2;
}

#define MODEL_SHAP_POINTS 4 /* worked out at once: rules of 4, 8, 12 … are used */
/* How many parts the rule has that is exact for a path of so many steps. */
static inline uint32_t model_rule_parts(uint32_t steps)
{
    return (steps + 2 * MODEL_SHAP_POINTS - 1) / (2 * MODEL_SHAP_POINTS);
}

static inline bool model_code_in(const struct model_code_set *set, uint8_t code)
{
    return (set->bits[code / 64] >> (code % 64) & 1) != 0;
}

static inline bool model_node_left(const struct model_trees *trees,
                                   const struct model_tree_node *node, uint8_t code)
{
    if (node->set != 0) {
        return model_code_in(&trees->sets[node->set - 1], code);
    }
    return code == 0 ? node->missing_left : code <= node->upto;
}

/* The codes of a split that go left. */
struct model_code_set model_node_codes(const struct model_trees *trees,
                                       const struct model_tree_node *node);

/* Billionths to millionths, to the nearest, half away from zero. */
static inline int64_t model_trees_millionths(int64_t billionths)
{
    return (billionths + (billionths < 0 ? -500 : 500)) / 1000;
}

/* Leaves plan->tiles NULL, without a fault, where a tree has more than 64 leaves or lines exceed
 * MODEL_TREES_LINES_MAX. */
bool model_lines_make(struct model_trees *trees, const struct feature_codebook *codebook,
                      struct proto_fault *fault);
void model_lines_free(struct model_trees_plan *plan);
bool model_paths_make(struct model_trees *trees, const struct feature_codebook *codebook,
                      struct proto_fault *fault);

#endif

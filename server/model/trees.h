/* SPDX-License-Identifier: Apache-2.0 */
/* An ensemble of decision trees over rows of codes, evaluated exactly in integers: what a model of
 * boosted trees from elsewhere becomes (server/foreign), and the other thing beside tables that a
 * scorecard can hold.
 *
 *   raw = (base + Σ over trees of the value of the leaf that the row reaches) / 1000
 *
 * Values are whole billionths of a logit, so that the sum of thousands of trees is within a
 * millionth of the model's own; raw is that sum in millionths, to the nearest, half away from zero,
 * the same on every instruction set. A split asks which codes of one column go left. Codes cut a
 * number at every threshold of the model, so nothing is lost by asking them instead of values.
 *
 * How it sums (QuickScorer, Lucchese et al. 2015, with a look-up for each code instead of a search
 * for each threshold): for each column and code, a line of 64 bytes holds for 16 trees of up to 32
 * leaves (or 8 of up to 64) the leaves that a row with this code could still reach. The lines of a
 * row's columns, and-ed, leave one bit for each tree: its leaf. Ensembles with larger trees, or
 * whose lines exceed MODEL_TREES_LINES_MAX, are walked node by node, with the same result.
 *
 * Contributions are Shapley values with the path-dependent expectation of TreeSHAP (Lundberg et al.
 * 2018, the one of XGBoost's pred_contribs and LightGBM's pred_contrib): of a missing column a node
 * goes left with the share of training rows that did. For a leaf with value v under conditions i of
 * shares z_i that the row meets (o_i = 1) or not,
 *   φ_i = v · (o_i − z_i) · ∫₀¹ Π over j ≠ i of (z_j (1 − t) + o_j t) dt,
 * a polynomial that Gauss–Legendre's rule integrates exactly; all its terms are positive, so
 * nothing cancels. In doubles; the sum over leaves is rounded to millionths so that contributions +
 * intercept = raw to the last digit: each to the nearest, what is left over to those that were
 * rounded farthest, one millionth each.
 *
 * Shapes: nodes stand in preorder, a left child right behind its node. |base| + Σ of each tree's
 * largest |value| ≤ MODEL_TREES_SUM_MAX. Ownership: owns its arrays. Errors: PROTO_BAD_DOCUMENT
 * with the path, PROTO_NO_MEMORY. Threads: immutable once sealed; pure. Cost, 100 trees of 31
 * leaves over 20 columns: docs/methods/trees.md. */
#ifndef MODEL_TREES_H
#define MODEL_TREES_H

#include <jansson.h>

#include "server/feature/codebook.h"

#define MODEL_TREES_MAX 4096
#define MODEL_TREES_NODES_MAX (1U << 17) /* of all trees; their JSON has six numbers for each */
#define MODEL_TREES_SETS_MAX 4096
#define MODEL_TREES_DEPTH_MAX 64
#define MODEL_TREES_SHARE_ONE 1000000000U
#define MODEL_TREES_SUM_MAX (INT64_C(500) * 1000000000) /* billionths: 500 logits */
#define MODEL_TREES_LINES_MAX ((size_t)64 << 20)        /* bytes */
#define MODEL_TREES_LEAF UINT16_MAX                     /* in place of a column */

struct model_tree_node {
    int64_t value;     /* of a leaf, billionths */
    uint32_t right;    /* the right child, among the nodes of all trees; 0 of a leaf */
    uint32_t share;    /* of MODEL_TREES_SHARE_ONE training rows here, how many went left */
    uint16_t column;   /* MODEL_TREES_LEAF: a leaf */
    uint16_t set;      /* 0: upto and missing_left say who goes left; else sets[set - 1] */
    uint8_t upto;      /* codes 1 … upto go left */
    bool missing_left; /* and code 0 */
};

/* Codes, one bit each. */
struct model_code_set {
    uint64_t bits[4];
};

struct model_trees_plan;

struct model_trees {
    struct model_tree_node *nodes;
    size_t node_count;
    uint32_t *firsts; /* of each tree its root; firsts[tree_count] = node_count */
    size_t tree_count;
    struct model_code_set *sets;
    size_t set_count;
    int64_t base;  /* billionths */
    bool logistic; /* raw is a logit of p; else a calibration says p */
    /* Derived by model_trees_seal. */
    uint16_t *columns; /* that some split asks, ascending */
    size_t column_count;
    int64_t expectation; /* millionths: what a row without any value comes to on average */
    struct model_trees_plan *plan; /* lines and paths; trees_plan.h */
};

/* Room for so many nodes, trees and sets, all zero, for a builder to fill and then seal. NULL: no
 * memory or above a limit. */
struct model_trees *model_trees_create(size_t node_count, size_t tree_count, size_t set_count);
/* Checks everything that scoring relies on and derives what it needs. */
bool model_trees_seal(struct model_trees *trees, const struct feature_codebook *codebook,
                      struct proto_fault *fault);
void model_trees_destroy(struct model_trees *trees); /* NULL is fine */

int64_t model_trees_raw(const struct model_trees *trees, const uint8_t *row);
/* `count` rows, `stride` bytes apart. Same results as model_trees_raw; cheaper for each. */
void model_trees_raw_many(const struct model_trees *trees, const uint8_t *rows, size_t stride,
                          size_t count, int64_t *raw);
/* The oracle: node by node. Same result. */
int64_t model_trees_walk(const struct model_trees *trees, const uint8_t *row);
/* Whether rows are summed by lines; else by walking. */
bool model_trees_has_lines(const struct model_trees *trees);

/* Of each of trees->columns what it adds; Σ + intercept = model_trees_raw, exactly, for the
 * intercept that is given, which should be the expectation. */
void model_trees_contributions(const struct model_trees *trees, const uint8_t *row,
                               int64_t intercept, int32_t *contributions);
/* The same before rounding, in billionths: what oracles compare. */
void model_trees_shap(const struct model_trees *trees, const uint8_t *row, double *phi);

/* Bounds of raw if columns whose code is 0 had any code or stayed missing: every tree at the least
 * and the most of the leaves that are in reach, which no single row may reach in all trees. */
void model_trees_interval(const struct model_trees *trees, const uint8_t *row, int64_t *low,
                          int64_t *high);
/* What raw would be with each code of one column, all else staying: raws[bins]. Exact. Cost: a walk
 * of the trees, and an addition for each tree and code. */
void model_trees_moved(const struct model_trees *trees, const uint8_t *row, uint16_t column,
                       size_t bins, int64_t *raws);

/* { "base": i, "link": "logistic" | "none", "sets": [[code …] …],
 *   "trees": [ { "column": [i …], "upto": […], "missing": […], "right": […], "share": […],
 *                "value": […] } … ] }, an entry for each node in preorder: column −1 for a leaf,
 * right counted from the root, upto −k for set k. Exact in both directions. */
json_t *model_trees_to_json(const struct model_trees *trees);
struct model_trees *model_trees_from_json(const json_t *json,
                                          const struct feature_codebook *codebook,
                                          struct proto_fault *fault);

#endif

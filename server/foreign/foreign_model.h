/* SPDX-License-Identifier: Apache-2.0 */
/* A model of boosted trees as another program wrote it, read from a file and checked: features by
 * name, trees in preorder with thresholds of their own. foreign_bind.h makes of it what icpd
 * scores.
 *
 * Read are XGBoost's models as JSON or UBJSON and LightGBM's as text, told apart by their first
 * bytes. Refused by name: boosters other than gbtree, objectives other than those of
 * foreign_tree.c, several classes or targets, linear leaves, averaged forests.
 *
 * Bounds: FOREIGN_BYTES_MAX of a file, FOREIGN_FEATURES_MAX features, the limits of
 * server/model/trees.h for trees, nodes and depth. A child that is no node, stands twice or leads
 * round is refused, and so is a threshold, leaf or cover that is not finite. Ownership: the model
 * owns all. Errors: PROTO_BAD_DOCUMENT, whose message begins with "line 3, column 14: " or, of
 * UBJSON, "byte 512: "; PROTO_NO_MEMORY. Threads: pure. Cost: some 10 ns a byte.
 * Source: XGBoost, doc/model.schema and src/tree/tree_model.cc, 1.7; LightGBM,
 * src/boosting/gbdt_model_text.cpp and src/io/tree.cpp, 3.3 and 4. */
#ifndef FOREIGN_MODEL_H
#define FOREIGN_MODEL_H

#include "server/foreign/foreign_read.h"

#define FOREIGN_BYTES_MAX ((size_t)256 << 20)
#define FOREIGN_FEATURES_MAX 8192
#define FOREIGN_NAME_BYTES_MAX 255
#define FOREIGN_CATEGORIES_MAX (1U << 20) /* in the sets of all splits */

enum foreign_kind { FOREIGN_XGBOOST, FOREIGN_LIGHTGBM };

/* What a split takes for missing beside a value that is not there. */
enum foreign_missing {
    FOREIGN_MISSING_NAN,  /* nothing else */
    FOREIGN_MISSING_NONE, /* nothing at all: what is not there counts as 0 */
    FOREIGN_MISSING_ZERO, /* 0, within 1e-35, too */
};

struct foreign_node {
    double threshold; /* XGBoost: left if the value is below it, both as floats; LightGBM: left if
                         it is not above it */
    double value;     /* of a leaf */
    double cover;     /* of the training rows: their weight or number */
    uint32_t right;   /* the right child, among the nodes of the model; 0 of a leaf */
    uint32_t feature;
    uint32_t set_first, set_count; /* categories of the split, in the model's list */
    enum foreign_missing missing;
    bool leaf;
    bool categorical;
    bool set_left; /* a value of the set goes left; else right */
    bool missing_left;
};

struct foreign_model {
    enum foreign_kind kind;
    char version[32];
    char objective[64];
    char **features; /* names, each once */
    size_t feature_count;
    struct foreign_node *nodes; /* in preorder: a left child stands behind its node */
    size_t node_count, node_room;
    uint32_t *firsts; /* firsts[tree_count] = node_count */
    size_t tree_count, tree_room;
    uint32_t *categories;
    size_t category_count, category_room;
    double base;   /* margin of a row before any tree */
    double scale;  /* leaves times this are logits: LightGBM's sigmoid; else 1 */
    bool logistic; /* the margin is a logit of p */
};

/* NULL with *fault. */
struct foreign_model *foreign_model_read(struct proto_span bytes, struct proto_fault *fault);
void foreign_model_destroy(struct foreign_model *model); /* NULL is fine */

/* Where a value goes at a split; NaN is missing. */
bool foreign_goes_left(const struct foreign_model *model, const struct foreign_node *node,
                       double value);
/* The margin of one row by the model itself, in doubles, node by node: values by feature, NaN is
 * missing. For tests; icpd scores by model_raw. */
double foreign_model_margin(const struct foreign_model *model, const double *values);

/* The readers of each kind, for foreign_model_read; what they add to the model stays its own. */
bool foreign_xgboost_read(struct foreign_model *model, struct foreign_reader *reader);
bool foreign_lightgbm_read(struct foreign_model *model, struct proto_span text,
                           struct foreign_reader *reader);

#endif

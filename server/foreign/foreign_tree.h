/* SPDX-License-Identifier: Apache-2.0 */
/* Trees as files have them, nodes in any order with the numbers of their children, into the
 * preorder of the model. Shared by the readers of server/foreign. Ownership: borrows. Errors: false
 * with what is wrong in *slip, or with a fault of the reader, PROTO_BAD_DOCUMENT; neither: no
 * memory. Threads: pure. */
#ifndef FOREIGN_TREE_H
#define FOREIGN_TREE_H

#include "server/foreign/foreign_model.h"

struct foreign_raw_node {
    struct foreign_node node; /* right is not set */
    int64_t left, right;      /* numbers of nodes; not looked at of a leaf */
};

/* Of which number of a node something is wrong. */
enum foreign_slip_part {
    FOREIGN_SLIP_TREE, /* of none alone */
    FOREIGN_SLIP_COVER,
    FOREIGN_SLIP_VALUE,
    FOREIGN_SLIP_FEATURE,
    FOREIGN_SLIP_THRESHOLD,
    FOREIGN_SLIP_LEFT,
    FOREIGN_SLIP_RIGHT,
    FOREIGN_SLIP_PARTS
};

/* What is wrong with which node; no memory if `what` is NULL. */
struct foreign_slip {
    const char *what;
    size_t node;
    enum foreign_slip_part part;
};

/* Room for a tree of so many nodes; false: no memory, and *nodes is what it was. */
bool foreign_raw_room(struct foreign_raw_node **nodes, size_t *room, size_t count);

/* Appends the tree whose root is node 0; nodes that nothing leads to are left out. */
bool foreign_tree_add(struct foreign_model *model, const struct foreign_raw_node *nodes,
                      size_t count, struct foreign_slip *slip);
/* Appends a category to the model's list; false: too many, with a fault at that place, or no
 * memory. */
bool foreign_category_add(struct foreign_model *model, struct foreign_reader *reader, size_t at,
                          uint32_t category);
/* Appends a feature's name; false: no memory. Whether it is there already is not looked at. */
bool foreign_feature_add(struct foreign_model *model, const char *name, size_t bytes);
/* Whether no two features have one name; false: two have, with a fault at that place, or no memory.
 */
bool foreign_features_differ(const struct foreign_model *model, struct foreign_reader *reader,
                             size_t at);

/* foreign_xgboost_tree.c: the next value, an array of trees, into the model. */
bool foreign_xgboost_trees(struct foreign_model *model, struct foreign_reader *reader);

/* Whether an objective is read, and what its margin means; *known false if it is none of them. */
bool foreign_objective_logistic(const char *objective, bool *known);
/* For messages. */
#define FOREIGN_OBJECTIVES                                                                         \
    "binary:logistic, binary:logitraw, reg:logistic and reg:squarederror of XGBoost, binary, "     \
    "cross_entropy and regression of LightGBM"

#endif

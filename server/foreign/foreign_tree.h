/* SPDX-License-Identifier: Apache-2.0 */
/* Trees as files have them, nodes in any order with the numbers of their children, into the
 * preorder of the model. Shared by the readers of server/foreign. Ownership: borrows. Errors: false
 * with what is wrong in *slip. Threads: pure. */
#ifndef FOREIGN_TREE_H
#define FOREIGN_TREE_H

#include "server/foreign/foreign_model.h"

struct foreign_raw_node {
    struct foreign_node node; /* right is not set */
    int64_t left, right;      /* numbers of nodes; not looked at of a leaf */
};

/* What is wrong with which node; no memory if `what` is NULL. */
struct foreign_slip {
    const char *what;
    size_t node;
};

/* Appends the tree whose root is node 0; nodes that nothing leads to are left out. */
bool foreign_tree_add(struct foreign_model *model, const struct foreign_raw_node *nodes,
                      size_t count, struct foreign_slip *slip);
/* Appends categories to the model's list; false: no memory, or too many. */
bool foreign_category_add(struct foreign_model *model, uint32_t category);
/* Appends a feature's name; false: no memory. Whether it is there already is not looked at. */
bool foreign_feature_add(struct foreign_model *model, const char *name, size_t bytes);
/* Two features of one name: the second's place; feature_count if there are none. */
size_t foreign_feature_twice(const struct foreign_model *model);

/* Whether an objective is read, and what its margin means; *known false if it is none of them. */
bool foreign_objective_logistic(const char *objective, bool *known);
/* For messages. */
#define FOREIGN_OBJECTIVES                                                                         \
    "binary:logistic, binary:logitraw, reg:logistic and reg:squarederror of XGBoost, binary, "     \
    "cross_entropy and regression of LightGBM"

#endif

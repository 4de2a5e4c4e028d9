/* SPDX-License-Identifier: Apache-2.0 */
/* Thresholds become edges, splits become codes, leaves become billionths; then the trees are
 * checked as any others (model_trees_seal). */
#include "server/foreign/foreign_bind.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/foreign/foreign_parts.h"

/* What is made while nodes are taken over. */
struct binding {
    const struct foreign_model *model;
    const struct foreign_use *uses;
    const struct feature_schema *schema;
    struct foreign_cuts cuts;
    struct foreign_bound *bound;
};

void foreign_bound_fini(struct foreign_bound *bound)
{
    model_trees_destroy(bound->trees);
    feature_codebook_destroy(bound->codebook);
    *bound = (struct foreign_bound){0};
}

/* Codes from 1 up without a gap are a range; anything else is a set, each kept once. */
static bool codes_write(struct model_trees *trees, const struct model_code_set *left, size_t bins,
                        struct model_tree_node *node, struct proto_fault *fault)
{
    size_t upto = 0;
    size_t count = 0;
    for (size_t code = 1; code < bins; code++) {
        bool in = (left->bits[code / 64] >> (code % 64) & 1) != 0;
        count += in;
        upto += in && upto + 1 == code;
    }
    if (upto == count) {
        node->upto = (uint8_t)upto;
        node->missing_left = (left->bits[0] & 1) != 0;
        return true;
    }
    for (size_t s = 0; s < trees->set_count; s++) {
        if (memcmp(&trees->sets[s], left, sizeof *left) == 0) {
            node->set = (uint16_t)(s + 1);
            return true;
        }
    }
    if (trees->set_count == MODEL_TREES_SETS_MAX) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "",
                               "more than %d different sets of categories are asked",
                               MODEL_TREES_SETS_MAX);
    }
    trees->sets[trees->set_count++] = *left;
    node->set = (uint16_t)trees->set_count;
    return true;
}

/* Of the training rows of a split, the share that went left; half where none is known. */
static uint32_t share_of(const struct foreign_node *split, const struct foreign_node *left)
{
    double share = split->cover > 0 ? left->cover / split->cover : 0.5;
    return (uint32_t)round(fmin(share, 1.0) * MODEL_TREES_SHARE_ONE);
}

static bool split_bind(struct binding *binding, size_t i, struct proto_fault *fault)
{
    const struct foreign_node *from = &binding->model->nodes[i];
    const struct foreign_use *use = &binding->uses[from->feature];
    const struct feature_codebook *codebook = binding->bound->codebook;
    struct model_tree_node *node = &binding->bound->trees->nodes[i];
    struct model_code_set left;
    uint16_t column;
    foreign_split_codes(binding->model, from, use,
                        &binding->cuts.fields[use->field - binding->schema->fields], codebook,
                        &column, &left);
    node->column = column;
    node->right = from->right;
    node->share = share_of(from, from + 1);
    return codes_write(binding->bound->trees, &left, codebook->columns[column].bin_count, node,
                       fault);
}

static bool leaf_bind(const struct foreign_model *model, const struct foreign_node *from,
                      struct model_tree_node *node, struct proto_fault *fault)
{
    double value = from->value * model->scale * 1e9;
    if (!(fabs(value) <= (double)MODEL_TREES_SUM_MAX)) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "",
                               "a leaf of %g: scores up to 500 are served%s",
                               from->value * model->scale,
                               model->logistic ? "" : "; train on the outcome in larger units");
    }
    *node = (struct model_tree_node){.value = (int64_t)round(value), .column = MODEL_TREES_LEAF};
    return true;
}

static bool nodes_bind(struct binding *binding, struct proto_fault *fault)
{
    const struct foreign_model *model = binding->model;
    struct model_trees *trees = binding->bound->trees;
    for (size_t i = 0; i < model->node_count; i++) {
        if (model->nodes[i].leaf ? !leaf_bind(model, &model->nodes[i], &trees->nodes[i], fault)
                                 : !split_bind(binding, i, fault)) {
            return false;
        }
    }
    return true;
}

static bool trees_make(struct binding *binding, struct proto_fault *fault)
{
    const struct foreign_model *model = binding->model;
    struct model_trees *trees =
        model_trees_create(model->node_count, model->tree_count, MODEL_TREES_SETS_MAX);
    if (trees == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the trees");
    }
    binding->bound->trees = trees;
    trees->set_count = 0; /* room for all, none yet */
    if (model->tree_count > 0) {
        memcpy(trees->firsts, model->firsts, (model->tree_count + 1) * sizeof *trees->firsts);
    }
    double base = model->base * 1e9;
    if (!(fabs(base) <= (double)MODEL_TREES_SUM_MAX)) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "",
                               "a base score of %g: scores up to 500 are served", model->base);
    }
    trees->base = (int64_t)round(base);
    trees->logistic = model->logistic;
    return nodes_bind(binding, fault) && model_trees_seal(trees, binding->bound->codebook, fault);
}

bool foreign_bind(const struct foreign_model *model, const struct foreign_use *uses,
                  const struct feature_schema *schema, struct foreign_bound *bound,
                  struct proto_fault *fault)
{
    struct binding binding = {.model = model, .uses = uses, .schema = schema, .bound = bound};
    *bound = (struct foreign_bound){0};
    bool ok = foreign_cuts_make(model, uses, schema, &binding.cuts, fault);
    if (ok) {
        json_t *json = foreign_cuts_codebook(&binding.cuts, schema);
        bound->codebook = json != NULL ? feature_codebook_from_json(json, schema, fault) : NULL;
        ok = bound->codebook != NULL ||
             (json == NULL && proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory"));
        json_decref(json);
    }
    ok = ok && trees_make(&binding, fault);
    foreign_cuts_fini(&binding.cuts);
    if (!ok) {
        foreign_bound_fini(bound);
    }
    return ok;
}

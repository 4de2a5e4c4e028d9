/* SPDX-License-Identifier: Apache-2.0 */
/* Contributions, path by path, compiled once per instruction set by the files that include this
 * one. Of each path the factors z (1 − t) + o t are multiplied from both ends, so that the product
 * without one factor needs no division. What consecutive paths of a tree share is worked out once:
 * the products before, and behind the sum over the paths that go on from there. Four points of the
 * rule stand side by side in a register, and what they add up to of a column stays four numbers
 * until the last path is done: the same sums in the same order on every instruction set.
 * Ownership: borrows plan and codes, writes what the caller gives. Errors: none. Threads: pure.
 * Cost: paths × depth × points of the rule; see trees.h. */
#ifndef MODEL_TREES_SHAP_BODY_H
#define MODEL_TREES_SHAP_BODY_H

#include <string.h>

#include "server/model/trees_plan.h"

/* Not of the width of a register everywhere: the compiler takes two where it must. */
typedef double shap_part __attribute__((vector_size(8 * MODEL_SHAP_POINTS)));

/* Factors of a path at four points, the products of those before each, and what is behind each of
 * the paths that go on from there and were done: without its factor and those before. */
struct shap_factors {
    shap_part at[MODEL_TREES_DEPTH_MAX];
    shap_part before[MODEL_TREES_DEPTH_MAX + 1];
    shap_part behind[MODEL_TREES_DEPTH_MAX + 1];
    double sign[MODEL_TREES_DEPTH_MAX]; /* o − z */
};

static inline bool shap_met(const struct model_trees_plan *plan, const struct model_path_step *step,
                            uint8_t code)
{
    return __builtin_expect(step->set != 0, 0)
               ? model_code_in(&plan->sets[step->set - 1], code)
               : (uint8_t)(code - step->low) <= (uint8_t)(step->high - step->low);
}

/* One path: forward from where it leaves the way of the path before, and back to where the next one
 * leaves its own. */
static inline void shap_path(const struct model_trees_plan *plan, const struct model_path *path,
                             size_t shared_next, const uint8_t *codes, const shap_part *at,
                             struct shap_factors *factors, shap_part *sums)
{
    const shap_part points = at[0]; /* then their weights */
    const struct model_path_step *steps = &plan->steps[path->first];
    shap_part product = factors->before[path->shared];
    for (size_t j = path->shared; j < path->count; j++) {
        bool met = shap_met(plan, &steps[j], codes[steps[j].column]);
        factors->sign[j] = (met ? 1.0 : 0.0) - steps[j].share;
        factors->at[j] = steps[j].share + factors->sign[j] * points;
        product *= factors->at[j];
        factors->before[j + 1] = product;
    }
    shap_part behind = at[1] * path->value;
    for (size_t j = path->count; j-- > shared_next;) {
        behind += factors->behind[j + 1];
        factors->behind[j + 1] = (shap_part){0};
        sums[steps[j].column] += factors->sign[j] * (factors->before[j] * behind);
        behind *= factors->at[j];
    }
    factors->behind[shared_next] += behind;
}

/* A group at each four points of its rule. */
static inline void shap_group(const struct model_trees_plan *plan,
                              const struct model_path_group *group, const uint8_t *codes,
                              struct shap_factors *factors, shap_part *sums)
{
    const struct model_path *paths = &plan->paths[group->first];
    const size_t rule = model_rule_first((size_t)group->parts * MODEL_SHAP_POINTS);
    for (size_t part = 0; part < group->parts; part++) {
        shap_part at[2];
        memcpy(&at[0], &plan->points[rule + part * MODEL_SHAP_POINTS], sizeof at[0]);
        memcpy(&at[1], &plan->weights[rule + part * MODEL_SHAP_POINTS], sizeof at[1]);
        factors->before[0] = (shap_part){0} + 1.0;
        factors->behind[0] = (shap_part){0};
        for (size_t i = 0; i < group->count; i++) {
            size_t next = i + 1 < group->count ? paths[i + 1].shared : 0;
            shap_path(plan, &paths[i], next, codes, at, factors, sums);
        }
    }
}

static void shap_add(const struct model_trees *trees, const uint8_t *row, double *phi)
{
    struct shap_factors factors;
    shap_part sums[PROTO_COLUMNS_MAX];
    uint8_t codes[PROTO_COLUMNS_MAX];
    for (size_t c = 0; c < trees->column_count; c++) {
        codes[c] = row[trees->columns[c]];
        sums[c] = (shap_part){0};
    }
    for (size_t i = 0; i <= MODEL_TREES_DEPTH_MAX; i++) {
        factors.behind[i] = (shap_part){0};
    }
    for (size_t i = 0; i < trees->plan->group_count; i++) {
        shap_group(trees->plan, &trees->plan->groups[i], codes, &factors, sums);
    }
    for (size_t c = 0; c < trees->column_count; c++) {
        phi[c] = (sums[c][0] + sums[c][1]) + (sums[c][2] + sums[c][3]);
    }
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Contributions, path by path. Of each path the factors z (1 − t) + o t at the points of its rule
 * are multiplied from both ends, so that the product without one factor needs no division. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "server/model/trees_plan.h"

static bool step_met(const struct model_trees_plan *plan, const struct model_path_step *step,
                     uint8_t code)
{
    if (step->set >= 2) {
        return model_code_in(&plan->sets[step->set - 2], code);
    }
    return code == 0 ? step->set == 1 : code >= step->low && code <= step->high;
}

/* Factors of a path at the points of its rule, and the products of those before each. */
struct factors {
    double at[MODEL_TREES_DEPTH_MAX][MODEL_RULES_MAX];
    double before[MODEL_TREES_DEPTH_MAX][MODEL_RULES_MAX];
    double sign[MODEL_TREES_DEPTH_MAX]; /* o − z */
};

static void factors_fill(const struct model_trees *trees, const struct model_path *path,
                         const uint8_t *row, const double *points, size_t n,
                         struct factors *factors)
{
    const struct model_path_step *steps = &trees->plan->steps[path->first];
    for (size_t j = 0; j < path->count; j++) {
        uint8_t code = row[trees->columns[steps[j].column]];
        double met = step_met(trees->plan, &steps[j], code) ? 1.0 : 0.0;
        double share = steps[j].share;
        factors->sign[j] = met - share;
        for (size_t q = 0; q < n; q++) {
            factors->at[j][q] = share + (met - share) * points[q];
            factors->before[j][q] =
                j == 0 ? 1.0 : factors->before[j - 1][q] * factors->at[j - 1][q];
        }
    }
}

static void path_add(const struct model_trees *trees, const struct model_path *path,
                     const uint8_t *row, struct factors *factors, double *phi)
{
    const struct model_trees_plan *plan = trees->plan;
    size_t n = (path->count + 1) / 2;
    const double *points = &plan->points[model_rule_first(n)];
    double behind[MODEL_RULES_MAX]; /* the weight and the factors behind, times the value */
    factors_fill(trees, path, row, points, n, factors);
    for (size_t q = 0; q < n; q++) {
        behind[q] = plan->weights[model_rule_first(n) + q] * path->value;
    }
    for (size_t j = path->count; j-- > 0;) {
        double sum = 0;
        for (size_t q = 0; q < n; q++) {
            sum += factors->before[j][q] * behind[q];
            behind[q] *= factors->at[j][q];
        }
        phi[plan->steps[path->first + j].column] += factors->sign[j] * sum;
    }
}

void model_trees_shap(const struct model_trees *trees, const uint8_t *row, double *phi)
{
    struct factors factors;
    for (size_t c = 0; c < trees->column_count; c++) {
        phi[c] = 0;
    }
    for (size_t i = 0; i < trees->plan->path_count; i++) {
        const struct model_path *path = &trees->plan->paths[i];
        if (path->count > 0) {
            path_add(trees, path, row, &factors, phi);
        }
    }
}

/* Of those not yet moved, the one whose rounding left the most on the side that is short. */
static size_t farthest(const double *phi, const int32_t *contributions, size_t count, int side,
                       const bool *moved)
{
    size_t best = count;
    double most = 0;
    for (size_t c = 0; c < count; c++) {
        double left = side * (phi[c] / 1000.0 - (double)contributions[c]);
        if (!moved[c] && (best == count || left > most)) {
            best = c;
            most = left;
        }
    }
    return best;
}

void model_trees_contributions(const struct model_trees *trees, const uint8_t *row,
                               int64_t intercept, int32_t *contributions)
{
    size_t count = trees->column_count;
    double phi[PROTO_COLUMNS_MAX];
    bool moved[PROTO_COLUMNS_MAX];
    int64_t left = model_trees_raw(trees, row) - intercept;
    model_trees_shap(trees, row, phi);
    for (size_t c = 0; c < count; c++) {
        contributions[c] = (int32_t)round(phi[c] / 1000.0);
        left -= contributions[c];
    }
    while (left != 0 && count > 0) {
        int side = left > 0 ? 1 : -1;
        memset(moved, 0, count * sizeof *moved);
        for (size_t i = 0; i < count && left != 0; i++) {
            size_t at = farthest(phi, contributions, count, side, moved);
            moved[at] = true;
            contributions[at] += side;
            left -= side;
        }
    }
    assert(left == 0); /* without a column there is one raw score, and it is the intercept */
}

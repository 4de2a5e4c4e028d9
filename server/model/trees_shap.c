/* SPDX-License-Identifier: Apache-2.0 */
/* Contributions as whole millionths that add up to the raw score: by the kernel in doubles
 * (trees_shap_body.h), then rounded. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "server/model/trees_plan.h"

void model_trees_shap(const struct model_trees *trees, const uint8_t *row, double *phi)
{
    trees->plan->kernel->shap(trees, row, phi);
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

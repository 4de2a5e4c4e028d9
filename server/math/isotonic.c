/* SPDX-License-Identifier: Apache-2.0 */
#include "server/math/isotonic.h"

#include <stdlib.h>

struct isotonic_block {
    double sum; /* of weight · y */
    double weight;
    size_t end;
};

bool math_isotonic(const double *y, const double *weights, size_t count, double *fitted)
{
    struct isotonic_block *blocks = malloc((count + 1) * sizeof *blocks);
    if (blocks == NULL) {
        return false;
    }
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        double weight = weights != NULL ? weights[i] : 1.0;
        blocks[used++] = (struct isotonic_block){weight * y[i], weight, i + 1};
        /* A block whose mean does not exceed its neighbour's on the left is pooled with it. */
        while (used > 1 && blocks[used - 1].sum * blocks[used - 2].weight <=
                               blocks[used - 2].sum * blocks[used - 1].weight) {
            blocks[used - 2].sum += blocks[used - 1].sum;
            blocks[used - 2].weight += blocks[used - 1].weight;
            blocks[used - 2].end = blocks[used - 1].end;
            used--;
        }
    }
    size_t i = 0;
    for (size_t b = 0; b < used; b++) {
        for (; i < blocks[b].end; i++) {
            fitted[i] = blocks[b].sum / blocks[b].weight;
        }
    }
    free(blocks);
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Sums, and what they come to. */
#include "server/measure/ratio.h"

#include <math.h>

#include "server/measure/spell.h"

void measure_ratio_add(struct measure_ratio *ratio, double part, double whole)
{
    ratio->n++;
    ratio->part += part;
    ratio->whole += whole;
    ratio->part_squares += part * part;
    ratio->whole_squares += whole * whole;
    ratio->products += part * whole;
}

double measure_ratio_discount(const struct measure_ratio *ratio, double *error)
{
    double n = (double)ratio->n;
    *error = MEASURE_NAN;
    if (!(ratio->whole > 0)) {
        return MEASURE_NAN;
    }
    double of = ratio->part / ratio->whole;
    double spread = ratio->part_squares - 2 * of * ratio->products + of * of * ratio->whole_squares;
    if (n > 1) {
        *error = sqrt(fmax(spread, 0) * n / (n - 1)) / ratio->whole;
    }
    return 1 - of;
}

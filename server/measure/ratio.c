/* SPDX-License-Identifier: Apache-2.0 */
/* Sums, and what they come to; over nothing there is no ratio, of one pair no error. */
#include "server/measure/ratio.h"

#include <math.h>

#include "server/measure/spell.h"

void measure_sums_add(struct measure_sums *sums, double part, double whole)
{
    sums->n++;
    sums->part += part;
    sums->whole += whole;
    sums->part_squares += part * part;
    sums->whole_squares += whole * whole;
    sums->products += part * whole;
}

double measure_sums_ratio(const struct measure_sums *sums, double *error)
{
    double n = (double)sums->n;
    *error = MEASURE_NAN;
    if (!(sums->whole > 0)) {
        return MEASURE_NAN;
    }
    double ratio = sums->part / sums->whole;
    double spread =
        sums->part_squares - 2 * ratio * sums->products + ratio * ratio * sums->whole_squares;
    if (n > 1) {
        *error = sqrt(fmax(spread, 0) * n / (n - 1)) / sums->whole;
    }
    return ratio;
}

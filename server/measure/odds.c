/* SPDX-License-Identifier: Apache-2.0 */
/* Sums over strata; nothing can fail. */
#include "server/measure/odds.h"

#include <math.h>

#include "server/math/auc.h"
#include "server/measure/spell.h"

void measure_odds_add(struct measure_odds *odds, double a, double b, double c, double d)
{
    double n = a + b + c + d;
    double with = a + b;
    double won = a + c;
    if (n <= 0) {
        return;
    }
    odds->n += n;
    odds->with += with;
    odds->won_with += a;
    odds->won += won;
    double p = (a + d) / n;
    double q = (b + c) / n;
    double r = a * d / n;
    double s = b * c / n;
    odds->above += r;
    odds->below += s;
    odds->pr += p * r;
    odds->ps_qr += p * s + q * r;
    odds->qs += q * s;
    odds->expected += with * won / n;
    odds->variance += n > 1 ? with * (n - with) * won * (n - won) / (n * n * (n - 1)) : 0;
    odds->least += fmax(0, with + won - n);
    odds->most += fmin(with, won);
}

void measure_odds_ratio(const struct measure_odds *odds, double *ratio, double *low, double *high)
{
    double r = odds->above;
    double s = odds->below;
    *low = *high = MEASURE_NAN;
    *ratio = r > 0 || s > 0 ? r / s : MEASURE_NAN;
    if (r > 0 && s > 0) {
        double variance =
            odds->pr / (2 * r * r) + odds->ps_qr / (2 * r * s) + odds->qs / (2 * s * s);
        double reach = exp(MATH_Z_95 * sqrt(variance));
        *low = *ratio / reach;
        *high = *ratio * reach;
    }
}

double measure_odds_z(const struct measure_odds *odds)
{
    double off = odds->won_with - odds->expected;
    double room = fmin(odds->expected - odds->least, odds->most - odds->expected);
    if (room < MEASURE_ODDS_ROOM || odds->variance <= 0) {
        return MEASURE_NAN;
    }
    return copysign(fmax(fabs(off) - 0.5, 0) / sqrt(odds->variance), off);
}

double measure_two_sided(double z)
{
    return erfc(fabs(z) / M_SQRT2);
}

double measure_one_sided(double z)
{
    return erfc(z / M_SQRT2) / 2;
}

void measure_yekutieli(double *p, const uint32_t *order, size_t count)
{
    double harmonic = 0;
    double least = 1;
    for (size_t i = 1; i <= count; i++) {
        harmonic += 1 / (double)i;
    }
    for (size_t i = count; i > 0; i--) {
        least = fmin(least, p[order[i - 1]] * (double)count * harmonic / (double)i);
        p[order[i - 1]] = least;
    }
}

void measure_holm(double *p, const uint32_t *order, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++) {
        most = fmax(most, fmin(p[order[i]] * (double)(count - i), 1));
        p[order[i]] = most;
    }
}

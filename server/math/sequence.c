/* SPDX-License-Identifier: Apache-2.0 */
/* One pass for mean and V, then the root of the mixture by halving. */
#include "server/math/sequence.h"

#include <math.h>

#include "server/math/chi_square.h"
#include "server/math/special.h"

#define RANGE 2.0 /* c of the mixture: the range that values are scaled to */

enum { HALVINGS = 200 };

/* The setting of the mixture at which it is tightest at that V. */
static double rho_of(double best, double alpha)
{
    double l = -log(alpha);
    return best / (2 * l + log(1 + 2 * l));
}

/* ln M(s, v) */
static double mixture(double s, double v, double rho)
{
    double square = RANGE * RANGE;
    double r = rho / square;
    double a = (v + rho) / square;
    double x = (RANGE * s + v) / square;
    double lead = r * log(r) - math_lgamma(r) - log(math_gamma_p(r, r));
    return lead + math_lgamma(a) + log(math_gamma_p(a, x + r)) - a * log(x + r) + x;
}

static double bound(double v, double rho, double threshold)
{
    double low = 0;
    double high = 1;
    while (mixture(high, v, rho) < threshold && high < 1e12) {
        low = high;
        high *= 2;
    }
    for (int i = 0; i < HALVINGS && high - low > 1e-14 * high; i++) {
        double middle = low + (high - low) / 2;
        if (mixture(middle, v, rho) < threshold) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return high;
}

struct math_sequence math_sequence_mean(const double *x, size_t count,
                                        const struct math_sequence_options *options)
{
    double sum = 0;
    double spread = 0;
    double scale = RANGE / options->width;
    if (count == 0 || !(options->width > 0)) {
        return (struct math_sequence){.low = -options->width, .high = options->width};
    }
    for (size_t i = 0; i < count; i++) {
        double value = x[i] * scale;
        double away = value - (i > 0 ? sum / (double)i : 0);
        spread += away * away;
        sum += value;
    }
    double n = (double)count;
    double u = bound(spread > 1 ? spread : 1, rho_of(options->best, options->alpha),
                     -log(options->alpha / 2));
    return (struct math_sequence){
        .mean = sum / n / scale, .low = (sum - u) / n / scale, .high = (sum + u) / n / scale};
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/load_zipf.h"

#include <math.h>

/* Below this (1 − s)·ln x the quotient is taken by its series, which does not cancel. */
#define SMALL 1e-8

static double quotient_expm1(double x)
{
    return fabs(x) > SMALL ? expm1(x) / x : 1 + x / 2;
}

static double quotient_log1p(double x)
{
    return fabs(x) > SMALL ? log1p(x) / x : 1 - x / 2;
}

/* H(x), an integral of h(x) = x^−s. */
static double integral(double exponent, double x)
{
    double log_x = log(x);
    return quotient_expm1((1 - exponent) * log_x) * log_x;
}

static double integral_inverse(double exponent, double y)
{
    double t = y * (1 - exponent);
    return exp(quotient_log1p(t < -1 ? -1 : t) * y);
}

static double density(double exponent, double x)
{
    return exp(-exponent * log(x));
}

void load_zipf_init(struct load_zipf *zipf, double exponent, uint64_t count)
{
    zipf->exponent = exponent;
    zipf->count = count;
    zipf->low = integral(exponent, 1.5) - 1;
    zipf->high = integral(exponent, (double)count + 0.5);
    zipf->shortcut = 2 - integral_inverse(exponent, integral(exponent, 2.5) - density(exponent, 2));
}

uint64_t load_zipf_draw(const struct load_zipf *zipf, struct math_random *random)
{
    for (;;) {
        double u = zipf->high + math_random_unit(random) * (zipf->low - zipf->high);
        double x = integral_inverse(zipf->exponent, u);
        double k = floor(x + 0.5);
        k = k < 1 ? 1 : k > (double)zipf->count ? (double)zipf->count : k;
        if (k - x <= zipf->shortcut ||
            u >= integral(zipf->exponent, k + 0.5) - density(zipf->exponent, k)) {
            return (uint64_t)k - 1;
        }
    }
}

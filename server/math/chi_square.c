/* SPDX-License-Identifier: Apache-2.0 */
/* P by whichever of two expansions converges, a point by halving an interval that holds it. */
#include "server/math/chi_square.h"

#include <math.h>

#include "server/math/special.h"

enum { TERMS_MAX = 1 << 20, DEGREES_MAX = 10000, HALVINGS = 200 };
#define TINY 1e-300
#define SMALL 1e-16

/* exp(-x) x^a / Γ(a) */
static double weight(double a, double x)
{
    return exp(a * log(x) - x - math_lgamma(a));
}

static double by_series(double a, double x)
{
    double term = 1 / a;
    double sum = term;
    for (int k = 1; k < TERMS_MAX && fabs(term) > SMALL * sum; k++) {
        term *= x / (a + k);
        sum += term;
    }
    return sum * weight(a, x);
}

/* 1 - P, by the continued fraction. */
static double by_fraction(double a, double x)
{
    double b = x + 1 - a;
    double c = 1 / TINY;
    double d = 1 / b;
    double h = d;
    for (int k = 1; k < TERMS_MAX; k++) {
        double step = -k * (k - a);
        b += 2;
        d = step * d + b;
        d = fabs(d) < TINY ? TINY : d;
        c = b + step / c;
        c = fabs(c) < TINY ? TINY : c;
        d = 1 / d;
        h *= d * c;
        if (fabs(d * c - 1) < SMALL) {
            break;
        }
    }
    return h * weight(a, x);
}

double math_gamma_p(double a, double x)
{
    if (!(a > 0) || !(x >= 0)) {
        return MATH_NAN;
    }
    if (x == 0) {
        return 0;
    }
    return x < a + 1 ? by_series(a, x) : 1 - by_fraction(a, x);
}

double math_chi_square_point(unsigned degrees, double share)
{
    if (degrees < 1 || degrees > DEGREES_MAX || !(share > 0) || !(share < 1)) {
        return MATH_NAN;
    }
    double a = degrees / 2.0;
    double low = 0;
    double high = a + 1;
    while (math_gamma_p(a, high) < share && high < 1e9) {
        high *= 2;
    }
    for (int i = 0; i < HALVINGS && high - low > SMALL * high; i++) {
        double middle = low + (high - low) / 2;
        if (math_gamma_p(a, middle) < share) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return 2 * (low + (high - low) / 2);
}

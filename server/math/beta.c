/* SPDX-License-Identifier: Apache-2.0 */
/* The fraction converges fast on one side of the mean; on the other that of the mirrored
 * distribution is taken. What is outside of the stated range is NAN. */
#include "server/math/beta.h"

#include <math.h>
#include <stdbool.h>

#include "server/math/special.h"

enum { TERMS_MAX = 100000, HALVINGS = 60 };
#define TINY 1e-300

static double kept_off_zero(double x)
{
    return fabs(x) < TINY ? TINY : x;
}

/* Lentz: the fraction from the top, numerator and denominator as ratios. */
static double fraction(double a, double b, double x)
{
    double c = 1;
    double d = 1 / kept_off_zero(1 - (a + b) * x / (a + 1));
    double value = d;
    for (int m = 1; m <= TERMS_MAX; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 / kept_off_zero(1 + even * d);
        c = kept_off_zero(1 + even / c);
        value *= d * c;
        d = 1 / kept_off_zero(1 + odd * d);
        c = kept_off_zero(1 + odd / c);
        value *= d * c;
        if (fabs(d * c - 1) < 1e-16) {
            break;
        }
    }
    return value;
}

double math_beta_share(double a, double b, double x)
{
    if (!(a > 0) || !(b > 0) || !(x >= 0 && x <= 1)) {
        return MATH_NAN;
    }
    if (x == 0 || x == 1) {
        return x;
    }
    double front = exp(a * log(x) + b * log1p(-x) - math_lbeta(a, b));
    return x < (a + 1) / (a + b + 2) ? front * fraction(a, b, x) / a
                                     : 1 - front * fraction(b, a, 1 - x) / b;
}

double math_beta_point(double a, double b, double share)
{
    if (!(a > 0) || !(b > 0) || !(share > 0 && share < 1)) {
        return MATH_NAN;
    }
    double low = 0;
    double high = 1;
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (low + high) / 2;
        bool below = math_beta_share(a, b, middle) < share;
        low = below ? middle : low;
        high = below ? high : middle;
    }
    return (low + high) / 2;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Gamma by libm without its sign in a global, the hypergeometric series until a term adds nothing.
 */
#include "server/math/special.h"

#include <math.h>
#include <stdbool.h>

double math_lgamma(double x)
{
    int sign = 0;
    return x > 0 ? lgamma_r(x, &sign) : MATH_NAN;
}

double math_lbeta(double a, double b)
{
    return math_lgamma(a) + math_lgamma(b) - math_lgamma(a + b);
}

static double series(double a, double b, double c, double z)
{
    double sum = 1;
    double term = 1;
    for (int k = 0; k < MATH_HYP2F1_TERMS_MAX; k++) {
        double ratio = (a + k) * (b + k) / ((c + k) * (1.0 + k)) * z;
        term *= ratio;
        sum += term;
        /* Terms that grow at first are not the end. */
        if (fabs(term) <= 1e-17 * fabs(sum) * (1 - fabs(z)) && fabs(ratio) < 1) {
            return sum;
        }
    }
    return MATH_NAN;
}

double math_hyp2f1(double a, double b, double c, double z)
{
    if (!(z < 1) || !(c > 0)) {
        return MATH_NAN;
    }
    if (z < 0) {
        return pow(1 - z, -a) * series(a, c - b, c, z / (z - 1));
    }
    return series(a, b, c, z);
}

double math_normal_point(double share)
{
    if (!(share > 0 && share < 1)) {
        return MATH_NAN;
    }
    double low = -40;
    double high = 40;
    for (int i = 0; i < 100; i++) {
        double middle = (low + high) / 2;
        bool below = 0.5 * erfc(-middle / sqrt(2)) < share;
        low = below ? middle : low;
        high = below ? high : middle;
    }
    return (low + high) / 2;
}

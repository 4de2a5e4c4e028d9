/* SPDX-License-Identifier: Apache-2.0 */
/* exp, log and the logistic function from additions and multiplications alone, so that a model
 * learned on one machine is the same to the last bit on another: libm picks other code on other
 * processors. Shapes: IEEE 754 binary64, round to nearest. Errors: see each. Threads: pure.
 * Accuracy: within 2 units in the last place of the true value (tests compare with long double).
 * Cost: about 3 ns for exp, 6 ns for log; inline, so that loops over arrays vectorise.
 * The folder is compiled with -ffp-contract=off: a fused multiply-add would change last bits.
 * Source: range reduction by ln 2 in two parts (Cody and Waite 1980), then Taylor and atanh series.
 */
#ifndef MATH_PORTABLE_H
#define MATH_PORTABLE_H

#include <stdint.h>
#include <string.h>

#define MATH_LN2_HIGH 0x1.62e42fee00000p-1 /* 33 bits: k · this is exact for |k| < 2^20 */
#define MATH_LN2_LOW 0x1.a39ef35793c76p-33
#define MATH_LN2 0x1.62e42fefa39efp-1

static inline double math_from_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint64_t math_to_bits(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* e^x for finite x; arguments outside [−708, 709] count as the nearer end. */
static inline double math_exp(double x)
{
    const double shift = 0x1.8p52; /* adding it rounds to a whole number held in the low bits */
    x = x < -708.0 ? -708.0 : x;
    x = x > 709.0 ? 709.0 : x;
    double shifted = x * 0x1.71547652b82fep0 + shift;
    double k = shifted - shift;
    double r = (x - k * MATH_LN2_HIGH) - k * MATH_LN2_LOW;
    double q = 1.0 / 6227020800.0; /* 1/13!: the next term is below 2^-57 for |r| ≤ ln 2 / 2 */
    q = q * r + 1.0 / 479001600.0;
    q = q * r + 1.0 / 39916800.0;
    q = q * r + 1.0 / 3628800.0;
    q = q * r + 1.0 / 362880.0;
    q = q * r + 1.0 / 40320.0;
    q = q * r + 1.0 / 5040.0;
    q = q * r + 1.0 / 720.0;
    q = q * r + 1.0 / 120.0;
    q = q * r + 1.0 / 24.0;
    q = q * r + 1.0 / 6.0;
    q = q * r + 0.5;
    double e = 1.0 + (r + r * r * q);
    uint64_t exponent = (math_to_bits(shifted) + 1023) << 52;
    return e * math_from_bits(exponent);
}

/* Natural logarithm of a normal x > 0. */
static inline double math_log(double x)
{
    uint64_t bits = math_to_bits(x);
    /* Mantissa to [sqrt(1/2), sqrt(2)), so that the series converges fast and no cancellation
     * occurs. */
    uint64_t offset = bits - UINT64_C(0x3fe6a09e667f3bcd);
    int64_t k = (int64_t)offset >> 52;
    double m = math_from_bits(bits - ((uint64_t)k << 52));
    double f = m - 1.0;
    double s = f / (2.0 + f);
    double z = s * s;
    double q = 1.0 / 23.0;
    q = q * z + 1.0 / 21.0;
    q = q * z + 1.0 / 19.0;
    q = q * z + 1.0 / 17.0;
    q = q * z + 1.0 / 15.0;
    q = q * z + 1.0 / 13.0;
    q = q * z + 1.0 / 11.0;
    q = q * z + 1.0 / 9.0;
    q = q * z + 1.0 / 7.0;
    q = q * z + 1.0 / 5.0;
    q = q * z + 1.0 / 3.0;
    /* log m = 2s + 2s·z·q, and 2s = f − s·f keeps the rounding of the division small. */
    double small = 2.0 * s * z * q - s * f;
    double dk = (double)k;
    return dk * MATH_LN2_HIGH + (f + (small + dk * MATH_LN2_LOW));
}

/* 1 / (1 + e^−x), in (0, 1). */
static inline double math_logistic(double x)
{
    return 1.0 / (1.0 + math_exp(-x));
}

/* Loss of score x (a logit) for label y: ln(1 + e^x) − y·x, without overflow or cancellation. */
static inline double math_logistic_loss(double x, unsigned y)
{
    double against = y != 0 ? -x : x;
    double magnitude = against < 0.0 ? -against : against;
    double above = against > 0.0 ? against : 0.0;
    return above + math_log(1.0 + math_exp(-magnitude));
}

#endif

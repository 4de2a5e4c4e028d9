/* SPDX-License-Identifier: Apache-2.0 */
/* The beta distribution: its share below a point, and the point below which a share lies.
 * Shapes: a and b > 0, 0 ≤ x ≤ 1, 0 < share < 1. Ownership: values. Errors: NAN outside of these.
 * Threads: pure. Accuracy: 1e-12 of the share against scipy for a and b up to a million; the point
 * by halving, to 2^-60. Cost: some 100 terms of a continued fraction, and 60 times that for a
 * point. Source: Abramowitz and Stegun 26.5.8; Lentz 1976 for how the fraction is evaluated. */
#ifndef MATH_BETA_H
#define MATH_BETA_H

double math_beta_share(double a, double b, double x);
double math_beta_point(double a, double b, double share);

#endif

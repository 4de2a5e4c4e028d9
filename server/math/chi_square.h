/* SPDX-License-Identifier: Apache-2.0 */
/* The regularised incomplete gamma function and, from it, chi-square.
 * Shapes: IEEE 754 doubles. Ownership: nothing is kept. Errors: NAN outside the stated range.
 * Threads: pure. Accuracy: relative 1e-11 against scipy's values for a up to 100, 1e-8 up
 * to 10^6; of a point 1e-10. Cost: some sqrt(a) terms, a point some 60 of those. Source: Numerical
 * Recipes 6.2: the series where x < a + 1, Lentz's continued fraction beyond. */
#ifndef MATH_CHI_SQUARE_H
#define MATH_CHI_SQUARE_H

/* P(a, x), the share of a gamma distribution of shape a > 0 below x >= 0. */
double math_gamma_p(double a, double x);
/* The point below which a share of 0 < share < 1 of chi-square with so many degrees of freedom
 * (1 to 10,000) lies. */
double math_chi_square_point(unsigned degrees, double share);

#endif

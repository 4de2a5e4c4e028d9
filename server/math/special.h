/* SPDX-License-Identifier: Apache-2.0 */
/* Special functions that models of lifetime need.
 * Shapes: IEEE 754 doubles. Ownership: nothing is kept. Errors: NAN outside the stated range.
 * Threads: pure (lgamma_r keeps no state). Accuracy: relative 1e-12 against closed forms and
 * scipy's values. Cost: math_hyp2f1 about 5 ns a term, ln(1e-16)/ln(z) terms. Source: Abramowitz
 * and Stegun 6.1, 15.1, 15.3.4. */
#ifndef MATH_SPECIAL_H
#define MATH_SPECIAL_H

#define MATH_NAN __builtin_nan("")
/* Terms of the series: enough for z = 0.9999 with large parameters. */
#define MATH_HYP2F1_TERMS_MAX 4000000

/* ln Γ(x), x > 0. */
double math_lgamma(double x);
/* ln B(a, b), a and b > 0. */
double math_lbeta(double a, double b);
/* ₂F₁(a, b; c; z) for −∞ < z < 1, c > 0: the series, after Pfaff's transformation for z < 0. NAN if
 * it has not converged after so many terms. */
double math_hyp2f1(double a, double b, double c, double z);
/* The point of the standard normal below which a share of 0 < share < 1 lies; to 1e-12. */
double math_normal_point(double share);

#endif

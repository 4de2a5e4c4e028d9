/* SPDX-License-Identifier: Apache-2.0 */
/* The lowest point of a smooth function of a few variables without its derivatives, and how curved
 * it is there. Nelder and Mead's simplex, begun anew from where it ended until that gains nothing.
 *
 * Shapes: 1 to MATH_SIMPLEX_MAX variables, each about 1 in size (take logarithms of what is
 * positive). A function value that is not finite counts as worse than any. Ownership: borrows.
 * Errors: false where it does not settle within evaluations_max, x being the best so far. Threads:
 * pure; the same input gives the same result. Cost: some hundred evaluations a variable. Source:
 * Nelder and Mead 1965; coefficients as there. */
#ifndef MATH_SIMPLEX_H
#define MATH_SIMPLEX_H

#include <stdbool.h>
#include <stddef.h>

#define MATH_SIMPLEX_MAX 6

typedef double (*math_function)(const double *x, void *context);

/* x: start in, lowest point out. */
bool math_simplex(math_function function, void *context, size_t count, double *x,
                  size_t evaluations_max, double *lowest);
/* Inverse of the matrix of second derivatives at x, by central differences: the covariance of x
 * where the function is −ln L. False if it is not positive definite: x is no minimum, or one
 * variable is not determined. covariance has count · count. */
bool math_covariance(math_function function, void *context, size_t count, const double *x,
                     double *covariance);

#endif

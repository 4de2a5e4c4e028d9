/* SPDX-License-Identifier: Apache-2.0 */
/* The order of scores, sorted once and shared by every measure that looks at ranks, and quantiles.
 * Shapes: up to 2^32 − 1 scores, finite. Ownership: returned arrays are the caller's to free.
 * Errors: NULL or false is "no memory". Threads: pure. Cost: n log n. */
#ifndef MATH_ORDER_H
#define MATH_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Indices of scores in ascending order, ties in order of index: one result for one input. */
uint32_t *math_order_create(const double *scores, size_t count);
void math_sort_i64(int64_t *values, size_t count);
/* For qsort and the like: of doubles, and of int64_t. */
int math_ascending(const void *left, const void *right);
int math_ascending_i64(const void *left, const void *right);

/* The point part/parts of the way through ascending values, linear between neighbours and rounded
 * towards the lower one (type 7 of Hyndman and Fan 1996, in whole numbers). count ≥ 1, part ≤
 * parts. Exact for |values| < 2^52 and parts ≤ 1,024. */
int64_t math_quantile_i64(const int64_t *ascending, size_t count, unsigned part, unsigned parts);
/* The same in doubles; at in [0, 1]. */
double math_quantile(const double *ascending, size_t count, double at);
/* The median and the ends of its 95 % interval, which are order statistics at the ranks n/2 ∓ z
 * √n/2 (normal law of the number below the median; Conover 1999, 3.2); NAN where no value stands at
 * the rank, so for fewer than eight. count ≥ 1. */
void math_median(const double *ascending, size_t count, double median[3]);

#endif

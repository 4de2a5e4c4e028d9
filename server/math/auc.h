/* SPDX-License-Identifier: Apache-2.0 */
/* How well scores order positives before negatives.
 * Shapes: scores[count] finite, labels[count] 0 or 1, order from math_order_create(scores).
 * AUC = P(s⁺ > s⁻) + ½ P(tie) (GLOSSARY.md). Assumption of the interval: rows are independent given
 * their group; without groups every row is its own.
 * Errors: false is "no memory". With no positive or no negative, or one of either (without
 * groups): interval 0 to 1. t is the 95 % point of Student's t with one degree of
 * freedom less than the rarer class has rows. At auc 1: from 0.025^(1/n) to 1, n those rows.
 * Threads: pure. Cost: O(n) after sorting. Accumulators are doubles, error below 1e-12 for n <
 * 10^7. Source: DeLong, DeLong and Clarke-Pearson 1988, by midranks (Sun and Xu 2014); with groups,
 * Obuchowski 1997. See docs/methods/evidence.md. */
#ifndef MATH_AUC_H
#define MATH_AUC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MATH_Z_95 1.9599639845400545 /* two-sided 95 % point of the standard normal */

struct math_auc {
    double auc;
    double error;     /* standard error */
    double low, high; /* logistic(logit(auc) ∓ t · error / (auc (1 − auc))) */
    size_t positives;
    size_t negatives;
};

bool math_auc(const double *scores, const uint8_t *labels, const uint32_t *order, size_t count,
              struct math_auc *result);
/* groups[count] < group_count: rows of one group may depend on one another. */
bool math_auc_grouped(const double *scores, const uint8_t *labels, const uint32_t *order,
                      size_t count, const uint32_t *groups, size_t group_count,
                      struct math_auc *result);

/* The two-sided 95 % point of Student's t, by the first terms of its expansion about the normal
 * one: 4 % short at 3 degrees of freedom, 0.2 % at 9 (Fisher and Cornish 1960). */
double math_student_95(double freedom);

/* Largest gap between the score distributions of positives and negatives; 0 if either is empty. */
double math_ks(const double *scores, const uint8_t *labels, const uint32_t *order, size_t count);
/* Rate of positives in the top `share` of rows over the base rate; rows that tie at the cut count
 * by the part of them that fits. 0 without positives. */
double math_lift(const double *scores, const uint8_t *labels, const uint32_t *order, size_t count,
                 double share);

#endif

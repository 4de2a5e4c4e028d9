/* SPDX-License-Identifier: Apache-2.0 */
/* From raw scores to probabilities: Platt's logistic curve, fitted on scores of rows that the
 * scoring bag had not seen, written down as points with straight lines between them.
 * What is served is the mean of the bags, and one bag alone scatters about it: the same scores with
 * noise of variance `scatter`, which flattens a curve fitted on them. The scores are drawn to their
 * mean by 1 − scatter / variance before the fit (regression calibration), at most by half. Shapes:
 * scores[count] in logits; points: raw in millionths of a logit, strictly ascending, p not
 * descending. The lines stay within 0.0962 · step² / 8 of the curve (0.0962 is the largest second
 * derivative of the logistic function, step the points' distance in calibrated logits): 0.0012 for
 * scores that span 20 logits. Errors: none; a constant score or one class gives one point.
 * Why Platt and not isotonic regression: docs/methods/calibration.md.
 * Source: Platt 1999; Niculescu-Mizil and Caruana 2005; Carroll et
 * al. 2006 (errors in what is measured). */
#ifndef LEARN_CALIBRATE_H
#define LEARN_CALIBRATE_H

#include "server/model/scorecard.h"

void learn_calibrate(const double *scores, const uint8_t *labels, size_t count, double scatter,
                     struct model_scorecard *scorecard);

/* Logits to millionths, to the nearest, half up; within ±MODEL_ENTRY_MAX. */
int64_t learn_micrologits(double logits);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The raw scores at which the grades of a scorecard turn, so that a grade is three comparisons and
 * no percentile. Exact: dispute_grade is model_grade of model_fit, for every raw score.
 * Threads: pure. Cost: some 130 look-ups of fit to make. */
#ifndef DISPUTE_GRADES_H
#define DISPUTE_GRADES_H

#include "server/model/scorecard.h"

struct dispute_grades {
    int64_t least[3]; /* of A, B, C: the least raw score that has it, or a better one */
};

struct dispute_grades dispute_grades_make(const struct model_scorecard *scorecard);

/* 0: A … 3: D */
static inline unsigned dispute_grade(const struct dispute_grades *grades, int64_t raw)
{
    return (unsigned)(raw < grades->least[0]) + (unsigned)(raw < grades->least[1]) +
           (unsigned)(raw < grades->least[2]);
}

#endif

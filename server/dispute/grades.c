/* SPDX-License-Identifier: Apache-2.0 */
/* Fit does not fall as raw rises, so the turn is found by halving. */
#include "server/dispute/grades.h"

#define RAW_END (INT64_C(1) << 43) /* beyond every raw score (scorecard.h) */

static bool reaches(const struct model_scorecard *scorecard, int64_t raw, char grade)
{
    return model_grade(scorecard, model_fit(scorecard, raw)) <= grade;
}

struct dispute_grades dispute_grades_make(const struct model_scorecard *scorecard)
{
    struct dispute_grades grades;
    for (int g = 0; g < 3; g++) {
        int64_t below = -RAW_END; /* does not reach it, or all do */
        int64_t above = RAW_END;  /* reaches it, or none does */
        while (above - below > 1) {
            int64_t middle = below + (above - below) / 2;
            if (reaches(scorecard, middle, (char)('A' + g))) {
                above = middle;
            } else {
                below = middle;
            }
        }
        grades.least[g] = above;
    }
    return grades;
}

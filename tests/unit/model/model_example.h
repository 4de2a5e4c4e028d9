/* SPDX-License-Identifier: Apache-2.0 */
/* A small scorecard for tests: columns of 3, 4 and 2 bins; terms on columns 0, 1 and the pair (0,
 * 2). */
#ifndef MODEL_EXAMPLE_H
#define MODEL_EXAMPLE_H

#include <string.h>

#include "server/model/scorecard.h"

static struct feature_column example_columns[] = {
    {.bin_count = 3}, {.bin_count = 4}, {.bin_count = 2}};
static const struct feature_codebook example_codebook = {
    .columns = example_columns, .column_count = 3, .row_bytes = 64};

static struct model_scorecard *example_create(void)
{
    static const int32_t tables[] = {-500000, 100000, 400000, 0,  -20, 30,     700000,
                                     1,       2,      3,      -4, 5,   -600000};
    struct model_scorecard *scorecard = model_create(3, 13);
    if (scorecard == NULL) {
        return NULL;
    }
    scorecard->intercept = -1000000;
    scorecard->terms[0] = (struct model_term){0, MODEL_NO_COLUMN, 3, 1, 0};
    scorecard->terms[1] = (struct model_term){1, MODEL_NO_COLUMN, 4, 1, 3};
    scorecard->terms[2] = (struct model_term){0, 2, 3, 2, 7};
    memcpy(scorecard->tables, tables, sizeof tables);
    scorecard->calibration_count = 3;
    const int64_t raw[] = {-2000000, 0, 2000000};
    const double p[] = {0.1, 0.5, 0.9};
    memcpy(scorecard->calibration_raw, raw, sizeof raw);
    memcpy(scorecard->calibration_p, p, sizeof p);
    for (int i = 0; i < MODEL_REFERENCE_POINTS; i++) {
        scorecard->reference[i] = (int64_t)(i - 500) * 2000;
    }
    scorecard->grades = (struct model_grades){90.0, 70.0, 40.0};
    return scorecard;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The picture of a verdict: what the odds ratio may be, as it was known week by week. Ownership,
 * errors, threads: report_verdict.h. */
#ifndef REPORT_REPORT_VERDICT_PICTURE_H
#define REPORT_REPORT_VERDICT_PICTURE_H

#include <stdio.h>

#include "server/measure/measure.h"

/* Of the comparison `against` and the first outcome; a sentence where fewer than two weeks are
 * known. */
void report_verdict_picture(FILE *out, const struct measure_table *lift, const char *against);
/* Whether a row of the lift is of that comparison and of the first outcome. */
bool report_verdict_is_of(const struct measure_table *lift, size_t row, const char *against);
/* Whether a row of the lift is of a week: a comparison without one has a row of zeros. */
bool report_verdict_has_week(const struct measure_table *lift, size_t row);

#endif

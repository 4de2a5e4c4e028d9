/* SPDX-License-Identifier: Apache-2.0 */
/* How a list was kept, as sections of a page: the share of the work on it by function, and how far
 * the accounts of each are from the list's. Ownership, errors, threads: report_verdict.h. */
#ifndef REPORT_REPORT_ADHERENCE_H
#define REPORT_REPORT_ADHERENCE_H

#include <stdio.h>

#include "server/measure/measure.h"

/* Tables of the measures of those names; NULL for one that was not asked or is no evidence, and
 * nothing is written of it. */
void report_adherence(FILE *out, const struct measure_table *adherence,
                      const struct measure_table *divergence);

#endif

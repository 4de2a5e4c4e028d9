/* SPDX-License-Identifier: Apache-2.0 */
/* How a list was kept, as sections of a page: the share of the work on it by function, and how far
 * the accounts of each are from the list's. Ownership, errors, threads: report_verdict.h. */
#ifndef REPORT_REPORT_ADHERENCE_H
#define REPORT_REPORT_ADHERENCE_H

#include <stdio.h>

#include "server/measure/measure.h"

/* Tables of the measures of those names; NULL for one that was not asked or is no evidence, and
 * nothing is written of it. committed: share of the work that was committed to the list; 0: none.
 */
void report_adherence(FILE *out, const struct measure_table *adherence,
                      const struct measure_table *divergence, double committed);
/* Links to those of the sections that are written. */
void report_adherence_links(FILE *out, const struct measure_table *adherence,
                            const struct measure_table *divergence);

#endif

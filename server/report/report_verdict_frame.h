/* SPDX-License-Identifier: Apache-2.0 */
/* What stands around the sections of a verdict's page: its figures large at the head, and at the
 * foot what all of it rests on, in groups. Ownership, errors, threads: report_verdict.h. */
#ifndef REPORT_REPORT_VERDICT_FRAME_H
#define REPORT_REPORT_VERDICT_FRAME_H

#include "server/report/report_verdict.h"

/* row: of the lift, the newest of the comparison that the answer rests on; SIZE_MAX: there is none.
 */
void report_verdict_head(FILE *out, const struct report_verdict *report, size_t row);
void report_verdict_ground(FILE *out, const struct report_verdict *report);

#endif

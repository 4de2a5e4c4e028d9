/* SPDX-License-Identifier: Apache-2.0 */
/* The sections of report_icp and what they share. Ownership, errors, threads: report_icp.h. */
#ifndef REPORT_REPORT_ICP_PARTS_H
#define REPORT_REPORT_ICP_PARTS_H

#include "server/draw/draw_table.h"
#include "server/report/report_icp.h"

#define ICP_TEXT_BYTES 160

/* Members of an object; 0 and "" where they are not there. */
double report_icp_number(const json_t *object, const char *name);
const char *report_icp_text(const json_t *object, const char *name);
bool report_icp_flag(const json_t *object, const char *name);

/* Cells of a table: a figure, points, a count with its groups, a rate in per cent, and an
 * interval of rates. */
void report_icp_figure(struct draw_table *table, double value);
void report_icp_points(struct draw_table *table, double micrologits);
void report_icp_count(struct draw_table *table, double count);
void report_icp_rate(struct draw_table *table, double part, double whole);
void report_icp_interval(struct draw_table *table, double low, double high);
/* "2,798 accounts", of a member or of any count. */
const char *report_icp_counted(double count, const char *noun, char text[ICP_TEXT_BYTES]);
/* "<p class=answer>" around a sentence. */
void report_icp_answer(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

void report_icp_evidence(FILE *out, const struct report_icp *report);
void report_icp_reliability(FILE *out, const struct report_icp *report);
void report_icp_gains(FILE *out, const struct report_icp *report);
void report_icp_grades(FILE *out, const struct report_icp *report);
void report_icp_shapes(FILE *out, const struct report_icp *report);
void report_icp_segments(FILE *out, const struct report_icp *report);
void report_icp_disputes(FILE *out, const struct report_icp *report);
void report_icp_drift(FILE *out, const struct report_icp *report);
void report_icp_hand(FILE *out, const struct report_icp *report);
void report_icp_refused(FILE *out, const struct report_icp *report);

#endif

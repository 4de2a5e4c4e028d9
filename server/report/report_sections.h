/* SPDX-License-Identifier: Apache-2.0 */
/* The sections of the lifecycle's page, and what they share: cells of a measure's table as numbers
 * and as texts, and the table itself with headings for people.
 *
 * Ownership, errors, threads: report_lifecycle.h. A text cut at its buffer ends in a zero. */
#ifndef REPORT_REPORT_SECTIONS_H
#define REPORT_REPORT_SECTIONS_H

#include "server/report/report_lifecycle.h"

#define REPORT_TEXT_BYTES 64

/* Cells as numbers and texts: NAN, 0 and "" where they are of another kind. */
double report_value(const struct measure_table *table, size_t row, const char *column);
int64_t report_whole(const struct measure_table *table, size_t row, const char *column);
const char *report_text(const struct measure_table *table, size_t row, const char *column);

/* How a column is shown: by the kind of its cells, or as a share. */
struct report_column {
    const char *column;
    const char *heading;
    bool share;
};
void report_cell_print(const struct measure_cell *cell, bool share, unsigned digits,
                       char text[REPORT_TEXT_BYTES]);
/* The text of a cell as a table shows it: that of a TEXT cell is borrowed, others are printed into
 * `text`. */
const char *report_shown(const struct measure_cell *cell, bool share, unsigned digits,
                         char text[REPORT_TEXT_BYTES]);
void report_table(FILE *out, const struct measure_table *table, const char *id, const char *caption,
                  const struct report_column *columns, size_t count, unsigned digits);

/* "10,159,608 USD": whole units. */
void report_money(const struct report_ground *ground, int64_t minor, char text[REPORT_TEXT_BYTES]);
/* An end of an axis of shares. */
void report_share_label(const void *context, double value, char *text, size_t text_bytes);
/* A day. */
void report_day(int64_t ms, char text[REPORT_TEXT_BYTES]);
/* Whether the part has a table with rows; if not, the section says why. */
bool report_part_there(FILE *out, const struct report_part *part);

void report_mrr(FILE *out, const struct report_lifecycle *report);
void report_retention(FILE *out, const struct report_lifecycle *report);
void report_cohorts(FILE *out, const struct report_lifecycle *report);
void report_grades(FILE *out, const struct report_lifecycle *report);
void report_readiness(FILE *out, const struct report_lifecycle *report);
void report_bridges(FILE *out, const struct report_lifecycle *report);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The pictures of the page of journeys: a sentence that answers the section, and a picture that
 * points to the table report_journey_table writes. Within this folder; ownership, errors and
 * threads are those of report_lifecycle.h. */
#ifndef REPORT_REPORT_JOURNEY_PARTS_H
#define REPORT_REPORT_JOURNEY_PARTS_H

#include "server/draw/draw_rows.h"
#include "server/report/report_journey.h"
#include "server/report/report_sections.h"

#define REPORT_PICTURE_ROWS 24
#define REPORT_FIGURE_BYTES 160

/* A section under way. */
struct report_scene {
    FILE *out;
    const struct report_journey *report;
    const struct report_journey_section *section;
    const struct measure_table *table;
    char picture[REPORT_TEXT_BYTES], table_id[REPORT_TEXT_BYTES]; /* ids of captions */
};

/* Rows of a picture, their texts kept beside them. */
struct report_rows {
    struct draw_row rows[REPORT_PICTURE_ROWS];
    char names[REPORT_PICTURE_ROWS][REPORT_FIGURE_BYTES];
    char figures[REPORT_PICTURE_ROWS][REPORT_FIGURE_BYTES];
    size_t count;
    bool differences; /* of shares: ends of the axis are told in points, not as shares */
};
/* The next row, with name and figure to be written; NULL where there is no room. */
struct draw_row *report_rows_add(struct report_rows *rows, const char *name);
void report_rows_draw(const struct report_scene *scene, const struct report_rows *rows,
                      const char *caption, bool points, double least, double most, double mark);
/* "80.1 % (78.4 to 82.2), n = 1,282". */
void report_share_write(double value, double low, double high, int64_t n, char *text, size_t bytes);
bool report_column_has(const struct measure_table *table, const char *column);

/* Every column that has a figure, named as in measure.def. */
void report_journey_table(const struct report_scene *scene);
void report_journey_path(FILE *out, const struct report_journey *report);

void report_journey_grey(const struct report_scene *scene);
void report_journey_credit(const struct report_scene *scene);
void report_journey_handoffs(const struct report_scene *scene);
void report_journey_gap(const struct report_scene *scene);
void report_journey_points(const struct report_scene *scene);
void report_journey_patterns(const struct report_scene *scene);
void report_journey_motions(const struct report_scene *scene);
void report_journey_yield(const struct report_scene *scene);
void report_journey_referral(const struct report_scene *scene);
void report_journey_focus(const struct report_scene *scene);
void report_journey_weeks(const struct report_scene *scene);
void report_journey_price(const struct report_scene *scene);
void report_journey_campaign(const struct report_scene *scene);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The page of journeys: how much of the way nobody saw, which channels were there, what became of
 * what was handed on, the gap between two groups, concentration, the end of the quarter, prices,
 * referrals, campaigns, and the path of one account; report_journey.def lists the sections. One
 * HTML page without scripts; each picture stands beside the table of its figures, which are those
 * of icp measure.
 *
 * Shapes, ownership, errors, threads: those of report_lifecycle.h. A table is shown whole up to
 * REPORT_JOURNEY_ROWS rows. */
#ifndef REPORT_REPORT_JOURNEY_H
#define REPORT_REPORT_JOURNEY_H

#include "server/report/report_lifecycle.h"

#define REPORT_JOURNEY_ROWS 200
/* Days at which the share that was accepted is asked for. */
#define REPORT_CURVE_POINTS 8

enum report_journey_id {
#define J(ID, id, measure, parameter, value, by, heading, says, picture) REPORT_JOURNEY_##ID,
#include "server/report/report_journey.def"
#undef J
    REPORT_JOURNEY_PARTS
};

enum report_by { REPORT_BY_NO, REPORT_BY_MAY, REPORT_BY_MUST };

struct report_journey_section {
    const char *id, *measure, *parameter, *value;
    enum report_by by;
    const char *heading, *says;
};
const struct report_journey_section *report_journey_section(enum report_journey_id id);
/* Days of a point of the curve. */
double report_curve_days(size_t point);

/* What happened to the account whose path is drawn. */
struct report_step {
    int64_t time_ms;
    const char *type, *kind, *who; /* who: motion, function, campaign and person, as far as told */
};

struct report_journey {
    struct report_ground ground;
    const char *from, *to, *as_of; /* as they were asked for; NULL: any, any, now */
    const char *segment, *second;  /* fields; NULL: none */
    const char *group[2];          /* of the gap; NULL: none */
    struct report_part parts[REPORT_JOURNEY_PARTS];
    struct report_part curve[REPORT_CURVE_POINTS]; /* handoffs, within report_curve_days */
    const char *account;                           /* NULL: no path is drawn */
    const struct report_step *steps;
    size_t step_count;
    uint64_t step_total; /* of its events, steps are the newest of them */
};

void report_journey(FILE *out, const struct report_journey *report);

#endif

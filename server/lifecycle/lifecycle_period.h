/* SPDX-License-Identifier: Apache-2.0 */
/* Periods of the calendar, in UTC: a day; a week, which begins on Monday; a month, a quarter, a
 * year. A period is known by its first day, counted from 1970.
 *
 * Ownership: a calendar owns its table. Errors: BAD_FIELD for a word that is none. Threads: pure;
 * a calendar belongs to one. Cost: a load for days of 1970 to 2059, else some 10 ns. Source: ISO
 * 8601 for weeks. */
#ifndef LIFECYCLE_LIFECYCLE_PERIOD_H
#define LIFECYCLE_LIFECYCLE_PERIOD_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/fault.h"
#include "proto/span.h"

enum lifecycle_period {
    LIFECYCLE_PERIOD_NONE,
    LIFECYCLE_PERIOD_MONTH,
    LIFECYCLE_PERIOD_QUARTER,
    LIFECYCLE_PERIOD_YEAR,
    LIFECYCLE_PERIOD_DAY,
    LIFECYCLE_PERIOD_WEEK,
    LIFECYCLE_PERIODS
};
/* Of which the first are those of cohorts. */
#define LIFECYCLE_COHORT_PERIODS (LIFECYCLE_PERIOD_YEAR + 1)

bool lifecycle_period_read(struct proto_span word, const char *field, unsigned known,
                           enum lifecycle_period *period, struct proto_fault *fault);
/* First day of the period that the time is in; 0 for NONE. */
int32_t lifecycle_period_of(enum lifecycle_period period, int64_t at_ms);

#define LIFECYCLE_CALENDAR_DAYS 32768u
struct lifecycle_calendar {
    enum lifecycle_period period;
    int32_t *starts; /* by day from 1970; NULL: of NONE, or there was no memory */
};
void lifecycle_calendar_init(struct lifecycle_calendar *calendar, enum lifecycle_period period);
void lifecycle_calendar_fini(struct lifecycle_calendar *calendar);
static inline int32_t lifecycle_calendar_of(const struct lifecycle_calendar *calendar,
                                            int64_t at_ms)
{
    uint64_t day = (uint64_t)at_ms / 86400000u;
    return calendar->starts != NULL && at_ms >= 0 && day < LIFECYCLE_CALENDAR_DAYS
               ? calendar->starts[day]
               : lifecycle_period_of(calendar->period, at_ms);
}

#endif

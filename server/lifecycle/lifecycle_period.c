/* SPDX-License-Identifier: Apache-2.0 */
/* Days to first days of periods. Without memory for a table each day is worked out by itself. */
#include "server/lifecycle/lifecycle_period.h"

#include <stdlib.h>

#include "server/feature/date_text.h"
#include "server/feature/span_text.h"
#include "server/measure/movement.h"

static const char *const words[LIFECYCLE_PERIODS] = {"none", "month", "quarter",
                                                     "year", "day",   "week"};

bool lifecycle_period_read(struct proto_span word, const char *field, unsigned known,
                           enum lifecycle_period *period, struct proto_fault *fault)
{
    char shown[FEATURE_SHOWN_BYTES];
    for (unsigned i = 0; i < known; i++) {
        if (proto_span_is(word, words[i])) {
            *period = (enum lifecycle_period)i;
            return true;
        }
    }
    return proto_fault_set(fault, PROTO_BAD_FIELD, field,
                           "one of none, month, quarter, year%s, not '%s'",
                           known == LIFECYCLE_PERIODS ? ", day, week" : "",
                           feature_text_show(word, shown, sizeof shown));
}

static int64_t day_of(int64_t at_ms)
{
    return at_ms / MEASURE_DAY_MS - (at_ms % MEASURE_DAY_MS < 0);
}

int32_t lifecycle_period_of(enum lifecycle_period period, int64_t at_ms)
{
    int64_t day = day_of(at_ms);
    int year = 0;
    int month = 0;
    int in_month = 0;
    int64_t first_ms = 0;
    if (period == LIFECYCLE_PERIOD_NONE) {
        return 0;
    }
    if (period == LIFECYCLE_PERIOD_DAY) {
        return (int32_t)day;
    }
    if (period == LIFECYCLE_PERIOD_WEEK) {
        int64_t from_monday = ((day + 3) % 7 + 7) % 7; /* 1970 began on a Thursday */
        return (int32_t)(day - from_monday);
    }
    measure_civil(day, &year, &month, &in_month);
    month = period == LIFECYCLE_PERIOD_YEAR      ? 1
            : period == LIFECYCLE_PERIOD_QUARTER ? (month - 1) / 3 * 3 + 1
                                                 : month;
    (void)feature_date_of(year, month, 1, &first_ms);
    return (int32_t)day_of(first_ms);
}

void lifecycle_calendar_init(struct lifecycle_calendar *calendar, enum lifecycle_period period)
{
    *calendar = (struct lifecycle_calendar){.period = period};
    if (period == LIFECYCLE_PERIOD_NONE) {
        return;
    }
    calendar->starts = malloc(LIFECYCLE_CALENDAR_DAYS * sizeof *calendar->starts);
    for (uint32_t day = 0; calendar->starts != NULL && day < LIFECYCLE_CALENDAR_DAYS; day++) {
        calendar->starts[day] = lifecycle_period_of(period, day * MEASURE_DAY_MS);
    }
}

void lifecycle_calendar_fini(struct lifecycle_calendar *calendar)
{
    free(calendar->starts);
    calendar->starts = NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Reports for people: one HTML page of the tables that measures give, without scripts, each section
 * begun by the sentence that answers it, each picture beside the table of its figures.
 *
 * A page is made of what is passed in and of nothing else, no clock, so the same figures give the
 * same bytes. Shapes: money in whole minor units with `digits` behind the point; tables of
 * server/measure. Ownership: borrows; writes to a stream whose errors the caller checks. Errors:
 * none of its own; a part that could not be measured says why in its section. Threads: one. */
#ifndef REPORT_REPORT_LIFECYCLE_H
#define REPORT_REPORT_LIFECYCLE_H

#include <stdio.h>

#include "server/measure/measure.h"
#include "server/measure/metric_registry.h"

/* What all figures of a page rest on. */
struct report_ground {
    const char *filter;     /* of accounts; NULL: all */
    const char *definition; /* NULL: none was given */
    uint32_t version;       /* of the definition */
    const struct measure_rules *rules;
    const char *currency; /* "": none */
    unsigned digits;      /* of its minor unit */
    const char *files;    /* NULL: events that a server was told */
    uint64_t seq;         /* of the server's log */
    uint64_t accounts, events, subscriptions;
    int64_t newest_ms; /* known time of the newest event; INT64_MIN: there is none */
};

/* A table, or NULL and why there is none. */
struct report_part {
    const struct measure_table *table;
    const char *why;
};

/* Accounts of a grade, and what they pay at the end of the period. */
struct report_grade {
    char grade;
    uint64_t accounts, customers;
    int64_t mrr;
};

/* From one number to another of the same metric, by a table of the bridge. */
struct report_bridge {
    const char *first, *second; /* what each number counts, in words */
    enum measure_metric metric;
    struct report_part part;
};

#define REPORT_GRADES 4
#define REPORT_BRIDGES_MAX 12

struct report_lifecycle {
    struct report_ground ground;
    int64_t from_ms, to_ms;
    const char *period;  /* month, quarter or year: of the rows of mrr */
    const char *segment; /* field that segments are of; NULL: none was named */
    struct report_part mrr, retention;
    struct report_part survival; /* without cohorts */
    struct report_part cohorts;
    struct report_part readiness;
    double floor; /* of readiness */
    struct report_grade grades[REPORT_GRADES];
    const char *no_grades; /* why there are none; NULL: they stand in grades */
    struct report_bridge bridges[REPORT_BRIDGES_MAX];
    size_t bridge_count;
};

void report_lifecycle(FILE *out, const struct report_lifecycle *report);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The page of a verdict: one sentence, one picture of the interval that narrows week by week, then
 * why. Made of what is passed in and of nothing else.
 *
 * Shapes: tables of server/measure, lift with a row for each week. Ownership: borrows; writes to a
 * stream whose errors the caller checks. Errors: none of its own. Threads: one. */
#ifndef REPORT_REPORT_VERDICT_H
#define REPORT_REPORT_VERDICT_H

#include <stdio.h>

#include "server/measure/measure.h"

struct report_lines {
    const char *const *lines;
    size_t count;
};

struct report_verdict {
    const char *list;    /* its name */
    const char *verdict; /* supported, refuted, insufficient */
    const char *policy;  /* name of the policy that says what counts; "" if it has none */
    struct report_lines words, cannot, next; /* the first of words is the answer */
    const struct measure_table *lift, *rate, *forecast, *promise;
    const struct measure_table *adherence, *divergence; /* NULL: not measured */
    const char *plan; /* that the list is of; "" if none is named */
    double committed; /* share of the work that was committed to the list; 0: none was */
    int64_t created_ms, since_ms, at_ms;
    uint64_t icp, seq, cases, open, before, elsewhere, touches;
    double alpha;
};

void report_verdict(FILE *out, const struct report_verdict *report);

#endif

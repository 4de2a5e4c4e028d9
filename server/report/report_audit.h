/* SPDX-License-Identifier: Apache-2.0 */
/* The page of an audit of alignment: how far leaders mean the same customer, and each one's view
 * against what came of it. Single-file HTML without scripts.
 *
 * Shapes: below; what is not known is NAN. Ownership: borrows. Errors: those of the stream, which
 * the caller checks. Threads: one. */
#ifndef REPORT_REPORT_AUDIT_H
#define REPORT_REPORT_AUDIT_H

#include <stddef.h>
#include <stdio.h>

#include "server/measure/stated.h"

enum { REPORT_AUDIT_ROWS = 6 };

/* One figure of agreement. */
struct report_audit_row {
    const char *measure; /* W, alpha, jaccard, rbo, entropy */
    const char *of;      /* the question that it is of */
    double value, low, high, p;
    size_t n;          /* people */
    const char *unit;  /* "people", or of what n is besides */
    const char *words; /* what it says */
};

/* A filter that a leader stated, scored as a profile. */
struct report_audit_filter {
    const char *person, *filter;
    uint64_t n; /* accounts that match */
    struct measure_stated stated;
};

struct report_audit {
    size_t people;
    const char *const *names;     /* by person */
    const char *const *functions; /* the same */
    struct report_audit_row rows[REPORT_AUDIT_ROWS];
    size_t row_count;
    size_t segments;
    const char *const *segment_names;
    const double *ranks; /* people rows of segments */
    size_t measures;     /* of the data; 0: there are none */
    const char *const *measure_names;
    const double *rho;         /* people rows of measures: Spearman's, of ranking and measure */
    const double *rho_p;       /* chance of an order that follows the measure as far */
    const double *rho_against; /* chance of one that goes against it as far */
    const size_t *rho_n;       /* segments */
    const struct report_audit_filter *filters;
    size_t filter_count; /* 0: none was scored */
};

void report_audit_write(FILE *out, const struct report_audit *audit);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of a report: report_html.c is the page with its tables, report_charts.c the pictures.
 * Ownership: borrows. Threads: one. */
#ifndef BENCH_REPORT_PARTS_H
#define BENCH_REPORT_PARTS_H

#include <stdio.h>

#include <jansson.h>

#include "bench/report/report_median.h"

/* A number at "a.b" of a run; NAN if it is not there. */
double report_number(const json_t *json, const char *path);
const char *report_text(const json_t *json, const char *key);
/* The metric of every run of a series. */
struct report_spread report_run_spread(const json_t *series, const char *path);
const json_t *report_series(const json_t *result, const char *what, const char *who);

void report_charts(FILE *out, const json_t *result);

#endif

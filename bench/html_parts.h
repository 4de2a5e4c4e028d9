/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of a report: bench_html.c is the page with its tables, html_charts.c the pictures.
 * Ownership: borrows. Threads: one. */
#ifndef BENCH_HTML_PARTS_H
#define BENCH_HTML_PARTS_H

#include <stdio.h>

#include <jansson.h>

#include "bench/bench_median.h"

/* A number at "a.b" of a run; NAN if it is not there. */
double html_number(const json_t *json, const char *path);
const char *html_text(const json_t *json, const char *key);
/* The metric of every run of a series. */
struct bench_spread html_spread(const json_t *series, const char *path);
const json_t *html_series(const json_t *result, const char *what, const char *who);

void html_charts(FILE *out, const json_t *result);

#endif

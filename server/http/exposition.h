/* SPDX-License-Identifier: Apache-2.0 */
/* Figures as Prometheus reads them: the text exposition format 0.0.4.
 *
 *     # HELP icpd_net_bytes_in_total bytes read
 *     # TYPE icpd_net_bytes_in_total counter
 *     icpd_net_bytes_in_total 81920
 *
 * Names follow the rules that `promtool check metrics` lints: base units (seconds, never ns or us),
 * the unit last, `_total` at the end of a counter. Histograms have one set of bounds for all
 * operations, so that rates can be summed over them: powers of two from 1.024 us to 17.2 s.
 *
 * Shapes: ns go in, seconds come out. Ownership: writes to a FILE of the caller's, borrows the
 * rest. Errors: those of the FILE, sticky there. Threads: any, one FILE each. Cost: 100 ns a
 * sample, 2 us a histogram. Source: prometheus.io/docs/instrumenting/exposition_formats. */
#ifndef HTTP_EXPOSITION_H
#define HTTP_EXPOSITION_H

#include <stdbool.h>
#include <stdio.h>

#include "server/base/histogram.h"

#define HTTP_NAME_BYTES 96

enum http_kind { HTTP_COUNTER, HTTP_GAUGE, HTTP_HISTOGRAM };

/* The name of a figure of the tables: "icpd_", the part it belongs to (NULL: none), its own name
 * with "_ns" taken out and "_seconds" put behind, "_total" for a counter and taken
 * from a gauge. True if the figure counts
 * nanoseconds: its value is to be divided by 10^9. */
bool http_name(char out[HTTP_NAME_BYTES], const char *part, const char *name, enum http_kind kind);

/* The two comment lines that open a family. */
void http_family(FILE *out, const char *name, enum http_kind kind, const char *help);
/* One line; label NULL: none. Label values are escaped. */
void http_sample(FILE *out, const char *name, const char *label, const char *label_value,
                 double value);
/* The lines of one histogram of nanoseconds. */
void http_histogram(FILE *out, const char *name, const char *label, const char *label_value,
                    const struct base_histogram *histogram);

#endif

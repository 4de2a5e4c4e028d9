/* SPDX-License-Identifier: Apache-2.0 */
/* A result file as one HTML page: no scripts, no other files, light and dark, readable on paper.
 * Ownership: borrows. Errors: a fault if the file cannot be written. Threads: one. */
#ifndef BENCH_REPORT_HTML_H
#define BENCH_REPORT_HTML_H

#include <jansson.h>

#include "proto/fault.h"

/* baseline may be NULL. */
bool report_html_write(const json_t *result, const json_t *baseline, const char *path,
                       struct proto_fault *fault);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Results as JSON (docs/bench.md lists the keys): what `compare` and `report` read.
 * Ownership: returned values are the caller's (json_decref). Errors: NULL without memory; a fault
 * if a file cannot be written. Threads: one. */
#ifndef BENCH_REPORT_JSON_H
#define BENCH_REPORT_JSON_H

#include <jansson.h>

#include "bench/load/load.h"

/* Version of the files' form; readers refuse another. */
#define REPORT_JSON_FORMAT 1

/* One result: rates, latencies (with the curve of percentiles), usage, errors, timeline. */
json_t *report_json_result(const struct load_result *result);
/* Facts of the machine: processor, kernel, cores, memory, load, time, program. */
json_t *report_json_machine(void);

bool report_json_save(const json_t *json, const char *path, struct proto_fault *fault);
/* NULL with a fault; checks `format`. */
json_t *report_json_load(const char *path, struct proto_fault *fault);

bool report_json_write_run(const char *const *names, const struct load_result *results,
                           unsigned count, const char *path, struct proto_fault *fault);

#endif

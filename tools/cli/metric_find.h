/* SPDX-License-Identifier: Apache-2.0 */
/* A definition of a metric as the command line names it: FILE.json (what ends so, or has a slash in
 * it), or one that the server keeps, as NAME or NAME@VERSION; "usual" is the usual rules, which
 * need neither. Ownership: plain values. Errors: exit statuses, messages printed. Threads: one. */
#ifndef CLI_METRIC_FIND_H
#define CLI_METRIC_FIND_H

#include "server/measure/metric_registry.h"
#include "tools/cli/cli.h"

bool metric_is_file(const char *text);
/* Of "usual" the metric is MEASURE_METRICS: any. */
int metric_find(const struct cli *cli, const char *text, struct measure_definition *definition);
/* From a file; draft: it may leave its version out. */
int metric_file_read(const struct cli *cli, const char *path, bool draft,
                     struct measure_definition *definition);
/* "name@version". */
const char *metric_reference(const struct measure_definition *definition,
                             char text[MEASURE_REFERENCE_BYTES]);

#endif

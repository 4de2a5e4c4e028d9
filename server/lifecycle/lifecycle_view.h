/* SPDX-License-Identifier: Apache-2.0 */
/* The five views of one score, and the grid, as measures of the server; and several views at once,
 * all of one walk in one view of the store: of one version, one watermark, one moment.
 *
 * Ownership: borrows requests; tables are the caller's, lifecycle_views_fini, also after a failure.
 * Errors: those of lifecycle.h. Threads: the worker's. Cost: lifecycle_standing.h, and of
 * sales a record and 1 µs for each customer that may be a reference and each account listed. */
#ifndef LIFECYCLE_LIFECYCLE_VIEW_H
#define LIFECYCLE_LIFECYCLE_VIEW_H

#include "server/lifecycle/lifecycle_table.h"

/* Measures that are views, in the order of measure.def; the first is the grid. */
enum { LIFECYCLE_VIEWS = MEASURE_ID_FINANCE - MEASURE_ID_GRID + 1 };

struct lifecycle_views {
    struct measure_table tables[LIFECYCLE_VIEWS]; /* of those that were asked for, in order */
    size_t count;
    uint32_t icp;
    struct measure_rules rules;
    uint64_t seq;
    uint64_t accounts, events, subscriptions;
    int64_t at_ms;
    int64_t newest_ms;             /* INT64_MIN: no event was known */
    char name[MEASURE_NAME_BYTES]; /* of the definition of engagement */
    uint32_t version;
};

/* The table of one view, which is initialised with its id. */
bool lifecycle_view_fill(struct lifecycle_standing *standing, struct measure_table *table,
                         struct proto_fault *fault);
/* lifecycle_view_many.c. The view that is called so: its measure's name, or that without "view-".
 * MEASURE_IDS: none. */
enum measure_id lifecycle_view_find(struct proto_span name);
/* ids: which ones, each a view; parameters are those of all of them. request->measure is not read.
 */
bool lifecycle_views(struct engine_worker *worker, const struct engine_job *job,
                     const struct lifecycle_request *request, const enum measure_id *ids,
                     size_t count, struct lifecycle_views *views, struct proto_fault *fault);
void lifecycle_views_fini(struct lifecycle_views *views);

#endif

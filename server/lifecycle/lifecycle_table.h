/* SPDX-License-Identifier: Apache-2.0 */
/* Each measure over what was gathered: parameters read, the table of server/measure filled.
 *
 * A request is checked before anything is walked, so that a slip costs nothing. Ownership: borrows;
 * the table is the result's. Errors: those of lifecycle.h. Threads: one. */
#ifndef LIFECYCLE_LIFECYCLE_TABLE_H
#define LIFECYCLE_LIFECYCLE_TABLE_H

#include "server/lifecycle/lifecycle_gather.h"
#include "server/measure/metric_registry.h"

/* Parameters of all measures that are served; each uses its own. */
struct lifecycle_settings {
    int64_t from_ms, to_ms;
    int period_months;
    struct measure_survival_options survival;
    enum measure_metric metric;
    unsigned top;
};

struct lifecycle_run {
    const struct lifecycle_request *request;
    struct lifecycle_settings settings;
    const struct lifecycle_gather *gather;
    struct measure_pace pace;
    struct lifecycle_result *result;
};

/* How a measure is served; one that is not has no functions. */
struct lifecycle_way {
    bool (*read)(const struct lifecycle_request *request, struct lifecycle_settings *settings,
                 struct proto_fault *fault);
    bool (*fill)(struct lifecycle_run *run, struct proto_fault *fault);
};
const struct lifecycle_way *lifecycle_way(enum measure_id measure);

#endif

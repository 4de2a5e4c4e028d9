/* SPDX-License-Identifier: Apache-2.0 */
/* Several views at once: what they may be asked is held against each of them, then accounts are
 * gathered once and every table is filled of the same. The first that fails ends it; tables that
 * were begun are the caller's all the same. */
#include "server/lifecycle/lifecycle_view.h"

#include <string.h>

#include "server/feature/span_text.h"
#include "server/lifecycle/lifecycle_parameter.h"

static bool is_view(enum measure_id id)
{
    return id >= MEASURE_ID_GRID && id <= MEASURE_ID_FINANCE;
}

enum measure_id lifecycle_view_find(struct proto_span name)
{
    static const char prefix[] = "view-";
    for (int id = MEASURE_ID_GRID; id <= MEASURE_ID_FINANCE; id++) {
        const char *whole = measure_info((enum measure_id)id)->name;
        bool prefixed = strncmp(whole, prefix, strlen(prefix)) == 0;
        if (proto_span_is(name, whole) ||
            (prefixed && proto_span_is(name, whole + strlen(prefix)))) {
            return (enum measure_id)id;
        }
    }
    return MEASURE_IDS;
}

/* Each parameter that was given is one of a view that was asked for. */
static bool parameters_known(const struct lifecycle_request *request, const enum measure_id *ids,
                             size_t count, struct proto_fault *fault)
{
    for (size_t i = 0; i < request->parameter_count; i++) {
        struct lifecycle_request one = *request;
        struct proto_fault why = {.code = PROTO_OK};
        bool known = false;
        one.parameters = &request->parameters[i];
        one.parameter_count = 1;
        for (size_t v = 0; v < count && !known; v++) {
            one.measure = ids[v];
            known = lifecycle_parameters_known(&one, &why);
        }
        if (!known) {
            *fault = why;
            return false;
        }
    }
    return true;
}

static bool segments_known(const struct lifecycle_request *request, const enum measure_id *ids,
                           size_t count, struct proto_fault *fault)
{
    bool known = request->by.bytes == 0;
    char others[160];
    for (size_t v = 0; v < count && !known; v++) {
        known = lifecycle_way(ids[v])->segments;
    }
    lifecycle_segmented(MEASURE_ID_GRID, MEASURE_ID_FINANCE, others, sizeof others);
    return known || proto_fault_set(fault, PROTO_BAD_FIELD, "by",
                                    "of views these have segments: %s", others);
}

bool lifecycle_views(struct engine_worker *worker, const struct engine_job *job,
                     const struct lifecycle_request *request, const enum measure_id *ids,
                     size_t count, struct lifecycle_views *views, struct proto_fault *fault)
{
    struct lifecycle_settings settings;
    struct lifecycle_standing standing;
    uint64_t seq = engine_worker_seq(worker);
    *views = (struct lifecycle_views){.rules = request->rules,
                                      .newest_ms = INT64_MIN,
                                      .seq = request->as_of.seq < seq ? request->as_of.seq : seq};
    if (!parameters_known(request, ids, count, fault) ||
        !segments_known(request, ids, count, fault) ||
        !lifecycle_view_read(request, &settings, fault)) {
        return false;
    }
    struct lifecycle_standing_options *options = &settings.standing;
    options->view.at_ms = lifecycle_moment(worker, request, options->view.at_ms);
    bool good =
        lifecycle_standing_make(worker, job, request, options, &views->rules, &standing, fault);
    for (size_t v = 0; v < count && good; v++) {
        struct measure_table *table = &views->tables[views->count++];
        measure_table_init(table, ids[v]);
        good = is_view(ids[v]) && lifecycle_view_fill(&standing, table, fault);
    }
    if (good) {
        const struct learn_document *document = standing.expression.document;
        views->icp = document != NULL ? document->version : 0;
        views->accounts = standing.count;
        views->events = standing.collect.known;
        views->subscriptions = standing.subscriptions;
        views->newest_ms = standing.collect.newest_ms;
        views->at_ms = options->view.at_ms;
        views->version = standing.definition.version;
        memcpy(views->name, standing.definition.name, sizeof views->name);
    }
    lifecycle_standing_fini(&standing);
    return good;
}

void lifecycle_views_fini(struct lifecycle_views *views)
{
    for (size_t v = 0; v < views->count; v++) {
        measure_table_fini(&views->tables[v]);
    }
}

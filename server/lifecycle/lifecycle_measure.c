/* SPDX-License-Identifier: Apache-2.0 */
/* A measure from request to table: parameters are read, accounts walked, the currency found, the
 * table filled. Where anything fails there is no table. */
#include "server/lifecycle/lifecycle_kept.h"
#include "server/lifecycle/lifecycle_parameter.h"
#include "server/lifecycle/lifecycle_table.h"

bool lifecycle_serves(enum measure_id measure)
{
    const struct lifecycle_way *way = lifecycle_way(measure);
    return way->fill != NULL || way->look != NULL;
}

static bool request_read(const struct lifecycle_request *request,
                         struct lifecycle_settings *settings, struct proto_fault *fault)
{
    const char *name = measure_info(request->measure)->name;
    if (!lifecycle_serves(request->measure)) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "measure",
                               "%s is measured over files alone: icp measure %s", name, name);
    }
    if (request->metric == MEASURE_METRIC_ENGAGEMENT ||
        request->against_metric == MEASURE_METRIC_ENGAGEMENT) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT,
                               request->metric == MEASURE_METRIC_ENGAGEMENT ? "definition"
                                                                            : "against_definition",
                               "it is a definition of engagement, which has no rules to measure "
                               "by; the parameter engagement names one");
    }
    if (request->by.bytes > 0 && !lifecycle_way(request->measure)->segments) {
        char others[320];
        lifecycle_segmented((enum measure_id)0, (enum measure_id)(MEASURE_IDS - 1), others,
                            sizeof others);
        return proto_fault_set(fault, PROTO_BAD_FIELD, "by",
                               "%s has no segments, and a filter chooses accounts; those that have "
                               "some: %s",
                               name, others);
    }
    if (request->churn_flag.bytes > 0 && request->measure != MEASURE_ID_BRIDGE) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "churn_flag", "it is of bridge alone");
    }
    return lifecycle_parameters_known(request, fault) &&
           lifecycle_way(request->measure)->read(request, settings, fault);
}

static bool goes_on(void *context, struct proto_fault *fault)
{
    return engine_scan_goes_on(context, fault);
}

static bool gathered_measure(struct lifecycle_run *run, const struct lifecycle_gather *gather,
                             struct proto_fault *fault)
{
    struct lifecycle_result *result = run->result;
    bool two = run->request->measure == MEASURE_ID_BRIDGE;
    run->gather = gather;
    result->accounts = gather->accounts;
    result->events = gather->collect.known;
    result->subscriptions = gather->count;
    result->newest_ms = gather->collect.newest_ms;
    if (!lifecycle_gather_settle(gather, &result->rules, fault)) {
        return false;
    }
    if (two && !lifecycle_gather_settle(gather, &result->against, fault)) {
        return fault->code == PROTO_BAD_FIELD ? proto_fault_within(fault, "against") : false;
    }
    return lifecycle_way(run->request->measure)->fill(run, fault);
}

bool lifecycle_measure(struct engine_worker *worker, const struct engine_job *job,
                       const struct lifecycle_request *request, struct lifecycle_result *result,
                       struct proto_fault *fault)
{
    struct lifecycle_run run = {.worker = worker, .job = job, .request = request, .result = result};
    struct lifecycle_gather gather;
    uint64_t seq = engine_worker_seq(worker);
    run.pace = (struct measure_pace){goes_on, (void *)(uintptr_t)job};
    *result = (struct lifecycle_result){.rules = request->rules,
                                        .against = request->against,
                                        .newest_ms = INT64_MIN,
                                        .seq = request->as_of.seq < seq ? request->as_of.seq : seq};
    measure_table_init(&result->table, request->measure);
    if (!request_read(request, &run.settings, fault)) {
        return false;
    }
    if (lifecycle_way(request->measure)->look != NULL) {
        return lifecycle_way(request->measure)->look(&run, fault);
    }
    bool done = false;
    if (request->measure == MEASURE_ID_MRR && !lifecycle_kept_mrr(&run, &done, fault)) {
        return false;
    }
    if (done) {
        return true;
    }
    bool good = lifecycle_gather(worker, job, request, &gather, fault) &&
                gathered_measure(&run, &gather, fault);
    lifecycle_gather_fini(&gather);
    return good;
}

void lifecycle_result_fini(struct lifecycle_result *result)
{
    measure_table_fini(&result->table);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Cases come from the timelines by a policy, or from a pass over all accounts by a label; then they
 * are put in the order in which they are judged. */
#include "server/drift/drift_case.h"

#include <stdlib.h>

#include "server/engine/walk.h"
#include "server/lifecycle/lifecycle_label.h"

enum { ACCOUNTS_PER_ASKING = 4096 };

static int by_outcome(const void *a, const void *b)
{
    const struct drift_case *x = a;
    const struct drift_case *y = b;
    if (x->open != y->open) {
        return x->open ? 1 : -1;
    }
    if (!x->open && x->outcome_ms != y->outcome_ms) {
        return x->outcome_ms < y->outcome_ms ? -1 : 1;
    }
    if (x->slot != y->slot) {
        return x->slot < y->slot ? -1 : 1;
    }
    return x->moment_ms < y->moment_ms ? -1 : x->moment_ms > y->moment_ms;
}

static void cases_sort(struct drift_cases *cases)
{
    if (cases->count > 0) {
        qsort(cases->list, cases->count, sizeof *cases->list, by_outcome);
    }
    while (cases->settled < cases->count && !cases->list[cases->settled].open) {
        cases->settled++;
    }
}

static bool case_add(struct drift_cases *cases, struct drift_case one, struct proto_fault *fault)
{
    if (cases->count == cases->room) {
        size_t room = cases->room * 2 + 1024;
        struct drift_case *grown = realloc(cases->list, room * sizeof *grown);
        if (grown == NULL) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu cases", room);
        }
        cases->list = grown;
        cases->room = room;
    }
    cases->list[cases->count++] = one;
    return true;
}

static bool label_take(const struct measure_policy *policy, const struct lifecycle_label *label,
                       int64_t since_ms, struct drift_cases *cases, struct proto_fault *fault)
{
    for (size_t i = 0; i < label->count; i++) {
        const struct lifecycle_case *one = &label->cases[i];
        bool positive = (policy->positive >> one->archetype & 1) != 0;
        bool negative = (policy->negative >> one->archetype & 1) != 0;
        bool open = lifecycle_case_open(label, one);
        bool wanted = open ? one->moment_ms > since_ms && one->moment_ms <= label->at_ms
                           : one->settled_ms > since_ms && (positive || negative);
        if (wanted && !case_add(cases,
                                (struct drift_case){.slot = one->slot,
                                                    .open = open,
                                                    .positive = positive && !open,
                                                    .moment_ms = one->moment_ms,
                                                    .outcome_ms = one->settled_ms,
                                                    .stage = one->stage},
                                fault)) {
            return false;
        }
    }
    return true;
}

void drift_cases_fini(struct drift_cases *cases)
{
    free(cases->list);
    lifecycle_names_fini(&cases->stages);
}

bool drift_cases_of_policy(struct engine_worker *worker, const struct engine_job *job,
                           const struct measure_policy *policy, int64_t since_ms, int64_t at_ms,
                           struct drift_cases *cases, struct proto_fault *fault)
{
    const struct lifecycle_label_request request = {
        .policy = policy, .at_ms = at_ms, .as_of = {UINT64_MAX, INT64_MAX}};
    struct lifecycle_label label;
    *cases = (struct drift_cases){.count = 0};
    bool good = lifecycle_label(worker, job, &request, &label, fault) &&
                label_take(policy, &label, since_ms, cases, fault);
    cases->at_ms = label.at_ms;
    cases->stages = label.stages;
    label.stages = (struct lifecycle_names){.count = 0};
    lifecycle_label_fini(&label);
    cases_sort(cases);
    return good;
}

/* The newest time of a value that the label reads; false: it has none of them. */
static bool outcome_time(const struct engine_worker *worker, const struct filter *label,
                         int64_t *time_ms)
{
    size_t count = 0;
    const uint16_t *fields = filter_fields(label, &count);
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        const struct feature_value *value = &worker->values[fields[i]];
        if (value->present && (!any || value->time_ms > *time_ms)) {
            *time_ms = value->time_ms;
            any = true;
        }
    }
    return any;
}

static bool account_take(struct engine_worker *worker, uint32_t slot, const struct filter *label,
                         int64_t since_ms, struct drift_cases *cases, struct proto_fault *fault)
{
    struct feature_record record;
    int64_t told_ms = 0;
    if (outcome_time(worker, label, &told_ms)) {
        struct drift_case one = {
            .slot = slot,
            .positive = filter_match(label, worker->values, worker->state->schema->id_count),
            .or_later = true,
            .moment_ms = told_ms - 1,
            .outcome_ms = told_ms};
        cases->at_ms = told_ms > cases->at_ms ? told_ms : cases->at_ms;
        return told_ms <= since_ms || case_add(cases, one, fault);
    }
    if (!engine_record(worker, slot, &record, fault)) {
        return false;
    }
    struct drift_case one = {
        .slot = slot, .open = true, .moment_ms = engine_now_ms(worker->engine)};
    return record.created_s * 1000 <= since_ms || case_add(cases, one, fault);
}

bool drift_cases_of_label(struct engine_worker *worker, const struct engine_job *job,
                          const struct filter *label, int64_t since_ms, struct drift_cases *cases,
                          struct proto_fault *fault)
{
    uint32_t slots = store_view_slots(worker->view);
    *cases = (struct drift_cases){.at_ms = since_ms};
    for (uint32_t slot = 0; slot < slots; slot++) {
        struct proto_fault local = {.code = PROTO_OK};
        if (slot % ACCOUNTS_PER_ASKING == 0 && !engine_scan_goes_on(job, fault)) {
            return false;
        }
        if (!engine_values(worker, slot, NULL, &local)) {
            if (local.code == PROTO_NOT_FOUND) {
                continue;
            }
            *fault = local;
            return false;
        }
        if (!account_take(worker, slot, label, since_ms, cases, fault)) {
            return false;
        }
    }
    cases_sort(cases);
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The acts and the spend on each account beside what it is expected to bring, by its grade or by
 * the value of a field. A base without an ICP ends it. */
#include "server/engine/expected.h"
#include "server/engine/expression.h"
#include "server/engine/walk.h"
#include "server/lifecycle/lifecycle_keep.h"
#include "server/lifecycle/lifecycle_parameter.h"
#include "server/lifecycle/lifecycle_table.h"

bool lifecycle_resources_read(const struct lifecycle_request *request,
                              struct lifecycle_settings *settings, struct proto_fault *fault)
{
    static const char *const words[] = {"value", "count"};
    struct measure_resource_options *options = &settings->keep.resources;
    size_t place = 0;
    bool good = lifecycle_work_read(request, settings, fault) &&
                lifecycle_word(request, "weigh", words, 2, &place, fault) &&
                lifecycle_number(request, "elasticity", &options->elasticity, fault) &&
                lifecycle_count(request, "least", &options->least, fault);
    settings->keep.chance_alone = place == 1;
    return good;
}

struct endowing {
    struct lifecycle_working working;
    struct engine_expression expression;
    const struct feature_field *by; /* NULL: grades */
    struct lifecycle_names groups;
    struct measure_endowments all;
};

/* Group and value of the account whose values stand in the worker's scratch. */
static bool account_place(struct endowing *all, struct measure_endowed *account,
                          struct proto_fault *fault)
{
    struct engine_worker *worker = all->working.run->worker;
    const struct learn_document *document = all->expression.document;
    struct engine_expected expected;
    int64_t raw = 0;
    if (!engine_values_raw(worker, document, &raw, fault)) {
        return false;
    }
    account->value = model_p(document->scorecard, raw);
    if (document->value != NULL && !all->working.run->settings.keep.chance_alone) {
        if (!engine_expected_of(document, worker->codes, account->value, &expected, fault)) {
            return false;
        }
        account->value = expected.expected > 0 ? expected.expected : 0;
    }
    if (all->by != NULL) {
        return lifecycle_segment_of(&all->groups, worker, all->by, &account->group, fault);
    }
    account->group =
        (uint32_t)(model_grade(document->scorecard, model_fit(document->scorecard, raw)) - 'A');
    return true;
}

static bool account_add(void *context, uint32_t slot, struct proto_fault *fault)
{
    struct endowing *all = context;
    struct engine_worker *worker = all->working.run->worker;
    const struct lifecycle_collect *collect = &all->working.collect;
    struct measure_endowed account = {.group = 0};
    if (!engine_values(worker, slot, NULL, fault)) {
        return lifecycle_fault_of(worker, slot, fault);
    }
    if (!account_place(all, &account, fault)) {
        return false;
    }
    for (size_t i = 0; i < collect->count; i++) {
        const struct event *event = collect->events[i].event;
        int64_t minor = 0;
        account.used[MEASURE_RESOURCE_ACTS] += lifecycle_is_act(&all->working, event);
        if (lifecycle_is_spend(&all->working, event) &&
            !lifecycle_amount_settle(&all->working.amount, event, &minor, fault)) {
            return fault->code == PROTO_BAD_FIELD ? lifecycle_fault_of(worker, slot, fault) : false;
        }
        account.used[MEASURE_RESOURCE_SPEND] += (double)minor;
    }
    return measure_endowments_add(&all->all, &account, fault);
}

/* Grades stand in their order, whoever comes first. */
static bool groups_begin(struct endowing *all, struct proto_fault *fault)
{
    if (all->by != NULL) {
        return lifecycle_segments_begin(&all->groups, fault);
    }
    for (int grade = 'A'; grade <= 'D'; grade++) {
        const char text[2] = {(char)grade, '\0'};
        uint32_t number = 0;
        if (!lifecycle_name_number(&all->groups, proto_span_text(text), &number, fault)) {
            return false;
        }
    }
    return true;
}

static bool table_fill(struct endowing *all, struct proto_fault *fault)
{
    struct lifecycle_run *run = all->working.run;
    struct measure_resource_options options = run->settings.keep.resources;
    options.units = measure_money_units(run->result->rules.base);
    run->result->icp = all->expression.document->version;
    return measure_resource_table(&all->all, (const char *const *)all->groups.texts,
                                  all->groups.count, &options, &run->result->table, fault);
}

bool lifecycle_resources_look(struct lifecycle_run *run, struct proto_fault *fault)
{
    const struct proto_span none = {NULL, 0};
    struct endowing all = {.working = {.account = account_add}};
    all.working.context = &all;
    bool good = lifecycle_field_find(run->worker, run->request->by, "by", false, &all.by, fault) &&
                groups_begin(&all, fault) &&
                engine_expression_open(run->worker, none, run->request->icp, true, &all.expression,
                                       fault) &&
                lifecycle_working_open(&all.working, run, false, fault) &&
                lifecycle_working_walk(&all.working, fault) && table_fill(&all, fault);
    engine_expression_close(&all.expression);
    lifecycle_working_close(&all.working);
    lifecycle_names_fini(&all.groups);
    measure_endowments_fini(&all.all);
    return good;
}

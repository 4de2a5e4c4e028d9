/* SPDX-License-Identifier: Apache-2.0 */
/* measure-list: the tables of measures as they are; measure, on the lane MEASURE: the request as
 * the use case wants it, and its table as rows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/feature/span_text.h"
#include "server/lifecycle/lifecycle.h"
#include "server/lifecycle/lifecycle_define.h"
#include "server/rpc/rpc_member.h"
#include "server/rpc/rpc_rules.h"
#include "server/rpc/rpc_table.h"

static void parameters_write(struct proto_writer *out, enum measure_id id)
{
    size_t count = 0;
    const struct measure_parameter *p = measure_parameters(id, &count);
    proto_write_array(out, count);
    for (size_t i = 0; i < count; i++) {
        bool bounded = p[i].high > p[i].low;
        proto_write_map(out, bounded ? 6 : 4);
        rpc_member_text(out, RPC_MEMBER(MEASURE_PARAMETER, NAME), p[i].name);
        rpc_member_text(out, RPC_MEMBER(MEASURE_PARAMETER, KIND), measure_kind_name(p[i].kind));
        rpc_member_text(out, RPC_MEMBER(MEASURE_PARAMETER, FALLBACK), p[i].fallback);
        if (bounded) {
            rpc_member_number(out, RPC_MEMBER(MEASURE_PARAMETER, LOW), p[i].low);
            rpc_member_number(out, RPC_MEMBER(MEASURE_PARAMETER, HIGH), p[i].high);
        }
        rpc_member_text(out, RPC_MEMBER(MEASURE_PARAMETER, HELP), p[i].help);
    }
}

static void measure_write(struct proto_writer *out, enum measure_id id)
{
    const struct measure_info *info = measure_info(id);
    proto_write_map(out, 8);
    rpc_member_text(out, RPC_MEMBER(MEASURE, NAME), info->name);
    rpc_member_text(out, RPC_MEMBER(MEASURE, SUMMARY), info->summary);
    rpc_member_text(out, RPC_MEMBER(MEASURE, INPUTS), info->inputs);
    rpc_member_text(out, RPC_MEMBER(MEASURE, INTERVAL), info->interval);
    rpc_member_text(out, RPC_MEMBER(MEASURE, CORRECTION), info->correction);
    rpc_member_flag(out, RPC_MEMBER(MEASURE, SERVED), lifecycle_serves(id));
    rpc_member(out, RPC_MEMBER(MEASURE, PARAMETERS));
    parameters_write(out, id);
    rpc_member(out, RPC_MEMBER(MEASURE, COLUMNS));
    rpc_table_columns(out, id);
}

static void metrics_write(struct proto_writer *out)
{
    proto_write_array(out, MEASURE_METRICS);
    for (int metric = 0; metric < MEASURE_METRICS; metric++) {
        const struct measure_metric_info *info = measure_metric_info((enum measure_metric)metric);
        proto_write_map(out, 2);
        rpc_member_text(out, RPC_MEMBER(METRIC, NAME), info->name);
        rpc_member_text(out, RPC_MEMBER(METRIC, HELP), info->help);
    }
}

static void choices_write(struct proto_writer *out, enum measure_rule rule)
{
    size_t count = 0;
    for (int c = 0; c < MEASURE_CHOICES; c++) {
        count += measure_choice_info((enum measure_choice)c)->rule == rule;
    }
    proto_write_array(out, count);
    for (int c = 0; c < MEASURE_CHOICES; c++) {
        const struct measure_choice_info *info = measure_choice_info((enum measure_choice)c);
        if (info->rule == rule) {
            proto_write_map(out, 2);
            rpc_member_text(out, RPC_MEMBER(RULE_CHOICE, NAME), info->word);
            rpc_member_text(out, RPC_MEMBER(RULE_CHOICE, HELP), info->help);
        }
    }
}

static void rules_list(struct proto_writer *out)
{
    proto_write_array(out, MEASURE_RULE_RATES);
    for (int rule = 0; rule < MEASURE_RULE_RATES; rule++) {
        proto_write_map(out, 3);
        rpc_member_text(out, RPC_MEMBER(RULE, NAME), measure_rule_name((enum measure_rule)rule));
        rpc_member_text(out, RPC_MEMBER(RULE, HELP), measure_rule_help((enum measure_rule)rule));
        rpc_member(out, RPC_MEMBER(RULE, CHOICES));
        choices_write(out, (enum measure_rule)rule);
    }
}

enum rpc_outcome rpc_on_MEASURE_LIST(struct rpc_call *call, struct proto_fault *fault)
{
    struct proto_writer *out = call->out;
    (void)fault;
    proto_write_map(out, 3);
    rpc_key(out, call->op, PROTO_A_MEASURE_LIST_MEASURES);
    proto_write_array(out, MEASURE_IDS);
    for (int id = 0; id < MEASURE_IDS; id++) {
        measure_write(out, (enum measure_id)id);
    }
    rpc_key(out, call->op, PROTO_A_MEASURE_LIST_METRICS);
    metrics_write(out);
    rpc_key(out, call->op, PROTO_A_MEASURE_LIST_RULES);
    rules_list(out);
    return RPC_DONE;
}

static bool name_read(struct rpc_call *call, struct lifecycle_request *request,
                      struct proto_fault *fault)
{
    struct proto_span name = rpc_arg_text(call, PROTO_Q_MEASURE_MEASURE);
    char words[400] = "";
    size_t used = 0;
    for (int id = 0; id < MEASURE_IDS; id++) {
        if (proto_span_is(name, measure_info((enum measure_id)id)->name)) {
            request->measure = (enum measure_id)id;
            return true;
        }
        if (used < sizeof words) { /* what there is no room for is left out */
            used += (size_t)snprintf(words + used, sizeof words - used, "%s%s", id > 0 ? ", " : "",
                                     measure_info((enum measure_id)id)->name);
        }
    }
    return proto_fault_set(fault, PROTO_BAD_FIELD, "measure",
                           "there is no measure '%.*s'; there are %s", (int)name.bytes,
                           (const char *)name.data, words);
}

/* A definition of a request: by name, as a document, or the usual rules. */
static bool definition_read(struct rpc_call *call, int document, int name,
                            struct measure_definition *definition, struct proto_fault *fault)
{
    const struct proto_arg *args = call->args;
    const struct proto_field_info *fields = call->op->request;
    if (args[document].present && args[name].present) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, fields[name].name,
                               "a definition is given as a document or by its name, not both");
    }
    if (args[document].present) {
        return measure_definition_read(args[document].text, definition, fault) ||
               proto_fault_within(fault, "%s", fields[document].name);
    }
    return lifecycle_definition(rpc_state(call),
                                args[name].present ? args[name].text
                                                   : proto_span_text(MEASURE_USUAL_NAME),
                                definition, fault) ||
           proto_fault_within(fault, "%s", fields[name].name);
}

/* The two definitions that are measured by, before rules are laid over them. */
struct definitions {
    struct measure_definition first, second;
    bool kept[2];
};

static bool definitions_read(struct rpc_call *call, struct lifecycle_request *request,
                             struct definitions *definitions, struct proto_fault *fault)
{
    const struct proto_arg *args = call->args;
    struct measure_definition *first = &definitions->first;
    struct measure_definition *second = &definitions->second;
    bool two = args[PROTO_Q_MEASURE_AGAINST_DEFINITION].present ||
               args[PROTO_Q_MEASURE_AGAINST_NAME].present;
    request->metric = request->against_metric = MEASURE_METRICS;
    if (!definition_read(call, PROTO_Q_MEASURE_DEFINITION, PROTO_Q_MEASURE_DEFINITION_NAME, first,
                         fault)) {
        return false;
    }
    request->metric = first->metric;
    request->rules = first->rules;
    if (!rpc_rules_read(call, PROTO_Q_MEASURE_RULES, &request->rules, fault)) {
        return false;
    }
    definitions->kept[0] = !args[PROTO_Q_MEASURE_DEFINITION].present &&
                           measure_rules_differ(&first->rules, &request->rules) == 0;
    *second = *first;
    second->rules = request->rules;
    if (two && !definition_read(call, PROTO_Q_MEASURE_AGAINST_DEFINITION,
                                PROTO_Q_MEASURE_AGAINST_NAME, second, fault)) {
        return false;
    }
    request->against = second->rules;
    request->against_given = two;
    request->against_metric = two ? second->metric : MEASURE_METRICS;
    if (!rpc_rules_read(call, PROTO_Q_MEASURE_AGAINST, &request->against, fault)) {
        return false;
    }
    definitions->kept[1] =
        (two ? !args[PROTO_Q_MEASURE_AGAINST_DEFINITION].present : definitions->kept[0]) &&
        measure_rules_differ(&second->rules, &request->against) == 0;
    return true;
}

static void answer_write(struct rpc_call *call, const struct lifecycle_result *result,
                         const struct definitions *definitions)
{
    struct proto_writer *out = call->out;
    const struct proto_op_info *op = call->op;
    enum measure_id id = result->table.id;
    const struct measure_info *info = measure_info(id);
    bool two = id == MEASURE_ID_BRIDGE;
    bool any = result->newest_ms != INT64_MIN;
    bool scored = result->icp > 0;
    proto_write_map(out, 14U + 4U * two + any + scored);
    rpc_put_text(out, op, PROTO_A_MEASURE_MEASURE, info->name);
    rpc_key(out, op, PROTO_A_MEASURE_COLUMNS);
    rpc_table_columns(out, id);
    rpc_key(out, op, PROTO_A_MEASURE_ROWS);
    rpc_table_rows(out, &result->table);
    rpc_key(out, op, PROTO_A_MEASURE_RULES);
    rpc_rules_write(out, &result->rules);
    if (two) {
        rpc_key(out, op, PROTO_A_MEASURE_AGAINST);
        rpc_rules_write(out, &result->against);
    }
    rpc_put_text(out, op, PROTO_A_MEASURE_DEFINITION, definitions->first.name);
    rpc_put_uint(out, op, PROTO_A_MEASURE_VERSION, definitions->first.version);
    rpc_put_text(out, op, PROTO_A_MEASURE_CURRENCY, result->rules.base);
    rpc_put_text(out, op, PROTO_A_MEASURE_INTERVAL, info->interval);
    rpc_put_text(out, op, PROTO_A_MEASURE_CORRECTION, info->correction);
    rpc_put_uint(out, op, PROTO_A_MEASURE_ACCOUNTS, result->accounts);
    rpc_put_uint(out, op, PROTO_A_MEASURE_EVENTS, result->events);
    rpc_put_uint(out, op, PROTO_A_MEASURE_SUBSCRIPTIONS, result->subscriptions);
    if (any) {
        rpc_put_int(out, op, PROTO_A_MEASURE_NEWEST, result->newest_ms);
    }
    rpc_put_uint(out, op, PROTO_A_MEASURE_SEQ, result->seq);
    rpc_put_flag(out, op, PROTO_A_MEASURE_KEPT, definitions->kept[0]);
    if (two) {
        rpc_put_text(out, op, PROTO_A_MEASURE_AGAINST_DEFINITION, definitions->second.name);
        rpc_put_uint(out, op, PROTO_A_MEASURE_AGAINST_VERSION, definitions->second.version);
        rpc_put_flag(out, op, PROTO_A_MEASURE_AGAINST_KEPT, definitions->kept[1]);
    }
    if (scored) {
        rpc_put_uint(out, op, PROTO_A_MEASURE_ICP, result->icp);
    }
}

/* What is wrong with a definition that was named stands at its name. */
static void name_blame(const struct rpc_call *call, struct proto_fault *fault)
{
    static const int pairs[2][2] = {
        {PROTO_Q_MEASURE_DEFINITION, PROTO_Q_MEASURE_DEFINITION_NAME},
        {PROTO_Q_MEASURE_AGAINST_DEFINITION, PROTO_Q_MEASURE_AGAINST_NAME}};
    for (size_t i = 0; i < 2; i++) {
        const char *document = call->op->request[pairs[i][0]].name;
        if (call->args[pairs[i][1]].present && strcmp(fault->field, document) == 0) {
            (void)snprintf(fault->field, sizeof fault->field, "%s",
                           call->op->request[pairs[i][1]].name);
            return;
        }
    }
}

enum rpc_outcome rpc_on_MEASURE(struct rpc_call *call, struct proto_fault *fault)
{
    struct definitions definitions = {.kept = {false, false}};
    struct lifecycle_request request = {
        .columns = call->worker->rpc->options.columns,
        .filter = rpc_arg_text(call, PROTO_Q_MEASURE_FILTER),
        .icp = rpc_arg_uint(call, PROTO_Q_MEASURE_ICP),
        .by = rpc_arg_text(call, PROTO_Q_MEASURE_BY),
        .churn_flag = rpc_arg_text(call, PROTO_Q_MEASURE_CHURN_FLAG),
        .as_of = rpc_as_of(call, PROTO_Q_MEASURE_SEQ, PROTO_Q_MEASURE_KNOWN)};
    struct lifecycle_result result;
    if (!name_read(call, &request, fault) ||
        !rpc_parameters_read(call, PROTO_Q_MEASURE_PARAMETERS, &request, fault) ||
        !definitions_read(call, &request, &definitions, fault)) {
        return RPC_FAILED;
    }
    bool good = lifecycle_measure(call->worker->engine, call->scan, &request, &result, fault);
    if (!good) {
        name_blame(call, fault);
    }
    if (good) {
        answer_write(call, &result, &definitions);
    }
    lifecycle_result_fini(&result);
    return good ? RPC_DONE : RPC_FAILED;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* verdict and erosion, on the lane MEASURE: policies are read, the list is tried, and words and
 * tables are written. */
#include "server/rpc/call.h"
#include "server/rpc/rpc_member.h"
#include "server/rpc/rpc_rules.h"
#include "server/rpc/rpc_table.h"
#include "server/trial/trial.h"

static bool policy_read(const struct rpc_call *call, int arg, struct measure_policy **policy,
                        struct proto_fault *fault)
{
    *policy = NULL;
    if (!call->args[arg].present) {
        return true;
    }
    *policy = measure_policy_read(call->args[arg].text, fault);
    if (*policy != NULL && (*policy)->by_stage) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, call->op->request[arg].name,
                               "cases by stage count an opportunity once for each stage that it "
                               "entered: a verdict counts accounts or subjects");
    }
    return *policy != NULL || proto_fault_within(fault, "%s", call->op->request[arg].name);
}

static void words_put(struct rpc_call *call, int key, const struct verdict_words *words)
{
    rpc_key(call->out, call->op, key);
    proto_write_array(call->out, words->count);
    for (size_t i = 0; i < words->count; i++) {
        proto_write_text(call->out, words->text[i]);
    }
}

static void tables_put(struct rpc_call *call, const struct trial_result *result)
{
    struct proto_writer *out = call->out;
    rpc_key(out, call->op, PROTO_A_VERDICT_TABLES);
    proto_write_array(out, TRIAL_TABLES);
    for (int t = 0; t < TRIAL_TABLES; t++) {
        const struct measure_table *table = &result->tables[t];
        proto_write_map(out, 2);
        rpc_member_text(out, RPC_MEMBER(VERDICT_TABLE, MEASURE), measure_info(table->id)->name);
        rpc_member(out, RPC_MEMBER(VERDICT_TABLE, ROWS));
        rpc_table_rows(out, table);
    }
}

static void answer_put(struct rpc_call *call, const struct trial_result *result)
{
    struct proto_writer *out = call->out;
    const struct proto_op_info *op = call->op;
    const json_t *icp = json_object_get(result->document, "icp");
    proto_write_map(out, 20);
    rpc_put_text(out, op, PROTO_A_VERDICT_NAME, result->said.list);
    rpc_put_text(out, op, PROTO_A_VERDICT_VERDICT, term_verdict_word(result->said.verdict));
    words_put(call, PROTO_A_VERDICT_WORDS, &result->words);
    words_put(call, PROTO_A_VERDICT_CANNOT, &result->cannot);
    words_put(call, PROTO_A_VERDICT_NEXT, &result->next);
    rpc_put_uint(out, op, PROTO_A_VERDICT_ICP,
                 (uint64_t)json_integer_value(json_object_get(icp, "version")));
    rpc_put_uint(out, op, PROTO_A_VERDICT_FORMAT,
                 (uint64_t)json_integer_value(json_object_get(result->document, "format")));
    rpc_put_int(out, op, PROTO_A_VERDICT_CREATED, result->created_ms);
    rpc_put_int(out, op, PROTO_A_VERDICT_SINCE, result->since_ms);
    rpc_put_int(out, op, PROTO_A_VERDICT_AT, result->at_ms);
    rpc_put_uint(out, op, PROTO_A_VERDICT_SEQ, result->seq);
    rpc_put_number(out, op, PROTO_A_VERDICT_ALPHA, verdict_alpha(&result->said));
    rpc_put_uint(out, op, PROTO_A_VERDICT_ACCOUNTS, result->accounts);
    rpc_put_uint(out, op, PROTO_A_VERDICT_EVENTS, result->events);
    rpc_put_uint(out, op, PROTO_A_VERDICT_CASES, result->cases);
    rpc_put_uint(out, op, PROTO_A_VERDICT_OPEN, result->open);
    rpc_put_uint(out, op, PROTO_A_VERDICT_BEFORE, result->before);
    rpc_put_uint(out, op, PROTO_A_VERDICT_ELSEWHERE, result->elsewhere);
    rpc_put_uint(out, op, PROTO_A_VERDICT_TOUCHES, result->touches);
    tables_put(call, result);
}

static int64_t time_or(const struct rpc_call *call, int arg, int64_t otherwise)
{
    return call->args[arg].present ? call->args[arg].integer : otherwise;
}

enum rpc_outcome rpc_on_VERDICT(struct rpc_call *call, struct proto_fault *fault)
{
    static const int policies[TRIAL_OUTCOMES] = {PROTO_Q_VERDICT_POLICY, PROTO_Q_VERDICT_RETAINED,
                                                 PROTO_Q_VERDICT_EXPANDED};
    struct measure_policy *read[TRIAL_OUTCOMES] = {NULL};
    struct trial_result result = {.document = NULL};
    bool good = true;
    for (int i = 0; good && i < TRIAL_OUTCOMES; i++) {
        good = policy_read(call, policies[i], &read[i], fault);
    }
    const struct trial_request request = {
        .list = rpc_arg_text(call, PROTO_Q_VERDICT_NAME),
        .policies = {read[TRIAL_CLOSED], read[TRIAL_RETAINED], read[TRIAL_EXPANDED]},
        .profile = rpc_arg_text(call, PROTO_Q_VERDICT_PROFILE),
        .by = rpc_arg_text(call, PROTO_Q_VERDICT_BY),
        .owners = rpc_arg_flag(call, PROTO_Q_VERDICT_OWNERS),
        .effort = rpc_arg_flag(call, PROTO_Q_VERDICT_EFFORT),
        .weekly = rpc_arg_flag(call, PROTO_Q_VERDICT_WEEKLY),
        .since_ms = time_or(call, PROTO_Q_VERDICT_SINCE, TRIAL_CREATION),
        .at_ms = time_or(call, PROTO_Q_VERDICT_AT, MEASURE_NEVER),
        .as_of = rpc_as_of(call, PROTO_Q_VERDICT_SEQ, PROTO_Q_VERDICT_KNOWN),
        .alpha = rpc_arg_number(call, PROTO_Q_VERDICT_ALPHA)};
    good = good && trial_measure(call->worker->engine, call->scan, &request, &result, fault);
    if (good) {
        answer_put(call, &result);
    }
    trial_fini(&result);
    for (int i = 0; i < TRIAL_OUTCOMES; i++) {
        measure_policy_destroy(read[i]);
    }
    return good ? RPC_DONE : RPC_FAILED;
}

static void erosion_put(struct rpc_call *call, struct proto_span name,
                        const struct trial_erosion *erosion)
{
    struct proto_writer *out = call->out;
    const struct proto_op_info *op = call->op;
    bool alarm = erosion->first_alarm_ms != VERDICT_NEVER;
    proto_write_map(out, 9U + alarm);
    rpc_put_str(out, op, PROTO_A_EROSION_NAME, name);
    rpc_put_int(out, op, PROTO_A_EROSION_SINCE, erosion->since_ms);
    rpc_put_int(out, op, PROTO_A_EROSION_AT, erosion->at_ms);
    rpc_put_uint(out, op, PROTO_A_EROSION_SEQ, erosion->seq);
    rpc_put_uint(out, op, PROTO_A_EROSION_WEEKS, erosion->weeks);
    rpc_put_uint(out, op, PROTO_A_EROSION_ON, erosion->on);
    rpc_put_uint(out, op, PROTO_A_EROSION_ALL, erosion->all);
    rpc_put_uint(out, op, PROTO_A_EROSION_ALARMS, erosion->alarms);
    if (alarm) {
        rpc_put_int(out, op, PROTO_A_EROSION_FIRST, erosion->first_alarm_ms);
    }
    rpc_key(out, op, PROTO_A_EROSION_ROWS);
    rpc_table_rows(out, &erosion->table);
}

enum rpc_outcome rpc_on_EROSION(struct rpc_call *call, struct proto_fault *fault)
{
    struct trial_erosion erosion;
    const struct trial_erosion_request request = {
        .list = rpc_arg_text(call, PROTO_Q_EROSION_NAME),
        .committed = rpc_arg_number(call, PROTO_Q_EROSION_COMMITTED),
        .false_alarm = rpc_arg_number(call, PROTO_Q_EROSION_FALSE_ALARM),
        .since_ms = time_or(call, PROTO_Q_EROSION_SINCE, TRIAL_CREATION),
        .at_ms = time_or(call, PROTO_Q_EROSION_AT, MEASURE_NEVER),
        .as_of = rpc_as_of(call, PROTO_Q_EROSION_SEQ, PROTO_Q_EROSION_KNOWN)};
    bool good = trial_erosion_measure(call->worker->engine, call->scan, &request, &erosion, fault);
    if (good) {
        erosion_put(call, request.list, &erosion);
    }
    trial_erosion_fini(&erosion);
    return good ? RPC_DONE : RPC_FAILED;
}

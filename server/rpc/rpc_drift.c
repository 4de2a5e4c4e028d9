/* SPDX-License-Identifier: Apache-2.0 */
/* icp-drift: on the lane MEASURE, for it reads what came of accounts. Verdict and words, then the
 * figures, grades and columns that they rest on. */
#include <math.h>

#include "server/drift/drift.h"
#include "server/math/special.h"
#include "server/rpc/call.h"
#include "server/rpc/rpc_member.h"

#define NONE MATH_NAN /* a figure has no such number */

/* Figures are counted before they are written: the first pass writes nowhere. */
struct figures {
    struct proto_writer *out; /* NULL: count */
    size_t count;
};

static unsigned told(double value)
{
    return isnan(value) != 0 ? 0U : 1U;
}

static void number_put(struct proto_writer *out, const struct proto_field_info *member,
                       double value)
{
    if (told(value) > 0) {
        rpc_member_number(out, member, value);
    }
}

static void figure_put(struct figures *figures, const char *name, struct drift_figure figure,
                       double then)
{
    struct proto_writer *out = figures->out;
    figures->count++;
    if (!out) {
        return;
    }
    proto_write_map(out, 2U + told(figure.low) + told(figure.high) + told(then));
    rpc_member_text(out, RPC_MEMBER(DRIFT_FIGURE, NAME), name);
    rpc_member_number(out, RPC_MEMBER(DRIFT_FIGURE, VALUE), figure.value);
    number_put(out, RPC_MEMBER(DRIFT_FIGURE, LOW), figure.low);
    number_put(out, RPC_MEMBER(DRIFT_FIGURE, HIGH), figure.high);
    number_put(out, RPC_MEMBER(DRIFT_FIGURE, THEN), then);
}

static struct drift_figure alone(double value)
{
    return (struct drift_figure){value, NONE, NONE};
}

static void figures_each(struct figures *figures, const struct drift_result *result)
{
    if (result->rows > 0) {
        figure_put(figures, "rate", result->rate, result->then.base_rate);
    }
    if (result->both) {
        figure_put(figures, "p", alone(result->p_mean), NONE);
        figure_put(figures, "gap", result->gap, NONE);
        figure_put(figures, "auc", result->auc, result->then.auc);
        figure_put(figures, "lift", result->lift, result->then.lift);
        figure_put(figures, "skill", result->skill, result->then.skill);
        figure_put(figures, "brier", alone(result->brier), NONE);
    }
    if (result->rows + result->open > 0) {
        figure_put(figures, "expected-auc", alone(result->expected_auc), NONE);
        figure_put(figures, "expected-brier", alone(result->expected_brier), NONE);
    }
}

static void figures_put(struct rpc_call *call, const struct drift_result *result)
{
    struct figures figures = {.out = NULL};
    figures_each(&figures, result);
    rpc_key(call->out, call->op, PROTO_A_ICP_DRIFT_FIGURES);
    proto_write_array(call->out, figures.count);
    figures.out = call->out;
    figures_each(&figures, result);
}

static void grades_put(struct rpc_call *call, const struct drift_result *result)
{
    struct proto_writer *out = call->out;
    rpc_key(out, call->op, PROTO_A_ICP_DRIFT_GRADES);
    proto_write_array(out, result->both ? LEARN_GRADES : 0);
    for (unsigned g = 0; result->both && g < LEARN_GRADES; g++) {
        const struct learn_grade_rows *grade = &result->grades[g];
        const char name[2] = {(char)('A' + g), '\0'};
        proto_write_map(out, 5);
        rpc_member_text(out, RPC_MEMBER(DRIFT_GRADE, GRADE), name);
        rpc_member_uint(out, RPC_MEMBER(DRIFT_GRADE, CASES), grade->rows);
        rpc_member_uint(out, RPC_MEMBER(DRIFT_GRADE, POSITIVES), grade->positives);
        rpc_member_number(out, RPC_MEMBER(DRIFT_GRADE, LOW), grade->low);
        rpc_member_number(out, RPC_MEMBER(DRIFT_GRADE, HIGH), grade->rows > 0 ? grade->high : 1);
    }
}

static void column_put(struct proto_writer *out, const struct drift_column *column)
{
    proto_write_map(out, 10U + (column->tag != NULL));
    rpc_member_text(out, RPC_MEMBER(DRIFT_FIELD, FIELD), column->field);
    if (column->tag) {
        rpc_member_text(out, RPC_MEMBER(DRIFT_FIELD, TAG), column->tag);
    }
    rpc_member_number(out, RPC_MEMBER(DRIFT_FIELD, PSI), column->psi);
    rpc_member_number(out, RPC_MEMBER(DRIFT_FIELD, LIMIT), column->limit);
    rpc_member_flag(out, RPC_MEMBER(DRIFT_FIELD, SHIFTED), column->psi > column->limit);
    rpc_member_text(out, RPC_MEMBER(DRIFT_FIELD, BIN), column->bin);
    rpc_member_number(out, RPC_MEMBER(DRIFT_FIELD, SHARE_THEN), column->share_then);
    rpc_member_number(out, RPC_MEMBER(DRIFT_FIELD, SHARE_NOW), column->share_now);
    rpc_member_number(out, RPC_MEMBER(DRIFT_FIELD, AUC_THEN), column->auc_then.value);
    rpc_member_number(out, RPC_MEMBER(DRIFT_FIELD, AUC_NOW), column->auc_now.value);
    rpc_member_flag(out, RPC_MEMBER(DRIFT_FIELD, LOST), column->lost);
}

static void answer_put(struct rpc_call *call, const struct drift_result *result)
{
    struct proto_writer *out = call->out;
    const struct proto_op_info *op = call->op;
    proto_write_map(out, 15);
    rpc_put_uint(out, op, PROTO_A_ICP_DRIFT_ICP, result->icp);
    rpc_put_text(out, op, PROTO_A_ICP_DRIFT_LABEL, result->label);
    rpc_put_int(out, op, PROTO_A_ICP_DRIFT_SINCE, result->since_ms);
    rpc_put_int(out, op, PROTO_A_ICP_DRIFT_AT, result->at_ms);
    rpc_put_uint(out, op, PROTO_A_ICP_DRIFT_SEQ, result->seq);
    rpc_put_text(out, op, PROTO_A_ICP_DRIFT_VERDICT, drift_verdict_name(result->verdict));
    rpc_key(out, op, PROTO_A_ICP_DRIFT_WORDS);
    proto_write_array(out, result->word_count);
    for (size_t i = 0; i < result->word_count; i++) {
        proto_write_text(out, result->words[i]);
    }
    rpc_put_uint(out, op, PROTO_A_ICP_DRIFT_CASES, result->rows);
    rpc_put_uint(out, op, PROTO_A_ICP_DRIFT_POSITIVES, result->positives);
    rpc_put_uint(out, op, PROTO_A_ICP_DRIFT_OPEN, result->open);
    rpc_put_uint(out, op, PROTO_A_ICP_DRIFT_NOT_KEPT, result->not_kept);
    rpc_put_uint(out, op, PROTO_A_ICP_DRIFT_ACCOUNTS, result->accounts);
    figures_put(call, result);
    grades_put(call, result);
    rpc_key(out, op, PROTO_A_ICP_DRIFT_FIELDS);
    proto_write_array(out, result->column_count);
    for (size_t i = 0; i < result->column_count; i++) {
        column_put(out, &result->columns[i]);
    }
}

static bool policy_read(const struct rpc_call *call, struct measure_policy **policy,
                        struct proto_fault *fault)
{
    const struct proto_arg *arg = &call->args[PROTO_Q_ICP_DRIFT_POLICY];
    *policy = NULL;
    if (!arg->present) {
        return true;
    }
    if (call->args[PROTO_Q_ICP_DRIFT_LABEL].present) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "label",
                               "one of label and policy says what outcomes are");
    }
    *policy = measure_policy_read(arg->text, fault);
    return *policy != NULL || proto_fault_within(fault, "policy");
}

enum rpc_outcome rpc_on_ICP_DRIFT(struct rpc_call *call, struct proto_fault *fault)
{
    const struct proto_arg *since = &call->args[PROTO_Q_ICP_DRIFT_SINCE];
    const struct proto_arg *at = &call->args[PROTO_Q_ICP_DRIFT_AT];
    struct measure_policy *policy;
    struct drift_result result = {.icp = 0};
    if (!policy_read(call, &policy, fault)) {
        return RPC_FAILED;
    }
    const struct drift_request request = {
        .icp = rpc_arg_uint(call, PROTO_Q_ICP_DRIFT_ICP),
        .policy = policy,
        .label = rpc_arg_text(call, PROTO_Q_ICP_DRIFT_LABEL),
        .since_ms = since->present ? since->integer : DRIFT_ACTIVATION,
        .at_ms = at->present ? at->integer : MEASURE_NEVER,
    };
    bool good = drift_measure(call->worker->engine, call->scan, &request, &result, fault);
    if (good) {
        answer_put(call, &result);
    }
    drift_fini(&result);
    measure_policy_destroy(policy);
    return good ? RPC_DONE : RPC_FAILED;
}

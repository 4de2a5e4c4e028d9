/* SPDX-License-Identifier: Apache-2.0 */
/* icp-what-if: on the lane SCAN. Counts first, then the parts of a field, then who moves most. */
#include "server/dispute/what_if.h"
#include "server/rpc/display_name.h"
#include "server/rpc/rpc_member.h"

static void grade_put(struct proto_writer *out, const struct proto_field_info *member, char grade)
{
    const char text[2] = {grade, '\0'};
    rpc_member_text(out, member, text);
}

/* How many members expected_put writes. */
static unsigned expected_count(const struct dispute_what_if_result *result)
{
    return (result->value_before != NULL ? 1U : 0U) + (result->value_after != NULL ? 1U : 0U);
}

static void expected_put(struct proto_writer *out, const struct dispute_what_if_result *result,
                         const struct proto_field_info *before,
                         const struct proto_field_info *after, const struct dispute_worth *worth)
{
    if (result->value_before != NULL) {
        rpc_member_number(out, before, worth->before);
    }
    if (result->value_after != NULL) {
        rpc_member_number(out, after, worth->after);
    }
}

static void moves_put(struct rpc_call *call, const struct dispute_what_if_result *result)
{
    size_t count = 0;
    for (unsigned i = 0; i < DISPUTE_GRADES * DISPUTE_GRADES; i++) {
        count += result->moves[i / DISPUTE_GRADES][i % DISPUTE_GRADES] > 0;
    }
    rpc_key(call->out, call->op, PROTO_A_ICP_WHAT_IF_MOVES);
    proto_write_array(call->out, count);
    for (unsigned i = 0; i < DISPUTE_GRADES * DISPUTE_GRADES; i++) {
        uint64_t accounts = result->moves[i / DISPUTE_GRADES][i % DISPUTE_GRADES];
        if (accounts > 0) {
            proto_write_map(call->out, 3U + expected_count(result));
            grade_put(call->out, RPC_MEMBER(GRADE_MOVE, NOW), (char)('A' + i / DISPUTE_GRADES));
            grade_put(call->out, RPC_MEMBER(GRADE_MOVE, THEN), (char)('A' + i % DISPUTE_GRADES));
            rpc_member_uint(call->out, RPC_MEMBER(GRADE_MOVE, ACCOUNTS), accounts);
            expected_put(call->out, result, RPC_MEMBER(GRADE_MOVE, EXPECTED_BEFORE),
                         RPC_MEMBER(GRADE_MOVE, EXPECTED_AFTER),
                         &result->moved[i / DISPUTE_GRADES][i % DISPUTE_GRADES]);
        }
    }
}

static void parts_put(struct rpc_call *call, const struct dispute_what_if_result *result)
{
    struct proto_writer *out = call->out;
    rpc_key(out, call->op, PROTO_A_ICP_WHAT_IF_PARTS);
    proto_write_array(out, result->part_count);
    for (size_t i = 0; i < result->part_count; i++) {
        const struct dispute_what_if_part *part = &result->parts[i];
        proto_write_map(out, 6U + expected_count(result));
        rpc_member_text(out, RPC_MEMBER(WHAT_IF_PART, VALUE), part->value ? part->value : "");
        rpc_member_uint(out, RPC_MEMBER(WHAT_IF_PART, ACCOUNTS), part->accounts);
        rpc_member_uint(out, RPC_MEMBER(WHAT_IF_PART, UP), part->up);
        rpc_member_uint(out, RPC_MEMBER(WHAT_IF_PART, DOWN), part->down);
        rpc_member_uint(out, RPC_MEMBER(WHAT_IF_PART, BEST_BEFORE), part->best_before);
        rpc_member_uint(out, RPC_MEMBER(WHAT_IF_PART, BEST_AFTER), part->best_after);
        expected_put(out, result, RPC_MEMBER(WHAT_IF_PART, EXPECTED_BEFORE),
                     RPC_MEMBER(WHAT_IF_PART, EXPECTED_AFTER), &part->expected);
    }
}

static bool changed_put(struct rpc_call *call, const struct dispute_what_if_result *result,
                        struct proto_fault *fault)
{
    struct proto_writer *out = call->out;
    bool names = rpc_names_wanted(call, PROTO_Q_ICP_WHAT_IF_NAMES);
    rpc_key(out, call->op, PROTO_A_ICP_WHAT_IF_CHANGED);
    proto_write_array(out, result->changed_count);
    for (size_t i = 0; i < result->changed_count; i++) {
        const struct dispute_what_if_account *account = &result->changed[i];
        struct feature_record record;
        if (!engine_record(call->worker->engine, account->slot, &record, fault)) {
            return false;
        }
        proto_write_map(out, 5U + names + expected_count(result));
        rpc_member_str(out, RPC_MEMBER(REGRADED, ID), record.id);
        if (names) {
            rpc_member_str(out, RPC_MEMBER(REGRADED, NAME), rpc_display_name(call, &record));
        }
        grade_put(out, RPC_MEMBER(REGRADED, NOW), account->grade_before);
        grade_put(out, RPC_MEMBER(REGRADED, THEN), account->grade_after);
        rpc_member_number(out, RPC_MEMBER(REGRADED, FIT_BEFORE), account->fit_before);
        rpc_member_number(out, RPC_MEMBER(REGRADED, FIT_AFTER), account->fit_after);
        expected_put(out, result, RPC_MEMBER(REGRADED, EXPECTED_BEFORE),
                     RPC_MEMBER(REGRADED, EXPECTED_AFTER), &account->expected);
    }
    return true;
}

/* What they learned as value, and what all is worth together. */
static void worth_put(struct rpc_call *call, const struct dispute_what_if_result *result)
{
    struct proto_writer *out = call->out;
    if (result->value_before != NULL) {
        rpc_put_text(out, call->op, PROTO_A_ICP_WHAT_IF_VALUE_BEFORE, result->value_before);
        rpc_put_number(out, call->op, PROTO_A_ICP_WHAT_IF_EXPECTED_BEFORE, result->expected.before);
    }
    if (result->value_after != NULL) {
        rpc_put_text(out, call->op, PROTO_A_ICP_WHAT_IF_VALUE_AFTER, result->value_after);
        rpc_put_number(out, call->op, PROTO_A_ICP_WHAT_IF_EXPECTED_AFTER, result->expected.after);
    }
}

static bool result_put(struct rpc_call *call, const struct dispute_what_if_result *result,
                       struct proto_fault *fault)
{
    struct proto_writer *out = call->out;
    bool parts = result->parts != NULL;
    uint64_t up = 0;
    uint64_t down = 0;
    for (unsigned before = 0; before < DISPUTE_GRADES; before++) {
        for (unsigned after = 0; after < DISPUTE_GRADES; after++) {
            up += after < before ? result->moves[before][after] : 0;
            down += after > before ? result->moves[before][after] : 0;
        }
    }
    proto_write_map(out, 8U + parts + 2U * expected_count(result));
    rpc_put_uint(out, call->op, PROTO_A_ICP_WHAT_IF_ICP, result->icp);
    rpc_put_uint(out, call->op, PROTO_A_ICP_WHAT_IF_AGAINST, result->against);
    rpc_put_uint(out, call->op, PROTO_A_ICP_WHAT_IF_SEQ, engine_worker_seq(call->worker->engine));
    rpc_put_uint(out, call->op, PROTO_A_ICP_WHAT_IF_ACCOUNTS, result->accounts);
    rpc_put_uint(out, call->op, PROTO_A_ICP_WHAT_IF_UP, up);
    rpc_put_uint(out, call->op, PROTO_A_ICP_WHAT_IF_DOWN, down);
    moves_put(call, result);
    if (parts) {
        parts_put(call, result);
    }
    worth_put(call, result);
    return changed_put(call, result, fault);
}

enum rpc_outcome rpc_on_ICP_WHAT_IF(struct rpc_call *call, struct proto_fault *fault)
{
    struct dispute_what_if question = {
        .icp = rpc_arg_uint(call, PROTO_Q_ICP_WHAT_IF_ICP),
        .against = rpc_arg_uint(call, PROTO_Q_ICP_WHAT_IF_AGAINST),
        .filter = rpc_arg_text(call, PROTO_Q_ICP_WHAT_IF_FILTER),
        .by = rpc_arg_text(call, PROTO_Q_ICP_WHAT_IF_BY),
        .most = (size_t)rpc_arg_uint(call, PROTO_Q_ICP_WHAT_IF_LIMIT),
    };
    struct dispute_what_if_result result;
    if (!dispute_what_if(call->worker->rpc->options.dispute, call->worker->engine, call->scan,
                         &question, &result, fault)) {
        return RPC_FAILED;
    }
    bool ok = result_put(call, &result, fault);
    dispute_what_if_fini(&result);
    return ok ? RPC_DONE : RPC_FAILED;
}

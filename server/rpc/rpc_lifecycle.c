/* SPDX-License-Identifier: Apache-2.0 */
/* lifecycle, on the lane SCAN beside timeline: what the events of one account come to. */
#include "server/rpc/lead.h"
#include "server/rpc/rpc_member.h"
#include "server/rpc/rpc_rules.h"

static void open_write(struct proto_writer *out, const struct lifecycle_open *item)
{
    bool ends = item->end_ms != MEASURE_NEVER;
    proto_write_map(out, 5U + (item->kind.bytes > 0) + (item->label.bytes > 0) + ends);
    rpc_member_str(out, RPC_MEMBER(SUBSCRIPTION, SUBJECT), item->subject);
    if (item->kind.bytes > 0) {
        rpc_member_str(out, RPC_MEMBER(SUBSCRIPTION, KIND), item->kind);
    }
    if (item->label.bytes > 0) {
        rpc_member_str(out, RPC_MEMBER(SUBSCRIPTION, LABEL), item->label);
    }
    rpc_member_int(out, RPC_MEMBER(SUBSCRIPTION, AMOUNT), item->amount);
    rpc_member_text(out, RPC_MEMBER(SUBSCRIPTION, CURRENCY), item->currency);
    rpc_member_int(out, RPC_MEMBER(SUBSCRIPTION, MONTHS), item->months);
    rpc_member_int(out, RPC_MEMBER(SUBSCRIPTION, BEGIN), item->start_ms);
    if (ends) {
        rpc_member_int(out, RPC_MEMBER(SUBSCRIPTION, END), item->end_ms);
    }
}

/* A time that there may be none of. */
static void time_write(struct rpc_call *call, int index, int64_t ms)
{
    if (ms != MEASURE_NEVER) {
        rpc_put_int(call->out, call->op, index, ms);
    }
}

static void answer_write(struct rpc_call *call, struct proto_span id, int64_t at_ms,
                         const struct lifecycle_account *account)
{
    struct proto_writer *out = call->out;
    const struct proto_op_info *op = call->op;
    bool paid = account->since_ms != MEASURE_NEVER;
    bool touched = account->first_touch_ms != MEASURE_NEVER;
    bool asked = account->nps_ms != MEASURE_NEVER;
    bool any = account->newest_ms != INT64_MIN;
    proto_write_map(out, 11U + 2U * paid + 2U * touched + 2U * asked + any);
    rpc_put_str(out, op, PROTO_A_LIFECYCLE_ID, id);
    rpc_put_int(out, op, PROTO_A_LIFECYCLE_AT, at_ms);
    rpc_put_int(out, op, PROTO_A_LIFECYCLE_MRR, account->mrr);
    rpc_put_text(out, op, PROTO_A_LIFECYCLE_CURRENCY, account->currency);
    rpc_put_flag(out, op, PROTO_A_LIFECYCLE_CUSTOMER, account->customer);
    if (paid) {
        rpc_put_int(out, op, PROTO_A_LIFECYCLE_SINCE, account->since_ms);
        rpc_put_uint(out, op, PROTO_A_LIFECYCLE_TENURE_DAYS, (uint64_t)account->tenure_days);
    }
    time_write(call, PROTO_A_LIFECYCLE_FIRST_TOUCH, account->first_touch_ms);
    time_write(call, PROTO_A_LIFECYCLE_LAST_TOUCH, account->last_touch_ms);
    rpc_put_uint(out, op, PROTO_A_LIFECYCLE_RENEWALS, account->renewals);
    rpc_put_uint(out, op, PROTO_A_LIFECYCLE_CHURNED, account->churned);
    if (asked) {
        rpc_put_int(out, op, PROTO_A_LIFECYCLE_NPS, account->nps);
    }
    time_write(call, PROTO_A_LIFECYCLE_NPS_TIME, account->nps_ms);
    rpc_key(out, op, PROTO_A_LIFECYCLE_OPEN);
    proto_write_array(out, account->open_listed);
    for (size_t i = 0; i < account->open_listed; i++) {
        open_write(out, &account->open[i]);
    }
    rpc_put_uint(out, op, PROTO_A_LIFECYCLE_OPEN_COUNT, account->open_count);
    rpc_put_uint(out, op, PROTO_A_LIFECYCLE_EVENTS, account->events);
    if (any) {
        rpc_put_int(out, op, PROTO_A_LIFECYCLE_NEWEST, account->newest_ms);
    }
    rpc_put_uint(out, op, PROTO_A_LIFECYCLE_SEQ, account->seq);
}

static bool account_find(struct rpc_call *call, uint32_t *slot, struct feature_record *record,
                         struct proto_fault *fault)
{
    struct engine_name name;
    struct proto_fault local = {.code = PROTO_OK};
    if (!rpc_name_read(call->args, PROTO_Q_LIFECYCLE_ID, PROTO_Q_LIFECYCLE_KEY,
                       PROTO_Q_LIFECYCLE_EMAIL, &name, fault)) {
        return false;
    }
    if (name.id.bytes + name.key.bytes + name.email.bytes == 0) {
        return proto_fault_set(fault, PROTO_MISSING_FIELD, "id", "give id, key or email");
    }
    *slot = engine_find(call->worker->engine, &name, &local);
    if (*slot == ENGINE_NO_SLOT) {
        if (local.code == PROTO_OK) {
            (void)proto_fault_set(&local, PROTO_NOT_FOUND, "",
                                  "no account has this id, key or email");
        }
        *fault = local;
        return false;
    }
    return engine_record(call->worker->engine, *slot, record, fault);
}

enum rpc_outcome rpc_on_LIFECYCLE(struct rpc_call *call, struct proto_fault *fault)
{
    struct engine_worker *worker = call->worker->engine;
    const struct lifecycle_as_of as_of =
        rpc_as_of(call, PROTO_Q_LIFECYCLE_SEQ, PROTO_Q_LIFECYCLE_KNOWN);
    const struct proto_arg *at = &call->args[PROTO_Q_LIFECYCLE_AT];
    int64_t at_ms = at->present ? at->integer : engine_now_ms(call->worker->rpc->options.engine);
    struct feature_record record = {0};
    struct lifecycle_account account;
    struct measure_rules rules;
    uint32_t slot = ENGINE_NO_SLOT;
    measure_rules_default(&rules);
    if (!account_find(call, &slot, &record, fault) ||
        !rpc_rules_read(call, PROTO_Q_LIFECYCLE_RULES, &rules, fault) ||
        !lifecycle_account(worker, slot, at_ms, &rules, &as_of, &call->worker->arena, &account,
                           fault)) {
        return RPC_FAILED;
    }
    answer_write(call, record.id, at_ms, &account);
    return RPC_DONE;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* plan-add, plan-get and plan-list, on the lane SCAN: an entry of a plan is added and its hash
 * answered, when it is on disk; a plan is read with a page of its lines; all are listed. */
#include <stdlib.h>

#include "server/commitment/commitment.h"
#include "server/rpc/rpc_member.h"
#include "server/rpc/write.h"
#include "server/term/term_json.h"

enum rpc_outcome rpc_on_PLAN_ADD(struct rpc_call *call, struct proto_fault *fault)
{
    struct commitment_entry request = {
        .name = rpc_arg_text(call, PROTO_Q_PLAN_ADD_NAME),
        .act = rpc_arg_text(call, PROTO_Q_PLAN_ADD_ACT),
        .body = rpc_arg_text(call, PROTO_Q_PLAN_ADD_BODY),
        .operation = rpc_operation(call, PROTO_Q_PLAN_ADD_OPERATION),
    };
    struct commitment_added added;
    if (!commitment_add(call->worker->engine, call->scan, &request, &added, fault)) {
        return RPC_FAILED;
    }
    struct proto_writer *out = call->out;
    proto_write_map(out, 4U + added.repeated);
    rpc_put_str(out, call->op, PROTO_A_PLAN_ADD_NAME, request.name);
    rpc_put_uint(out, call->op, PROTO_A_PLAN_ADD_ENTRY, added.entry);
    rpc_put_text(out, call->op, PROTO_A_PLAN_ADD_STATE, term_state_word(added.state));
    rpc_put_text(out, call->op, PROTO_A_PLAN_ADD_HASH, added.hash);
    rpc_put_repeated(out, call->op, PROTO_A_PLAN_ADD_REPEATED, added.repeated);
    return RPC_DONE;
}

static void signed_write(struct rpc_call *call, json_t *signed_by)
{
    const char *function;
    json_t *number;
    rpc_key(call->out, call->op, PROTO_A_PLAN_GET_SIGNED);
    proto_write_array(call->out, json_object_size(signed_by));
    json_object_foreach(signed_by, function, number)
    {
        proto_write_text(call->out, function);
    }
}

static bool seen_write(struct rpc_call *call, struct proto_span name,
                       const struct commitment_seen *seen, struct proto_fault *fault)
{
    char head[TERM_HASH_HEX + 1];
    char ownerless[1024];
    size_t bytes = 0;
    struct proto_writer *out = call->out;
    char *terms = term_json_print(seen->plan.terms, &bytes, fault);
    if (terms == NULL) {
        return false;
    }
    term_hex_print(seen->plan.head.bytes, TERM_HASH_BYTES, head);
    (void)term_plan_ownerless(&seen->plan, ownerless, sizeof ownerless);
    proto_write_map(out, 9U + (seen->wrong.code != PROTO_OK));
    rpc_put_str(out, call->op, PROTO_A_PLAN_GET_NAME, name);
    rpc_put_text(out, call->op, PROTO_A_PLAN_GET_STATE, term_state_word(seen->plan.state));
    rpc_put_uint(out, call->op, PROTO_A_PLAN_GET_COUNT, seen->count);
    rpc_put_text(out, call->op, PROTO_A_PLAN_GET_HEAD, head);
    rpc_put_str(out, call->op, PROTO_A_PLAN_GET_TERMS,
                (struct proto_span){(const uint8_t *)terms, bytes});
    free(terms);
    signed_write(call, seen->plan.signed_by);
    rpc_put_text(out, call->op, PROTO_A_PLAN_GET_OWNERLESS, ownerless);
    rpc_key(out, call->op, PROTO_A_PLAN_GET_LINES);
    proto_write_array(out, seen->line_count);
    for (size_t i = 0; i < seen->line_count; i++) {
        proto_write_str(out, seen->lines[i]);
    }
    if (seen->wrong.code != PROTO_OK) {
        rpc_put_text(out, call->op, PROTO_A_PLAN_GET_WRONG, seen->wrong.message);
    }
    rpc_put_uint(out, call->op, PROTO_A_PLAN_GET_LOST, seen->lost);
    return true;
}

enum rpc_outcome rpc_on_PLAN_GET(struct rpc_call *call, struct proto_fault *fault)
{
    struct commitment_seen seen;
    struct proto_span name = rpc_arg_text(call, PROTO_Q_PLAN_GET_NAME);
    bool good = commitment_see(call->worker->engine, call->scan, name,
                               rpc_arg_uint(call, PROTO_Q_PLAN_GET_AFTER),
                               (size_t)rpc_arg_uint(call, PROTO_Q_PLAN_GET_LIMIT), &seen, fault) &&
                seen_write(call, name, &seen, fault);
    commitment_seen_fini(&seen);
    return good ? RPC_DONE : RPC_FAILED;
}

static void day_write(struct proto_writer *out, const struct proto_field_info *member,
                      const struct term_plan *plan, const char *name)
{
    const char *day = json_string_value(json_object_get(plan->terms, name));
    rpc_member_text(out, member, day == NULL ? "" : day);
}

static void listed_write(struct proto_writer *out, const struct commitment_listed *listed)
{
    const struct term_plan *plan = &listed->plan;
    char head[TERM_HASH_HEX + 1];
    term_hex_print(plan->head.bytes, TERM_HASH_BYTES, head);
    proto_write_map(out, 7U + (listed->wrong.code != PROTO_OK));
    rpc_member_text(out, RPC_MEMBER(PLAN, NAME), plan->name);
    rpc_member_text(out, RPC_MEMBER(PLAN, STATE), term_state_word(plan->state));
    day_write(out, RPC_MEMBER(PLAN, BEGINS), plan, "from");
    day_write(out, RPC_MEMBER(PLAN, ENDS), plan, "to");
    rpc_member_uint(out, RPC_MEMBER(PLAN, ENTRIES), plan->entries);
    rpc_member_int(out, RPC_MEMBER(PLAN, UPDATED), plan->at_ms);
    rpc_member_text(out, RPC_MEMBER(PLAN, HEAD), head);
    if (listed->wrong.code != PROTO_OK) {
        rpc_member_text(out, RPC_MEMBER(PLAN, WRONG), listed->wrong.message);
    }
}

enum rpc_outcome rpc_on_PLAN_LIST(struct rpc_call *call, struct proto_fault *fault)
{
    struct commitment_list list;
    bool good = commitment_list(call->worker->engine, call->scan, &list, fault);
    if (good) {
        proto_write_map(call->out, 2);
        rpc_key(call->out, call->op, PROTO_A_PLAN_LIST_PLANS);
        proto_write_array(call->out, list.count);
        for (size_t i = 0; i < list.count; i++) {
            listed_write(call->out, &list.plans[i]);
        }
        rpc_put_uint(call->out, call->op, PROTO_A_PLAN_LIST_LOST, list.lost);
    }
    commitment_list_fini(&list);
    return good ? RPC_DONE : RPC_FAILED;
}

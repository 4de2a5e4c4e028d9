/* SPDX-License-Identifier: Apache-2.0 */
/* metric-put, on the lane SCAN, for it waits for the disk: a definition as the use case wants it,
 * and what it became. metric-get and metric-list: what the state of the engine holds. A document
 * that cannot be printed for want of memory fails the request. */
#include <stdlib.h>

#include "server/lifecycle/lifecycle_define.h"
#include "server/rpc/rpc_member.h"
#include "server/rpc/write.h"

/* The document in the arena, so that the reply can be taken back whole; empty with *fault. */
static struct proto_span document_print(struct rpc_call *call,
                                        const struct measure_definition *definition,
                                        struct proto_fault *fault)
{
    char *text = measure_definition_print(definition);
    struct proto_span whole = proto_span_text(text != NULL ? text : "");
    uint8_t *room = base_arena_take(&call->worker->arena, whole.bytes + 1);
    if (text == NULL || room == NULL) {
        free(text);
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a definition");
        return (struct proto_span){NULL, 0};
    }
    memcpy(room, text, whole.bytes);
    free(text);
    return (struct proto_span){room, whole.bytes};
}

static void changes_write(struct rpc_call *call, const struct lifecycle_defined *defined)
{
    struct proto_writer *out = call->out;
    const struct measure_rules *now = &defined->definition.rules;
    bool before = defined->before > 0;
    uint32_t differ = before ? measure_rules_differ(&defined->was, now) : 0;
    struct measure_engagement_change weighed[MEASURE_ENGAGEMENT_CHANGES_MAX];
    size_t weights = before ? measure_engagement_changes(&defined->was_engagement,
                                                         &defined->definition.engagement, weighed)
                            : 0;
    rpc_key(out, call->op, PROTO_A_METRIC_PUT_CHANGES);
    proto_write_array(out, (size_t)__builtin_popcount(differ) + weights);
    for (size_t i = 0; i < weights; i++) {
        proto_write_map(out, 3);
        rpc_member_text(out, RPC_MEMBER(RULE_CHANGE, RULE), weighed[i].rule);
        rpc_member_text(out, RPC_MEMBER(RULE_CHANGE, BEFORE), weighed[i].before);
        rpc_member_text(out, RPC_MEMBER(RULE_CHANGE, NOW), weighed[i].now);
    }
    for (unsigned rule = 0; rule < MEASURE_RULES; rule++) {
        char text[LIFECYCLE_RULE_BYTES];
        if ((differ >> rule & 1) == 0) {
            continue;
        }
        proto_write_map(out, 3);
        rpc_member_text(out, RPC_MEMBER(RULE_CHANGE, RULE),
                        measure_rule_name((enum measure_rule)rule));
        lifecycle_rule_print(&defined->was, (enum measure_rule)rule, text);
        rpc_member_text(out, RPC_MEMBER(RULE_CHANGE, BEFORE), text);
        lifecycle_rule_print(now, (enum measure_rule)rule, text);
        rpc_member_text(out, RPC_MEMBER(RULE_CHANGE, NOW), text);
    }
}

static void put_write(struct rpc_call *call, const struct lifecycle_defined *defined)
{
    const struct measure_definition *definition = &defined->definition;
    struct proto_writer *out = call->out;
    bool before = defined->before > 0;
    bool stored = defined->seq > 0;
    proto_write_map(out, 6U + before + stored + defined->repeated);
    rpc_put_text(out, call->op, PROTO_A_METRIC_PUT_NAME, definition->name);
    rpc_put_uint(out, call->op, PROTO_A_METRIC_PUT_VERSION, definition->version);
    rpc_put_text(out, call->op, PROTO_A_METRIC_PUT_METRIC,
                 measure_metric_info(definition->metric)->name);
    rpc_put_flag(out, call->op, PROTO_A_METRIC_PUT_UNCHANGED, defined->unchanged);
    if (before) {
        rpc_put_uint(out, call->op, PROTO_A_METRIC_PUT_BEFORE, defined->before);
    }
    changes_write(call, defined);
    rpc_put_text(out, call->op, PROTO_A_METRIC_PUT_DEFINITION, defined->text);
    if (stored) {
        rpc_put_uint(out, call->op, PROTO_A_METRIC_PUT_SEQ, defined->seq);
    }
    rpc_put_repeated(out, call->op, PROTO_A_METRIC_PUT_REPEATED, defined->repeated);
}

/* What a reply holds beside the definition as it was sent: rules that were left out, and changes.
 */
enum { PUT_REPLY_BYTES = 32768 };

enum rpc_outcome rpc_on_METRIC_PUT(struct rpc_call *call, struct proto_fault *fault)
{
    struct lifecycle_define request = {
        .text = call->args[PROTO_Q_METRIC_PUT_DEFINITION].text,
        .note = rpc_arg_text(call, PROTO_Q_METRIC_PUT_NOTE),
        .dry_run = rpc_arg_flag(call, PROTO_Q_METRIC_PUT_DRY_RUN),
        .operation = rpc_operation(call, PROTO_Q_METRIC_PUT_OPERATION),
    };
    /* Room for the reply first: what is stored must not be refused for want of it. */
    if (proto_writer_reserve(call->out, request.text.bytes + PUT_REPLY_BYTES) == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the reply");
        return RPC_FAILED;
    }
    struct lifecycle_defined defined;
    bool good = lifecycle_define(call->worker->engine, &request, &defined, fault);
    if (good) {
        put_write(call, &defined);
    }
    free(defined.text);
    return good ? RPC_DONE : RPC_FAILED;
}

enum rpc_outcome rpc_on_METRIC_GET(struct rpc_call *call, struct proto_fault *fault)
{
    const struct engine_definitions *set = rpc_state(call)->definitions;
    const struct engine_definition *found = NULL;
    struct proto_writer *out = call->out;
    struct measure_reference wanted;
    if (measure_reference_read(rpc_arg_text(call, PROTO_Q_METRIC_GET_NAME), &wanted, fault)) {
        found = engine_definitions_find(set, &wanted, fault);
    }
    if (found == NULL) {
        (void)proto_fault_within(fault, "name");
        return RPC_FAILED;
    }
    struct proto_span text = document_print(call, &found->definition, fault);
    if (text.data == NULL) {
        return RPC_FAILED;
    }
    proto_write_map(out, 6);
    rpc_put_text(out, call->op, PROTO_A_METRIC_GET_NAME, found->definition.name);
    rpc_put_uint(out, call->op, PROTO_A_METRIC_GET_VERSION, found->definition.version);
    rpc_put_text(out, call->op, PROTO_A_METRIC_GET_METRIC,
                 measure_metric_info(found->definition.metric)->name);
    rpc_put_flag(out, call->op, PROTO_A_METRIC_GET_IN_FORCE,
                 engine_definitions_in_force(set, found));
    rpc_put_int(out, call->op, PROTO_A_METRIC_GET_TIME, found->time_ms);
    rpc_put_str(out, call->op, PROTO_A_METRIC_GET_DEFINITION, text);
    return RPC_DONE;
}

static bool is_listed(const struct rpc_call *call, const struct engine_definitions *set, size_t i)
{
    const struct engine_definition *one = set->items[i];
    struct proto_span name = rpc_arg_text(call, PROTO_Q_METRIC_LIST_NAME);
    if (one == NULL) {
        return false;
    }
    return name.bytes > 0 ? proto_span_is(name, one->definition.name)
                          : rpc_arg_flag(call, PROTO_Q_METRIC_LIST_ALL) ||
                                engine_definitions_in_force(set, one);
}

static void kept_write(struct proto_writer *out, const struct engine_definitions *set,
                       const struct engine_definition *one)
{
    const struct measure_definition *definition = &one->definition;
    proto_write_map(out, 7);
    rpc_member_text(out, RPC_MEMBER(METRIC_KEPT, NAME), definition->name);
    rpc_member_uint(out, RPC_MEMBER(METRIC_KEPT, VERSION), definition->version);
    rpc_member_text(out, RPC_MEMBER(METRIC_KEPT, METRIC),
                    measure_metric_info(definition->metric)->name);
    rpc_member_flag(out, RPC_MEMBER(METRIC_KEPT, IN_FORCE), engine_definitions_in_force(set, one));
    rpc_member_int(out, RPC_MEMBER(METRIC_KEPT, TIME), one->time_ms);
    rpc_member_text(out, RPC_MEMBER(METRIC_KEPT, BY), definition->author);
    rpc_member_text(out, RPC_MEMBER(METRIC_KEPT, NOTE), definition->note);
}

enum rpc_outcome rpc_on_METRIC_LIST(struct rpc_call *call, struct proto_fault *fault)
{
    const struct engine_definitions *set = rpc_state(call)->definitions;
    struct proto_writer *out = call->out;
    size_t count = 0;
    (void)fault;
    for (size_t i = 0; set != NULL && i < set->count; i++) {
        count += is_listed(call, set, i);
    }
    proto_write_map(out, 2);
    rpc_key(out, call->op, PROTO_A_METRIC_LIST_DEFINITIONS);
    proto_write_array(out, count);
    for (size_t i = 0; set != NULL && i < set->count; i++) {
        if (is_listed(call, set, i)) {
            kept_write(out, set, set->items[i]);
        }
    }
    rpc_put_uint(out, call->op, PROTO_A_METRIC_LIST_DAMAGED, set != NULL ? set->damaged : 0);
    return RPC_DONE;
}

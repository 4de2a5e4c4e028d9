/* SPDX-License-Identifier: Apache-2.0 */
/* ICP versions: put, get, list, activate, revert. Learning is in rpc_learn.c. */
#include "proto/utf8.h"
#include "server/engine/version.h"
#include "server/rpc/rpc_member.h"
#include "server/rpc/write.h"

#define LABEL_LISTED_BYTES 512 /* of the expression of the outcome, in the list of versions */

static void put_reply(struct proto_writer *out, const struct proto_op_info *op,
                      const struct engine_written *written)
{
    proto_write_map(out, 2U + written->repeated);
    rpc_put_uint(out, op, PROTO_A_ICP_PUT_ICP, written->version);
    rpc_put_uint(out, op, PROTO_A_ICP_PUT_SEQ, written->seq);
    rpc_put_repeated(out, op, PROTO_A_ICP_PUT_REPEATED, written->repeated);
}

enum rpc_outcome rpc_on_ICP_PUT(struct rpc_call *call, struct proto_fault *fault)
{
    struct proto_span text = rpc_arg_text(call, PROTO_Q_ICP_PUT_DOCUMENT);
    struct engine_write write;
    if (!rpc_write_begin(call, PROTO_Q_ICP_PUT_OPERATION, put_reply, &write, fault)) {
        return RPC_FAILED;
    }
    return rpc_write_end(&write, engine_icp_put(call->worker->engine, text, &write, fault));
}

enum rpc_outcome rpc_on_ICP_GET(struct rpc_call *call, struct proto_fault *fault)
{
    const struct engine_state *state = rpc_state(call);
    struct learn_document *document =
        engine_state_document(state, rpc_arg_uint(call, PROTO_Q_ICP_GET_ICP), fault);
    if (!document) {
        return RPC_FAILED;
    }
    proto_write_map(call->out, 3);
    rpc_put_uint(call->out, call->op, PROTO_A_ICP_GET_ICP, document->version);
    rpc_put_flag(call->out, call->op, PROTO_A_ICP_GET_ACTIVE, document == state->active);
    rpc_put_str(call->out, call->op, PROTO_A_ICP_GET_DOCUMENT,
                (struct proto_span){(const uint8_t *)document->text, document->text_bytes});
    return RPC_DONE;
}

/* A text or number of the document by its path, for the list; absent members read as "" and 0. */
static const char *json_text_at(const json_t *json, const char *outer, const char *inner)
{
    const json_t *at = outer ? json_object_get(json, outer) : json;
    const char *text = json_string_value(json_object_get(at, inner));
    return text ? text : "";
}

/* The list of all versions must fit one frame, whatever was once stored: texts are cut. */
static struct proto_span text_cut(const char *text, size_t most)
{
    struct proto_span whole = proto_span_text(text);
    return (struct proto_span){whole.data, proto_utf8_cut(whole.data, whole.bytes, most)};
}

static void write_version(struct rpc_call *call, uint32_t version, const json_t *json)
{
    struct proto_writer *out = call->out;
    const json_t *label = json_object_get(json, "label");
    const json_t *holdout = json_object_get(json_object_get(json, "evidence"), "holdout");
    proto_write_map(out, 7);
    rpc_member_uint(out, RPC_MEMBER(VERSION, ICP), version);
    rpc_member_str(out, RPC_MEMBER(VERSION, NAME),
                   text_cut(json_text_at(json, NULL, "name"), PROTO_ICP_NAME_BYTES_MAX));
    rpc_member_str(out, RPC_MEMBER(VERSION, LABEL),
                   text_cut(json_text_at(json, "label", "expression"), LABEL_LISTED_BYTES));
    rpc_member_text(out, RPC_MEMBER(VERSION, CREATED), json_text_at(json, NULL, "created"));
    rpc_member_int(out, RPC_MEMBER(VERSION, ACCOUNTS),
                   json_integer_value(json_object_get(label, "population")));
    rpc_member_number(out, RPC_MEMBER(VERSION, AUC),
                      json_number_value(json_object_get(holdout, "auc")));
    rpc_member_flag(out, RPC_MEMBER(VERSION, ACTIVE), version == rpc_state(call)->active_version);
}

struct switch_listing {
    struct proto_writer *out;
    size_t skip; /* that many are too long ago */
};

static void write_switch(void *context, const struct engine_switch *change)
{
    struct switch_listing *listing = context;
    struct proto_writer *out = listing->out;
    if (listing->skip > 0) {
        listing->skip--;
        return;
    }
    proto_write_map(out, 3);
    rpc_member_uint(out, RPC_MEMBER(SWITCH, ICP), change->version);
    rpc_member_int(out, RPC_MEMBER(SWITCH, TIME), change->time_ms);
    rpc_member_str(out, RPC_MEMBER(SWITCH, REASON), change->reason);
}

static void count_switch(void *context, const struct engine_switch *change)
{
    (void)change;
    ++*(size_t *)context;
}

enum rpc_outcome rpc_on_ICP_LIST(struct rpc_call *call, struct proto_fault *fault)
{
    const struct engine_state *state = rpc_state(call);
    struct engine_worker *worker = call->worker->engine;
    size_t usable = 0;
    size_t switches = 0;
    const json_t **heads =
        base_arena_array(&call->worker->arena, state->document_count + 1, sizeof(json_t *));
    if (!heads) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a list of versions");
        return RPC_FAILED;
    }
    if (!engine_switches(worker, count_switch, &switches, fault)) {
        return RPC_FAILED;
    }
    for (size_t i = 0; i < state->document_count; i++) {
        struct proto_fault unusable = {.code = PROTO_OK};
        heads[i] = engine_version_head(worker, (uint32_t)i + 1, &unusable);
        /* A version that nobody can read is left out, never one for want of memory. */
        if (!heads[i] && engine_version_passes(unusable.code)) {
            *fault = unusable;
            return RPC_FAILED;
        }
        usable += heads[i] != NULL;
    }
    proto_write_map(call->out, 2);
    rpc_key(call->out, call->op, PROTO_A_ICP_LIST_ICPS);
    proto_write_array(call->out, usable);
    for (size_t i = 0; i < state->document_count; i++) {
        if (heads[i]) {
            write_version(call, (uint32_t)i + 1, heads[i]);
        }
    }
    rpc_key(call->out, call->op, PROTO_A_ICP_LIST_SWITCHES);
    struct switch_listing listing = {call->out, 0};
    if (switches > PROTO_SWITCHES_LISTED_MAX) {
        listing.skip = switches - PROTO_SWITCHES_LISTED_MAX;
    }
    proto_write_array(call->out, switches - listing.skip);
    return engine_switches(worker, write_switch, &listing, fault) ? RPC_DONE : RPC_FAILED;
}

/* activate and revert answer alike. */
_Static_assert((int)PROTO_A_ICP_ACTIVATE_ICP == (int)PROTO_A_ICP_REVERT_ICP &&
                   (int)PROTO_A_ICP_ACTIVATE_PREVIOUS == (int)PROTO_A_ICP_REVERT_PREVIOUS &&
                   (int)PROTO_A_ICP_ACTIVATE_SEQ == (int)PROTO_A_ICP_REVERT_SEQ &&
                   (int)PROTO_A_ICP_ACTIVATE_REPEATED == (int)PROTO_A_ICP_REVERT_REPEATED,
               "activate and revert answer alike");

static void switch_reply(struct proto_writer *out, const struct proto_op_info *op,
                         const struct engine_written *written)
{
    proto_write_map(out, 3U + written->repeated);
    rpc_put_uint(out, op, PROTO_A_ICP_ACTIVATE_ICP, written->version);
    rpc_put_uint(out, op, PROTO_A_ICP_ACTIVATE_PREVIOUS, written->previous);
    rpc_put_uint(out, op, PROTO_A_ICP_ACTIVATE_SEQ, written->seq);
    rpc_put_repeated(out, op, PROTO_A_ICP_ACTIVATE_REPEATED, written->repeated);
}

enum rpc_outcome rpc_on_ICP_ACTIVATE(struct rpc_call *call, struct proto_fault *fault)
{
    uint64_t version = rpc_arg_uint(call, PROTO_Q_ICP_ACTIVATE_ICP);
    struct proto_span reason = rpc_arg_text(call, PROTO_Q_ICP_ACTIVATE_REASON);
    struct engine_write write;
    if (!rpc_write_begin(call, PROTO_Q_ICP_ACTIVATE_OPERATION, switch_reply, &write, fault)) {
        return RPC_FAILED;
    }
    return rpc_write_end(&write,
                         engine_icp_activate(call->worker->engine, version, reason, &write, fault));
}

enum rpc_outcome rpc_on_ICP_REVERT(struct rpc_call *call, struct proto_fault *fault)
{
    struct proto_span reason = rpc_arg_text(call, PROTO_Q_ICP_REVERT_REASON);
    struct engine_write write;
    if (!rpc_write_begin(call, PROTO_Q_ICP_REVERT_OPERATION, switch_reply, &write, fault)) {
        return RPC_FAILED;
    }
    return rpc_write_end(&write, engine_icp_revert(call->worker->engine, reason, &write, fault));
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/write.h"

static void schema_reply(struct proto_writer *out, const struct proto_op_info *op,
                         const struct engine_written *written)
{
    proto_write_map(out, 2U + written->repeated);
    rpc_put_uint(out, op, PROTO_A_SCHEMA_PUT_SCHEMA, written->version);
    rpc_put_uint(out, op, PROTO_A_SCHEMA_PUT_SEQ, written->seq);
    rpc_put_repeated(out, op, PROTO_A_SCHEMA_PUT_REPEATED, written->repeated);
}

enum rpc_outcome rpc_on_SCHEMA_PUT(struct rpc_call *call, struct proto_fault *fault)
{
    struct proto_span text = rpc_arg_text(call, PROTO_Q_SCHEMA_PUT_DOCUMENT);
    struct engine_write write;
    if (!rpc_write_begin(call, PROTO_Q_SCHEMA_PUT_OPERATION, schema_reply, &write, fault)) {
        return RPC_FAILED;
    }
    return rpc_write_end(&write, engine_schema_put(call->worker->engine, text, &write, fault));
}

enum rpc_outcome rpc_on_SCHEMA_GET(struct rpc_call *call, struct proto_fault *fault)
{
    const struct engine_state *state = rpc_state(call);
    uint64_t version = rpc_arg_uint(call, PROTO_Q_SCHEMA_GET_SCHEMA);
    if (!state->schema) {
        proto_fault_set(fault, PROTO_NO_SCHEMA, "", "no schema has been put yet");
        return RPC_FAILED;
    }
    if (version == 0) {
        version = state->schema->version;
    }
    struct proto_span text;
    if (!engine_schema_text(call->worker->engine, version, &text)) {
        proto_fault_set(fault, PROTO_NOT_FOUND, "schema", "there is no such schema version");
        return RPC_FAILED;
    }
    proto_write_map(call->out, 2);
    rpc_put_uint(call->out, call->op, PROTO_A_SCHEMA_GET_SCHEMA, version);
    rpc_put_str(call->out, call->op, PROTO_A_SCHEMA_GET_DOCUMENT, text);
    return RPC_DONE;
}

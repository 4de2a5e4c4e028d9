/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "server/rpc/write.h"

static void schema_reply(struct proto_writer *out, const struct proto_op_info *op,
                         const struct store_result *result)
{
    proto_write_map(out, 2);
    rpc_put_uint(out, op, PROTO_A_SCHEMA_PUT_SCHEMA, result->version);
    rpc_put_uint(out, op, PROTO_A_SCHEMA_PUT_SEQ, result->seq);
}

/* Parsed here, so that the writer is not held up by a document that is none. Which version it
 * becomes, and the ids of its fields, are decided by the writer: others may be on their way. */
enum rpc_outcome rpc_on_SCHEMA_PUT(struct rpc_call *call, struct proto_fault *fault)
{
    const struct engine_state *state = rpc_state(call);
    uint32_t version = (uint32_t)state->schema_count + 1;
    struct proto_span text = rpc_arg_text(call, PROTO_Q_SCHEMA_PUT_DOCUMENT);
    struct feature_schema *schema = feature_schema_parse(text, version, state->schema, fault);
    if (!schema) {
        return RPC_FAILED;
    }
    feature_schema_release(schema);
    struct store_batch *batch = store_batch_create();
    if (!batch) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "document", "no memory for the schema");
        return RPC_FAILED;
    }
    if (!store_batch_schema(batch, 0, text, fault)) {
        store_batch_destroy(batch);
        return RPC_FAILED;
    }
    return rpc_write_submit(call, batch, schema_reply, fault);
}

enum rpc_outcome rpc_on_SCHEMA_GET(struct rpc_call *call, struct proto_fault *fault)
{
    const struct engine_state *state = rpc_state(call);
    uint64_t version = rpc_arg_uint(call, PROTO_Q_SCHEMA_GET_SCHEMA, 0);
    if (!state->schema) {
        proto_fault_set(fault, PROTO_NO_SCHEMA, "", "no schema has been put yet");
        return RPC_FAILED;
    }
    if (version == 0) {
        version = state->schema->version;
    }
    struct proto_span text;
    if (version > state->schema_count ||
        !store_schema_text(engine_worker_view(call->worker->engine), (uint32_t)version, &text)) {
        proto_fault_set(fault, PROTO_NOT_FOUND, "schema", "there is no such schema version");
        return RPC_FAILED;
    }
    proto_write_map(call->out, 2);
    rpc_put_uint(call->out, call->op, PROTO_A_SCHEMA_GET_SCHEMA, version);
    rpc_put_str(call->out, call->op, PROTO_A_SCHEMA_GET_DOCUMENT, text);
    return RPC_DONE;
}

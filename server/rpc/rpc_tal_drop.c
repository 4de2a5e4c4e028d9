/* SPDX-License-Identifier: Apache-2.0 */
/* tal-drop: a damaged list, by name or by number, is given up; a request that names both or neither
 * is refused, and so is a list that is sound. */
#include "server/listing/listing.h"
#include "server/rpc/write.h"

enum rpc_outcome rpc_on_TAL_DROP(struct rpc_call *call, struct proto_fault *fault)
{
    struct listing_drop request = {
        .name = rpc_arg_text(call, PROTO_Q_TAL_DROP_NAME),
        .reason = rpc_arg_text(call, PROTO_Q_TAL_DROP_REASON),
        .operation = rpc_operation(call, PROTO_Q_TAL_DROP_OPERATION),
    };
    struct listing_dropped dropped;
    if (call->args[PROTO_Q_TAL_DROP_NUMBER].present) {
        request.number = (uint32_t)rpc_arg_uint(call, PROTO_Q_TAL_DROP_NUMBER);
    }
    if ((request.name.bytes > 0) == (request.number > 0)) {
        proto_fault_set(fault, PROTO_BAD_FIELD, "name",
                        "a list is named by either its name or its number");
        return RPC_FAILED;
    }
    if (!listing_drop(call->worker->engine, &request, &dropped, fault)) {
        return RPC_FAILED;
    }
    struct proto_writer *out = call->out;
    proto_write_map(out, 2U + dropped.repeated);
    rpc_put_uint(out, call->op, PROTO_A_TAL_DROP_NUMBER, dropped.number);
    rpc_put_uint(out, call->op, PROTO_A_TAL_DROP_SEQ, dropped.seq);
    rpc_put_repeated(out, call->op, PROTO_A_TAL_DROP_REPEATED, dropped.repeated);
    return RPC_DONE;
}

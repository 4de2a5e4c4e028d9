/* SPDX-License-Identifier: Apache-2.0 */
/* The handler of each operation, for whoever serves a request: an event loop at once, or the thread
 * of a lane in its turn. */
#include "server/rpc/call.h"

typedef enum rpc_outcome rpc_handler(struct rpc_call *call, struct proto_fault *fault);

/* By opcode; a row of op.def without its handler does not link. */
static rpc_handler *const handlers[256] = {
#define X(opcode, NAME, name, lane, role, retry, help) [opcode] = rpc_on_##NAME,
#include "proto/op.def"
#undef X
};

enum rpc_outcome rpc_handle(struct rpc_call *call, struct proto_fault *fault)
{
    return handlers[call->op->op](call, fault);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/write.h"

#include <stdlib.h>

struct pending_write {
    struct rpc_later *later;
    rpc_write_reply *reply;
};

static void write_done(void *context, const struct engine_written *written)
{
    struct pending_write *pending = context;
    if (written->fault.code == PROTO_OK) {
        const struct rpc_options *options = &pending->later->rpc->options;
        base_metrics_add(base_metrics_block(options->metrics, options->workers),
                         BASE_METRIC_ACCOUNTS_WRITTEN, written->count);
        pending->reply(rpc_later_begin(pending->later), pending->later->op, written);
    }
    rpc_later_post(pending->later, &written->fault);
    free(pending);
}

bool rpc_write_begin(struct rpc_call *call, rpc_write_reply *reply, struct engine_write *write,
                     struct proto_fault *fault)
{
    struct pending_write *pending = calloc(1, sizeof *pending);
    if (!pending) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the request");
    }
    pending->reply = reply;
    pending->later = rpc_later_create(call, fault);
    if (!pending->later) {
        free(pending);
        return false;
    }
    *write = (struct engine_write){.on_done = write_done, .context = pending};
    return true;
}

enum rpc_outcome rpc_write_end(const struct engine_write *write, bool given)
{
    struct pending_write *pending = write->context;
    if (given) {
        return RPC_LATER;
    }
    rpc_later_drop(pending->later);
    free(pending);
    return RPC_FAILED;
}

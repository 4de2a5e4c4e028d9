/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/write.h"

#include <stdlib.h>

struct pending_write {
    struct rpc_later *later;
    rpc_write_reply *reply;
};

static void write_done(void *context, const struct store_result *result)
{
    struct pending_write *pending = context;
    if (result->fault.code == PROTO_OK) {
        const struct rpc_options *options = &pending->later->rpc->options;
        base_metrics_add(base_metrics_block(options->metrics, options->workers),
                         BASE_METRIC_ACCOUNTS_WRITTEN, result->count);
        pending->reply(rpc_later_begin(pending->later), pending->later->op, result);
    }
    rpc_later_post(pending->later, &result->fault);
    free(pending);
}

enum rpc_outcome rpc_write_submit(struct rpc_call *call, struct store_batch *batch,
                                  rpc_write_reply *reply, struct proto_fault *fault)
{
    struct pending_write *pending = calloc(1, sizeof *pending);
    if (!pending) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the request");
        goto fail;
    }
    pending->reply = reply;
    pending->later = rpc_later_create(call, fault);
    if (!pending->later) {
        goto fail;
    }
    if (!store_submit(engine_store(call->worker->rpc->options.engine), batch, write_done, pending,
                      fault)) {
        goto fail;
    }
    return RPC_LATER;

fail:
    if (pending && pending->later) {
        rpc_later_drop(pending->later);
    }
    free(pending);
    store_batch_destroy(batch);
    return RPC_FAILED;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that go through the writer: submit now, answer when the batch is on disk. */
#ifndef RPC_WRITE_H
#define RPC_WRITE_H

#include "server/rpc/call.h"

/* Writes the payload of the reply of a batch that was committed; runs on the writer thread. */
typedef void rpc_write_reply(struct proto_writer *out, const struct proto_op_info *op,
                             const struct store_result *result);

/* Takes the batch, also when it fails. */
enum rpc_outcome rpc_write_submit(struct rpc_call *call, struct store_batch *batch,
                                  rpc_write_reply *reply, struct proto_fault *fault);

#endif

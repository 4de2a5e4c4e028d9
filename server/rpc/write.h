/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that go through the writer: handed over now, answered when the write is on disk.
 *
 *   struct engine_write write;
 *   return rpc_write_begin(call, PROTO_Q_…_OPERATION, reply, &write, fault)
 *              ? rpc_write_end(&write, engine_…(…, &write, fault)) : RPC_FAILED; */
#ifndef RPC_WRITE_H
#define RPC_WRITE_H

#include "server/engine/ingest.h"
#include "server/rpc/call.h"

/* Writes the payload of the reply to a write that was committed; runs on the writer thread. */
typedef void rpc_write_reply(struct proto_writer *out, const struct proto_op_info *op,
                             const struct engine_written *written);

/* Fills *write for the engine, operation and deadline of the request included; false with *fault if
 * there is no memory. */
bool rpc_write_begin(struct rpc_call *call, int operation, rpc_write_reply *reply,
                     struct engine_write *write, struct proto_fault *fault);
/* given: what the engine answered. If it took the write, its reply may have gone out already. */
enum rpc_outcome rpc_write_end(const struct engine_write *write, bool given);

/* The operation that a request names, if its operation has that field (operation: its position),
 * and a digest of everything else that it says. Borrows from the payload. */
struct engine_operation rpc_operation(const struct rpc_call *call, int operation);
/* Writes `repeated` where that is so; maps that may end in it have one pair more then. */
void rpc_put_repeated(struct proto_writer *out, const struct proto_op_info *op, int index,
                      bool repeated);

/* Says of which import what the ingest holds is, if the request does (import: the position). */
bool rpc_import_add(const struct rpc_call *call, int import, struct engine_ingest *ingest,
                    struct proto_fault *fault);

#endif

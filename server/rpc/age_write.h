/* SPDX-License-Identifier: Apache-2.0 */
/* How old an answer may be, said in it where the request asked for that (`staleness`). The member
 * is added behind those of the handler, which so needs to know nothing of it. Errors: sticky in the
 * writer. Threads: the call's. Cost: nothing where nobody asks. */
#ifndef RPC_AGE_WRITE_H
#define RPC_AGE_WRITE_H

#include "server/rpc/call.h"

/* A reply whose payload, one map, is whole, and whose frame is still open. */
void rpc_age_write(const struct rpc_call *call);
/* The map at that place of a writer, up to its end, gets one pair more, which is written next. */
void rpc_map_widen(struct proto_writer *out, size_t at);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the frames that were read together the token of their connection still pays for. A
 * connection without a named token, or with one that has no rates, is never refused here.
 * Ownership: borrows. Errors: none. Threads: the connection's worker. Cost: two exchanges of a word
 * for each frame of a token with rates. */
#ifndef RPC_ADMIT_H
#define RPC_ADMIT_H

#include "server/rpc/call.h"

/* How many frames at the head of the batch may be served; *wait_ns is set if that is not all. What
 * was paid for and not served is not paid for again (rpc_admit_done). */
size_t rpc_admit(struct rpc_session *session, const struct rpc_batch *batch, uint64_t now_ns,
                 uint64_t *wait_ns);
/* So many frames of a connection with a named token were served. */
void rpc_admit_done(struct rpc_session *session, size_t frames);
/* Answers the frames behind those that were done, with how long to wait, until the replies fill
 * batch->out_room. */
void rpc_admit_refuse(struct rpc_call *call, struct rpc_batch *batch, uint64_t wait_ns);

#endif

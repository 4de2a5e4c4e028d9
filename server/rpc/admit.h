/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the frames that were read together their connection still pays for: out of the rate of
 * its address, and out of those of its named token. Where neither has a rate nothing is refused.
 * Ownership: borrows. Errors: none. Threads: the connection's worker. Cost: an exchange of a word
 * for each frame of an address with a rate, two of a token with rates. */
#ifndef RPC_ADMIT_H
#define RPC_ADMIT_H

#include "server/rpc/call.h"

/* In how long the first frame that was not paid for could be. */
struct rpc_wait {
    uint64_t ns;
    bool of_address; /* or else of the token */
};

/* Whether anything of the connection is to be paid for. */
bool rpc_admit_applies(const struct rpc *rpc, const struct rpc_session *session);
/* How many frames at the head of the batch may be served; *wait is set if that is not all. What was
 * paid for and not served is not paid for again (rpc_admit_done). */
size_t rpc_admit(const struct rpc *rpc, const struct rpc_batch *batch, uint64_t now_ns,
                 struct rpc_wait *wait);
/* So many frames of a connection that pays were served. */
void rpc_admit_done(struct rpc_session *session, size_t frames);
/* Answers the frames behind those that were done, with how long to wait, until the replies fill
 * batch->out_room. */
void rpc_admit_refuse(struct rpc_call *call, struct rpc_batch *batch, const struct rpc_wait *wait);

#endif

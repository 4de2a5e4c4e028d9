/* SPDX-License-Identifier: Apache-2.0 */
/* How engaged an account is, beside its score, where a request asks for that: the definition that
 * it names, the engagement, and the map that is written of it.
 *
 * Ownership: borrows. Errors: BAD_FIELD and NOT_FOUND at "engagement", CORRUPT; LIMIT for an
 * account with more events than an event loop reads (the card of it, on a lane, has no such bound).
 * Threads: that of the call. Cost: some 200 ns an event of the account. */
#ifndef RPC_ENGAGED_WRITE_H
#define RPC_ENGAGED_WRITE_H

#include "server/lifecycle/lifecycle_engage.h"
#include "server/rpc/call.h"

/* argument: the position of the definition; seq and known say what was known, and at (an argument
 * too) the moment. */
bool rpc_engaged_make(struct rpc_call *call, int argument, uint32_t slot,
                      const struct lifecycle_as_of *as_of, int64_t at_ms,
                      struct lifecycle_engaged *engaged, struct proto_fault *fault);
void rpc_engaged_write(struct proto_writer *out, const struct lifecycle_engaged *engaged);

#endif

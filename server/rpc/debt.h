/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a connection leaves so many replies unread that nothing more should be worked out for it:
 * told by its worker, asked by the lanes, whose replies can be large, and which may still hold a
 * request when the connection is gone. Ownership: reference counted. Errors: NULL is no memory.
 * Threads: any. */
#ifndef RPC_DEBT_H
#define RPC_DEBT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct rpc_debt {
    _Atomic unsigned references;
    _Atomic bool owes;
    _Atomic size_t ahead; /* bytes of replies that lanes have posted and its worker has not seen */
};

/* Replies of lanes that may lie between a lane and the connection's worker before no more is worked
 * out, a piece of an export among them: a worker that is slow to look must not make it much more
 * than whoever reads nothing leaves unread. */
#define RPC_AHEAD_BYTES ((size_t)3 << 19)

struct rpc_debt *rpc_debt_create(bool owes);
struct rpc_debt *rpc_debt_retain(struct rpc_debt *debt);
/* Bytes were posted by a lane, or came to the connection, whoever posted them: that takes them off
 * what is ahead as far as there is any. */
void rpc_debt_post(struct rpc_debt *debt, size_t bytes);
void rpc_debt_deliver(struct rpc_debt *debt, size_t bytes);
/* Whether nothing more should be worked out for the connection now. */
bool rpc_debt_is_large(const struct rpc_debt *debt);
void rpc_debt_release(struct rpc_debt *debt); /* NULL is fine */

#endif

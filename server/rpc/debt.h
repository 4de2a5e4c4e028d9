/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a connection leaves so many replies unread that nothing more should be worked out for it:
 * told by its worker, asked by the lanes, whose replies can be large, and which may still hold a
 * request when the connection is gone. Ownership: reference counted. Errors: NULL is no memory.
 * Threads: any. */
#ifndef RPC_DEBT_H
#define RPC_DEBT_H

#include <stdatomic.h>
#include <stdbool.h>

struct rpc_debt {
    _Atomic unsigned references;
    _Atomic bool owes;
};

struct rpc_debt *rpc_debt_create(bool owes);
struct rpc_debt *rpc_debt_retain(struct rpc_debt *debt);
void rpc_debt_release(struct rpc_debt *debt); /* NULL is fine */

#endif

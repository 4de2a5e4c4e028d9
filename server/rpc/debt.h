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
    _Atomic size_t unsent; /* bytes that its worker holds for it, when it looked last */
    _Atomic size_t ahead;  /* bytes of replies that lanes have posted and its worker has not seen */
};

/* What a connection may be owed, with its worker and on the way there, before no more is worked out
 * for it: so much and one reply of each lane is the most that it can leave unread. A piece of an
 * export, 1 MiB, must fit beside what its reader is about to take. */
#define RPC_OWED_BYTES ((size_t)3 << 19)

struct rpc_debt *rpc_debt_create(bool owes);
struct rpc_debt *rpc_debt_retain(struct rpc_debt *debt);
/* Bytes were posted by a lane, or came to the connection, whoever posted them, where so many lie
 * unsent now: that takes them off what is ahead as far as there is any. */
void rpc_debt_post(struct rpc_debt *debt, size_t bytes);
void rpc_debt_deliver(struct rpc_debt *debt, size_t bytes, size_t unsent);
void rpc_debt_look(struct rpc_debt *debt, size_t unsent); /* at what lies unsent */
/* Whether nothing more should be worked out for the connection now. */
bool rpc_debt_is_large(const struct rpc_debt *debt);
void rpc_debt_release(struct rpc_debt *debt); /* NULL is fine */

#endif

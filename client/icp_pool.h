/* SPDX-License-Identifier: Apache-2.0 */
/* A pool of clients for a program with many threads: each borrows a client for a call, or for as
 * long as it likes, and gives it back.
 *
 *     struct icp_pool *pool = icp_pool_create("icp://a:4273,b:4273", NULL, NULL, &fault);
 *     ... in any thread:
 *     struct icp_score score = {ICP_SCORE};
 *     struct icp_query query = {ICP_QUERY, .email = "ann@acme.com", .timeout_ms = 50};
 *     icp_pool_score(pool, &query, &score, &fault);
 *
 * Bounded: at most connections_max clients are made, when they are first needed. Fair: threads that
 * wait get a client in the order in which they came, and one that comes back goes to the first of
 * them. Health: one that is connected is lent before one that is not; a client whose borrower left
 * requests in flight drops its connection before it is lent again. The deadline of a call covers
 * waiting for a client.
 * Ownership: lent clients stay the pool's; all must be back before icp_pool_destroy.
 * Threads: every function from any thread. options.on_log and options.allocator are called from
 * any. Fork: a child makes a pool of its own. Cost: a lock and its release, some 50 ns, when nobody
 * waits. */
#ifndef ICP_POOL_H
#define ICP_POOL_H

#include "client/icp.h"

#ifdef __cplusplus
extern "C" {
#endif

struct icp_pool;

struct icp_pool_options {
    size_t size;              /* ICP_POOL_OPTIONS sets it */
    uint32_t connections_max; /* clients at most; 0 = 8, at most 1,024 */
};
#define ICP_POOL_OPTIONS .size = sizeof(struct icp_pool_options)

/* Connects once to see whether somebody answers, unless options->connect_later. Both options may be
 * NULL. */
ICP_API struct icp_pool *icp_pool_create(const char *uri, const struct icp_options *options,
                                         const struct icp_pool_options *pool_options,
                                         struct icp_fault *fault);
ICP_API void icp_pool_destroy(struct icp_pool *pool); /* NULL is fine */

/* A client for this thread alone until it is given back. NULL with *fault: ICP_TIMEOUT if all were
 * lent for timeout_ms (0 = options.call_timeout_ms), ICP_NO_MEMORY. */
ICP_API struct icp_client *icp_pool_lend(struct icp_pool *pool, uint32_t timeout_ms,
                                         struct icp_fault *fault);
ICP_API void icp_pool_give_back(struct icp_pool *pool, struct icp_client *client);

/* One call on a client of the pool: icp_call_within and icp_score_lead, with one deadline for both
 * waiting and asking. A default score is given here, too. */
ICP_API bool icp_pool_call(struct icp_pool *pool, enum icp_op op, const struct icp_payload *payload,
                           uint32_t timeout_ms, struct icp_reply *reply);
ICP_API bool icp_pool_score(struct icp_pool *pool, const struct icp_query *query,
                            struct icp_score *score, struct icp_fault *fault);

struct icp_pool_state {
    uint32_t clients;   /* made so far */
    uint32_t lent;      /* of these */
    uint32_t connected; /* of those that are not lent */
    uint32_t waiting;   /* threads */
};
ICP_API struct icp_pool_state icp_pool_state_read(struct icp_pool *pool);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* libicp for event loops: the client of icp.h without waiting.
 *
 * A loop watches one descriptor for reading, the same for the life of the client, and calls
 * icp_async_turn when it is readable or when icp_async_timeout_ms has passed. Requests have
 * deadlines, lost connections come back, what is safe is repeated, and reads are hedged, as with
 * the blocking calls; callbacks run from icp_async_turn and from nowhere else.
 * icp_uv.h is this for libuv; examples/poll_scores.c for poll.
 *
 * For a transport of one's own (TLS by the host, a test) there is icp_wire: bytes in, bytes out, no
 * descriptor and no clock.
 *
 * Ownership: payloads are copied; what a callback gets is the library's and dies when it returns.
 * Errors: icp_async_call returns NULL with *fault if the request cannot be sent at all (a payload
 * that is not whole, no memory); everything later is told to the callback, exactly once.
 * Threads: one client, one thread at a time. Fork: in a child ask for the descriptor again after
 * its first turn. Cost: one allocation a request. */
#ifndef ICP_ASYNC_H
#define ICP_ASYNC_H

#include "client/icp.h"

#ifdef __cplusplus
extern "C" {
#endif

struct icp_async;
struct icp_async_task;

/* A reply, or a failure (reply->fault.code). After one with reply->more another one follows: a
 * job's progress. May call whatever is declared here but icp_async_turn and icp_async_destroy. */
typedef void icp_async_done(void *context, const struct icp_reply *reply);

/* Does not connect: the first request does. NULL with *fault. */
ICP_API struct icp_async *icp_async_create(const char *uri, const struct icp_options *options,
                                           struct icp_fault *fault);
/* Tells each request that is still waited for that it is ICP_CLOSED, and frees. NULL is fine. */
ICP_API void icp_async_destroy(struct icp_async *async);

ICP_API int icp_async_fd(const struct icp_async *async);
/* Milliseconds until a turn is due though the descriptor is quiet; 0: now, -1: never. To be asked
 * again after each turn and each call. */
ICP_API int icp_async_timeout_ms(const struct icp_async *async);
/* Sends, receives, keeps connections, and runs the callbacks of what is done. Never waits. */
ICP_API void icp_async_turn(struct icp_async *async);

/* Takes one request, which is over, one way or the other, within timeout_ms (0 = the options'). It
 * leaves with the next turn, so that many leave together. done NULL: icp_async_take gives the
 * reply. The handle is valid until the last reply was told or taken. */
ICP_API struct icp_async_task *icp_async_call(struct icp_async *async, enum icp_op op,
                                              const struct icp_payload *payload,
                                              uint32_t timeout_ms, icp_async_done *done,
                                              void *context, struct icp_fault *fault);
/* The same for a score; *reply of the callback is read by icp_score_read. */
ICP_API struct icp_async_task *icp_async_score(struct icp_async *async,
                                               const struct icp_query *query, icp_async_done *done,
                                               void *context, struct icp_fault *fault);
/* Gives a request up: nothing is told any more. */
ICP_API void icp_async_cancel(struct icp_async *async, struct icp_async_task *task);
/* The next reply of a request without a callback, with the context of its call. False: none yet. */
ICP_API bool icp_async_take(struct icp_async *async, void **context, struct icp_reply *reply);
ICP_API size_t icp_async_in_flight(const struct icp_async *async);
/* As icp_token_get and icp_token_set. */
ICP_API struct icp_token icp_async_token_get(const struct icp_async *async);
ICP_API void icp_async_token_set(struct icp_async *async, struct icp_token token);

/* Bytes. */

struct icp_wire;

/* Only in_flight_max, buffer_bytes_max, no_checksum and allocator of the options matter. The first
 * request is ICP_OP_HELLO where the server wants a token. */
ICP_API struct icp_wire *icp_wire_create(const struct icp_options *options,
                                         struct icp_fault *fault);
ICP_API void icp_wire_destroy(struct icp_wire *wire);
/* Returns the request's id, 0 with *fault. */
ICP_API uint32_t icp_wire_request(struct icp_wire *wire, enum icp_op op,
                                  const struct icp_payload *payload, struct icp_fault *fault);
ICP_API void icp_wire_forget(struct icp_wire *wire, uint32_t id);
/* What is to be sent, NULL if nothing is, valid until the next call; and that `bytes` have left. */
ICP_API const void *icp_wire_output(const struct icp_wire *wire, size_t *bytes);
ICP_API void icp_wire_sent(struct icp_wire *wire, size_t bytes);
/* Takes bytes that have come. False with *fault: more than buffer_bytes_max wait to be taken as
 * replies, or no memory. */
ICP_API bool icp_wire_feed(struct icp_wire *wire, const void *data, size_t bytes,
                           struct icp_fault *fault);
/* No more bytes will come: requests in flight fail with ICP_CLOSED. */
ICP_API void icp_wire_end(struct icp_wire *wire);
/* The next reply, or the failure of a request. False: none is whole yet. */
ICP_API bool icp_wire_next(struct icp_wire *wire, struct icp_reply *reply);

#ifdef __cplusplus
}
#endif

#endif

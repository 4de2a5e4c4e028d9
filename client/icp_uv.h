/* SPDX-License-Identifier: Apache-2.0 */
/* libicp in a libuv loop; a header alone, so that libicp does not depend on libuv.
 *
 *     struct icp_uv scores;
 *     icp_uv_init(&scores, loop, "icp://127.0.0.1:4273", NULL, &fault);
 *     icp_uv_score(&scores, &query, on_score, context, &fault);
 *     uv_run(loop, UV_RUN_DEFAULT);
 *
 * The loop is kept alive while requests are in flight, not by an idle client.
 * Ownership: the struct must stay until on_closed of icp_uv_close ran; icp_uv_close may be called
 * from a callback. Errors: UV_ENOMEM and the like from libuv as ICP_INTERNAL. Threads: the loop's.
 * Cost: one epoll wakeup for all that came; requests of one turn of the loop leave together. */
#ifndef ICP_UV_H
#define ICP_UV_H

#include <stdio.h>
#include <uv.h>

#include "client/icp_async.h"

struct icp_uv {
    struct icp_async *async;
    uv_poll_t poll;
    uv_timer_t timer;
    unsigned handles; /* that are not closed yet */
    void (*on_closed)(struct icp_uv *uv);
    void *data; /* the caller's */
};

/* Sets the timer to when the client wants a turn. */
static inline void icp_uv_update(struct icp_uv *uv);

static inline void icp_uv_turn(struct icp_uv *uv)
{
    if (uv_is_closing((const uv_handle_t *)&uv->poll)) {
        return;
    }
    icp_async_turn(uv->async);
    if (!uv_is_closing((const uv_handle_t *)&uv->poll)) {
        icp_uv_update(uv);
    }
}

static inline void icp_uv_on_timer(uv_timer_t *timer)
{
    icp_uv_turn((struct icp_uv *)timer->data);
}

static inline void icp_uv_on_ready(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    icp_uv_turn((struct icp_uv *)poll->data);
}

static inline void icp_uv_update(struct icp_uv *uv)
{
    int timeout_ms = icp_async_timeout_ms(uv->async);
    if (timeout_ms < 0) {
        (void)uv_timer_stop(&uv->timer);
    } else {
        (void)uv_timer_start(&uv->timer, icp_uv_on_timer, (uint64_t)timeout_ms, 0);
    }
    if (icp_async_in_flight(uv->async) > 0) {
        uv_ref((uv_handle_t *)&uv->poll);
        uv_ref((uv_handle_t *)&uv->timer);
    } else {
        uv_unref((uv_handle_t *)&uv->poll);
        uv_unref((uv_handle_t *)&uv->timer);
    }
}

/* False with *fault; then there is nothing to close. */
static inline bool icp_uv_init(struct icp_uv *uv, uv_loop_t *loop, const char *uri,
                               const struct icp_options *options, struct icp_fault *fault)
{
    memset(uv, 0, sizeof *uv);
    uv->async = icp_async_create(uri, options, fault);
    if (uv->async == NULL) {
        return false;
    }
    int error = uv_poll_init(loop, &uv->poll, icp_async_fd(uv->async));
    if (error != 0) {
        icp_async_destroy(uv->async);
        memset(fault, 0, sizeof *fault);
        fault->code = ICP_INTERNAL;
        snprintf(fault->message, sizeof fault->message, "libuv: %s", uv_strerror(error));
        return false;
    }
    (void)uv_timer_init(loop, &uv->timer);
    uv->poll.data = uv->timer.data = uv;
    uv->handles = 2;
    (void)uv_poll_start(&uv->poll, UV_READABLE, icp_uv_on_ready);
    icp_uv_update(uv);
    return true;
}

/* As icp_async_call and icp_async_score. */
static inline struct icp_async_task *icp_uv_call(struct icp_uv *uv, enum icp_op op,
                                                 const struct icp_payload *payload,
                                                 uint32_t timeout_ms, icp_async_done *done,
                                                 void *context, struct icp_fault *fault)
{
    struct icp_async_task *task =
        icp_async_call(uv->async, op, payload, timeout_ms, done, context, fault);
    icp_uv_update(uv);
    return task;
}

static inline struct icp_async_task *icp_uv_score(struct icp_uv *uv, const struct icp_query *query,
                                                  icp_async_done *done, void *context,
                                                  struct icp_fault *fault)
{
    struct icp_async_task *task = icp_async_score(uv->async, query, done, context, fault);
    icp_uv_update(uv);
    return task;
}

static inline void icp_uv_on_handle_closed(uv_handle_t *handle)
{
    struct icp_uv *uv = (struct icp_uv *)handle->data;
    if (--uv->handles > 0) {
        return;
    }
    icp_async_destroy(uv->async);
    uv->async = NULL;
    if (uv->on_closed != NULL) {
        uv->on_closed(uv);
    }
}

/* Requests in flight are told ICP_CLOSED, later, from the loop; then on_closed (NULL: nothing)
 * runs.
 */
static inline void icp_uv_close(struct icp_uv *uv, void (*on_closed)(struct icp_uv *uv))
{
    uv->on_closed = on_closed;
    uv_close((uv_handle_t *)&uv->poll, icp_uv_on_handle_closed);
    uv_close((uv_handle_t *)&uv->timer, icp_uv_on_handle_closed);
}

#endif

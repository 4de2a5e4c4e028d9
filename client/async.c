/* SPDX-License-Identifier: Apache-2.0 */
/* The core for an event loop. A request is copied into one block with its task; when the core tells
 * it, the reply is copied into that block's queue, and the callback runs once the core has finished
 * its turn, so that it may ask anything of the client. */
#include <assert.h>

#include "client/client.h"
#include "client/icp_async.h"

/* A reply that waits to be told. */
struct told {
    struct told *next;
    struct icp_async_task *owner;
    struct icp_reply reply;
};

struct icp_async_task {
    struct client_task task; /* first: the core gives this back */
    struct icp_async *async;
    icp_async_done *done;
    void *context;
    struct told last;  /* the final reply, so that telling it needs no memory */
    bool is_told;      /* `last` is in a queue */
    bool is_cancelled; /* within its own callback: freed when that returns */
    uint8_t payload[]; /* what the request's body points to */
};

struct queue {
    struct told *first;
    struct told *last;
    size_t count;
};

struct icp_async {
    struct client_core core;
    struct queue to_tell;
    struct queue to_take;
    struct icp_async_task *telling; /* whose callback runs */
    size_t in_flight;
    bool is_fresh; /* requests have come since the last turn */
    struct icp_payload *query;
};

struct icp_async *icp_async_create(const char *uri, const struct icp_options *options,
                                   struct icp_fault *fault)
{
    struct proto_fault found = {.code = PROTO_OK};
    struct icp_options read;
    struct icp_async *async = NULL;
    if (!client_options_read(options, &read, &found)) {
        goto failed;
    }
    async = client_memory_grow(&read.allocator, NULL, sizeof *async);
    if (async == NULL) {
        proto_fault_set(&found, PROTO_NO_MEMORY, "", "no memory for the client");
        goto failed;
    }
    *async = (struct icp_async){0};
    if (client_core_open(&async->core, uri, &read, NULL, &found)) {
        return async;
    }
    client_core_close(&async->core);
    client_memory_free(async);
failed:
    client_fault_export(&found, fault);
    return NULL;
}

/* Being told. */

static struct queue *queue_of(const struct icp_async_task *owner)
{
    return owner->done != NULL ? &owner->async->to_tell : &owner->async->to_take;
}

static void queue_add(struct told *told)
{
    struct queue *queue = queue_of(told->owner);
    told->next = NULL;
    if (queue->last != NULL) {
        queue->last->next = told;
    } else {
        queue->first = told;
    }
    queue->last = told;
    queue->count++;
}

/* Takes `told` out of its queue, behind `before` (NULL: it is the first). */
static void queue_remove(struct queue *queue, struct told *before, struct told *told)
{
    if (before != NULL) {
        before->next = told->next;
    } else {
        queue->first = told->next;
    }
    if (queue->last == told) {
        queue->last = before;
    }
    queue->count--;
}

static void task_told(struct client_task *task, const struct client_reply *reply)
{
    struct icp_async_task *owner = (struct icp_async_task *)task;
    struct icp_async *async = owner->async;
    const struct icp_allocator *allocator = &async->core.settings.allocator;
    struct told *told = &owner->last;
    if (reply->more) {
        told = client_memory_grow(allocator, NULL, sizeof *told);
        if (told == NULL) {
            return; /* progress that is not told hurts nobody */
        }
        *told = (struct told){0};
    } else {
        owner->is_told = true;
    }
    told->owner = owner;
    (void)client_reply_fill(allocator, &told->reply, reply);
    queue_add(told);
}

static void task_free(struct icp_async_task *owner)
{
    icp_reply_fini(&owner->last.reply);
    owner->async->in_flight--;
    client_memory_free(owner);
}

/* Frees what is out of its queue, its task too if that was the last. */
static void told_free(struct told *told)
{
    struct icp_async_task *owner = told->owner;
    if (told == &owner->last) {
        task_free(owner);
        return;
    }
    icp_reply_fini(&told->reply);
    client_memory_free(told);
}

static void tell_first(struct icp_async *async)
{
    struct told *told = async->to_tell.first;
    struct icp_async_task *owner = told->owner;
    bool is_last = told == &owner->last;
    queue_remove(&async->to_tell, NULL, told);
    async->telling = owner;
    owner->done(owner->context, &told->reply);
    async->telling = NULL;
    bool is_cancelled = owner->is_cancelled && !is_last;
    told_free(told); /* the task as well, if that was the last */
    if (is_cancelled) {
        task_free(owner);
    }
}

/* What is added while this runs waits for the next turn. */
static void dispatch(struct icp_async *async)
{
    for (size_t left = async->to_tell.count; left > 0 && async->to_tell.first != NULL; left--) {
        tell_first(async);
    }
}

bool icp_async_take(struct icp_async *async, void **context, struct icp_reply *reply)
{
    struct told *told = async->to_take.first;
    if (told == NULL) {
        return false;
    }
    queue_remove(&async->to_take, NULL, told);
    *context = told->owner->context;
    icp_reply_fini(reply);
    *reply = told->reply;
    told->reply = (struct icp_reply){0};
    told_free(told);
    return true;
}

/* Requests. */

static struct icp_async_task *task_create(struct icp_async *async,
                                          const struct client_request *request,
                                          struct proto_fault *fault)
{
    struct icp_async_task *owner = client_memory_grow(&async->core.settings.allocator, NULL,
                                                      sizeof *owner + request->body.bytes);
    if (owner == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a request of %zu bytes",
                        request->body.bytes);
        return NULL;
    }
    *owner = (struct icp_async_task){.async = async, .task.on_done = task_told};
    if (request->body.bytes > 0) {
        memcpy(owner->payload, request->body.data, request->body.bytes);
    }
    return owner;
}

struct icp_async_task *icp_async_call(struct icp_async *async, enum icp_op op,
                                      const struct icp_payload *payload, uint32_t timeout_ms,
                                      icp_async_done *done, void *context, struct icp_fault *fault)
{
    struct proto_fault found = {.code = PROTO_OK};
    struct client_core *core = &async->core;
    struct client_request request;
    struct icp_async_task *owner = NULL;
    int64_t now_ms = client_now_ms();
    int64_t until_ms = now_ms + (timeout_ms != 0 ? timeout_ms : core->settings.call_timeout_ms);
    if (!client_request_fill(op, payload, &request, &found) ||
        (owner = task_create(async, &request, &found)) == NULL) {
        goto failed;
    }
    owner->done = done;
    owner->context = context;
    request.body.data = owner->payload;
    if (!client_task_prepare(core, &owner->task, &request, until_ms, &found)) {
        goto failed;
    }
    async->in_flight++;
    async->is_fresh = true;
    client_core_add(core, &owner->task, now_ms);
    return owner;
failed:
    client_memory_free(owner);
    client_fault_export(&found, fault);
    return NULL;
}

struct icp_async_task *icp_async_score(struct icp_async *async, const struct icp_query *query,
                                       icp_async_done *done, void *context, struct icp_fault *fault)
{
    struct icp_query read;
    const struct icp_payload *payload =
        client_query_read(&async->core.settings.allocator, &async->query, query, &read, fault);
    if (payload == NULL) {
        return NULL;
    }
    return icp_async_call(async, ICP_OP_SCORE, payload, read.timeout_ms, done, context, fault);
}

void icp_async_cancel(struct icp_async *async, struct icp_async_task *owner)
{
    struct queue *queue = queue_of(owner);
    struct told *before = NULL;
    if (owner->is_cancelled) {
        return;
    }
    if (!owner->is_told) {
        client_core_remove(&async->core, &owner->task);
    }
    for (struct told *told = queue->first; told != NULL;) {
        struct told *next = told->next;
        if (told->owner != owner) {
            before = told;
        } else {
            queue_remove(queue, before, told);
            if (told != &owner->last) {
                told_free(told);
            }
        }
        told = next;
    }
    if (async->telling == owner) {
        owner->is_cancelled = true;
    } else {
        task_free(owner);
    }
}

size_t icp_async_in_flight(const struct icp_async *async)
{
    return async->in_flight;
}

struct icp_token icp_async_token_get(const struct icp_async *async)
{
    return (struct icp_token){async->core.token.log, async->core.token.seq};
}

void icp_async_token_set(struct icp_async *async, struct icp_token token)
{
    async->core.token = (struct client_token){token.log, token.seq};
}

/* The loop's side. */

int icp_async_fd(const struct icp_async *async)
{
    return async->core.epoll_fd;
}

int icp_async_timeout_ms(const struct icp_async *async)
{
    if (async->is_fresh) {
        return 0;
    }
    int64_t wake_ms = client_core_wake_ms(&async->core);
    if (async->in_flight == 0 || wake_ms == INT64_MAX) {
        return -1;
    }
    int64_t left_ms = wake_ms - client_now_ms();
    return left_ms <= 0 ? 0 : left_ms > INT32_MAX ? INT32_MAX : (int)left_ms;
}

static void replies_take(struct icp_async *async)
{
    struct client_reply reply;
    while (client_core_next(&async->core, &reply))
        ; /* every request here has a task */
}

void icp_async_turn(struct icp_async *async)
{
    async->is_fresh = false;
    replies_take(async);
    client_core_turn(&async->core, 0);
    replies_take(async);
    dispatch(async);
    /* What callbacks asked for, and what became possible by what has come. */
    client_core_flush(&async->core);
    async->is_fresh = async->core.has_news || async->to_tell.first != NULL;
}

void icp_async_destroy(struct icp_async *async)
{
    if (async == NULL) {
        return;
    }
    struct client_core *core = &async->core;
    struct client_reply closed = {.fault.code = PROTO_OK};
    proto_fault_set(&closed.fault, PROTO_CLOSED, "", "the client was closed");
    struct client_task *task;
    while ((task = core->waiting.first != NULL ? core->waiting.first : core->sent.first) != NULL) {
        client_core_remove(core, task);
        closed.op = task->request.op;
        task_told(task, &closed);
    }
    while (async->to_tell.first != NULL) {
        tell_first(async);
    }
    while (async->to_take.first != NULL) {
        struct told *told = async->to_take.first;
        queue_remove(&async->to_take, NULL, told);
        told_free(told);
    }
    client_core_close(core);
    icp_payload_destroy(async->query);
    client_memory_free(async);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What waits for the writer, in order: a submission is linked and the writer woken; the writer cuts
 * off as many batches as make one commit. Beyond its bytes the queue takes nothing, nor does it
 * when the overlay is full or the store is closing. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "server/store/store_parts.h"

bool store_queue_init(struct store_queue *queue)
{
    pthread_condattr_t clock;
    if (pthread_condattr_init(&clock) != 0) {
        return false;
    }
    bool good = pthread_condattr_setclock(&clock, CLOCK_MONOTONIC) == 0 &&
                pthread_mutex_init(&queue->mutex, NULL) == 0;
    if (good && pthread_cond_init(&queue->arrived, &clock) != 0) {
        pthread_mutex_destroy(&queue->mutex);
        good = false;
    }
    pthread_condattr_destroy(&clock);
    return good;
}

void store_queue_fini(struct store_queue *queue)
{
    pthread_cond_destroy(&queue->arrived);
    pthread_mutex_destroy(&queue->mutex);
}

static void queue_add(struct store_queue *queue, struct store_ticket *ticket)
{
    if (queue->last == NULL) {
        queue->first = ticket;
    } else {
        queue->last->next = ticket;
    }
    queue->last = ticket;
    queue->count++;
    pthread_cond_signal(&queue->arrived);
}

bool store_submit(struct store *store, struct store_batch *batch,
                  void (*on_done)(void *context, const struct store_result *result), void *context,
                  struct proto_fault *fault)
{
    struct store_queue *queue = &store->queue;
    if (!store_overlay_admits(store, batch, fault)) {
        return false;
    }
    struct store_ticket *ticket = calloc(1, sizeof *ticket);
    if (ticket == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a submission");
    }
    ticket->batch = batch;
    ticket->bytes = batch->bytes;
    ticket->on_done = on_done;
    ticket->context = context;
    pthread_mutex_lock(&queue->mutex);
    bool good = true;
    if (queue->closing) {
        good = proto_fault_set(fault, PROTO_SHUTTING_DOWN, "", "the store is closing");
    }
    /* One batch is taken whatever its size, or a large one could never pass. */
    else if (queue->bytes > 0 && queue->bytes + batch->bytes > store->options.queue_bytes_max) {
        good = proto_fault_set(fault, PROTO_BUSY, "",
                               "%zu bytes of changes wait to be written, and %zu are the limit",
                               queue->bytes, store->options.queue_bytes_max);
    }
    if (good) {
        queue->bytes += batch->bytes;
        queue_add(queue, ticket);
    }
    pthread_mutex_unlock(&queue->mutex);
    if (!good) {
        free(ticket);
    }
    return good;
}

static void ticket_add(struct store *store, struct store_ticket *ticket)
{
    pthread_mutex_lock(&store->queue.mutex);
    queue_add(&store->queue, ticket);
    pthread_mutex_unlock(&store->queue.mutex);
}

void store_set_encoder(struct store *store, const struct store_encoder *encoder)
{
    struct store_held_encoder *held = store_encoder_hold(encoder);
    struct store_ticket *ticket = calloc(1, sizeof *ticket);
    if (held == NULL || ticket == NULL) {
        base_log(store->options.log, BASE_LOG_ERROR, "store",
                 "no memory to change the encoder of rows", BASE_NO_FIELDS);
        store_encoder_drop(held);
        free(ticket);
        return;
    }
    ticket->encoder = held;
    ticket_add(store, ticket);
}

struct waiter {
    pthread_mutex_t mutex;
    pthread_cond_t done;
    bool ready;
    struct store_result *result;
};

static void waiter_done(void *context, const struct store_result *result)
{
    struct waiter *waiter = context;
    pthread_mutex_lock(&waiter->mutex);
    *waiter->result = *result;
    waiter->ready = true;
    pthread_cond_signal(&waiter->done);
    pthread_mutex_unlock(&waiter->mutex);
}

static void waiter_wait(struct waiter *waiter)
{
    pthread_mutex_lock(&waiter->mutex);
    while (!waiter->ready) {
        pthread_cond_wait(&waiter->done, &waiter->mutex);
    }
    pthread_mutex_unlock(&waiter->mutex);
    pthread_cond_destroy(&waiter->done);
    pthread_mutex_destroy(&waiter->mutex);
}

bool store_submit_wait(struct store *store, struct store_batch *batch, struct store_result *result)
{
    struct waiter waiter = {
        .mutex = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER, .result = result};
    *result = (struct store_result){.fault.code = PROTO_OK};
    if (!store_submit(store, batch, waiter_done, &waiter, &result->fault)) {
        store_batch_destroy(batch);
        return false;
    }
    waiter_wait(&waiter);
    return result->fault.code == PROTO_OK;
}

bool store_queue_seal(struct store *store, struct store_result *result)
{
    struct waiter waiter = {
        .mutex = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER, .result = result};
    struct store_ticket *ticket = calloc(1, sizeof *ticket);
    if (ticket == NULL) {
        return proto_fault_set(&result->fault, PROTO_NO_MEMORY, "", "no memory for a submission");
    }
    ticket->on_done = waiter_done;
    ticket->context = &waiter;
    ticket_add(store, ticket);
    waiter_wait(&waiter);
    return result->fault.code == PROTO_OK;
}

static void queue_wait(struct store_queue *queue, int wait_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    while (queue->first == NULL && !queue->closing && !queue->poked) {
        if (pthread_cond_timedwait(&queue->arrived, &queue->mutex, &until) == ETIMEDOUT) {
            return;
        }
    }
}

/* Cuts the head of the queue off: batches up to `bytes`, at least one, or one of something else. */
static struct store_ticket *queue_cut(struct store_queue *queue, size_t bytes)
{
    struct store_ticket *first = queue->first;
    if (first == NULL) {
        return NULL;
    }
    struct store_ticket *last = first;
    size_t sum = first->batch == NULL ? bytes : first->batch->bytes;
    queue->count--;
    while (first->batch != NULL && last->next != NULL && last->next->batch != NULL &&
           sum + last->next->batch->bytes <= bytes) {
        last = last->next;
        sum += last->batch->bytes;
        queue->count--;
    }
    queue->first = last->next;
    last->next = NULL;
    if (queue->first == NULL) {
        queue->last = NULL;
    }
    return first;
}

struct store_ticket *store_queue_take(struct store_queue *queue, size_t bytes, int wait_ms,
                                      bool *closed)
{
    pthread_mutex_lock(&queue->mutex);
    if (queue->first == NULL && !queue->closing && !queue->poked && wait_ms > 0) {
        queue_wait(queue, wait_ms);
    }
    queue->poked = false;
    struct store_ticket *list = queue_cut(queue, bytes);
    *closed = list == NULL && queue->closing;
    pthread_mutex_unlock(&queue->mutex);
    return list;
}

void store_queue_poke(struct store_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    queue->poked = true;
    pthread_cond_signal(&queue->arrived);
    pthread_mutex_unlock(&queue->mutex);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A batch goes to the store unless there is a route; who waits for one that takes it sleeps until
 * the answer is there. */
#include "server/engine/submit.h"

#include <pthread.h>

#include "server/engine/engine_internal.h"

struct waiter {
    pthread_mutex_t mutex;
    pthread_cond_t done;
    bool ready;
    struct store_result *result;
};

void engine_route_set(struct engine *engine, const struct engine_route *route)
{
    engine->route = *route;
}

bool engine_submit(struct engine *engine, struct store_batch *batch,
                   void (*on_done)(void *context, const struct store_result *result), void *context,
                   struct proto_fault *fault)
{
    const struct engine_route *route = &engine->route;
    return route->submit != NULL ? route->submit(route->context, batch, on_done, context, fault)
                                 : store_submit(engine->store, batch, on_done, context, fault);
}

static void waiter_done(void *context, const struct store_result *result)
{
    struct waiter *waiter = context;
    pthread_mutex_lock(&waiter->mutex);
    *waiter->result = *result;
    waiter->ready = true;
    pthread_cond_signal(&waiter->done);
    pthread_mutex_unlock(&waiter->mutex);
}

bool engine_submit_wait(struct engine *engine, struct store_batch *batch,
                        struct store_result *result)
{
    struct waiter waiter = {
        .mutex = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER, .result = result};
    *result = (struct store_result){.fault.code = PROTO_OK};
    if (!engine_submit(engine, batch, waiter_done, &waiter, &result->fault)) {
        store_batch_destroy(batch);
        return false;
    }
    pthread_mutex_lock(&waiter.mutex);
    while (!waiter.ready) {
        pthread_cond_wait(&waiter.done, &waiter.mutex);
    }
    pthread_mutex_unlock(&waiter.mutex);
    pthread_cond_destroy(&waiter.done);
    pthread_mutex_destroy(&waiter.mutex);
    return result->fault.code == PROTO_OK;
}
